//! Receipts and status records of other nodes: kept, compared, passed on (rules R9, R21, R22).
//!
//! Refuses to apply them; the origin and the destination do.

use super::address::NodeId;
use super::ids::StreamId;
use super::limits::STATEMENTS_MAX;
use super::record::{Key, Record};
use super::statement::{Attested, Receipt, Status};
use super::storage::StorageError;
use super::turn::Turn;

/// Which statement it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Word {
    /// The receipt of a stream.
    Receipt(StreamId, NodeId),
    /// The status record of a stream.
    Status(StreamId),
}

/// The statements of others that this node carries.
#[derive(Debug)]
pub(super) struct Control {
    me: NodeId,
    count: usize,
}

impl Control {
    pub(super) const fn new(me: NodeId) -> Self {
        Self { me, count: 0 }
    }

    /// Counts what the store holds.
    pub(super) fn load(&mut self, turn: &Turn<'_>) -> Result<(), StorageError> {
        self.count = self.words(turn)?.len();
        Ok(())
    }

    /// Keeps a receipt if it is newer than the one held. False if it is not.
    pub(super) fn keep_receipt(
        &mut self,
        turn: &mut Turn<'_>,
        receipt: &Attested<Receipt>,
    ) -> Result<bool, StorageError> {
        let key = Key::Receipt(receipt.statement.stream, receipt.statement.destination);
        let held = turn.receipt(&key)?;
        let new = &receipt.statement;
        if held.as_ref().is_some_and(|held| held.statement.version >= new.version) {
            return Ok(false);
        }
        self.make_room(turn, held.is_none())?;
        turn.put(true, key, Record::Receipt(Box::new(receipt.clone())));
        let status_key = Key::Status(new.stream);
        if let Some(status) = turn.status(&status_key)? {
            let (said, taken) = (&status.statement.floors, &new.floors);
            let known = taken.known >= said.known && taken.used_known >= said.used_known;
            if known && new.watermark >= said.give_up || new.closed.is_some() {
                self.drop_word(turn, Word::Status(new.stream));
            }
        }
        Ok(true)
    }

    /// Keeps a status record if it is newer than the one held. False if it is not.
    pub(super) fn keep_status(
        &mut self,
        turn: &mut Turn<'_>,
        status: &Attested<Status>,
    ) -> Result<bool, StorageError> {
        let key = Key::Status(status.statement.stream);
        let held = turn.status(&key)?;
        if held.as_ref().is_some_and(|h| h.statement.version >= status.statement.version) {
            return Ok(false);
        }
        self.make_room(turn, held.is_none())?;
        turn.put(true, key, Record::Status(Box::new(status.clone())));
        Ok(true)
    }

    /// Lets a statement go: it has reached the node it is for, or means nothing any more.
    pub(super) fn drop_word(&mut self, turn: &mut Turn<'_>, word: Word) {
        self.count = self.count.saturating_sub(1);
        turn.delete(match word {
            Word::Receipt(stream, by) => Key::Receipt(stream, by),
            Word::Status(stream) => Key::Status(stream),
        });
    }

    /// All statements held.
    pub(super) fn words(&self, turn: &Turn<'_>) -> Result<Vec<Word>, StorageError> {
        let (from, to) = (Key::Receipt(StreamId::FIRST, NodeId::FIRST), Key::Dead(0));
        let found = turn.range(&from, &to, STATEMENTS_MAX * 2)?;
        Ok(found
            .into_iter()
            .filter_map(|(key, _)| match key {
                Key::Receipt(stream, by) => Some(Word::Receipt(stream, by)),
                Key::Status(stream) => Some(Word::Status(stream)),
                _ => None,
            })
            .collect())
    }

    /// The node that a held statement is for: the origin of a receipt, the destination of a
    /// status record.
    pub(super) fn addressee(
        &self,
        turn: &Turn<'_>,
        word: Word,
    ) -> Result<Option<NodeId>, StorageError> {
        Ok(match word {
            Word::Receipt(stream, _) => Some(stream.origin),
            Word::Status(stream) => {
                turn.status(&Key::Status(stream))?.map(|status| status.statement.destination)
            }
        })
    }

    /// At the limit the first one held goes: it will be said again by whoever made it.
    fn make_room(&mut self, turn: &mut Turn<'_>, fresh: bool) -> Result<(), StorageError> {
        if !fresh {
            return Ok(());
        }
        if self.count >= STATEMENTS_MAX {
            let (from, to) = (Key::Receipt(StreamId::FIRST, NodeId::FIRST), Key::Dead(0));
            for (key, _) in turn.range(&from, &to, 1)? {
                match key {
                    Key::Receipt(stream, by) => self.drop_word(turn, Word::Receipt(stream, by)),
                    Key::Status(stream) => self.drop_word(turn, Word::Status(stream)),
                    _ => {}
                }
            }
        }
        self.count += 1;
        Ok(())
    }

    /// Whether a statement was made here.
    pub(super) fn is_own_status(&self, stream: &StreamId) -> bool {
        stream.origin == self.me
    }
}
