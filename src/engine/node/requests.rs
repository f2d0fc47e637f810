//! What neighbours say.

use super::Node;
use crate::engine::address::NodeId;
use crate::engine::carriage::settles;
use crate::engine::control::Word;
use crate::engine::destination::Header;
use crate::engine::frame::{Answer, Contact, Frame, NotTaken, Outcome, Purpose, Transfer};
use crate::engine::ids::{Epoch, MessageId};
use crate::engine::message::Outer;
use crate::engine::record::Key;
use crate::engine::statement::{Attested, DirectoryRecord, Receipt, Status};
use crate::engine::step::{Event, Output};
use crate::engine::storage::StorageError;
use crate::engine::turn::Turn;

impl Node {
    pub(super) fn request(
        &mut self,
        turn: &mut Turn<'_>,
        peer: NodeId,
        exchange: u64,
        frames: Vec<Frame>,
    ) -> Result<(), StorageError> {
        if self.links.link(peer).is_none() {
            return Ok(());
        }
        self.publish_news(turn, None)?;
        self.destination.take_displaced();
        let mut answer = Answer::default();
        for frame in frames {
            if let Some(outcome) = self.frame(turn, peer, frame)? {
                answer.outcomes.push(outcome);
            }
        }
        for displaced in self.destination.take_displaced() {
            let taken = answer.outcomes.iter_mut().filter(|(id, _)| *id == displaced);
            taken.for_each(|(_, outcome)| *outcome = Outcome::NotTaken(NotTaken::QueueFull));
        }
        for stream in self.destination.take_news() {
            if let Some(receipt) = self.destination.receipt(turn, &self.queues, stream)? {
                answer.frames.push(Frame::Receipt(Attested::own(receipt)));
                self.publish(Word::Receipt(stream), stream.origin, Some(peer));
            }
        }
        turn.say(Output::Answer { peer, exchange, answer });
        Ok(())
    }

    /// Handles one frame, whether it came in a request or in an answer.
    pub(super) fn frame(
        &mut self,
        turn: &mut Turn<'_>,
        peer: NodeId,
        frame: Frame,
    ) -> Result<Option<(MessageId, Outcome)>, StorageError> {
        match frame {
            Frame::Contact(contact) => self.contact(turn, peer, &contact),
            Frame::Receipt(receipt) => self.receipt(turn, peer, receipt)?,
            Frame::Status(status) => self.status(turn, peer, &status)?,
            Frame::LinkState(state) => {
                let node = state.statement.node;
                if let Some(changed) = self.topology.learn(state) {
                    self.spread_state(node, Some(peer));
                    self.rerouted(turn, &changed)?;
                }
            }
            Frame::Have(page) => {
                let missing = self.directory.missing(&page);
                if let Some(link) = self.links.link_mut(peer) {
                    link.records.extend(missing);
                }
            }
            Frame::Record(record) => self.learn(turn, record, Some(peer)),
            Frame::Synced => {
                if let Some(link) = self.links.link_mut(peer) {
                    link.heard_synced = true;
                }
            }
            Frame::Transfer(transfer) => {
                let id = transfer.outer.id;
                return Ok(Some((id, self.transfer(turn, peer, *transfer)?)));
            }
        }
        Ok(None)
    }

    fn contact(&mut self, turn: &mut Turn<'_>, node: NodeId, contact: &Contact) {
        let identity = (contact.store, contact.opening);
        let sum = self.directory.sum();
        let peer = self.links.peer(node);
        if peer.identity.replace(identity) != Some(identity) {
            peer.has.clear();
            peer.unknown.clear();
            self.carriage.forget_neighbour(node);
        }
        let waiting: Vec<NodeId> =
            self.carriage.destinations().map(|(destination, _)| destination).collect();
        if let Some(link) = self.links.link_mut(node) {
            if contact.room > link.room {
                waiting.into_iter().for_each(|destination| link.search_again(destination));
            }
            link.room = contact.room;
            link.compare |= contact.directory != sum;
        }
        let known = self.openings.entry(node).or_default();
        *known = contact.opening.max(*known);
        if contact.yours.is_some_and(|opening| opening > self.opening) {
            turn.tell(Event::HigherEpochHeard(node));
        }
    }

    /// Keeps a directory record and passes it on.
    pub(super) fn learn(
        &mut self,
        turn: &mut Turn<'_>,
        record: DirectoryRecord,
        from: Option<NodeId>,
    ) {
        let key = record.key.clone();
        if self.directory.keep(turn, record) {
            for (_, link) in self.links.live_mut().filter(|(node, _)| Some(*node) != from) {
                link.records.insert(key.clone());
            }
        }
    }

