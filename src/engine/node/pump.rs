//! Fills the links: statements first, then messages, most urgent first (rule R21).

use super::Node;
use super::batch::{BATCH_WORDS, Batch, FRAME_OVERHEAD, fits};
use super::parts::in_parts;
use crate::engine::address::NodeId;
use crate::engine::carriage::{age_ms, spot};
use crate::engine::control::Word;
use crate::engine::frame::{Contact, Frame, Purpose, Transfer};
use crate::engine::ids::MessageId;
use crate::engine::limits::IN_FLIGHT_MAX;
use crate::engine::links::{Cursor, Link, Loaded, Peer};
use crate::engine::message::{Short, Transit};
use crate::engine::policy::{self, Way};
use crate::engine::record::{Copy, Key, Record, Spot};
use crate::engine::statement::Attested;
use crate::engine::step::Output;
use crate::engine::storage::StorageError;
use crate::engine::turn::Turn;
use bytes::Bytes;
use std::collections::BTreeMap;

/// Copies read from the store at a time.
const PAGE: usize = 64;

impl Node {
    pub(super) fn pump_all(&mut self, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        for node in self.links.live_nodes() {
            let mut peer = std::mem::take(self.links.peer(node));
            let result = self.pump(turn, node, &mut peer);
            *self.links.peer(node) = peer;
            result?;
        }
        Ok(())
    }

    /// Sends requests until nothing is left to say or the link's window is full.
    fn pump(
        &mut self,
        turn: &mut Turn<'_>,
        node: NodeId,
        peer: &mut Peer,
    ) -> Result<(), StorageError> {
        let Some(mut link) = peer.link.take() else { return Ok(()) };
        while link.retry_at.is_none_or(|at| at <= turn.now) {
            let most = if link.greeted { IN_FLIGHT_MAX } else { 1 };
            if link.in_flight.len() >= most {
                break;
            }
            let mut batch = Batch::default();
            self.say_first(turn, node, &mut link, &mut batch)?;
            if link.greeted && link.heard_synced {
                self.load_messages(turn, node, peer, &mut link, &mut batch)?;
            }
            if batch.frames.is_empty() {
                break;
            }
            self.exchanges += 1;
            batch.flight.sent_at = turn.now;
            link.bytes_in_flight += batch.flight.bytes;
            let whole = batch.flight.transfers.iter().filter(|it| batch.flight.part != Some(it.id));
            link.flying.extend(whole.map(|loaded| loaded.id));
            link.in_flight.insert(self.exchanges, batch.flight);
            let (exchange, frames) = (self.exchanges, batch.frames);
            turn.say(Output::Request { peer: node, exchange, frames });
        }
        peer.link = Some(link);
        Ok(())
    }

    /// Everything that goes before messages.
    fn say_first(
        &mut self,
        turn: &mut Turn<'_>,
        node: NodeId,
        link: &mut Link,
        batch: &mut Batch,
    ) -> Result<(), StorageError> {
        let room = self.carriage.room();
        if link.greeted && room / 2 > link.told_room {
            // It holds its copies back for want of room, and has nothing else to hear of it.
            link.said_contact = false;
        }
        if !link.said_contact {
            link.said_contact = true;
            link.told_room = room;
            let contact = Contact {
                store: self.store,
                opening: self.opening,
                yours: self.openings.get(&node).copied(),
                directory: self.directory.sum(),
                room,
                extensions: BTreeMap::new(),
            };
            batch.push(Frame::Contact(contact), FRAME_OVERHEAD);
        }
        while let Some(subject) = link.states.pop_first() {
            if let Some(state) = self.topology.state(subject) {
                batch.flight.states.push(subject);
                batch.push(Frame::LinkState(state.clone()), FRAME_OVERHEAD);
            }
        }
        while batch.frames.len() < BATCH_WORDS && !batch.is_full() {
            let Some(word) = link.words.pop_first() else { break };
            if let Some(frame) = self.word(turn, word)? {
                batch.flight.words.push(word);
                batch.push(frame, FRAME_OVERHEAD);
            }
        }
        if link.words.is_empty() && !link.said_synced {
            link.said_synced = true;
            batch.flight.greets = true;
            batch.push(Frame::Synced, 1);
        }
        if link.greeted {
            self.say_directory(turn, link, batch)?;
        }
        Ok(())
    }

    fn say_directory(
        &self,
        turn: &Turn<'_>,
        link: &mut Link,
        batch: &mut Batch,
    ) -> Result<(), StorageError> {
        if std::mem::take(&mut link.compare) {
            batch.flight.compares = true;
            for page in self.directory.pages() {
                let bytes = page.len() as u64 * 80;
                batch.push(Frame::Have(page), bytes);
            }
        }
        while !batch.is_full() {
            let Some(key) = link.records.pop_first() else { break };
            if let Some(record) = self.directory.record(turn, &key)? {
                let bytes = record.bytes.len() as u64;
                batch.flight.records.push(key);
                batch.push(Frame::Record(record), bytes + FRAME_OVERHEAD);
            }
        }
        Ok(())
    }

