//! One turn of the engine: what the rules read, what they write, and what they will say.
//!
//! Reads see the turn's own writes over the express records in memory over the store. Nothing here
//! is visible outside before the engine has committed the writes.

use super::ids::MessageId;
use super::limits::{CHUNK_BYTES, INLINE_MAX};
use super::message::Content;
use super::record::{Key, Record};
use super::rejection::Rejection;
use super::step::{Event, Output};
use super::storage::{Storage, StorageError, StorageStats, Write};
use super::time::Timestamp;
use bytes::{Bytes, BytesMut};
use std::collections::BTreeMap;

/// Records that live in memory only: those of express messages.
#[derive(Debug, Default)]
pub(super) struct Volatile {
    records: BTreeMap<Key, Record>,
    /// Bytes of the contents among them.
    pub(super) bytes: u64,
}

/// Numbers that grow for ever, across restarts too, because node time does.
#[derive(Debug)]
pub(super) struct Serial(u64);

impl Serial {
    /// Starts behind everything that an earlier opening may have drawn.
    pub(super) const fn starting(now: Timestamp) -> Self {
        Self(now.as_millis() << 20)
    }

    /// The next number.
    pub(super) const fn draw(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

/// Why a rule did not go through.
#[derive(Debug)]
pub(super) enum Fault {
    /// The command is refused; nothing was changed.
    Rejected(Rejection),
    /// The store failed; the engine stops.
    Storage(StorageError),
}

impl From<Rejection> for Fault {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<StorageError> for Fault {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// One turn.
pub(super) struct Turn<'a> {
    /// The turn's time.
    pub(super) now: Timestamp,
    /// Draws arrival, content, letter, lock and transfer numbers.
    pub(super) serial: &'a mut Serial,
    pub(super) volatile: &'a mut Volatile,
    store: &'a dyn Storage,
    pending: BTreeMap<Key, Option<Record>>,
    outputs: Vec<Output>,
}

impl<'a> Turn<'a> {
    pub(super) const fn new(
        now: Timestamp,
        serial: &'a mut Serial,
        volatile: &'a mut Volatile,
        store: &'a dyn Storage,
    ) -> Self {
        Self { now, serial, volatile, store, pending: BTreeMap::new(), outputs: Vec::new() }
    }

    /// The writes to commit and the outputs to make visible after it.
    pub(super) fn finish(self) -> (Vec<Write>, Vec<Output>) {
        let writes = self.pending.into_iter().map(|(key, record)| match record {
            Some(record) => Write::Put(key, record),
            None => Write::Delete(key),
        });
        (writes.collect(), self.outputs)
    }

    /// Says something once the turn is durable.
    pub(super) fn say(&mut self, output: Output) {
        self.outputs.push(output);
    }

    /// Tells news once the turn is durable.
    pub(super) fn tell(&mut self, event: Event) {
        self.outputs.push(Output::Event(event));
    }

    /// Size and room of the store.
    pub(super) fn stats(&self) -> StorageStats {
        self.store.stats()
    }

    /// Bytes that the disk still has.
    pub(super) fn free_bytes(&self) -> Option<u64> {
        self.stats().free_bytes
    }

    /// The record at a key.
    pub(super) fn get(&self, key: &Key) -> Result<Option<Record>, StorageError> {
        if let Some(record) = self.pending.get(key) {
            return Ok(record.clone());
        }
        if let Some(record) = self.volatile.records.get(key) {
            return Ok(Some(record.clone()));
        }
        self.store.get(key)
    }

    /// Records with `from <= key < to`, in order, at most `limit`.
    pub(super) fn range(
        &self,
        from: &Key,
        to: &Key,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StorageError> {
        let deleted = self.pending.range(from..to).filter(|(_, record)| record.is_none()).count();
        let stored = self.store.range(from, to, limit.saturating_add(deleted))?;
        let full = stored.len() == limit.saturating_add(deleted);
        let end = stored.last().filter(|_| full).map(|(key, _)| key.clone());
        let mut found: BTreeMap<Key, Record> = stored.into_iter().collect();
        let within = |key: &Key| end.as_ref().is_none_or(|end| key <= end);
        for (key, record) in self.volatile.records.range(from..to).take_while(|(k, _)| within(k)) {
            found.insert(key.clone(), record.clone());
        }
        for (key, record) in self.pending.range(from..to).take_while(|(k, _)| within(k)) {
            match record {
                Some(record) => found.insert(key.clone(), record.clone()),
                None => found.remove(key),
            };
        }
        Ok(found.into_iter().take(limit).collect())
    }

    /// Puts a record on disk, or in memory only.
    pub(super) fn put(&mut self, durable: bool, key: Key, record: Record) {
        if durable {
            self.pending.insert(key, Some(record));
        } else {
            self.volatile.records.insert(key, record);
        }
    }

    /// Removes a record, wherever it is.
    pub(super) fn delete(&mut self, key: Key) {
        if self.volatile.records.remove(&key).is_none() {
            self.pending.insert(key, None);
        }
    }

    /// Keeps inner bytes, in the record itself if they are few.
    pub(super) fn keep_content(&mut self, durable: bool, inner: &Bytes) -> Content {
        if !durable {
            self.volatile.bytes += inner.len() as u64;
            return Content::Inline(inner.clone());
        }
        if inner.len() <= INLINE_MAX {
            return Content::Inline(inner.clone());
        }
        let number = self.serial.draw();
        for (index, piece) in inner.chunks(CHUNK_BYTES).enumerate() {
            let key = Key::Chunk(number, index as u32);
            self.put(true, key, Record::Chunk(inner.slice_ref(piece)));
        }
        Content::Stored { number, len: inner.len() as u64 }
    }

    /// Reads inner bytes back.
    pub(super) fn content(&self, content: &Content) -> Result<Bytes, StorageError> {
        let (number, len) = match content {
            Content::Inline(bytes) => return Ok(bytes.clone()),
            Content::Stored { number, len } => (*number, *len as usize),
        };
        let mut inner = BytesMut::with_capacity(len);
        for index in 0..chunks(len) {
            match self.get(&Key::Chunk(number, index))? {
                Some(Record::Chunk(piece)) => inner.extend_from_slice(&piece),
                _ => return Err(StorageError::Damaged(format!("content {number}"))),
            }
        }
        Ok(inner.freeze())
    }

    /// Removes inner bytes for good.
    pub(super) fn drop_content(&mut self, durable: bool, content: &Content) {
        match content {
            Content::Inline(bytes) if !durable => {
                self.volatile.bytes = self.volatile.bytes.saturating_sub(bytes.len() as u64);
            }
            Content::Inline(_) => {}
            Content::Stored { number, len } => {
                for index in 0..chunks(*len as usize) {
                    self.delete(Key::Chunk(*number, index));
                }
            }
        }
    }

    /// News about a message of this origin.
    pub(super) fn tell_state(&mut self, id: MessageId, state: super::command::MessageState) {
        self.tell(Event::State { id, state });
    }
}

const fn chunks(len: usize) -> u32 {
    len.div_ceil(CHUNK_BYTES) as u32
}

/// Reads one kind of record: another kind in its place is damage.
macro_rules! typed_reads {
    ($($name:ident, $variant:ident, $kind:ty;)*) => {
        impl Turn<'_> {
            $(
                pub(super) fn $name(&self, key: &Key) -> Result<Option<$kind>, StorageError> {
                    match self.get(key)? {
                        None => Ok(None),
                        Some(Record::$variant(record)) => Ok(Some(record)),
                        Some(_) => Err(StorageError::Damaged(format!("{key:?}"))),
                    }
                }
            )*
        }
    };
}

typed_reads! {
    sent, Sent, super::record::Sent;
    copy, Copy, Box<super::record::Copy>;
    copy_of, CopyOf, super::record::Spot;
    queued, Queued, Box<super::record::Queued>;
    held, Held, Box<super::record::Queued>;
    inbox, Inbox, Box<super::record::Inbox>;
    inbox_line, InboxLine, super::record::InboxLine;
    receipt, Receipt, Box<super::statement::Attested<super::statement::Receipt>>;
    status, Status, Box<super::statement::Attested<super::statement::Status>>;
    dead, Dead, Box<super::record::Dead>;
    once, Once, Box<super::record::Once>;
}