    fn receipt(
        &mut self,
        turn: &mut Turn<'_>,
        from: NodeId,
        receipt: Attested<Receipt>,
    ) -> Result<(), StorageError> {
        let said = &receipt.statement;
        let (destination, stream) = (said.destination, said.stream);
        if destination == self.me {
            return self.destination.take_back(turn, &mut self.queues, said);
        }
        let own = stream.origin == self.me;
        if own && self.origin.destination(stream.line).is_some_and(|to| to != destination) {
            return Ok(());
        }
        if own && turn.get(&Key::Stream(stream.line, stream.epoch))?.is_none() {
            // An opening of a lost time, or one that is long settled: there is no account left.
            self.note_higher(turn, destination, said.closed);
            return Ok(());
        }
        // An older receipt may hold verdicts of a time that its destination has lost (rule R21).
        let newer = self.control.keep_receipt(turn, &receipt)?;
        if !newer && !own {
            return Ok(());
        }
        self.carriage.purge(turn, said)?;
        let mut progress = false;
        if own {
            let heard = self.origin.settle(turn, &mut self.carriage, &mut self.letters, said)?;
            self.note_higher(turn, destination, said.closed);
            for number in heard.displaced.numbers() {
                let id = MessageId { stream, number };
                self.links.give_again(destination, &id);
                self.carriage.next_round(turn, &id)?;
            }
            if heard.reborn {
                self.links.give_all_again(destination);
            }
            if heard.reborn || !heard.displaced.is_empty() {
                self.links.search_again(destination);
            }
            if newer || heard.progress {
                self.publish_to_carriers(stream);
            }
            if heard.progress {
                let waits = self.carriage.tally(destination).own.messages > 0;
                self.links.progress(destination, turn.now, waits);
            }
            progress = heard.progress;
        } else {
            self.publish(Word::Receipt(stream), stream.origin, Some(from));
        }
        self.links.settled(destination, stream, said.watermark);
        if progress || newer && said.room > 0 {
            self.links.live_mut().for_each(|(_, link)| link.unblock(&stream, progress));
        }
        Ok(())
    }

    /// A destination knows an opening of this node that this store never had.
    fn note_higher(&self, turn: &mut Turn<'_>, destination: NodeId, highest: Option<Epoch>) {
        if highest.is_some_and(|highest| highest > self.opening) {
            turn.tell(Event::HigherEpochHeard(destination));
        }
    }

    fn status(
        &mut self,
        turn: &mut Turn<'_>,
        from: NodeId,
        status: &Attested<Status>,
    ) -> Result<(), StorageError> {
        let said = &status.statement;
        if self.control.is_own_status(&said.stream) {
            if said.version.opening > self.opening {
                turn.tell(Event::HigherEpochHeard(from));
            }
            return Ok(());
        }
        if said.destination != self.me {
            if self.control.keep_status(turn, status)? {
                self.publish(Word::Status(said.stream), said.destination, Some(from));
            }
            return Ok(());
        }
        let header = Header {
            stream: said.stream,
            floors: said.floors,
            roster: &said.roster,
            ordered: said.ordered,
            express: said.express,
            queue: None,
        };
        self.destination.must_tell(said.stream);
        self.destination.hear(turn, &mut self.queues, &header)?;
        Ok(())
    }

    fn transfer(
        &mut self,
        turn: &mut Turn<'_>,
        peer: NodeId,
        transfer: Transfer,
    ) -> Result<Outcome, StorageError> {
        let id = transfer.outer.id;
        let low = transfer.outer.delivery.is_durable() && self.disk_low(turn);
        if transfer.outer.destination != self.me && self.is_settled(turn, peer, &transfer.outer)? {
            return Ok(Outcome::Accepted);
        }
        let (destination, spray) = (transfer.outer.destination, transfer.purpose == Purpose::Spray);
        if id.stream.origin == self.me {
            if spray {
                self.links.peer(peer).carries(destination, &id);
            }
            return Ok(if spray { Outcome::NotTaken(NotTaken::Seen) } else { Outcome::Accepted });
        }
        if transfer.outer.destination == self.me {
            let held_before = turn.inbox(&Key::Inbox(id.stream))?;
            let outcome = self.destination.arrive(turn, &mut self.queues, &transfer, low)?;
            let known = held_before.is_some_and(|inbox| {
                id.number < inbox.watermark || inbox.received.contains(id.number)
            });
            if known {
                turn.tell(Event::Duplicate(id));
            }
            return Ok(outcome);
        }
        let was_here = turn.copy_of(&Key::CopyOf(id))?.is_some();
        let (outcome, kept) = self.carriage.accept(turn, peer, transfer, low)?;
        if let Some(at) = kept {
            // It came once more, so whoever was given it before may have lost it (rule R20).
            self.links.give_again(at.destination, &id);
            if was_here {
                self.links.search_again(at.destination);
            } else {
                self.look_at(at);
            }
        }
        if spray {
            self.links.peer(peer).took(destination, &id);
        }
        Ok(outcome)
    }

    /// Whether a receipt that is held here settles a message that a neighbour offers (rule R21): the
    /// neighbour is told, so that it lets its copy go.
    fn is_settled(
        &mut self,
        turn: &Turn<'_>,
        peer: NodeId,
        outer: &Outer,
    ) -> Result<bool, StorageError> {
        let held = turn.receipt(&Key::Receipt(outer.id.stream))?;
        let settled = held.is_some_and(|held| {
            let said = &held.statement;
            said.destination == outer.destination && settles(said, outer.id.number)
        });
        if let (true, Some(link)) = (settled, self.links.link_mut(peer)) {
            link.words.insert(Word::Receipt(outer.id.stream));
        }
        Ok(settled)
    }
}
