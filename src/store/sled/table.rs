//! One table over sled and the body log: records lie in sled, chunks of contents in the log, and
//! sled holds the place of each.
//!
//! Chunks are synced before the batch that names them; they are let go of after the batch that
//! stops naming them. A crash in between leaves bytes that nothing names, which the next opening
//! passes over.

use super::layout::Home;
use super::open::{Changes, Engine, call};
use super::shrink::{self, Step};
use super::{SledOptions, ballast, open};
use crate::codec::{CodecError, decode_record, encode_record};
use crate::engine::limits::CHUNK_BYTES;
use crate::engine::record::{Key, Record};
use crate::engine::storage::{Compaction, StorageError, Write};
use crate::store::bodies::{BodyLog, Place};
use crate::store::keys::{KEY_MAX, decode_key, encode_key};
use std::time::{Duration, Instant};

/// Bytes of a thin segment that one commit looks through.
const THINNING_BYTES: u64 = 1 << 20;
/// The same at start.
const THINNING_BYTES_AT_START: u64 = 8 << 20;

/// The open table of a store.
pub(super) struct Table {
    engine: Engine,
    bodies: BodyLog,
    written_bytes: u64,
    bodies_sync: Duration,
    /// A copy that is being made of sled's part, while it is in use.
    copy: Option<shrink::Copy>,
}

/// A commit as it is put together.
#[derive(Default)]
struct Draft {
    changes: Changes,
    /// Places that it named itself and names no more.
    overwritten: Vec<Place>,
    /// Whether it changes the body log.
    touches_bodies: bool,
}

impl Draft {
    fn set(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        let before = self.changes.insert(key, value).flatten();
        self.overwritten.extend(before.and_then(|value| Place::of(&value)));
    }
}

impl Table {
    /// Opens sled and the log, and copies what is mostly dead. On a full disk the ballast goes first.
    pub(super) fn open(home: &Home, options: &SledOptions) -> Result<Self, StorageError> {
        let mut table = Self::open_as_it_is(home, options)?;
        match table.thin_at_start(home, options) {
            Ok(()) => {}
            // The old segments are as good as before, and a full disk must not keep a node down; but
            // the handle that met it is of no use.
            Err(StorageError::Full) => {
                table.close()?;
                table = Self::open_as_it_is(home, options)?;
            }
            Err(error) => return Err(error),
        }
        ballast::keep(home.root(), options.ballast_bytes);
        Ok(table)
    }

    fn open_as_it_is(home: &Home, options: &SledOptions) -> Result<Self, StorageError> {
        let open = || open::open(home, options.cache_bytes, &*options.alarm);
        let opened = match open() {
            Err(StorageError::Full) if ballast::release(home.root()) => open(),
            other => other,
        };
        let said = |copied, of| (options.alarm)(&super::Alarm::Shrinking { copied, of });
        let engine = shrink::at_start(home, opened?, options, &said, open)?;
        let mut bodies = BodyLog::open(&home.bodies(), options.segment_bytes)?;
        engine.survey().segments.iter().for_each(|(&segment, &live)| bodies.count(segment, live));
        let (written_bytes, bodies_sync) = (0, Duration::ZERO);
        let mut table = Self { engine, bodies, written_bytes, bodies_sync, copy: None };
        let missing = table.bodies.missing();
        if !missing.is_empty() {
            (options.alarm)(&super::Alarm::BodiesMissing(missing));
        }
        if home.has_quarantine() {
            // They may belong to the index that lies there.
            table.bodies.leave_dead();
        }
        Ok(table)
    }

    /// Brings the log below twice of what lives in it, where that is quick and there is room.
    fn thin_at_start(&mut self, home: &Home, options: &SledOptions) -> Result<(), StorageError> {
        self.bodies.sweep();
        let is_quick = self.bodies.live_bytes() <= options.at_start_bytes;
        while is_quick && self.thin_log(home, options, THINNING_BYTES_AT_START)? {}
        Ok(())
    }

