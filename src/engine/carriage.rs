//! Copies on their way: this origin's own and those carried for others, under one index.
//!
//! Refuses to decide who gets a copy next; it keeps them, finds them and lets them go.

use super::address::NodeId;
use super::frame::{NotTaken, Outcome, Purpose, Transfer};
use super::ids::{MessageId, StreamId};
use super::limits::{HOPS_MAX, Limits, SEEN_STREAMS_MAX};
use super::message::{Content, Transit};
use super::queues::Size;
use super::ranges::RangeSet;
use super::record::{Copy, Key, Record, Spot, Target};
use super::statement::Receipt;
use super::storage::StorageError;
use super::sweep::sweep;
use super::time::Timestamp;
use super::turn::Turn;
use std::collections::BTreeMap;

/// Copies read from the store at a time.
const PAGE: usize = 256;
/// Ranges of accepted hand-overs remembered per neighbour.
const ACCEPTED_RANGES_MAX: usize = 1_024;

/// All copies of a node.
#[derive(Debug)]
pub(super) struct Carriage {
    me: NodeId,
    limits: Limits,
    /// Per destination: own copies, carried copies.
    tallies: BTreeMap<NodeId, Tally>,
    own: Size,
    carried: Size,
    /// Numbers of each stream that were here in the newest round (rule R20).
    seen: BTreeMap<StreamId, (u16, RangeSet)>,
    /// Hand-overs accepted from each neighbour, so that a repeated one is known (rule R24).
    accepted: BTreeMap<NodeId, RangeSet>,
}

/// What is on its way to one destination.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) own: Size,
    pub(super) carried: Size,
}

impl Carriage {
    pub(super) const fn new(me: NodeId, limits: Limits) -> Self {
        Self {
            me,
            limits,
            tallies: BTreeMap::new(),
            own: Size { messages: 0, bytes: 0 },
            carried: Size { messages: 0, bytes: 0 },
            seen: BTreeMap::new(),
            accepted: BTreeMap::new(),
        }
    }

    /// Counts what the store holds.
    pub(super) fn load(&mut self, turn: &Turn<'_>) -> Result<(), StorageError> {
        let from = Key::Copy(spot(NodeId::from_bytes([0; 32]), 0, 0));
        let to = Key::CopyOf(MessageId { stream: StreamId::FIRST, number: 0 });
        sweep(turn, from, &to, |key, record| {
            if let (Key::Copy(at), Record::Copy(copy)) = (key, record) {
                self.counted(&copy, at.destination, true);
            }
            Ok(())
        })
    }

    /// Keeps a copy and says where.
    pub(super) fn keep(&mut self, turn: &mut Turn<'_>, copy: Copy) -> Spot {
        let durable = copy.outer.delivery.is_durable();
        let at = spot(copy.outer.destination, copy.outer.priority.rank(), turn.serial.draw());
        self.counted(&copy, at.destination, true);
        turn.put(durable, Key::CopyOf(copy.outer.id), Record::CopyOf(at));
        if copy.outer.id.stream.origin != self.me {
            turn.put(durable, Key::Timer(end(&copy), Target::Copy(at)), Record::Due);
        }
        turn.put(durable, Key::Copy(at), Record::Copy(Box::new(copy)));
        at
    }

    /// Takes a copy out; its content stays in the caller's hands.
    pub(super) fn take(
        &mut self,
        turn: &mut Turn<'_>,
        at: Spot,
    ) -> Result<Option<Copy>, StorageError> {
        let Some(copy) = turn.copy(&Key::Copy(at))? else { return Ok(None) };
        self.counted(&copy, at.destination, false);
        turn.delete(Key::Copy(at));
        turn.delete(Key::CopyOf(copy.outer.id));
        if copy.outer.id.stream.origin != self.me {
            turn.delete(Key::Timer(end(&copy), Target::Copy(at)));
        }
        Ok(Some(*copy))
    }

    /// Takes a copy out and its content with it.
    pub(super) fn drop_copy(
        &mut self,
        turn: &mut Turn<'_>,
        at: Spot,
    ) -> Result<Option<Copy>, StorageError> {
        let copy = self.take(turn, at)?;
        if let Some(copy) = &copy {
            turn.drop_content(copy.outer.delivery.is_durable(), &copy.content)?;
        }
        Ok(copy)
    }

