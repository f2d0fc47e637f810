//! When to dial again.

/// First pause between two dials; doubles.
pub(crate) const REDIAL_FIRST_MS: u64 = 200;
/// Longest pause while the loss is fresh.
pub(crate) const REDIAL_FRESH_MS: u64 = 800;
/// For how long a loss is fresh.
pub(crate) const FRESH_MS: u64 = 15 * 60_000;
/// Longest pause afterwards, for ever.
pub(crate) const REDIAL_LONGEST_MS: u64 = 5_000;
/// How long the node with the larger id leaves dialing to the other.
pub(crate) const LARGER_WAITS_MS: u64 = 2_000;

/// A source of small differences, so that nodes do not dial in step.
#[derive(Clone, Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    /// Differences that follow from `seed`.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// A value between three and five quarters of `ms`.
    pub(crate) fn spread(&mut self, ms: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let half = ms / 2;
        ms - ms / 4 + if half == 0 { 0 } else { self.0 % (half + 1) }
    }
}

/// The pauses between the dials to one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    since_ms: u64,
    pause_ms: u64,
    next_ms: u64,
    tries: u32,
}

impl Pace {
    /// A first dial `delay_ms` from now.
    pub(crate) const fn new(now_ms: u64, delay_ms: u64) -> Self {
        Self { since_ms: now_ms, pause_ms: 0, next_ms: now_ms + delay_ms, tries: 0 }
    }

    /// A sign of life: begins anew, but never later than already planned.
    pub(crate) fn revive(&mut self, now_ms: u64, delay_ms: u64) {
        let next_ms = self.next_ms.min(now_ms + delay_ms);
        *self = Self { next_ms, tries: self.tries, ..Self::new(now_ms, delay_ms) };
    }

    /// Whether it is time.
    pub(crate) const fn due(&self, now_ms: u64) -> bool {
        now_ms >= self.next_ms
    }

    /// When it is time.
    pub(crate) const fn next_ms(&self) -> u64 {
        self.next_ms
    }

    /// Notes that a dial begins; the next is due after the pause, at least `least_ms`. Returns how
    /// many there were before.
    pub(crate) fn tried(&mut self, now_ms: u64, least_ms: u64, jitter: &mut Jitter) -> u32 {
        let fresh = now_ms.saturating_sub(self.since_ms) < FRESH_MS;
        let longest = if fresh { REDIAL_FRESH_MS } else { REDIAL_LONGEST_MS };
        self.pause_ms = (self.pause_ms * 2).clamp(REDIAL_FIRST_MS, longest);
        self.next_ms = now_ms + jitter.spread(self.pause_ms).max(least_ms);
        let tries = self.tries;
        self.tries = tries.wrapping_add(1);
        tries
    }

    /// Puts the next dial off until `delay_ms` from now.
    pub(crate) fn postpone(&mut self, now_ms: u64, delay_ms: u64) {
        self.next_ms = self.next_ms.max(now_ms + delay_ms);
    }
}

#[cfg(test)]
mod tests;
