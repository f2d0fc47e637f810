//! Who failed to prove itself, from where, and for how long it is not heard.
//!
//! Never by address alone: many may share one. An honest newcomer fails too (it knocks before it
//! joins), so that a few failures cost nothing.

use libp2p::PeerId;
use std::collections::HashMap;
use std::net::IpAddr;

/// Most entries; the oldest makes room.
pub(crate) const DENIALS_MAX: usize = 1_024;
/// Failures that cost nothing in a row.
const BURST: u32 = 8;
/// Time after which one failure is forgiven. Shorter than the pause of an honest node's knocks.
const REFILL_MS: u64 = 4_000;
/// First denial; doubles.
const FIRST_MS: u64 = 60_000;
/// Longest denial.
const LONGEST_MS: u64 = 3_600_000;

/// Who, from where.
pub(crate) type Culprit = (IpAddr, PeerId);

struct Entry {
    failures: u32,
    at: u64,
    denials: u32,
    until: u64,
}

/// The table of failures.
#[derive(Default)]
pub(crate) struct Denials(HashMap<Culprit, Entry>);

impl Denials {
    /// Notes a failure.
    pub(crate) fn failed(&mut self, who: Culprit, now: u64) {
        self.make_room(&who);
        let entry =
            self.0.entry(who).or_insert(Entry { failures: 0, at: now, denials: 0, until: 0 });
        let forgiven = u32::try_from(now.saturating_sub(entry.at) / REFILL_MS).unwrap_or(u32::MAX);
        entry.failures = entry.failures.saturating_sub(forgiven) + 1;
        entry.at = now;
        if entry.failures > BURST {
            let longer = FIRST_MS.saturating_mul(1 << entry.denials.min(16)).min(LONGEST_MS);
            entry.until = now + longer;
            entry.denials += 1;
            // After the denial one more failure is enough for the next.
            entry.failures = BURST;
        }
    }

    /// Whether it is denied now.
    pub(crate) fn denied(&self, who: &Culprit, now: u64) -> bool {
        self.0.get(who).is_some_and(|entry| now < entry.until)
    }

    fn make_room(&mut self, who: &Culprit) {
        if self.0.len() < DENIALS_MAX || self.0.contains_key(who) {
            return;
        }
        let oldest = self.0.iter().min_by_key(|(_, entry)| entry.at).map(|(who, _)| *who);
        if let Some(oldest) = oldest {
            self.0.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests;
