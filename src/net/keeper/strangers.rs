//! Nodes seen that are no members: each is knocked once, and seldom again.

use crate::engine::address::NodeId;
use crate::net::ids::dialable;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// Strangers that are remembered; the one seen longest ago makes room.
pub(crate) const STRANGERS_MAX: usize = 256;
/// Addresses of one stranger.
pub(crate) const STRANGER_ADDRESSES_MAX: usize = 4;
/// Knocks under way at once.
pub(crate) const KNOCKS_MAX: usize = 4;
/// First pause between two knocks at one stranger; doubles.
pub(crate) const KNOCK_FIRST_MS: u64 = 10 * 60_000;
/// Longest pause.
pub(crate) const KNOCK_LONGEST_MS: u64 = 6 * 3_600_000;
/// How long a stranger that is not seen again is shown.
pub(crate) const SHOWN_MS: u64 = 3_600_000;

/// A stranger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stranger {
    /// Where it was seen.
    pub(crate) addresses: Vec<SocketAddr>,
    /// Where it came from by itself: its port says nothing.
    from: Option<IpAddr>,
    /// When, the last time.
    pub(crate) seen_ms: u64,
    next_knock_ms: u64,
    knocks: u32,
}

impl Stranger {
    /// Where it was seen, for people: addresses that can be dialed, else the one it came from.
    pub(crate) fn places(&self) -> Vec<String> {
        let from = self.from.filter(|_| self.addresses.is_empty());
        let addresses = self.addresses.iter().map(SocketAddr::to_string);
        addresses.chain(from.map(|from| from.to_string())).collect()
    }
}

/// The table of strangers.
#[derive(Default)]
pub(crate) struct Strangers(BTreeMap<NodeId, Stranger>);

impl Strangers {
    /// A stranger was seen; discovery found it, so that it may be knocked at.
    pub(crate) fn seen(&mut self, node: NodeId, address: SocketAddr, now_ms: u64) {
        let entry = self.entry(node, now_ms, now_ms);
        entry.seen_ms = now_ms;
        if dialable(&address) && !entry.addresses.contains(&address) {
            entry.addresses.truncate(STRANGER_ADDRESSES_MAX - 1);
            entry.addresses.insert(0, address);
        }
    }

    /// A stranger was met on a connection and failed: knocking again soon is no use.
    pub(crate) fn met(&mut self, node: NodeId, from: Option<IpAddr>, now_ms: u64) {
        let entry = self.entry(node, now_ms, now_ms + KNOCK_FIRST_MS);
        entry.seen_ms = now_ms;
        entry.from = from.or(entry.from);
        entry.next_knock_ms = entry.next_knock_ms.max(now_ms + KNOCK_FIRST_MS);
    }

    fn entry(&mut self, node: NodeId, now_ms: u64, next_knock_ms: u64) -> &mut Stranger {
        if self.0.len() >= STRANGERS_MAX && !self.0.contains_key(&node) {
            let oldest = self.0.iter().min_by_key(|(_, stranger)| stranger.seen_ms);
            if let Some(oldest) = oldest.map(|(node, _)| *node) {
                self.0.remove(&oldest);
            }
        }
        self.0.entry(node).or_insert(Stranger {
            addresses: Vec::new(),
            from: None,
            seen_ms: now_ms,
            next_knock_ms,
            knocks: 0,
        })
    }

    /// A stranger to knock at now, with its addresses.
    pub(crate) fn knock(&mut self, now_ms: u64) -> Option<(NodeId, Vec<SocketAddr>)> {
        let due = |stranger: &Stranger| {
            !stranger.addresses.is_empty() && now_ms >= stranger.next_knock_ms
        };
        let (node, stranger) = self.0.iter_mut().find(|(_, stranger)| due(stranger))?;
        let pause = KNOCK_FIRST_MS.saturating_mul(1 << stranger.knocks.min(16));
        stranger.next_knock_ms = now_ms + pause.min(KNOCK_LONGEST_MS);
        stranger.knocks += 1;
        Some((*node, stranger.addresses.clone()))
    }

    /// Takes out those who are members now.
    pub(crate) fn take(
        &mut self,
        member: impl Fn(NodeId) -> bool,
    ) -> Vec<(NodeId, Vec<SocketAddr>)> {
        let members: Vec<_> = self.0.keys().copied().filter(|node| member(*node)).collect();
        let mut taken = Vec::new();
        for node in members {
            if let Some(stranger) = self.0.remove(&node) {
                taken.push((node, stranger.addresses));
            }
        }
        taken
    }

    /// Knocks at everybody again: this node is in another mesh now.
    pub(crate) fn begin_anew(&mut self, now_ms: u64) {
        for stranger in self.0.values_mut() {
            stranger.knocks = 0;
            stranger.next_knock_ms = now_ms;
        }
    }

    /// Those seen of late.
    pub(crate) fn shown(&self, now_ms: u64) -> impl Iterator<Item = (&NodeId, &Stranger)> {
        self.0.iter().filter(move |(_, it)| now_ms.saturating_sub(it.seen_ms) < SHOWN_MS)
    }
}

#[cfg(test)]
mod tests;
