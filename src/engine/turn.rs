//! One turn of the engine: what the rules read, what they write, and what they will say.
//!
//! Reads see the turn's own writes over the express records in memory over the store. Nothing here
//! is visible outside before the engine has committed the writes.

use super::command::{InnerPart, Rest, Shown};
use super::ids::MessageId;
use super::limits::{CHUNK_BYTES, INLINE_MAX, PART_BYTES, WHOLE_MAX};
use super::message::{Content, ContentHash};
use super::record::{Key, Record};
use super::rejection::Rejection;
use super::step::{Event, Output};
use super::storage::{Storage, StorageError, StorageStats, Write};
use super::time::Timestamp;
use bytes::{Bytes, BytesMut};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;

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
    /// Records of streams that the store was asked for.
    read: RefCell<BTreeMap<Key, Option<Record>>>,
    /// Room of the store, once it was asked for.
    free: OnceCell<Option<u64>>,
    outputs: Vec<Output>,
}

impl<'a> Turn<'a> {
    pub(super) const fn new(
        now: Timestamp,
        serial: &'a mut Serial,
        volatile: &'a mut Volatile,
        store: &'a dyn Storage,
    ) -> Self {
        Self {
            now,
            serial,
            volatile,
            store,
            pending: BTreeMap::new(),
            read: RefCell::new(BTreeMap::new()),
            free: OnceCell::new(),
            outputs: Vec::new(),
        }
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

    /// Room of the store at the turn's first question.
    pub(super) fn free_bytes(&self) -> Option<u64> {
        *self.free.get_or_init(|| self.stats().free_bytes)
    }

    /// The record at a key.
    pub(super) fn get(&self, key: &Key) -> Result<Option<Record>, StorageError> {
        if let Some(record) = self.pending.get(key) {
            return Ok(record.clone());
        }
        if let Some(record) = self.volatile.records.get(key) {
            return Ok(Some(record.clone()));
        }
        // Every message of a stream asks for them, and a turn has many of one stream.
        if !matches!(key, Key::InboxLine(..) | Key::Inbox(_) | Key::Receipt(..) | Key::Stream(..)) {
            return self.store.get(key);
        }
        if let Some(record) = self.read.borrow().get(key) {
            return Ok(record.clone());
        }
        let record = self.store.get(key)?;
        self.read.borrow_mut().insert(key.clone(), record.clone());
        Ok(record)
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

    /// Keeps inner bytes, in the record itself if they are few. Their hash is kept where they go over
    /// links in parts.
    pub(super) fn keep_content(
        &mut self,
        durable: bool,
        inner: &Bytes,
        hash: Option<ContentHash>,
    ) -> Content {
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
        let hash = hash.filter(|_| inner.len() > PART_BYTES);
        Content::Stored { number, len: inner.len() as u64, head: Bytes::new(), hash }
    }

    /// Keeps what a program hands in. What is here already gets one owner more, but for the first one
    /// of a staged content.
    pub(super) fn keep_inner(
        &mut self,
        durable: bool,
        inner: &InnerPart,
    ) -> Result<Content, StorageError> {
        let (number, len, head, hash) = match inner {
            InnerPart::Whole(bytes, hash) => return Ok(self.keep_content(durable, bytes, *hash)),
            InnerPart::Kept { content, len, head, hash } => (*content, *len, head.clone(), *hash),
        };
        if self.get(&Key::Stage(number))?.is_some() {
            self.delete(Key::Stage(number));
        } else {
            let others = self.shares(number)?;
            self.put(true, Key::Shares(number), Record::Shares(others + 1));
        }
        Ok(Content::Stored { number, len, head, hash: Some(hash) })
    }

    /// Reads inner bytes back whole: for those that may be held so.
    pub(super) fn content(&self, content: &Content) -> Result<Bytes, StorageError> {
        self.bytes(content, 0..content.len())
    }

    /// Reads inner bytes back for those who are shown them: of large ones the beginning.
    pub(super) fn shown(&self, content: &Content) -> Result<Shown, StorageError> {
        let (number, len, head) = match content {
            Content::Stored { number, len, head, .. } if *len > WHOLE_MAX as u64 => {
                (*number, *len, head)
            }
            content => return Ok(Shown { bytes: self.content(content)?, rest: None }),
        };
        let rest = Some(Rest { content: number, before: head.len() as u64, len });
        if !head.is_empty() {
            return Ok(Shown { bytes: head.clone(), rest });
        }
        Ok(Shown { bytes: self.bytes(content, 0..CHUNK_BYTES as u64)?, rest })
    }

    /// As [`Turn::shown`], for lists: of damaged bytes nothing, for whoever takes the message hears of
    /// the damage.
    pub(super) fn glimpsed(&self, content: &Content) -> Result<Shown, StorageError> {
        match self.shown(content) {
            Err(StorageError::Damaged(_)) => Ok(Shown { bytes: Bytes::new(), rest: None }),
            shown => shown,
        }
    }

    /// Reads some of inner bytes.
    pub(super) fn bytes(
        &self,
        content: &Content,
        range: Range<u64>,
    ) -> Result<Bytes, StorageError> {
        let (number, head) = match content {
            Content::Inline(bytes) => {
                return Ok(bytes.slice(range.start as usize..range.end as usize));
            }
            Content::Stored { number, head, .. } => (*number, head),
        };
        let before = head.len() as u64;
        let mut pieces = Vec::new();
        if range.start < before {
            pieces.push(head.slice(range.start as usize..range.end.min(before) as usize));
        }
        let mut at = range.start.max(before) - before;
        let end = range.end.max(before) - before;
        while at < end {
            let (index, skip) = ((at / CHUNK) as u32, at % CHUNK);
            let damaged = || StorageError::Damaged(format!("content {number}"));
            let Some(Record::Chunk(piece)) = self.get(&Key::Chunk(number, index))? else {
                return Err(damaged());
            };
            let take = (end - at).min(CHUNK - skip);
            if skip + take > piece.len() as u64 {
                return Err(damaged());
            }
            pieces.push(piece.slice(skip as usize..(skip + take) as usize));
            at += take;
        }
        Ok(match pieces.pop() {
            Some(only) if pieces.is_empty() => only,
            last => {
                let mut all = BytesMut::with_capacity((range.end - range.start) as usize);
                pieces.iter().chain(&last).for_each(|piece| all.extend_from_slice(piece));
                all.freeze()
            }
        })
    }

    /// Lets one owner of inner bytes go; the last one takes them along.
    pub(super) fn drop_content(
        &mut self,
        durable: bool,
        content: &Content,
    ) -> Result<(), StorageError> {
        match content {
            Content::Inline(bytes) if !durable => {
                self.volatile.bytes = self.volatile.bytes.saturating_sub(bytes.len() as u64);
            }
            Content::Inline(_) => {}
            Content::Stored { number, len, head, .. } => match self.shares(*number)? {
                0 => self.drop_chunks(*number, chunks(len.saturating_sub(head.len() as u64))),
                1 => self.delete(Key::Shares(*number)),
                others => self.put(true, Key::Shares(*number), Record::Shares(others - 1)),
            },
        }
        Ok(())
    }

    /// Removes the first chunks of a content.
    pub(super) fn drop_chunks(&mut self, number: u64, count: u32) {
        (0..count).for_each(|index| self.delete(Key::Chunk(number, index)));
    }

    /// Owners of a content beside the first.
    fn shares(&self, number: u64) -> Result<u32, StorageError> {
        match self.get(&Key::Shares(number))? {
            Some(Record::Shares(others)) => Ok(others),
            None => Ok(0),
            Some(_) => Err(StorageError::Damaged(format!("owners of content {number}"))),
        }
    }

    /// News about a message of this origin.
    pub(super) fn tell_state(&mut self, id: MessageId, state: super::command::MessageState) {
        self.tell(Event::State { id, state });
    }
}

const CHUNK: u64 = CHUNK_BYTES as u64;

/// How many chunks so many bytes take.
pub(super) const fn chunks(len: u64) -> u32 {
    len.div_ceil(CHUNK_BYTES as u64) as u32
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
