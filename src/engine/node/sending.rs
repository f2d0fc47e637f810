//! Accepting messages: all of a command in one commit, or none (rule R2).

use super::Node;
use crate::engine::address::QueueName;
use crate::engine::command::{InnerPart, Outgoing, Reply};
use crate::engine::ids::MessageId;
use crate::engine::limits::{
    INNER_HEAD_MAX, REACH_WITHIN_MAX_MS, SEND_MAX, SPLIT_HEAD_MAX, TOKENS, WHOLE_MAX,
};
use crate::engine::message::{Content, Outer, Short, Transit};
use crate::engine::origin::Numbered;
use crate::engine::policy::Way;
use crate::engine::queues::{Room, Size, fresh};
use crate::engine::record::{Copy, DeathReason, Queued, Spot};
use crate::engine::rejection::Rejection;
use crate::engine::storage::StorageError;
use crate::engine::turn::{Fault, Turn};
use std::collections::BTreeMap;

impl Node {
    pub(super) fn send(
        &mut self,
        turn: &mut Turn<'_>,
        messages: Vec<Outgoing>,
    ) -> Result<Reply, Fault> {
        if !(1..=SEND_MAX).contains(&messages.len()) {
            return Err(Rejection::OutOfBounds { what: "messages", bounds: "1 to 256" }.into());
        }
        for message in &messages {
            self.check_staged(message)?;
        }
        self.check_all(turn, &messages)?;
        let ids = messages.iter().map(|message| self.accept(turn, message));
        let ids = ids.collect::<Result<_, _>>()?;
        for message in &messages {
            if let InnerPart::Kept { content, .. } = message.inner {
                self.partials.taken(content);
            }
        }
        Ok(Reply::Accepted(ids))
    }

    fn check_staged(&self, message: &Outgoing) -> Result<(), Rejection> {
        match message.inner {
            InnerPart::Kept { ref head, content, len, .. } => {
                let staged = self.partials.staged(content).ok_or(Rejection::NoSuchMessage)?;
                if head.len() > SPLIT_HEAD_MAX || staged + head.len() as u64 != len {
                    let bounds = "at most 1,280 bytes where a large body stands by itself";
                    return Err(Rejection::OutOfBounds { what: "properties", bounds });
                }
                Ok(())
            }
            InnerPart::Whole(..) => Ok(()),
        }
    }

    /// Refuses the whole command before anything is changed.
    fn check_all(&self, turn: &Turn<'_>, messages: &[Outgoing]) -> Result<(), Fault> {
        let mut local: BTreeMap<&QueueName, Size> = BTreeMap::new();
        let mut outgoing = self.carriage.own();
        outgoing.messages += self.letters.count;
        outgoing.bytes += self.letters.bytes;
        let mut express = turn.volatile.bytes;
        for message in messages {
            self.check_bounds(message)?;
            let bytes = message.inner.len();
            if message.delivery.is_durable() {
                self.check_disk(turn)?;
            } else {
                express += bytes;
                if express > self.limits.express_bytes {
                    return Err(Rejection::ExpressFull(self.limits.express_bytes).into());
                }
            }
            if message.destination == self.me {
                let before = local.entry(&message.queue).or_default();
                self.check_local(message, *before)?;
                before.add(bytes);
            } else {
                outgoing.add(bytes);
                let (messages, limit) = (self.limits.outgoing_messages, self.limits.outgoing_bytes);
                if outgoing.messages > messages || outgoing.bytes > limit {
                    return Err(Rejection::OutgoingFull { messages, bytes: limit }.into());
                }
                self.origin.check(message)?;
            }
        }
        Ok(())
    }

    pub(super) fn check_disk(&self, turn: &Turn<'_>) -> Result<(), Rejection> {
        let reserve = self.limits.disk_reserve_bytes;
        match turn.free_bytes() {
            Some(free) if free < reserve => Err(Rejection::DiskLow { free, reserve }),
            _ => Ok(()),
        }
    }

    fn check_local(&self, message: &Outgoing, before: Size) -> Result<(), Rejection> {
        let queue = message.queue.clone();
        let bytes = message.inner.len();
        match self.queues.room_after(&queue, message.delivery, bytes, before) {
            Room::Fits(_) => Ok(()),
            Room::Full => Err(Rejection::QueueFull(queue)),
            Room::TooLarge(limit) => Err(Rejection::TooLarge { size: bytes, limit }),
            Room::NoSuchQueue => Err(Rejection::NoSuchQueue(queue)),
            Room::WrongKind => {
                Err(Rejection::WrongKind { queue, transactional: !message.delivery.is_ordered() })
            }
        }
    }

    fn accept(
        &mut self,
        turn: &mut Turn<'_>,
        message: &Outgoing,
    ) -> Result<MessageId, StorageError> {
        let numbered = self.origin.number(turn, message);
        let id = numbered.id;
        if message.destination == self.me {
            self.accept_local(turn, message, id)?;
        } else {
            self.accept_outgoing(turn, message, numbered)?;
        }
        Ok(id)
    }

