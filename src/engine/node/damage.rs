//! What becomes of messages whose contents do not read back from the store: the one trouble of a disk
//! that concerns a single message and leaves the others alone.

use super::Node;
use crate::engine::address::QueueName;
use crate::engine::command::{Delivered, Reply};
use crate::engine::limits::READ_CHUNKS_MAX;
use crate::engine::queues::Departure;
use crate::engine::record::{DeathReason, Key, Record};
use crate::engine::rejection::Rejection;
use crate::engine::step::Event;
use crate::engine::storage::StorageError;
use crate::engine::turn::{Fault, Turn};

impl Node {
    /// Ends the copies that could not be sent: own ones as dead letters, those of others without more
    /// (a relay may lose anything, and their origins have theirs). Says whether there were any.
    pub(super) fn bury_damaged(&mut self, turn: &mut Turn<'_>) -> Result<bool, StorageError> {
        let damaged = std::mem::take(&mut self.damaged);
        for &at in &damaged {
            let Some(copy) = turn.copy(&Key::Copy(at))? else { continue };
            let id = copy.outer.id;
            turn.tell(Event::Damaged(id));
            if id.stream.origin == self.me {
                let (carriage, letters) = (&mut self.carriage, &mut self.letters);
                self.origin.give_up(turn, carriage, letters, id, DeathReason::Damaged)?;
            } else {
                self.carriage.drop_copy(turn, at)?;
            }
        }
        Ok(!damaged.is_empty())
    }

    /// Hands messages out. Those whose contents do not read back are dead instead.
    pub(super) fn receive(
        &mut self,
        turn: &mut Turn<'_>,
        queue: &QueueName,
        max: usize,
        lease_ms: u64,
        session: u64,
    ) -> Result<Vec<Delivered>, Fault> {
        let (found, damaged) = self.queues.receive(turn, queue, max, lease_ms, session)?;
        self.damaged_in_queue(turn, damaged)?;
        Ok(found)
    }

    /// Messages that a reader was to be given, but whose contents do not read back.
    fn damaged_in_queue(
        &mut self,
        turn: &mut Turn<'_>,
        departures: impl IntoIterator<Item = Departure>,
    ) -> Result<(), StorageError> {
        for departure in departures {
            turn.tell(Event::Damaged(departure.message.id));
            self.ended_in_queue(turn, departure, DeathReason::Damaged)?;
        }
        Ok(())
    }

    /// Reads chunks of a content for a program. If one is damaged, the message under a lock that it
    /// belongs to is dead.
    pub(super) fn read(
        &mut self,
        turn: &mut Turn<'_>,
        content: u64,
        first: u32,
        count: u32,
    ) -> Result<Reply, Fault> {
        let mut chunks = Vec::new();
        for index in first..first.saturating_add(count.clamp(1, READ_CHUNKS_MAX)) {
            match turn.get(&Key::Chunk(content, index)) {
                Ok(Some(Record::Chunk(bytes))) => chunks.push(bytes),
                Ok(_) => break,
                // What comes before it is handed out first.
                Err(StorageError::Damaged(_)) if !chunks.is_empty() => break,
                Err(StorageError::Damaged(_)) => {
                    let departures = self.queues.take_locked(turn, content)?;
                    self.damaged_in_queue(turn, departures)?;
                    return Ok(Reply::Damaged);
                }
                Err(error) => return Err(error.into()),
            }
        }
        if chunks.is_empty() {
            return Err(Rejection::NoSuchMessage.into());
        }
        Ok(Reply::Chunks(chunks))
    }
}