    /// Writes a copy's changed transit.
    pub(super) fn rewrite(&self, turn: &mut Turn<'_>, at: Spot, copy: Copy) {
        let durable = copy.outer.delivery.is_durable();
        turn.put(durable, Key::Copy(at), Record::Copy(Box::new(copy)));
    }

    /// Says what becomes of a copy for another destination without its inner part, if that can be
    /// said: with a place if the copy there is to be looked at. Otherwise it is wanted.
    pub(super) fn judge(
        &mut self,
        turn: &mut Turn<'_>,
        from: NodeId,
        transfer: &Transfer,
        disk_low: bool,
    ) -> Result<Option<(Outcome, Option<Spot>)>, StorageError> {
        let refused = |why| Ok(Some((Outcome::NotTaken(why), None)));
        let (outer, transit) = (&transfer.outer, &transfer.transit);
        let spray = transfer.purpose == Purpose::Spray;
        if self.accepted.get(&from).is_some_and(|known| known.contains(transfer.transfer)) {
            return Ok(Some((Outcome::Accepted, None)));
        }
        if let Some(at) = turn.copy_of(&Key::CopyOf(outer.id))? {
            // Whoever hands it over again doubts that it goes on.
            let renewed = self.renew(turn, at, transit)?;
            return Ok(Some((Outcome::Accepted, (renewed || !spray).then_some(at))));
        }
        if transit.age_ms >= outer.limit_ms() {
            return refused(NotTaken::OverAge);
        }
        if transit.hops >= HOPS_MAX {
            return refused(NotTaken::HopLimit);
        }
        if spray && self.has_seen(&outer.id, transit.round) {
            return refused(NotTaken::Seen);
        }
        if disk_low || !self.has_room(turn, outer.delivery.is_durable(), outer.size) {
            return refused(NotTaken::StoreFull);
        }
        Ok(None)
    }

    /// Takes over a copy that is wanted, with its inner part.
    pub(super) fn accept(
        &mut self,
        turn: &mut Turn<'_>,
        from: NodeId,
        transfer: Transfer,
        content: Content,
    ) -> Spot {
        let Transfer { outer, transit, digest, .. } = transfer;
        self.note_seen(outer.id, transit.round);
        if transfer.purpose == Purpose::Spray {
            self.note_accepted(from, transfer.transfer);
        }
        self.keep(turn, Copy { outer, transit, arrived_at: turn.now, content, digest })
    }

    /// A copy that is here came again: it joins the newer round (rule R20), and the shorter way
    /// counts. Says whether the round is new.
    fn renew(
        &mut self,
        turn: &mut Turn<'_>,
        at: Spot,
        transit: &Transit,
    ) -> Result<bool, StorageError> {
        let Some(mut copy) = turn.copy(&Key::Copy(at))? else { return Ok(false) };
        let known = copy.transit;
        let newer = known.round < transit.round;
        if newer {
            copy.transit.round = transit.round;
            copy.transit.tokens = known.tokens.max(transit.tokens);
            self.note_seen(copy.outer.id, transit.round);
        }
        copy.transit.hops = known.hops.min(transit.hops);
        if copy.transit != known {
            self.rewrite(turn, at, *copy);
        }
        Ok(newer)
    }

    /// Lets an own copy start a new round, so that relays that had it take it again.
    pub(super) fn next_round(
        &self,
        turn: &mut Turn<'_>,
        id: &MessageId,
    ) -> Result<(), StorageError> {
        let Some(at) = turn.copy_of(&Key::CopyOf(*id))? else { return Ok(()) };
        let Some(mut copy) = turn.copy(&Key::Copy(at))? else { return Ok(()) };
        copy.transit.round = copy.transit.round.saturating_add(1);
        self.rewrite(turn, at, *copy);
        Ok(())
    }

    /// Lets go of the copies that a receipt covers (rule R21); held ones too (rule R14).
    pub(super) fn purge(
        &mut self,
        turn: &mut Turn<'_>,
        receipt: &Receipt,
    ) -> Result<(), StorageError> {
        if !self.tallies.contains_key(&receipt.destination) || receipt.stream.origin == self.me {
            return Ok(());
        }
        let mut from = MessageId { stream: receipt.stream, number: 0 };
        let to = Key::CopyOf(MessageId { stream: receipt.stream, number: u64::MAX });
        loop {
            let page = turn.range(&Key::CopyOf(from), &to, PAGE)?;
            let done = page.len() < PAGE;
            for (key, record) in page {
                let (Key::CopyOf(id), Record::CopyOf(at)) = (key, record) else { continue };
                if at.destination == receipt.destination && covers(receipt, id.number) {
                    self.drop_copy(turn, at)?;
                }
                from.number = id.number + 1;
            }
            if done {
                return Ok(());
            }
        }
    }

