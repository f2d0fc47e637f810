//! What goes over a link in parts: which copies, and how far each has come.
//!
//! The neighbour says how much of a copy it holds, so a transfer that broke off goes on from there,
//! also when the beginning came by another link.

use crate::engine::address::NodeId;
use crate::engine::ids::MessageId;
use crate::engine::limits::{CHUNK_BYTES, PART_BYTES, PARTS_IN_FLIGHT_MAX};
use crate::engine::record::Spot;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The large copies of one link.
#[derive(Debug, Default)]
pub(in crate::engine) struct Large {
    /// Those to be sent: most urgent first, then in order of arrival.
    wanted: BTreeSet<(u8, u64, NodeId)>,
    progress: BTreeMap<MessageId, Progress>,
    in_flight: usize,
}

/// How far one has come.
#[derive(Debug, Default, Clone, Copy)]
struct Progress {
    /// The neighbour holds so many bytes from the beginning on, once it has said so.
    held: Option<u64>,
    /// The next byte to be sent.
    next: u64,
    /// Parts without an answer.
    flying: usize,
}

impl Large {
    /// A copy is to be sent.
    pub(in crate::engine) fn want(&mut self, at: Spot) {
        self.wanted.insert((at.rank, at.arrival, at.destination));
    }

    /// A copy need not be sent at present.
    pub(in crate::engine) fn drop_wish(&mut self, at: Spot) {
        self.wanted.remove(&(at.rank, at.arrival, at.destination));
    }

    /// The copies of a rank that are to be sent.
    pub(in crate::engine) fn wishes(&self, rank: u8) -> Vec<Spot> {
        let range = (rank, 0, NodeId::FIRST)..(rank + 1, 0, NodeId::FIRST);
        let spot =
            |&(rank, arrival, destination): &(u8, u64, NodeId)| Spot { destination, rank, arrival };
        self.wanted.range(range).map(spot).collect()
    }

    /// The ranks of the copies that are to be sent.
    pub(in crate::engine) fn ranks(&self) -> BTreeSet<u8> {
        self.wanted.iter().map(|&(rank, ..)| rank).collect()
    }

    /// Whether another part may be in flight.
    pub(in crate::engine) const fn has_slot(&self) -> bool {
        self.in_flight < PARTS_IN_FLIGHT_MAX
    }

    /// Whether parts are in flight.
    pub(in crate::engine) const fn is_flying(&self) -> bool {
        self.in_flight > 0
    }

    /// The next bytes of a copy to be sent, if there are any: of at most `room` bytes, whole chunks but
    /// for the last, and one chunk at least if `must`. Before the neighbour has said how much it holds
    /// it is sent one chunk only.
    pub(in crate::engine) fn next(
        &self,
        id: &MessageId,
        size: u64,
        room: u64,
        must: bool,
    ) -> Option<Range<u64>> {
        const CHUNK: u64 = CHUNK_BYTES as u64;
        let at = self.progress.get(id).copied().unwrap_or_default();
        let most = match at.held {
            None if at.flying > 0 => return None,
            None => CHUNK,
            Some(_) => PART_BYTES as u64,
        };
        if at.next >= size {
            // Everything was sent; the neighbour is asked for its word.
            return (at.flying == 0).then_some(size..size);
        }
        let whole = (room.min(most) / CHUNK * CHUNK).max(if must { CHUNK } else { 0 });
        (whole > 0).then_some(at.next..size.min(at.next + whole))
    }

    /// Bytes of a copy went into a request.
    pub(in crate::engine) fn sent(&mut self, id: MessageId, end: u64) {
        let progress = self.progress.entry(id).or_default();
        progress.next = end;
        progress.flying += 1;
        self.in_flight += 1;
    }

    /// A request with bytes of a copy has its answer, or will have none.
    pub(in crate::engine) fn landed(&mut self, id: &MessageId) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(progress) = self.progress.get_mut(id) {
            progress.flying = progress.flying.saturating_sub(1);
        }
    }

    /// The neighbour holds so many bytes of a copy. What it lacks of those sent is sent again once
    /// nothing of it is under way.
    pub(in crate::engine) fn held(&mut self, id: &MessageId, bytes: u64) {
        if let Some(progress) = self.progress.get_mut(id) {
            progress.held = Some(bytes);
            if progress.flying == 0 || bytes > progress.next {
                progress.next = bytes;
            }
        }
    }

    /// Nobody knows what the neighbour holds: it is asked again.
    pub(in crate::engine) fn unknown(&mut self, id: &MessageId) {
        if let Some(progress) = self.progress.get_mut(id) {
            progress.next = progress.held.take().unwrap_or(0);
        }
    }

    /// The neighbour does not take a copy. Says whether that is news: with a copy that went in parts,
    /// the first answer ends the hand-over, known by `open`.
    pub(in crate::engine) fn turned_away(&mut self, id: &MessageId, open: bool) -> bool {
        match self.progress.get_mut(id) {
            None => true,
            Some(progress) => {
                (progress.held, progress.next) = (None, 0);
                open
            }
        }
    }

    /// A copy has been judged.
    pub(in crate::engine) fn forget(&mut self, id: &MessageId) {
        self.progress.remove(id);
    }
}