    /// Copies the next part of a segment of which less than a half lives; false if there is none, or
    /// no need or no room for it.
    fn thin_log(
        &mut self,
        home: &Home,
        options: &SledOptions,
        bytes: u64,
    ) -> Result<bool, StorageError> {
        let free = fs4::available_space(home.root()).unwrap_or(u64::MAX);
        let (size, live) = (self.bodies.bytes(), self.bodies.live_bytes());
        if size <= (2 * live).saturating_add(options.slack_bytes)
            || free < 2 * options.segment_bytes
        {
            return Ok(false);
        }
        let Some(segment) = self.bodies.thin(true) else { return Ok(false) };
        let mut draft = Draft::default();
        self.copy_forward(segment, bytes, &mut draft)?;
        self.finish(draft)?;
        Ok(true)
    }

    /// Does the next part of giving back room.
    pub(super) fn compact(
        &mut self,
        home: &Home,
        options: &SledOptions,
    ) -> Result<Compaction, StorageError> {
        if self.copy.is_none() {
            // What was appended lately can be copied only once it is closed.
            self.bodies.close_thin()?;
            if self.thin_log(home, options, THINNING_BYTES)? {
                return Ok(Compaction::Going);
            }
            self.bodies.sweep();
            if !shrink::is_worth(home, &self.engine, options.slack_bytes) {
                return Ok(Compaction::Done);
            }
            if !shrink::has_room(home, &self.engine) {
                return Ok(Compaction::Refused("the disk has no room for a copy".to_owned()));
            }
        }
        match self.copy_on(home, options.cache_bytes) {
            Ok(Step::Going) => Ok(Compaction::Going),
            Ok(Step::Rest) => Ok(Compaction::Rest(shrink::REST)),
            Ok(Step::Done) => {
                if let Some(copy) = self.copy.take() {
                    copy.replace(home, &mut self.engine)?;
                }
                Ok(Compaction::Done)
            }
            // The original is as good as before.
            Err(error) => {
                if let Some(copy) = self.copy.take() {
                    copy.abandon(home)?;
                }
                Ok(Compaction::Refused(error.to_string()))
            }
        }
    }

    fn copy_on(&mut self, home: &Home, cache_bytes: u64) -> Result<Step, StorageError> {
        let copy = match &mut self.copy {
            Some(copy) => copy,
            none => none.insert(shrink::Copy::begin(home, &self.engine, cache_bytes / 4)?),
        };
        let step = copy.step(&self.engine)?;
        if step == Step::Done {
            copy.complete(home, &self.engine)?;
        }
        Ok(step)
    }

    /// Makes all writes durable, or none.
    pub(super) fn commit(&mut self, writes: &[Write]) -> Result<(), StorageError> {
        let mut draft = Draft::default();
        for write in writes {
            let key = encode_key(write.key());
            if key.len() > KEY_MAX {
                return Err(StorageError::RecordTooLarge(key.len()));
            }
            draft.touches_bodies |= matches!(write.key(), Key::Chunk(..));
            let value = self.value(write)?;
            draft.set(key, value);
        }
        if draft.touches_bodies
            && let Some(segment) = self.bodies.thin(false)
        {
            self.copy_forward(segment, THINNING_BYTES, &mut draft)?;
        }
        self.finish(draft)
    }

    /// What sled holds for a write; a chunk itself goes to the log.
    fn value(&mut self, write: &Write) -> Result<Option<Vec<u8>>, StorageError> {
        match write {
            Write::Put(Key::Chunk(..), Record::Chunk(bytes)) if bytes.len() > CHUNK_BYTES => {
                Err(StorageError::RecordTooLarge(bytes.len()))
            }
            Write::Put(Key::Chunk(content, index), Record::Chunk(bytes)) => {
                let place = self.bodies.append(*content, *index, bytes)?;
                self.written_bytes += place.bytes();
                Ok(Some(place.encode().to_vec()))
            }
            Write::Put(_, record) => encode_record(record).map(Some).map_err(refused),
            Write::Delete(_) => Ok(None),
        }
    }

