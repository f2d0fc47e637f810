//! Watches the commits: one that does not end is reported, because nothing else would notice.
//!
//! A dead I/O thread of sled leaves a flush waiting for ever. The watchdog cannot end it; it calls
//! back, and whoever owns the process decides (the daemon aborts).

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Watches one store. Dropping it ends its thread.
pub(super) struct Watchdog(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
struct State {
    running_since: Option<Instant>,
    reported: bool,
    /// The thread waits for the bell without a deadline.
    asleep: bool,
    closed: bool,
}

/// A commit that is under way; it ends with this value.
pub(super) struct Running<'a>(&'a Shared);

impl Watchdog {
    /// Starts the thread. `report` is called once for each commit that takes longer than `limit`.
    pub(super) fn start(
        limit: Duration,
        report: impl Fn(Duration) + Send + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::default(), bell: Condvar::new() });
        let watched = Arc::clone(&shared);
        thread::Builder::new()
            .name("store-watchdog".to_owned())
            .spawn(move || watch(&watched, limit, report))?;
        Ok(Self(shared))
    }

    /// A commit begins.
    pub(super) fn begin(&self) -> Running<'_> {
        let mut state = self.0.lock();
        state.running_since = Some(Instant::now());
        state.reported = false;
        if state.asleep {
            self.0.bell.notify_one();
        }
        drop(state);
        Running(&self.0)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.lock().running_since = None;
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.bell.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While commits come, looks a few times per limit, so that a commit costs no wake-up; sleeps once
/// none has come for a whole look.
fn watch(shared: &Shared, limit: Duration, report: impl Fn(Duration)) {
    let look = (limit / 8).max(Duration::from_millis(1));
    let mut state = shared.lock();
    while !state.closed {
        let Some(since) = state.running_since else {
            state.asleep = true;
            state = shared.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.asleep = false;
            continue;
        };
        let elapsed = since.elapsed();
        if elapsed > limit && !state.reported {
            state.reported = true;
            drop(state);
            report(elapsed);
            state = shared.lock();
            continue;
        }
        state = shared.bell.wait_timeout(state, look).unwrap_or_else(PoisonError::into_inner).0;
    }
}

#[cfg(test)]
mod tests;
