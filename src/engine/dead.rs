//! The dead-letter queue: what ended, why, and whether that is certain.

use super::address::{NodeId, QueueName};
use super::command::DeadView;
use super::record::{Dead, Key, Record};
use super::rejection::Rejection;
use super::step::Event;
use super::storage::StorageError;
use super::turn::{Fault, Turn};
use std::collections::BTreeMap;

/// The dead-letter queue of a node.
#[derive(Debug, Default)]
pub(super) struct DeadLetters {
    /// Letters by what they were for.
    by_queue: BTreeMap<(NodeId, QueueName), u64>,
    /// All of them.
    pub(super) count: u64,
    /// Their bytes.
    pub(super) bytes: u64,
}

impl DeadLetters {
    /// Takes a letter in and gives it a number.
    pub(super) fn bury(&mut self, turn: &mut Turn<'_>, letter: Dead) -> u64 {
        self.counted(&letter, true);
        turn.tell(Event::Buried {
            destination: letter.destination,
            queue: letter.queue.clone(),
            reason: letter.reason,
        });
        let number = turn.serial.draw();
        let durable = letter.delivery.is_durable();
        turn.put(durable, Key::Dead(number), Record::Dead(Box::new(letter)));
        number
    }

    /// Counts a letter in, or out.
    pub(super) fn counted(&mut self, letter: &Dead, comes: bool) {
        let place = (letter.destination, letter.queue.clone());
        let of_queue = self.by_queue.entry(place.clone()).or_default();
        if comes {
            *of_queue += 1;
            self.count += 1;
            self.bytes += letter.content.len();
        } else {
            *of_queue = of_queue.saturating_sub(1);
            if *of_queue == 0 {
                self.by_queue.remove(&place);
            }
            self.count = self.count.saturating_sub(1);
            self.bytes = self.bytes.saturating_sub(letter.content.len());
        }
    }

    /// Takes a letter out, its content with it.
    pub(super) fn remove(
        &mut self,
        turn: &mut Turn<'_>,
        number: u64,
    ) -> Result<Option<Dead>, StorageError> {
        let Some(letter) = turn.dead(&Key::Dead(number))? else { return Ok(None) };
        self.counted(&letter, false);
        turn.drop_content(letter.delivery.is_durable(), &letter.content)?;
        turn.delete(Key::Dead(number));
        Ok(Some(*letter))
    }

    /// Makes a letter certain: it did not arrive.
    pub(super) fn confirm(&self, turn: &mut Turn<'_>, number: u64) -> Result<(), StorageError> {
        if let Some(mut letter) = turn.dead(&Key::Dead(number))? {
            letter.unconfirmed = false;
            turn.put(letter.delivery.is_durable(), Key::Dead(number), Record::Dead(letter));
        }
        Ok(())
    }

    /// The letter of that number.
    pub(super) fn letter(&self, turn: &Turn<'_>, number: u64) -> Result<Dead, Fault> {
        let letter = turn.dead(&Key::Dead(number))?;
        Ok(*letter.ok_or(Rejection::NoSuchMessage)?)
    }

    /// Letters in the order of dying.
    pub(super) fn list(
        &self,
        turn: &Turn<'_>,
        after: Option<u64>,
        max: usize,
    ) -> Result<Vec<DeadView>, StorageError> {
        let from = Key::Dead(after.map_or(0, |after| after.saturating_add(1)));
        let mut views = Vec::new();
        for (key, record) in turn.range(&from, &Key::Dead(u64::MAX), max)? {
            let (Key::Dead(letter), Record::Dead(dead)) = (key, record) else { continue };
            views.push(DeadView {
                letter,
                id: dead.id,
                destination: dead.destination,
                queue: dead.queue.clone(),
                reason: dead.reason,
                died_at: dead.died_at,
                unconfirmed: dead.unconfirmed,
                inner: turn.glimpsed(&dead.content)?,
            });
        }
        Ok(views)
    }

    /// How many letters were for a queue.
    pub(super) fn of_queue(&self, node: NodeId, queue: &QueueName) -> u64 {
        self.by_queue.get(&(node, queue.clone())).copied().unwrap_or_default()
    }
}