    /// Copies what lives in the next part of a thin segment, so that the segment can go.
    fn copy_forward(
        &mut self,
        segment: u32,
        bytes: u64,
        draft: &mut Draft,
    ) -> Result<(), StorageError> {
        draft.touches_bodies = true;
        let frames = self.bodies.next_frames(segment, bytes);
        if frames.is_empty() {
            self.bodies.give_up(segment);
        }
        for (content, index, place) in frames {
            let key = encode_key(&Key::Chunk(content, index));
            if draft.changes.contains_key(&key) || self.place(&key)? != Some(place) {
                continue;
            }
            match self.bodies.read(&place, content, index) {
                Ok(bytes) => {
                    let copy = self.bodies.append(content, index, &bytes)?;
                    draft.set(key, Some(copy.encode().to_vec()));
                }
                // It stays where it is, for its reader to meet.
                Err(StorageError::Damaged(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn finish(&mut self, draft: Draft) -> Result<(), StorageError> {
        let begun = Instant::now();
        self.bodies.sync()?;
        self.bodies_sync += begun.elapsed();
        let entries = draft.changes.iter();
        let bytes = entries.map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len));
        self.written_bytes += bytes.sum::<usize>() as u64;
        if let Some(copy) = &mut self.copy {
            copy.follow(&draft.changes);
        }
        let replaced = self.engine.commit(draft.changes)?;
        for place in replaced.iter().chain(&draft.overwritten) {
            self.bodies.release(place);
        }
        if draft.touches_bodies {
            self.bodies.sweep();
        }
        Ok(())
    }

    /// The place of a chunk, as of the last commit. A record in its stead has none.
    fn place(&self, key: &[u8]) -> Result<Option<Place>, StorageError> {
        let found = call(|| self.engine.tree().get(key))?;
        Ok(found.and_then(|value| Place::of(&value)))
    }

    pub(super) fn get(&self, key: &Key) -> Result<Option<Record>, StorageError> {
        let bytes = encode_key(key);
        let found = call(|| self.engine.tree().get(&bytes))?;
        found.map(|value| self.read(key, &value)).transpose()
    }

    pub(super) fn range(
        &self,
        from: &Key,
        to: &Key,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StorageError> {
        let mut found = Vec::new();
        if from >= to {
            return Ok(found);
        }
        let mut entries = self.engine.tree().range(encode_key(from)..encode_key(to));
        while found.len() < limit {
            let Some((key, value)) = call(|| entries.next().transpose())? else { break };
            let key = decode_key(&key).map_err(|bad| StorageError::Damaged(bad.to_string()))?;
            let record = self.read(&key, &value)?;
            found.push((key, record));
        }
        Ok(found)
    }

    fn read(&self, key: &Key, value: &[u8]) -> Result<Record, StorageError> {
        if let Key::Chunk(content, index) = *key
            && Place::is_one(value)
        {
            let place = Place::decode(value)?;
            return self.bodies.read(&place, content, index).map(Record::Chunk);
        }
        decode_record(value).map_err(|error| match error {
            CodecError::TooNew(version) => StorageError::TooNew(version),
            other => StorageError::Damaged(format!("{key:?}: {other}")),
        })
    }

    /// The tree of sled.
    #[cfg(test)]
    pub(super) fn tree(&self) -> &::sled::Tree {
        self.engine.tree()
    }

    /// Bytes of keys, values and chunks that commits wrote since it was opened.
    pub(super) const fn written_bytes(&self) -> u64 {
        self.written_bytes
    }

    /// How long commits waited for the disk since it was opened, in microseconds.
    pub(super) fn sync_us(&self) -> u64 {
        (self.bodies_sync + self.engine.synced()).as_micros() as u64
    }

    /// Bytes of all files.
    pub(super) fn file_bytes(&self) -> u64 {
        self.engine.file_bytes() + self.bodies.bytes()
    }

    /// Bytes of what lives in them.
    pub(super) fn live_bytes(&self) -> u64 {
        self.engine.live_bytes() + self.bodies.live_bytes()
    }

    pub(super) fn close(mut self) -> Result<(), StorageError> {
        // A copy that is not complete is removed at the next opening.
        let copy = self.copy.take().map_or(Ok(()), shrink::Copy::close);
        self.engine.close().and(copy)
    }
}

fn refused(error: CodecError) -> StorageError {
    match error {
        CodecError::TooLarge { size, .. } => StorageError::RecordTooLarge(size),
        CodecError::TooNew(version) => StorageError::TooNew(version),
        other => StorageError::Damaged(other.to_string()),
    }
}
