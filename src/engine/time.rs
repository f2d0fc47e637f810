//! Node time: a count of milliseconds that never runs backwards, not even across restarts.
//!
//! Refuses to read a clock. The runtime makes it from the wall clock at start and from a clock that
//! counts suspend afterwards; simulations make it up.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A moment in node time, in milliseconds. Near Unix time, but only ever forwards.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment before every other.
    pub const ZERO: Self = Self(0);
    /// The moment after every other.
    pub const MAX: Self = Self(u64::MAX);

    /// A moment so many milliseconds after zero.
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since zero.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The moment `ms` later, at most [`Timestamp::MAX`].
    #[must_use]
    pub const fn after(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to here, zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// One second in milliseconds.
pub const SECOND_MS: u64 = 1_000;
/// One minute in milliseconds.
pub const MINUTE_MS: u64 = 60 * SECOND_MS;
/// One hour in milliseconds.
pub const HOUR_MS: u64 = 60 * MINUTE_MS;
/// One day in milliseconds.
pub const DAY_MS: u64 = 24 * HOUR_MS;

/// A time span in its largest unit, for people: `0 s`, `12 s`, `41 m`, `3 h`, `3 d`.
pub fn spoken(ms: u64) -> String {
    let seconds = ms / SECOND_MS;
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} m", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
