//! What time does: timers of the store, leases, waits of links.

use super::Node;
use crate::engine::control::Word;
use crate::engine::ids::{MessageId, StreamId};
use crate::engine::origin::Aged;
use crate::engine::queues::Departure;
use crate::engine::record::{Dead, DeathReason, Key, SentState, Target};
use crate::engine::storage::StorageError;
use crate::engine::time::Timestamp;
use crate::engine::turn::Turn;
use std::collections::BTreeMap;

/// Timers handled in one turn; the rest follow at once in the next.
const DUE_MAX: usize = 512;

impl Node {
    pub(super) fn all_due(&mut self, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        let from = Key::Timer(Timestamp::ZERO, Target::FIRST);
        let to = Key::Timer(turn.now.after(1), Target::FIRST);
        for (key, _) in turn.range(&from, &to, DUE_MAX)? {
            let Key::Timer(_, target) = key else { continue };
            turn.delete(key);
            self.due(turn, target)?;
        }
        let returned = self.queues.end_leases(turn)?;
        self.expired_in_queue(turn, returned)?;
        self.partials.due(turn);
        let now = turn.now;
        for (_, link) in self.links.live_mut() {
            link.end_blocks(now);
            link.retry_at = link.retry_at.filter(|&at| at > now);
        }
        for destination in self.links.overdue(now) {
            for stream in self.origin.doubt(destination) {
                self.publish(Word::Status(stream), destination, None);
            }
            self.links.give_all_again(destination);
            self.links.search_again(destination);
        }
        Ok(())
    }

    fn due(&mut self, turn: &mut Turn<'_>, target: Target) -> Result<(), StorageError> {
        match target {
            Target::Sent(line, epoch, number) => {
                let stream = StreamId { origin: self.me, line, epoch };
                let id = MessageId { stream, number };
                match self.origin.due(turn, &mut self.carriage, &mut self.letters, id)? {
                    Aged::NewRound(id) => self.send_again(turn, &id)?,
                    Aged::Over(_) | Aged::Unchanged => {}
                }
            }
            Target::Copy(at) => {
                self.carriage.drop_copy(turn, at)?;
            }
            Target::Queued(seat) => {
                let departure = self.queues.due(turn, seat)?;
                self.expired_in_queue(turn, departure)?;
            }
            Target::Statement(_) => {}
        }
        Ok(())
    }

    /// An own message is to be given again to whoever had it.
    fn send_again(&mut self, turn: &Turn<'_>, id: &MessageId) -> Result<(), StorageError> {
        if let Some(at) = turn.copy_of(&Key::CopyOf(*id))? {
            self.links.give_again(at.destination, id);
            self.links.search_again(at.destination);
        }
        Ok(())
    }

    /// Messages whose time to be received ran out in their queue: dead letters of this node.
    pub(super) fn expired_in_queue(
        &mut self,
        turn: &mut Turn<'_>,
        departures: impl IntoIterator<Item = Departure>,
    ) -> Result<(), StorageError> {
        for departure in departures {
            self.ended_in_queue(turn, departure, DeathReason::ReceiveTimeExpired)?;
        }
        Ok(())
    }

    /// A message that ended in its queue: a dead letter of this node.
    pub(super) fn ended_in_queue(
        &mut self,
        turn: &mut Turn<'_>,
        Departure { queue, message }: Departure,
        reason: DeathReason,
    ) -> Result<(), StorageError> {
        let durable = message.delivery.is_durable();
        let letter = Dead {
            id: message.id,
            destination: self.me,
            queue: queue.clone(),
            delivery: message.delivery,
            priority: message.priority,
            reach_within_ms: crate::engine::limits::REACH_WITHIN_DEFAULT_MS,
            ttl_ms: None,
            reason,
            died_at: turn.now,
            unconfirmed: false,
            content: message.content,
            extensions: BTreeMap::new(),
        };
        self.letters.bury(turn, letter);
        self.left_queue(turn, &message.id, durable, false)?;
        self.destination.resume(turn, &mut self.queues, &queue)
    }

    /// Tells the second layer of verdicts about a message that left its queue.
    pub(super) fn left_queue(
        &mut self,
        turn: &mut Turn<'_>,
        id: &MessageId,
        durable: bool,
        used: bool,
    ) -> Result<(), StorageError> {
        if id.stream.origin == self.me {
            let state = if used { SentState::Received } else { SentState::Ended };
            return self.origin.finish(turn, *id, state);
        }
        self.destination.departed(turn, id, durable, used)
    }
}
