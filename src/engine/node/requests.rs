//! What neighbours say.

use super::Node;
use super::incoming::Exchange;
use crate::engine::address::NodeId;
use crate::engine::carriage::covers;
use crate::engine::control::Word;
use crate::engine::destination::Header;
use crate::engine::frame::{Answer, Contact, Frame, NotTaken, Outcome};
use crate::engine::ids::{Epoch, MessageId, StreamId};
use crate::engine::record::Key;
use crate::engine::statement::{Attested, DirectoryRecord, Receipt, Status};
use crate::engine::step::{Event, Output};
use crate::engine::storage::StorageError;
use crate::engine::turn::Turn;
use std::collections::BTreeSet;

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
        let touched: BTreeSet<StreamId> = frames.iter().filter_map(header_of).collect();
        let mut answer = Answer::default();
        let mut is_checked = None;
        for frame in frames {
            let outcome = match frame {
                Frame::Part(part) => {
                    let (id, size) = (part.transfer.outer.id, part.transfer.outer.size);
                    match self.part(turn, peer, *part)? {
                        Some(outcome) => Some((id, outcome)),
                        None if is_checked.is_none_or(|checked| checked == id) => {
                            is_checked = Some(id);
                            None
                        }
                        None => Some((id, Outcome::Holding(size))),
                    }
                }
                frame => self.frame(turn, peer, frame)?,
            };
            answer.outcomes.extend(outcome);
        }
        let exchange = Exchange { peer, number: exchange, touched, answer };
        match is_checked {
            Some(id) => self.delayed.push((id, exchange)),
            None => self.answer(turn, exchange)?,
        }
        Ok(())
    }

    /// Completes an answer with what the request changed, and says it.
    pub(super) fn answer(
        &mut self,
        turn: &mut Turn<'_>,
        exchange: Exchange,
    ) -> Result<(), StorageError> {
        let Exchange { peer, number, touched, mut answer } = exchange;
        for displaced in self.destination.take_displaced() {
            let taken = answer.outcomes.iter_mut().filter(|(id, _)| *id == displaced);
            taken.for_each(|(_, outcome)| *outcome = Outcome::NotTaken(NotTaken::QueueFull));
        }
        for stream in self.destination.take_news() {
            if let Some(receipt) = self.destination.receipt(turn, &self.queues, stream)? {
                answer.frames.push(Frame::Receipt(Attested::own(receipt)));
                // If the answer is lost, the same request asks again for the streams it touched
                // only: the others are said for certain.
                let told = touched.contains(&stream).then_some(peer);
                self.publish(Word::Receipt(stream, self.me), stream.origin, told);
            }
        }
        turn.say(Output::Answer { peer, exchange: number, answer });
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
                if self.topology.learn(state) {
                    self.spread_state(node, Some(peer));
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
            // Nobody asks for one in an answer.
            Frame::Part(_) => {}
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
        self.partials.purge(turn, said, |number| covers(said, number));
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
                self.publish_to_carriers(stream, destination, from);
            }
            if heard.progress {
                let waits = self.carriage.tally(destination).own.messages > 0;
                self.links.progress(destination, turn.now, waits);
            }
            progress = heard.progress;
        } else {
            self.publish(Word::Receipt(stream, destination), stream.origin, Some(from));
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
}

/// The stream whose header a frame carries.
fn header_of(frame: &Frame) -> Option<StreamId> {
    match frame {
        Frame::Transfer(transfer) => Some(transfer.outer.id.stream),
        Frame::Part(part) => Some(part.transfer.outer.id.stream),
        Frame::Status(status) => Some(status.statement.stream),
        _ => None,
    }
}
