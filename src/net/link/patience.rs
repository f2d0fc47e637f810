//! How long an answer may take: by size, by the rate that the link has shown, by its round trip.
//!
//! A dead link is found by its silence; this only bounds the wait for a neighbour that lives and
//! does not answer.

use std::collections::VecDeque;

/// What any answer may take: the neighbour's disk may be busy.
pub(crate) const ANSWER_MS: u64 = 20_000;
/// Bytes per second of a link that has not shown better.
pub(crate) const SLOWEST_RATE: u64 = 4 * 1024;
/// Share of the shown rate that is counted on.
const CAUTION: u64 = 4;
/// Least size that shows a rate.
const SHOWING: usize = 16 * 1024;
/// Rates that are remembered; the lowest counts.
const RATES_MAX: usize = 8;
/// Longest wait.
pub(crate) const LONGEST_MS: u64 = 1_500_000;

/// What a link has shown.
#[derive(Default)]
pub(crate) struct Patience(VecDeque<u64>);

impl Patience {
    /// So many bytes were answered after so long.
    pub(crate) fn shown(&mut self, bytes: usize, took_ms: u64) {
        if bytes < SHOWING {
            return;
        }
        if self.0.len() == RATES_MAX {
            self.0.pop_front();
        }
        self.0.push_back((bytes as u64).saturating_mul(1_000) / took_ms.max(1));
    }

    /// Bytes per second that are counted on.
    pub(crate) fn rate(&self) -> u64 {
        self.0.iter().min().map_or(SLOWEST_RATE, |lowest| (lowest / CAUTION).max(SLOWEST_RATE))
    }

    /// How long the answer to a request may take when so many bytes are outstanding, it included.
    pub(crate) fn limit_ms(&self, bytes: usize, rtt_ms: u64) -> u64 {
        let moving = (bytes as u64).saturating_mul(1_000) / self.rate();
        (ANSWER_MS + 4 * rtt_ms + moving).min(LONGEST_MS)
    }
}

#[cfg(test)]
mod tests;