    fn accept_local(
        &mut self,
        turn: &mut Turn<'_>,
        message: &Outgoing,
        id: MessageId,
    ) -> Result<(), StorageError> {
        let durable = message.delivery.is_durable();
        self.origin.open_local(turn, id, durable);
        let room = self.queues.room(&message.queue, message.delivery, 0);
        if let Room::Fits(number) = room {
            let content = turn.keep_inner(durable, &message.inner)?;
            let queued = Queued {
                priority: message.priority,
                expires_at: message.ttl_ms.map(|ttl| turn.now.after(ttl)),
                ..fresh(id, message.delivery, content, turn.now)
            };
            self.queues.enter(turn, number, queued);
        }
        Ok(())
    }

    fn accept_outgoing(
        &mut self,
        turn: &mut Turn<'_>,
        message: &Outgoing,
        numbered: Numbered,
    ) -> Result<(), StorageError> {
        let id = numbered.id;
        let outer = Outer {
            id,
            destination: message.destination,
            delivery: message.delivery,
            priority: message.priority,
            reach_within_ms: message.reach_within_ms,
            ttl_ms: message.ttl_ms,
            floors: numbered.floors,
            roster: numbered.roster,
            salt: message.salt,
            size: message.inner.len(),
            extensions: BTreeMap::new(),
        };
        let content = turn.keep_inner(message.delivery.is_durable(), &message.inner)?;
        let copy = Copy {
            outer,
            transit: Transit { tokens: TOKENS, ..Transit::default() },
            arrived_at: turn.now,
            content,
            digest: Short::default(),
        };
        let at = self.carriage.keep(turn, copy);
        self.origin.open_account(turn, id, message, at);
        self.look_at(at);
        Ok(())
    }

    /// A copy is new: links that could help it look at it.
    pub(super) fn look_at(&mut self, at: Spot) {
        for node in self.links.live_nodes() {
            if self.way(at.destination, node) != Way::None
                && let Some(link) = self.links.link_mut(node)
            {
                link.search_from(at);
            }
        }
    }

    /// Sends a dead letter again, as a new message with a new number (rule R19).
    pub(super) fn retry_dead(
        &mut self,
        turn: &mut Turn<'_>,
        number: u64,
        may_duplicate: bool,
        salt: Short,
    ) -> Result<Reply, Fault> {
        let letter = self.letters.letter(turn, number)?;
        if letter.reason == DeathReason::Damaged {
            return Err(Rejection::Damaged.into());
        }
        if letter.unconfirmed && !may_duplicate {
            return Err(Rejection::MayDuplicate.into());
        }
        let message = Outgoing {
            destination: letter.destination,
            queue: letter.queue.clone(),
            line: letter.id.stream.line,
            delivery: letter.delivery,
            priority: letter.priority,
            reach_within_ms: letter.reach_within_ms,
            ttl_ms: letter.ttl_ms,
            salt,
            inner: match letter.content {
                Content::Stored { number, len, ref head, hash: Some(hash) } => {
                    InnerPart::Kept { head: head.clone(), content: number, len, hash }
                }
                ref whole => match turn.content(whole) {
                    Err(StorageError::Damaged(_)) => return Err(Rejection::Damaged.into()),
                    bytes => InnerPart::Whole(bytes?, None),
                },
            },
        };
        self.letters.counted(&letter, false);
        let checked = self.check_all(turn, std::slice::from_ref(&message));
        self.letters.counted(&letter, true);
        checked?;
        // The new message owns the content before the letter lets it go.
        let id = self.accept(turn, &message)?;
        self.letters.remove(turn, number)?;
        Ok(Reply::Accepted(vec![id]))
    }

    fn check_bounds(&self, message: &Outgoing) -> Result<(), Rejection> {
        let size = message.inner.len();
        if matches!(message.inner, InnerPart::Kept { .. }) && !message.delivery.is_durable() {
            // Its chunks would outlive it.
            let bounds = "handed in whole if its message is express";
            return Err(Rejection::OutOfBounds { what: "a body", bounds });
        }
        let limit = match message.inner {
            InnerPart::Kept { .. } => self.limits.body_bytes.saturating_add(INNER_HEAD_MAX as u64),
            _ => WHOLE_MAX as u64,
        };
        if size > limit {
            return Err(Rejection::TooLarge { size, limit });
        }
        check_times(message)
    }
}

fn check_times(message: &Outgoing) -> Result<(), Rejection> {
    if !(1..=REACH_WITHIN_MAX_MS).contains(&message.reach_within_ms) {
        let bounds = "more than 0 and at most ten years";
        return Err(Rejection::OutOfBounds { what: "time to reach the queue", bounds });
    }
    if message.ttl_ms == Some(0) {
        return Err(Rejection::OutOfBounds { what: "time to be received", bounds: "more than 0" });
    }
    Ok(())
}
