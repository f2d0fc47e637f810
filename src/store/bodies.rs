//! The body log: chunks of large contents in segments, appended and never overwritten.
//!
//! ```text
//! segment   bodies/NNNNNNNNNN.log, appended by one opening of the store only
//! frame     "mqb1" ‖ content u64 ‖ index u32 ‖ length u32 ‖ CRC-32 u32 ‖ the bytes; big-endian
//! ```
//! The log knows nothing of what lives: the index says so with a [`Place`] for each living chunk,
//! which it commits after [`BodyLog::sync`]. So a frame that the power took was never named, and a
//! named one that does not read back is damage. A new opening begins a new segment, so that nothing
//! is ever written behind a torn end.
//!
//! Refuses to decide what is copied or dropped; the store that owns the index does.

#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod segment;

use crate::engine::storage::StorageError;
use bytes::Bytes;
use segment::{Frame, Segment};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Size in bytes from which a segment takes nothing more.
pub(super) const SEGMENT_BYTES: u64 = 64 << 20;
/// A closed segment with less than one part in so many alive is worth copying while the node runs.
const THIN_PARTS: u64 = 4;
/// The same at start, when nobody waits.
const THIN_PARTS_AT_START: u64 = 2;
/// Length of a place in the index.
const PLACE_BYTES: usize = 21;
/// First byte of a place, which no version of a record has.
const PLACE_MARK: u8 = 0xb0;

/// Where a chunk lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    segment: u32,
    offset: u32,
    /// Length of the chunk, without its frame.
    len: u32,
    /// Checksum of the chunk with its name.
    crc: u32,
}

impl Place {
    /// The value in the index: `b0 ‖ CRC-32 of the rest ‖ segment ‖ offset ‖ length ‖ checksum`.
    pub(super) fn encode(&self) -> [u8; PLACE_BYTES] {
        let mut bytes = [PLACE_MARK; PLACE_BYTES];
        let fields = [self.segment, self.offset, self.len, self.crc];
        for (field, at) in fields.iter().zip(bytes[5..].chunks_exact_mut(4)) {
            at.copy_from_slice(&field.to_be_bytes());
        }
        let sum = crc32fast::hash(&bytes[5..]);
        bytes[1..5].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    /// Whether a value of the index is a place, and not a record.
    pub(super) fn is_one(value: &[u8]) -> bool {
        value.first() == Some(&PLACE_MARK)
    }

    /// The place that a value of the index says, if it is one and reads back. A damaged one is met
    /// again when its chunk is read.
    pub(super) fn of(value: &[u8]) -> Option<Self> {
        Self::is_one(value).then(|| Self::decode(value).ok()).flatten()
    }

    /// Reads a value of the index.
    pub(super) fn decode(value: &[u8]) -> Result<Self, StorageError> {
        let word = |at: usize| {
            let bytes = value.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u32::from_be_bytes)
        };
        let intact = Self::is_one(value)
            && value.len() == PLACE_BYTES
            && word(1) == Some(crc32fast::hash(&value[5..]));
        let place = match (word(5), word(9), word(13), word(17)) {
            (Some(segment), Some(offset), Some(len), Some(crc)) if intact => {
                Some(Self { segment, offset, len, crc })
            }
            _ => None,
        };
        place.ok_or_else(|| StorageError::Damaged("the place of a chunk".to_owned()))
    }

    /// The segment that it lies in.
    pub(super) const fn segment(&self) -> u32 {
        self.segment
    }

    /// Bytes of its frame.
    pub(super) const fn bytes(&self) -> u64 {
        (segment::HEADER + self.len as usize) as u64
    }
}

/// The segments of a store.
pub(super) struct BodyLog {
    dir: PathBuf,
    segment_bytes: u64,
    segments: BTreeMap<u32, Segment>,
    /// The one that takes what comes, once something has come.
    active: Option<u32>,
    next: u32,
}

impl BodyLog {
    /// Opens the log of a store. Nothing lives in it until [`count`](Self::count) says so.
    pub(super) fn open(dir: &Path, segment_bytes: u64) -> Result<Self, StorageError> {
        let segments = segment::list(dir)?;
        let next = segments.last_key_value().map_or(1, |(last, _)| last.saturating_add(1));
        Ok(Self { dir: dir.to_owned(), segment_bytes, segments, active: None, next })
    }

    /// So many bytes live in a segment.
    pub(super) fn count(&mut self, number: u32, live: u64) {
        // A segment that is gone is met again when its chunks are read.
        let path = segment::path(&self.dir, number);
        self.next = self.next.max(number.saturating_add(1));
        self.segments.entry(number).or_insert_with(|| Segment::missing(path)).live += live;
    }

    /// Segments that the index names and the directory lacks.
    pub(super) fn missing(&self) -> Vec<String> {
        let gone = self.segments.values().filter(|segment| segment.is_missing());
        gone.map(|segment| segment.path().display().to_string()).collect()
    }

