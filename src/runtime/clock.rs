//! Node time: from the engine's base at start, forwards with a clock that counts suspend.
//!
//! Refuses to run backwards. The wall clock is read for display only, so that setting it cannot end
//! a message or a lock. In tests the timers of the async runtime take the machine's place.

use crate::engine::time::{SECOND_MS, Timestamp};
use crate::os;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Drift between node time and wall clock that is shown no sooner than this, in milliseconds, so
/// that one moment is printed the same way twice.
const DRIFT_SHOWN_MS: u64 = 2 * SECOND_MS;

/// The node's clock. Clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock {
    base: Timestamp,
    source: Source,
    /// The wall clock less node time, when this clock started.
    offset_at_start_ms: i64,
    wall_offset_ms: Arc<AtomicI64>,
}

/// What moves a clock, and where that stood at the clock's base.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// The machine, since its start.
    Machine(Duration),
    /// The timers of the async runtime.
    Timers(Instant),
}

/// The longest nap by the machine's clock: timers of the system may stand still in suspend, node
/// time does not.
const NAP_MAX: Duration = Duration::from_secs(5);
/// The longest nap by the runtime's timers, which nothing else moves.
const TIMERS_NAP_MAX: Duration = Duration::from_secs(3_600);

impl Clock {
    /// A clock that shows `base` now.
    pub fn start(base: Timestamp) -> Self {
        Self::since(base, os::since_boot())
    }

    /// A clock that showed `base`, the engine's time after its store was opened, when the wall clock
    /// was read for that, so long after the machine's start. What opening took has passed: one moment
    /// is printed the same way after a restart.
    pub fn since(base: Timestamp, started: Duration) -> Self {
        let source = Source::Machine(started);
        let mut clock =
            Self { base, source, offset_at_start_ms: 0, wall_offset_ms: Arc::default() };
        clock.offset_at_start_ms = clock.offset_ms();
        clock.wall_offset_ms.store(clock.offset_at_start_ms, Ordering::Relaxed);
        clock
    }

    /// A clock that shows `base` now and goes with the timers of the async runtime, which a test may
    /// have stopped. It is its own wall clock.
    pub fn of_timers(base: Timestamp) -> Self {
        let source = Source::Timers(Instant::now());
        Self { base, source, offset_at_start_ms: 0, wall_offset_ms: Arc::default() }
    }

    /// How the wall clock stands to node time.
    pub fn wall_stand(&self) -> WallStand {
        WallStand { at_start_ms: self.offset_at_start_ms, now_ms: self.offset_ms() }
    }

    fn offset_ms(&self) -> i64 {
        match self.source {
            Source::Machine(_) => offset(os::wall_ms(), self.now()),
            Source::Timers(_) => 0,
        }
    }

    /// Node time.
    pub fn now(&self) -> Timestamp {
        let passed = match self.source {
            Source::Machine(started) => os::since_boot().saturating_sub(started),
            Source::Timers(started) => started.elapsed(),
        };
        self.base.after(u64::try_from(passed.as_millis()).unwrap_or(u64::MAX))
    }

    /// For how long the engine may sleep without a look at this clock.
    pub(super) const fn nap_max(&self) -> Duration {
        match self.source {
            Source::Machine(_) => NAP_MAX,
            Source::Timers(_) => TIMERS_NAP_MAX,
        }
    }

    /// What a wall clock shows at a moment of node time, in milliseconds since 1970.
    pub fn wall(&self, moment: Timestamp) -> u64 {
        if let Source::Timers(_) = self.source {
            return moment.as_millis();
        }
        let fresh = self.offset_ms();
        let kept = self.wall_offset_ms.load(Ordering::Relaxed);
        let shown = if fresh.abs_diff(kept) > DRIFT_SHOWN_MS {
            self.wall_offset_ms.store(fresh, Ordering::Relaxed);
            fresh
        } else {
            kept
        };
        moment.as_millis().saturating_add_signed(shown)
    }
}

/// The wall clock less node time, in milliseconds. Node time goes on where the last run ended, or
/// where the wall clock stands if that is later and can be believed; then it is nobody's to set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WallStand {
    /// When this run started: negative if the wall clock stood behind the last run, positive if it
    /// stood too far ahead of it to be believed.
    pub at_start_ms: i64,
    /// Now: another figure than at the start if the wall clock was set meanwhile.
    pub now_ms: i64,
}

fn offset(wall_ms: u64, node: Timestamp) -> i64 {
    i64::try_from(i128::from(wall_ms) - i128::from(node.as_millis())).unwrap_or(0)
}

#[cfg(test)]
mod tests;