    /// Bytes that this node would still carry for others.
    pub(super) const fn room(&self) -> u64 {
        if self.carried.messages >= self.limits.relay_messages {
            return 0;
        }
        self.limits.relay_bytes.saturating_sub(self.carried.bytes)
    }

    /// Destinations with copies on their way.
    pub(super) fn destinations(&self) -> impl Iterator<Item = (NodeId, Tally)> + '_ {
        self.tallies.iter().map(|(&node, &tally)| (node, tally))
    }

    /// What is on its way to a destination.
    pub(super) fn tally(&self, destination: NodeId) -> Tally {
        self.tallies.get(&destination).copied().unwrap_or_default()
    }

    /// All own copies: messages of this origin without a verdict.
    pub(super) const fn own(&self) -> Size {
        self.own
    }

    /// All copies carried for others.
    pub(super) const fn carried(&self) -> Size {
        self.carried
    }

    /// A neighbour restarted or lost its store: what it was given by number means nothing now.
    pub(super) fn forget_neighbour(&mut self, peer: NodeId) {
        self.accepted.remove(&peer);
    }

    fn has_room(&self, turn: &Turn<'_>, durable: bool, size: u64) -> bool {
        let memory =
            durable || turn.volatile.bytes.saturating_add(size) <= self.limits.express_bytes;
        memory && self.room() >= size.max(1)
    }

    fn note_accepted(&mut self, from: NodeId, hand_over: u64) {
        let accepted = self.accepted.entry(from).or_default();
        accepted.insert(hand_over);
        if accepted.ranges() > ACCEPTED_RANGES_MAX {
            let first = accepted.iter().next();
            first.into_iter().for_each(|range| accepted.remove_range(range));
        }
    }

    fn has_seen(&self, id: &MessageId, round: u16) -> bool {
        self.seen
            .get(&id.stream)
            .is_some_and(|(known, numbers)| *known >= round && numbers.contains(id.number))
    }

    fn note_seen(&mut self, id: MessageId, round: u16) {
        if !self.seen.contains_key(&id.stream) && self.seen.len() >= SEEN_STREAMS_MAX {
            self.seen.pop_first();
        }
        let entry = self.seen.entry(id.stream).or_default();
        if round > entry.0 {
            *entry = (round, RangeSet::new());
        }
        entry.1.insert(id.number);
    }

    fn counted(&mut self, copy: &Copy, destination: NodeId, comes: bool) {
        let own = copy.outer.id.stream.origin == self.me;
        let tally = self.tallies.entry(destination).or_default();
        let bytes = copy.content.len();
        let change = |size: &mut Size| if comes { size.add(bytes) } else { size.subtract(bytes) };
        if own {
            change(&mut tally.own);
            change(&mut self.own);
        } else {
            change(&mut tally.carried);
            change(&mut self.carried);
        }
        if tally.own.messages == 0 && tally.carried.messages == 0 {
            self.tallies.remove(&destination);
        }
    }
}

/// Whether a receipt makes a copy of this number needless: it is settled, or held there (rule R14).
pub(super) fn covers(receipt: &Receipt, number: u64) -> bool {
    settles(receipt, number) || receipt.held.contains(number)
}

/// Whether a receipt gives this number a verdict, or says that it had one.
pub(super) fn settles(receipt: &Receipt, number: u64) -> bool {
    receipt.closed.is_some()
        || number < receipt.floors.known
        || number < receipt.watermark
        || receipt.received.contains(number)
        || receipt.skipped.contains(number)
        || receipt.refused.values().any(|numbers| numbers.contains(number))
}

/// How old a copy is now: the age it came with and its time here.
pub(super) fn age_ms(copy: &Copy, now: Timestamp) -> u64 {
    copy.transit.age_ms.saturating_add(now.since(copy.arrived_at))
}

fn end(copy: &Copy) -> Timestamp {
    copy.arrived_at.after(copy.outer.limit_ms().saturating_sub(copy.transit.age_ms))
}

pub(super) const fn spot(destination: NodeId, rank: u8, arrival: u64) -> Spot {
    Spot { destination, rank, arrival }
}