    /// A statement as it is now, made here or carried.
    fn word(&self, turn: &mut Turn<'_>, word: Word) -> Result<Option<Frame>, StorageError> {
        Ok(match word {
            Word::Receipt(stream, by) if by == self.me => {
                let receipt = self.destination.receipt(turn, &self.queues, stream)?;
                receipt.map(|receipt| Frame::Receipt(Attested::own(receipt)))
            }
            Word::Receipt(stream, by) => {
                turn.receipt(&Key::Receipt(stream, by))?.map(|held| Frame::Receipt(*held))
            }
            Word::Status(stream) if self.control.is_own_status(&stream) => {
                let status = self.origin.status(turn, &stream);
                status.map(|status| Frame::Status(Attested::own(status)))
            }
            Word::Status(stream) => {
                turn.status(&Key::Status(stream))?.map(|held| Frame::Status(*held))
            }
        })
    }

    /// Adds messages: by urgency, and within it the neighbour's own first. Of one urgency the large
    /// ones come after the others, but a part of one is always under way, so that none starves.
    fn load_messages(
        &mut self,
        turn: &mut Turn<'_>,
        node: NodeId,
        peer: &mut Peer,
        link: &mut Link,
        batch: &mut Batch,
    ) -> Result<(), StorageError> {
        let more = link.cursors.iter().filter(|(_, cursor)| cursor.more);
        let mut places: Vec<(u8, bool, NodeId)> = more
            .map(|(&(rank, destination), _)| (rank, destination != node, destination))
            .collect();
        places.sort_unstable();
        let mut ranks = link.large.ranks();
        ranks.extend(places.iter().map(|&(rank, ..)| rank));
        'filling: for rank in ranks {
            if !link.large.is_flying() {
                self.load_part(turn, node, peer, link, batch, rank)?;
            }
            for &(_, _, destination) in places.iter().filter(|&&(of, ..)| of == rank) {
                if self.load_place(turn, node, (rank, destination), peer, link, batch)? {
                    break 'filling;
                }
            }
            self.load_part(turn, node, peer, link, batch, rank)?;
        }
        link.cursors.retain(|_, cursor| cursor.more || cursor.after > 0);
        Ok(())
    }

    /// Adds messages of one rank and destination. Says whether the request or the link is full.
    fn load_place(
        &mut self,
        turn: &mut Turn<'_>,
        node: NodeId,
        place: (u8, NodeId),
        peer: &mut Peer,
        link: &mut Link,
        batch: &mut Batch,
    ) -> Result<bool, StorageError> {
        let way = self.way(place.1, node);
        let from = link.cursors.get(&place).copied().unwrap_or_default();
        if way == Way::None {
            link.cursors.insert(place, Cursor { more: false, ..from });
            return Ok(false);
        }
        let (stopped, full) = self.load_from(turn, place, way, peer, link, batch, from)?;
        link.cursors.insert(place, stopped);
        Ok(full)
    }

    /// Adds messages of one rank and destination from a cursor on. Says where it stopped, and
    /// whether the request or the link is full.
    #[expect(clippy::too_many_arguments, reason = "the search state of one link, taken apart")]
    fn load_from(
        &mut self,
        turn: &mut Turn<'_>,
        (rank, destination): (u8, NodeId),
        way: Way,
        peer: &mut Peer,
        link: &mut Link,
        batch: &mut Batch,
        mut cursor: Cursor,
    ) -> Result<(Cursor, bool), StorageError> {
        let to = Key::Copy(spot(destination, rank + 1, 0));
        loop {
            let from = Key::Copy(spot(destination, rank, cursor.after.saturating_add(1)));
            let page = turn.range(&from, &to, PAGE)?;
            let last = page.len() < PAGE;
            for (key, record) in page {
                let (Key::Copy(at), Record::Copy(copy)) = (key, record) else { continue };
                if self.is_wanted(&copy, at, way, peer, link)
                    && self.is_first(turn, &copy, way, peer, link)?
                {
                    if in_parts(&copy.content).is_some() {
                        link.large.want(at);
                        cursor.after = at.arrival;
                        continue;
                    }
                    if batch.is_full() || !fits(link, batch, copy.content.len()) {
                        return Ok((cursor, true));
                    }
                    self.load_copy(turn, at, *copy, way, peer, batch)?;
                }
                cursor.after = at.arrival;
            }
            if last {
                return Ok((Cursor { more: false, ..cursor }, false));
            }
        }
    }

    /// Whether a copy should go over this link now.
    pub(super) fn is_wanted(
        &self,
        copy: &Copy,
        at: Spot,
        way: Way,
        peer: &Peer,
        link: &Link,
    ) -> bool {
        let id = copy.outer.id;
        let origins = way != Way::Hop && link.leads_to(id.stream.origin);
        if origins || link.flying.contains(&id) || link.is_blocked(&id.stream) {
            return false;
        }
        let own = id.stream.origin == self.me;
        let numbers = match way {
            Way::Direct => link.delivered.get(&id.stream),
            // A copy of another's that was handed on is gone: if it is here, it came back.
            Way::Hop if !own => None,
            _ => peer.has.get(&(at.destination, id.stream)),
        };
        let given = numbers.is_some_and(|numbers| numbers.contains(id.number));
        let held = own && self.origin.is_held(&id);
        let affordable = way != Way::Spray
            || peer.unknown.contains_key(&id)
            || policy::share(copy.transit.tokens) > 0 && link.room >= copy.content.len();
        !given && !held && affordable
    }

    /// Whether no lower number of its stream should go first. That matters where the stream was not
    /// taken: the next in order always finds room (rule R15), whenever it got here.
    fn is_first(
        &self,
        turn: &Turn<'_>,
        copy: &Copy,
        way: Way,
        peer: &Peer,
        link: &Link,
    ) -> Result<bool, StorageError> {
        let id = copy.outer.id;
        if !link.is_probed(&id.stream) {
            return Ok(true);
        }
        let mut from = MessageId { number: 0, ..id };
        loop {
            let page = turn.range(&Key::CopyOf(from), &Key::CopyOf(id), PAGE)?;
            let last = page.len() < PAGE;
            for (key, record) in page {
                let (Key::CopyOf(lower), Record::CopyOf(at)) = (key, record) else { continue };
                let found = turn.copy(&Key::Copy(at))?;
                if found.is_some_and(|copy| self.is_wanted(&copy, at, way, peer, link)) {
                    return Ok(false);
                }
                from.number = lower.number + 1;
            }
            if last {
                return Ok(true);
            }
        }
    }

    /// Puts a copy into a request.
    fn load_copy(
        &mut self,
        turn: &mut Turn<'_>,
        at: Spot,
        copy: Copy,
        way: Way,
        peer: &Peer,
        batch: &mut Batch,
    ) -> Result<(), StorageError> {
        let id = copy.outer.id;
        let inner = match turn.content(&copy.content) {
            Ok(inner) => inner,
            Err(StorageError::Damaged(_)) => {
                self.damaged.insert(at);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let bytes = inner.len() as u64 + FRAME_OVERHEAD;
        let (handed, tokens) = self.hand_over(turn, at, copy, way, peer, inner);
        let (purpose, transfer) = (handed.purpose, handed.transfer);
        batch.flight.transfers.push(Loaded { id, at, purpose, transfer, tokens });
        batch.push(Frame::Transfer(Box::new(handed)), bytes);
        Ok(())
    }

    /// What is said of a copy that is handed over, and the tokens that go with it: they are deducted
    /// durably before they are sent (rule R24).
    pub(super) fn hand_over(
        &mut self,
        turn: &mut Turn<'_>,
        at: Spot,
        mut copy: Copy,
        way: Way,
        peer: &Peer,
        inner: Bytes,
    ) -> (Transfer, u16) {
        let id = copy.outer.id;
        let own = id.stream.origin == self.me;
        let mut next = || {
            self.transfers += 1;
            self.transfers
        };
        let (purpose, transfer, tokens) = match (way, peer.unknown.get(&id).copied()) {
            (Way::Spray, Some((transfer, tokens))) => (Purpose::Spray, transfer, tokens),
            (Way::Spray, None) => {
                let tokens = policy::share(copy.transit.tokens);
                let transfer = next();
                copy.transit.tokens -= tokens;
                self.carriage.rewrite(turn, at, copy.clone());
                (Purpose::Spray, transfer, tokens)
            }
            _ => (Purpose::Move, next(), 0),
        };
        if own {
            self.origin.hand_out(&id);
        }
        let given = if purpose == Purpose::Move && !own { copy.transit.tokens } else { tokens };
        let transit = Transit {
            age_ms: age_ms(&copy, turn.now),
            tokens: given,
            hops: copy.transit.hops.saturating_add(1),
            ..copy.transit
        };
        let (outer, digest) = (copy.outer, Short::default());
        (Transfer { outer, transit, purpose, transfer, inner, digest, queue: None }, tokens)
    }
}