    /// Appends a chunk. It is durable after [`sync`](Self::sync), and may be named then.
    pub(super) fn append(
        &mut self,
        content: u64,
        index: u32,
        bytes: &[u8],
    ) -> Result<Place, StorageError> {
        let full = |segment: &Segment| segment.bytes() >= self.segment_bytes;
        let number = match self.active {
            Some(active) if !full(&self.segments[&active]) => active,
            _ => self.begin()?,
        };
        let frame = Frame { content, index };
        let segment = self.segments.get_mut(&number).expect("the active segment is listed");
        let (offset, crc) = segment.append(&frame, bytes)?;
        let place = Place { segment: number, offset, len: bytes.len() as u32, crc };
        segment.live += place.bytes();
        Ok(place)
    }

    /// Makes what was appended durable. A segment that is full was synced when the next was begun.
    pub(super) fn sync(&mut self) -> Result<(), StorageError> {
        let active = self.active.and_then(|active| self.segments.get_mut(&active));
        active.map_or(Ok(()), Segment::sync)
    }

    /// Reads a chunk back.
    pub(super) fn read(
        &self,
        place: &Place,
        content: u64,
        index: u32,
    ) -> Result<Bytes, StorageError> {
        let frame = Frame { content, index };
        let segment = self.segments.get(&place.segment);
        let segment = segment.ok_or_else(|| {
            let path = segment::path(&self.dir, place.segment);
            StorageError::Damaged(format!("{} is missing", path.display()))
        })?;
        segment.read(&frame, place)
    }

    /// The index has stopped naming a chunk, durably.
    pub(super) fn release(&mut self, place: &Place) {
        if let Some(segment) = self.segments.get_mut(&place.segment) {
            segment.live = segment.live.saturating_sub(place.bytes());
        }
    }

    /// Removes the closed segments in which nothing lives. One that cannot be removed is met again
    /// at the next opening.
    pub(super) fn sweep(&mut self) {
        let active = self.active;
        self.segments.retain(|number, segment| {
            let keep = segment.live > 0 || Some(*number) == active;
            if !keep {
                segment.remove();
            }
            keep
        });
    }

    /// Forgets the segments in which nothing lives, and leaves their files.
    pub(super) fn leave_dead(&mut self) {
        self.segments.retain(|_, segment| segment.live > 0);
    }

    /// Copying a segment makes no sense any more: what lives in it cannot be read.
    pub(super) fn give_up(&mut self, number: u32) {
        if let Some(segment) = self.segments.get_mut(&number) {
            segment.give_up();
        }
    }

    /// The oldest closed segment of which little lives.
    pub(super) fn thin(&self, at_start: bool) -> Option<u32> {
        let parts = if at_start { THIN_PARTS_AT_START } else { THIN_PARTS };
        let thin = |segment: &Segment| {
            segment.live > 0
                && !segment.is_stuck()
                && segment.live.saturating_mul(parts) < segment.bytes()
        };
        let mut closed = self.segments.iter().filter(|(n, _)| Some(**n) != self.active);
        closed.find(|(_, segment)| thin(segment)).map(|(number, _)| *number)
    }

    /// The next frames of a segment, about so many bytes of them, with their places. Empty at its
    /// end; a segment with a bad frame before that is left alone from then on.
    pub(super) fn next_frames(&mut self, number: u32, bytes: u64) -> Vec<(u64, u32, Place)> {
        let Some(segment) = self.segments.get_mut(&number) else { return Vec::new() };
        let frames = segment.walk(bytes);
        let named = frames.into_iter().map(|(frame, offset, len, crc)| {
            (frame.content, frame.index, Place { segment: number, offset, len, crc })
        });
        named.collect()
    }

    /// Bytes of all segments.
    pub(super) fn bytes(&self) -> u64 {
        self.segments.values().map(Segment::bytes).sum()
    }

    /// Bytes of the frames that the index names, in all segments.
    pub(super) fn live_bytes(&self) -> u64 {
        self.segments.values().map(|segment| segment.live).sum()
    }

    /// Closes the active segment if less than a half of it lives, so that it can be copied.
    pub(super) fn close_thin(&mut self) -> Result<(), StorageError> {
        let active = self.active.map(|active| &self.segments[&active]);
        if active.is_some_and(|active| 2 * active.live < active.bytes()) {
            self.sync()?;
            self.active = None;
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<u32, StorageError> {
        self.sync()?;
        let number = self.next;
        let after = number.checked_add(1).ok_or_else(|| {
            StorageError::Io("the body log has used up its segment numbers".to_owned())
        })?;
        self.segments.insert(number, Segment::create(&self.dir, number)?);
        (self.active, self.next) = (Some(number), after);
        Ok(number)
    }
}

#[cfg(test)]
mod tests;
