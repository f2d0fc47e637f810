//! Sends under a key: repeated, they give the answer of the first one and send nothing.
//!
//! Key and answer become durable in the commit of the messages, so that no crash lies between them.
//! The memory of keys is bounded: the oldest goes for a new one, but never before it had its time. If
//! that would be needed the new send is refused, because a key that is forgotten early is a message
//! that is sent twice.

use super::command::OnceKey;
use super::ids::MessageId;
use super::limits::{ONCE_KEEP_MS, ONCE_LINES_MAX, ONCE_LONGEST_MS, ONCE_MAX};
use super::message::Short;
use super::record::{Key, Once, Record};
use super::rejection::Rejection;
use super::storage::StorageError;
use super::turn::{Fault, Turn};

/// The keys of a node.
#[derive(Debug, Default)]
pub(super) struct Onces {
    count: usize,
}

impl Onces {
    /// Counts what the store holds.
    pub(super) fn load(&mut self, turn: &Turn<'_>) -> Result<(), StorageError> {
        const PAGE: usize = 1_024;
        let mut from = 0;
        loop {
            let page = turn.range(&Key::OnceOrder(from), &Key::OnceOrder(u64::MAX), PAGE)?;
            self.count += page.len();
            match page.last() {
                Some((Key::OnceOrder(last), _)) if page.len() == PAGE => from = last + 1,
                _ => return Ok(()),
            }
        }
    }

    /// The answer to an earlier send under a key, unless its time is over.
    pub(super) fn find(&self, turn: &Turn<'_>, key: Short) -> Result<Option<Once>, StorageError> {
        let known = turn.once(&Key::Once(key))?;
        Ok(known.map(|known| *known).filter(|known| turn.now.since(known.at) < ONCE_LONGEST_MS))
    }

    /// Whether a further key can be kept, before anything is changed.
    pub(super) fn check(&self, turn: &Turn<'_>, lines: usize) -> Result<(), Fault> {
        if lines > ONCE_LINES_MAX {
            let bounds = "of at most 32 queues and priorities";
            return Err(Rejection::OutOfBounds { what: "messages under a key", bounds }.into());
        }
        if self.count < ONCE_MAX {
            return Ok(());
        }
        let oldest = match self.oldest(turn)? {
            Some((_, key)) => turn.once(&Key::Once(key))?,
            None => None,
        };
        if oldest.is_some_and(|oldest| turn.now.since(oldest.at) < ONCE_KEEP_MS) {
            return Err(
                Rejection::TooMany { what: "recent idempotency keys", limit: ONCE_MAX }.into()
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
        if let Some(over) = turn.once(&Key::Once(request.key))? {
            self.forget(turn, over.order, request.key);
        }
        if self.count >= ONCE_MAX
            && let Some((order, key)) = self.oldest(turn)?
        {
            self.forget(turn, order, key);
        }
        let order = turn.serial.draw();
        let once = Once::of(request.digest, turn.now, order, ids).ok_or_else(|| {
            let why = "ids of one send are not in a row".to_owned();
            StorageError::Damaged(why)
        })?;
        turn.put(true, Key::Once(request.key), Record::Once(Box::new(once)));
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
