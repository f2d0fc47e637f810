//! When a link is dead: a pure judge of beats and silence, told the time.
//!
//! Both ends beat once a second, whether the other answers or not, so that a link that carries a
//! large message one way stays alive by the beats of the other way. An answer is only used to
//! measure the round trip. Refuses to read clocks and to close anything itself.

use super::clock::Clock;
use std::collections::VecDeque;

/// Pause between two beats.
pub(crate) const BEAT_MS: u64 = 1_000;
/// Least silence after which a link is dead.
pub(crate) const SILENCE_MS: u64 = 3_000;
/// The same in round trips.
pub(crate) const SILENCE_ROUND_TRIPS: u64 = 4;
/// Most silence that any round trip can buy.
pub(crate) const SILENCE_LONGEST_MS: u64 = 60_000;
/// Silence after which a link is doubtful: it missed a beat.
pub(crate) const DOUBT_MS: u64 = 1_500;
/// Pause between two judgements.
pub(crate) const CHECK_MS: u64 = 250;
/// A judgement that comes so late says that this process was held up, not the link.
const HELD_UP_MS: u64 = 1_000;
/// Beats whose sending time is remembered. Older ones do not measure.
const TIMES_MAX: usize = 64;
/// How long a measured round trip counts before only newer ones do.
const WINDOW_MS: u64 = 150_000;

/// What the judge says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Go on.
    Alive,
    /// Nothing came for so many milliseconds: close it.
    Dead(u64),
}

/// The judge of one connection.
pub(crate) struct Liveness {
    /// Silence counts from here at the earliest.
    since_ms: u64,
    checked_ms: u64,
    sent: u64,
    echoed: u64,
    times: VecDeque<(u64, u64)>,
    rtt: LowestOfLate,
}

impl Liveness {
    /// A connection on which a byte came at `now_ms`.
    pub(crate) fn new(now_ms: u64) -> Self {
        Self {
            since_ms: now_ms,
            checked_ms: now_ms,
            sent: 0,
            echoed: 0,
            times: VecDeque::new(),
            rtt: LowestOfLate::default(),
        }
    }

    /// The number of the next beat, sent at `now_us`. Something is outstanding from here on.
    pub(crate) fn beat(&mut self, now_us: u64) -> u64 {
        self.sent += 1;
        if self.times.len() == TIMES_MAX {
            self.times.pop_front();
        }
        self.times.push_back((self.sent, now_us));
        self.sent
    }

    /// The other end has echoed all beats up to `beat`. Returns the round trip if it is a new
    /// measurement, in microseconds.
    pub(crate) fn echoed(&mut self, beat: u64, now_us: u64) -> Option<u64> {
        if beat <= self.echoed || beat > self.sent {
            return None;
        }
        self.echoed = beat;
        while self.times.front().is_some_and(|(number, _)| *number < beat) {
            self.times.pop_front();
        }
        let (_, sent_us) = self.times.front().filter(|(number, _)| *number == beat)?;
        self.rtt.note(now_us.saturating_sub(*sent_us), now_us / 1_000);
        self.times.pop_front();
        self.rtt.lowest()
    }

    /// The lowest round trip of late: what lies above it is queueing, not the link. Microseconds.
    pub(crate) fn rtt_us(&self) -> Option<u64> {
        self.rtt.lowest()
    }

    /// Silence after which the link is dead.
    pub(crate) fn patience_ms(&self) -> u64 {
        let trips = self.rtt_us().unwrap_or(0).saturating_mul(SILENCE_ROUND_TRIPS) / 1_000;
        trips.clamp(SILENCE_MS, SILENCE_LONGEST_MS)
    }

    /// Judges, given when the last byte came. To be called every [`CHECK_MS`]: if the calls
    /// themselves stop, time that this process did not live through is not held against the link.
    pub(crate) fn check(&mut self, heard_ms: u64, now_ms: u64) -> Verdict {
        let pause = now_ms.saturating_sub(self.checked_ms);
        self.checked_ms = now_ms;
        if pause >= HELD_UP_MS {
            self.since_ms = now_ms;
        }
        let silent = now_ms.saturating_sub(heard_ms.max(self.since_ms));
        let outstanding = self.sent > self.echoed;
        if outstanding && silent >= self.patience_ms() {
            Verdict::Dead(now_ms.saturating_sub(heard_ms))
        } else {
            Verdict::Alive
        }
    }
}

/// Whether a connection missed a beat.
pub(crate) fn doubtful(heard_ms: u64, clock: &Clock) -> bool {
    clock.now_ms().saturating_sub(heard_ms) >= DOUBT_MS
}

/// The lowest value of the last one to two windows of time.
#[derive(Default)]
struct LowestOfLate {
    begun_ms: u64,
    current: Option<u64>,
    former: Option<u64>,
}

impl LowestOfLate {
    fn note(&mut self, value: u64, now_ms: u64) {
        if now_ms.saturating_sub(self.begun_ms) >= WINDOW_MS {
            self.former = self.current.take();
            self.begun_ms = now_ms;
        }
        self.current = Some(self.current.map_or(value, |lowest| lowest.min(value)));
    }

    fn lowest(&self) -> Option<u64> {
        match (self.current, self.former) {
            (Some(current), Some(former)) => Some(current.min(former)),
            (current, former) => current.or(former),
        }
    }
}

#[cfg(test)]
mod tests;
