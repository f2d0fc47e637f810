//! Messages that come whole or in parts: what becomes of them here, as destination or on their way.

use super::Node;
use crate::engine::address::NodeId;
use crate::engine::carriage::settles;
use crate::engine::control::Word;
use crate::engine::frame::{Answer, NotTaken, Outcome, Part, Purpose, Transfer};
use crate::engine::ids::{MessageId, StreamId};
use crate::engine::message::{Content, Outer};
use crate::engine::record::{Key, Spot};
use crate::engine::step::{Event, Output};
use crate::engine::storage::StorageError;
use crate::engine::turn::Turn;
use bytes::Bytes;
use std::collections::BTreeSet;

/// A neighbour's request whose answer is not complete yet.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) peer: NodeId,
    pub(super) number: u64,
    /// The streams that it touched.
    pub(super) touched: BTreeSet<StreamId>,
    pub(super) answer: Answer,
}

impl Node {
    /// A message that came whole.
    pub(super) fn transfer(
        &mut self,
        turn: &mut Turn<'_>,
        peer: NodeId,
        transfer: Transfer,
    ) -> Result<Outcome, StorageError> {
        if let Some(outcome) = self.is_needless(turn, peer, &transfer)? {
            return Ok(outcome);
        }
        let durable = transfer.outer.delivery.is_durable();
        let inner = transfer.inner.clone();
        self.take(turn, peer, transfer, |turn| turn.keep_content(durable, &inner, None))
    }

    /// Some bytes of a message. None if it is whole with them and is being checked: the outcome is
    /// said when that is done.
    pub(super) fn part(
        &mut self,
        turn: &mut Turn<'_>,
        peer: NodeId,
        mut part: Part,
    ) -> Result<Option<Outcome>, StorageError> {
        let size = part.transfer.outer.size;
        let known = self.partials.get(&part).map(|known| known.queue.clone());
        let is_known = known.is_some();
        if let Some(queue) = known {
            part.transfer.queue = queue;
        }
        let from_the_middle = !is_known && part.offset > 0;
        match self.foresee(turn, peer, &part.transfer)? {
            // Which queue it is for stands at the beginning.
            Some(Outcome::NotTaken(NotTaken::Unreadable)) if from_the_middle => {}
            Some(outcome) => {
                if outcome == Outcome::Accepted {
                    self.partials.forget(turn, &part.transfer.outer.id);
                }
                return Ok(Some(outcome));
            }
            None => {}
        }
        if from_the_middle {
            return Ok(Some(Outcome::Holding(0)));
        }
        if !is_known && !self.partials.has_room(size) {
            return Ok(Some(Outcome::NotTaken(NotTaken::StoreFull)));
        }
        let transfer = part.transfer.clone();
        let held = self.partials.take(turn, part);
        if held < size {
            return Ok(Some(Outcome::Holding(held)));
        }
        self.whole(turn, peer, transfer)
    }

    /// The last bytes of a message are here.
    fn whole(
        &mut self,
        turn: &mut Turn<'_>,
        peer: NodeId,
        transfer: Transfer,
    ) -> Result<Option<Outcome>, StorageError> {
        let id = transfer.outer.id;
        let Some((content, hash, checked)) = self.partials.whole(&id) else {
            return Ok(Some(Outcome::Holding(0)));
        };
        if checked {
            let mut given = false;
            let len = transfer.outer.size;
            let outcome = self.take(turn, peer, transfer, |_| {
                given = true;
                Content::Stored { number: content, len, head: Bytes::new(), hash: Some(hash) }
            })?;
            if given {
                self.partials.release(turn, &id);
            } else if outcome == Outcome::Accepted {
                self.partials.forget(turn, &id);
            }
            return Ok(Some(outcome));
        }
        if self.partials.begin_check(&id) {
            turn.say(Output::Check { id, content, len: transfer.outer.size, hash });
        }
        self.whole_from.entry(id).or_default().insert(peer, transfer);
        Ok(None)
    }

    /// A whole content was read and its hash compared: those who sent it hear what becomes of it.
    pub(super) fn checked(
        &mut self,
        turn: &mut Turn<'_>,
        id: MessageId,
        content: u64,
        good: bool,
    ) -> Result<(), StorageError> {
        let is_here = self.partials.checked(turn, &id, content, good);
        self.publish_news(turn, None)?;
        self.destination.take_displaced();
        for (peer, transfer) in self.whole_from.remove(&id).unwrap_or_default() {
            let outcome = match (is_here, good) {
                (false, _) => Outcome::Holding(0),
                (true, false) => Outcome::NotTaken(NotTaken::Unreadable),
                (true, true) => match self.foresee(turn, peer, &transfer)? {
                    Some(outcome) => outcome,
                    None => self.whole(turn, peer, transfer)?.unwrap_or(Outcome::Holding(0)),
                },
            };
            let answered: Vec<Exchange> = self
                .delayed
                .extract_if(.., |(of, it)| *of == id && it.peer == peer)
                .map(|(_, it)| it)
                .collect();
            for mut exchange in answered {
                exchange.answer.outcomes.push((id, outcome));
                self.answer(turn, exchange)?;
            }
        }
        Ok(())
    }

