//! Sends under a key: repeated, they give the answer of the first one and send nothing.
//!
//! Key and answer become durable in the commit of the messages, so that no crash lies between them.
//! The memory of keys is bounded: the oldest goes for a new one, but never before it had its time. If
//! that would be needed the new send is refused, because a key that is forgotten early is a message
//! that is sent twice. A program that sends much numbers its sends under one key, a row, of which only
//! the last is remembered: then its rate is not bounded by this memory.

use super::command::OnceKey;
use super::ids::MessageId;
use super::limits::{Limits, ONCE_KEEP_MS, ONCE_LINES_MAX, ONCE_LONGEST_MS, ONCE_REFRESH_MS};
use super::message::Short;
use super::record::{Key, Once, Record};
use super::rejection::Rejection;
use super::storage::StorageError;
use super::sweep::sweep;
use super::time::Timestamp;
use super::turn::{Fault, Turn};

/// The keys of a node.
#[derive(Debug)]
pub(super) struct Onces {
    /// Keys that are remembered at most.
    max: usize,
    count: usize,
}

impl Onces {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { max: usize::try_from(limits.idempotency_keys).unwrap_or(usize::MAX), count: 0 }
    }

    /// Counts what the store holds.
    pub(super) fn load(&mut self, turn: &Turn<'_>) -> Result<(), StorageError> {
        sweep(turn, Key::OnceOrder(0), &Key::OnceOrder(u64::MAX), |_, _| {
            self.count += 1;
            Ok(())
        })
    }

    /// The answer to an earlier send under a key, unless its time is over.
    pub(super) fn find(&self, turn: &Turn<'_>, key: Short) -> Result<Option<Once>, StorageError> {
        let known = turn.once(&Key::Once(key))?;
        Ok(known.map(|known| *known).filter(|known| turn.now.since(known.at) < ONCE_LONGEST_MS))
    }

    /// Whether a key can be kept, before anything is changed.
    pub(super) fn check(&self, turn: &Turn<'_>, key: Short, lines: usize) -> Result<(), Fault> {
        if lines > ONCE_LINES_MAX {
            let bounds = "of at most 32 queues and priorities";
            return Err(Rejection::OutOfBounds { what: "messages under a key", bounds }.into());
        }
        if self.count < self.max || turn.once(&Key::Once(key))?.is_some() {
            return Ok(());
        }
        let oldest = match self.oldest(turn)? {
            Some((_, key)) => turn.once(&Key::Once(key))?,
            None => None,
        };
        if oldest.is_some_and(|oldest| turn.now.since(oldest.at) < ONCE_KEEP_MS) {
            return Err(
                Rejection::TooMany { what: "recent idempotency keys", limit: self.max }.into()
            );
        }
        Ok(())
    }

    /// Keeps a key with its answer, in place of the oldest if there are too many.
    pub(super) fn keep(
        &mut self,
        turn: &mut Turn<'_>,
        request: OnceKey,
        ids: &[MessageId],
    ) -> Result<(), Fault> {
        let known = turn.once(&Key::Once(request.key))?;
        let young = known.as_ref().filter(|row| turn.now.since(row.at) < ONCE_REFRESH_MS);
        if let Some(row) = young {
            // The row of numbered sends goes on where it stands: one record for a send.
            return put(turn, request, (row.at, row.order), ids);
        }
        if let Some(over) = known {
            self.forget(turn, over.order, request.key);
        }
        if self.count >= self.max
            && let Some((order, key)) = self.oldest(turn)?
        {
            self.forget(turn, order, key);
        }
        let order = turn.serial.draw();
        put(turn, request, (turn.now, order), ids)?;
        turn.put(true, Key::OnceOrder(order), Record::OnceKey(request.key));
        self.count += 1;
        Ok(())
    }

    fn oldest(&self, turn: &Turn<'_>) -> Result<Option<(u64, Short)>, StorageError> {
        let first = turn.range(&Key::OnceOrder(0), &Key::OnceOrder(u64::MAX), 1)?;
        Ok(first.into_iter().find_map(|entry| match entry {
            (Key::OnceOrder(order), Record::OnceKey(key)) => Some((order, key)),
            _ => None,
        }))
    }

    fn forget(&mut self, turn: &mut Turn<'_>, order: u64, key: Short) {
        turn.delete(Key::OnceOrder(order));
        turn.delete(Key::Once(key));
        self.count = self.count.saturating_sub(1);
    }
}

/// Writes the answer of a key that has this place in the order since then.
fn put(
    turn: &mut Turn<'_>,
    request: OnceKey,
    (at, order): (Timestamp, u64),
    ids: &[MessageId],
) -> Result<(), Fault> {
    let once = Once::of(request.digest, at, order, request.number, ids).ok_or_else(|| {
        let why = "ids of one send are not in a row".to_owned();
        StorageError::Damaged(why)
    })?;
    turn.put(true, Key::Once(request.key), Record::Once(Box::new(once)));
    Ok(())
}
