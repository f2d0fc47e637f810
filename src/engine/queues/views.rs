//! What the local queues look like from outside.

use super::{Queues, seat};
use crate::engine::address::QueueName;
use crate::engine::command::QueueView;
use crate::engine::limits::INNER_HEAD_MAX;
use crate::engine::record::{Key, Record};
use crate::engine::storage::StorageError;
use crate::engine::time::Timestamp;
use crate::engine::turn::{Fault, Turn};

impl Queues {
    /// Describes one queue, or all.
    pub(in crate::engine) fn views(
        &self,
        turn: &Turn<'_>,
        name: Option<&QueueName>,
        dead: impl Fn(&QueueName) -> u64,
    ) -> Result<Vec<QueueView>, Fault> {
        let numbers: Vec<u32> = match name {
            Some(name) => vec![self.number(name)?],
            None => self.by_name.values().copied().collect(),
        };
        let mut views = Vec::with_capacity(numbers.len());
        for number in numbers {
            let Some(queue) = self.queues.get(&number) else { continue };
            let (quota, all) = (self.quota(&queue.record), queue.stored());
            views.push(QueueView {
                name: queue.record.name.clone(),
                transactional: queue.record.transactional,
                ready: all.messages.saturating_sub(queue.locked),
                locked: queue.locked,
                dead: dead(&queue.record.name),
                bytes: all.bytes,
                oldest: oldest(turn, number)?,
                max_messages: quota.messages,
                max_bytes: quota.bytes,
                created_at: queue.record.created_at,
            });
        }
        Ok(views)
    }

    /// Largest inner part that is taken, whatever the queue's quota.
    pub(in crate::engine) const fn inner_max(&self) -> u64 {
        self.limits.body_bytes.saturating_add(INNER_HEAD_MAX as u64)
    }

    /// Messages in all queues, and the number of queues.
    pub(in crate::engine) fn totals(&self) -> (u64, u64) {
        let messages = self.queues.values().map(|queue| queue.stored().messages).sum();
        (messages, self.queues.len() as u64)
    }
}

fn oldest(turn: &Turn<'_>, number: u32) -> Result<Option<Timestamp>, StorageError> {
    let mut oldest = None;
    for rank in 0..8 {
        let (from, to) = (seat(number, rank, 0), seat(number, rank + 1, 0));
        let head = turn.range(&Key::Queued(from), &Key::Queued(to), 1)?;
        if let Some((_, Record::Queued(message))) = head.first() {
            let at = message.enqueued_at;
            oldest = Some(oldest.map_or(at, |oldest: Timestamp| oldest.min(at)));
        }
    }
    Ok(oldest)
}