    /// What becomes of a message, if that can be said before its inner part is here.
    fn foresee(
        &mut self,
        turn: &mut Turn<'_>,
        peer: NodeId,
        transfer: &Transfer,
    ) -> Result<Option<Outcome>, StorageError> {
        if let Some(outcome) = self.is_needless(turn, peer, transfer)? {
            return Ok(Some(outcome));
        }
        let low = transfer.outer.delivery.is_durable() && self.disk_low(turn);
        if transfer.outer.destination == self.me {
            return self.destination.foresee(turn, &mut self.queues, transfer, low);
        }
        let judged = self.carriage.judge(turn, peer, transfer, low)?;
        Ok(judged.map(|(outcome, kept)| {
            self.noticed(peer, transfer, kept);
            outcome
        }))
    }

    /// Takes a message: into its queue, or on its way. `content` puts its inner part into the store.
    fn take(
        &mut self,
        turn: &mut Turn<'_>,
        peer: NodeId,
        transfer: Transfer,
        content: impl FnOnce(&mut Turn<'_>) -> Content,
    ) -> Result<Outcome, StorageError> {
        let id = transfer.outer.id;
        let low = transfer.outer.delivery.is_durable() && self.disk_low(turn);
        if transfer.outer.destination == self.me {
            let held_before = turn.inbox(&Key::Inbox(id.stream))?;
            let (queues, destination) = (&mut self.queues, &mut self.destination);
            let outcome = destination.arrive(turn, queues, &transfer, low, content)?;
            let known = held_before.is_some_and(|inbox| {
                id.number < inbox.watermark || inbox.received.contains(id.number)
            });
            if known {
                turn.tell(Event::Duplicate { id, queue: transfer.queue });
            }
            return Ok(outcome);
        }
        if let Some((outcome, kept)) = self.carriage.judge(turn, peer, &transfer, low)? {
            self.noticed(peer, &transfer, kept);
            return Ok(outcome);
        }
        let content = content(turn);
        let kept = self.carriage.accept(turn, peer, transfer.clone(), content);
        self.noticed(peer, &transfer, Some(kept));
        Ok(Outcome::Accepted)
    }

    /// A neighbour has shown a copy for another node: it is looked at if it is here, and the neighbour
    /// has it.
    fn noticed(&mut self, peer: NodeId, transfer: &Transfer, kept: Option<Spot>) {
        let (id, destination) = (transfer.outer.id, transfer.outer.destination);
        if let Some(at) = kept {
            // It came once more, so whoever was given it before may have lost it (rule R20).
            self.links.give_again(at.destination, &id);
            self.look_at(at);
        }
        if transfer.purpose == Purpose::Spray {
            self.links.peer(peer).took(destination, &id);
        }
    }

    /// Whether nobody needs a message any more, or this node of all nodes does not.
    fn is_needless(
        &mut self,
        turn: &Turn<'_>,
        peer: NodeId,
        transfer: &Transfer,
    ) -> Result<Option<Outcome>, StorageError> {
        let (outer, spray) = (&transfer.outer, transfer.purpose == Purpose::Spray);
        if outer.destination != self.me && self.is_settled(turn, peer, outer)? {
            return Ok(Some(Outcome::Accepted));
        }
        if outer.id.stream.origin != self.me {
            return Ok(None);
        }
        if spray {
            self.links.peer(peer).carries(outer.destination, &outer.id);
            return Ok(Some(Outcome::NotTaken(NotTaken::Seen)));
        }
        Ok(Some(Outcome::Accepted))
    }

    /// Whether a receipt that is held here settles a message that a neighbour offers (rule R21): the
    /// neighbour is told, so that it lets its copy go.
    fn is_settled(
        &mut self,
        turn: &Turn<'_>,
        peer: NodeId,
        outer: &Outer,
    ) -> Result<bool, StorageError> {
        let (stream, by) = (outer.id.stream, outer.destination);
        let held = turn.receipt(&Key::Receipt(stream, by))?;
        let settled = held.is_some_and(|held| settles(&held.statement, outer.id.number));
        if let (true, Some(link)) = (settled, self.links.link_mut(peer)) {
            link.words.insert(Word::Receipt(stream, by));
        }
        Ok(settled)
    }
}
