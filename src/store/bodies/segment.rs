//! One segment of the body log: a file that grows at its end until it is full.

use super::Place;
use crate::engine::limits::CHUNK_BYTES;
use crate::engine::storage::StorageError;
use crate::store::files::{io_error, sync_dir};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Bytes of a frame before the chunk.
pub(super) const HEADER: usize = 24;
const MAGIC: &[u8; 4] = b"mqb1";
/// Bytes that are collected before they are written.
const WAITING_MAX: usize = 1 << 20;

/// What a frame is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// The content's number.
    pub(super) content: u64,
    /// Which chunk of it.
    pub(super) index: u32,
}

impl Frame {
    fn header(&self, len: u32, crc: u32) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        header[..4].copy_from_slice(MAGIC);
        header[4..12].copy_from_slice(&self.content.to_be_bytes());
        header[12..16].copy_from_slice(&self.index.to_be_bytes());
        header[16..20].copy_from_slice(&len.to_be_bytes());
        header[20..].copy_from_slice(&crc.to_be_bytes());
        header
    }

    /// Checksum over name, length and bytes.
    fn checksum(&self, bytes: &[u8]) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&self.header(bytes.len() as u32, 0)[4..20]);
        hasher.update(bytes);
        hasher.finalize()
    }
}

/// A segment.
pub(super) struct Segment {
    path: PathBuf,
    /// Length of the file with what waits to be written.
    bytes: u64,
    /// Bytes of the frames that the index names.
    pub(super) live: u64,
    /// Appended and not yet written.
    waiting: Vec<u8>,
    /// Whether something was appended that is not synced.
    unsynced: bool,
    /// Open for appending, in the opening that made it.
    writer: Option<File>,
    /// Opened at the first read.
    reader: OnceLock<File>,
    /// How far a walk has come.
    walked: u64,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    Missing,
    /// A walk met a frame that does not read.
    Stuck,
}

/// The file of a segment.
pub(super) fn path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:010}.log"))
}

/// The segments of a directory, which need not be there.
pub(super) fn list(dir: &Path) -> Result<BTreeMap<u32, Segment>, StorageError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(io_error("read", dir, &error)),
        Ok(entries) => entries,
    };
    let mut segments = BTreeMap::new();
    for entry in entries {
        let entry = entry.map_err(|error| io_error("read", dir, &error))?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".log"));
        let Some(number) = number.and_then(|number| number.parse().ok()) else { continue };
        let bytes = entry.metadata().map_err(|error| io_error("read", dir, &error))?.len();
        segments.insert(number, Segment { bytes, ..Segment::of(path(dir, number)) });
    }
    Ok(segments)
}

impl Segment {
    const fn of(path: PathBuf) -> Self {
        Self {
            path,
            bytes: 0,
            live: 0,
            waiting: Vec::new(),
            unsynced: false,
            writer: None,
            reader: OnceLock::new(),
            walked: 0,
            state: State::Whole,
        }
    }

    /// One that the index names and nobody finds.
    pub(super) fn missing(path: PathBuf) -> Self {
        Self { state: State::Missing, ..Self::of(path) }
    }

    /// Makes the file; its name is durable at once.
    pub(super) fn create(dir: &Path, number: u32) -> Result<Self, StorageError> {
        if !dir.exists() {
            fs::create_dir(dir).map_err(|error| io_error("make", dir, &error))?;
            sync_dir(dir.parent().unwrap_or(dir))?;
        }
        let path = path(dir, number);
        let mut options = OpenOptions::new();
        options.create_new(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let writer = options.open(&path).map_err(|error| io_error("make", &path, &error))?;
        sync_dir(dir)?;
        Ok(Self { writer: Some(writer), ..Self::of(path) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn is_missing(&self) -> bool {
        self.state == State::Missing
    }

    /// Whether copying it makes no sense: it is not there, or does not read to its end.
    pub(super) fn is_stuck(&self) -> bool {
        self.state != State::Whole
    }

    /// Appends a frame; gives its offset and checksum.
    pub(super) fn append(
        &mut self,
        frame: &Frame,
        bytes: &[u8],
    ) -> Result<(u32, u32), StorageError> {
        let crc = frame.checksum(bytes);
        let offset = self.bytes as u32;
        self.waiting.extend_from_slice(&frame.header(bytes.len() as u32, crc));
        self.waiting.extend_from_slice(bytes);
        self.bytes += (HEADER + bytes.len()) as u64;
        self.unsynced = true;
        if self.waiting.len() >= WAITING_MAX {
            self.write()?;
        }
        Ok((offset, crc))
    }

    fn write(&mut self) -> Result<(), StorageError> {
        let mut writer = self.writer.as_ref().expect("only an open segment is appended to");
        let written = writer.write_all(&self.waiting);
        self.waiting.clear();
        written.map_err(|error| io_error("write", &self.path, &error))
    }

    /// Writes and syncs what was appended, data and length.
    pub(super) fn sync(&mut self) -> Result<(), StorageError> {
        if !self.unsynced {
            return Ok(());
        }
        self.write()?;
        let writer = self.writer.as_ref().expect("only an open segment is appended to");
        writer.sync_data().map_err(|error| io_error("sync", &self.path, &error))?;
        self.unsynced = false;
        Ok(())
    }

    /// Reads a chunk and checks that it is the one that was named.
    pub(super) fn read(&self, frame: &Frame, place: &Place) -> Result<Bytes, StorageError> {
        let damaged = |why: &str| {
            let path = self.path.display();
            StorageError::Damaged(format!("{path} at {}: {why}", place.offset))
        };
        let mut bytes = vec![0; HEADER + place.len as usize];
        match self.read_at(u64::from(place.offset), &mut bytes) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                return Err(damaged("the segment ends before the chunk"));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(damaged("the segment is missing"));
            }
            Err(error) => return Err(io_error("read", &self.path, &error)),
        }
        let sum = frame.checksum(&bytes[HEADER..]);
        if sum != place.crc || bytes[..HEADER] != frame.header(place.len, place.crc) {
            return Err(damaged("the chunk does not match its checksum"));
        }
        Ok(Bytes::from(bytes).slice(HEADER..))
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> std::io::Result<()> {
        let mut file = match self.reader.get() {
            Some(file) => file,
            None => {
                let file = File::open(&self.path)?;
                self.reader.get_or_init(|| file)
            }
        };
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(bytes)
    }

    /// Names and places of the next frames, about `most` bytes of them.
    pub(super) fn walk(&mut self, most: u64) -> Vec<(Frame, u32, u32, u32)> {
        let mut found = Vec::new();
        let from = self.walked;
        while self.walked < self.bytes && self.walked - from < most {
            let mut header = [0; HEADER];
            let word = |header: &[u8; HEADER], at: usize| {
                u32::from_be_bytes(header[at..at + 4].try_into().expect("four bytes"))
            };
            let read = self.read_at(self.walked, &mut header).is_ok() && header[..4] == *MAGIC;
            let len = word(&header, 16);
            let end = self.walked + HEADER as u64 + u64::from(len);
            if !read || len as usize > CHUNK_BYTES || end > self.bytes {
                self.state = State::Stuck;
                break;
            }
            let content = u64::from_be_bytes(header[4..12].try_into().expect("eight bytes"));
            let frame = Frame { content, index: word(&header, 12) };
            found.push((frame, self.walked as u32, len, word(&header, 20)));
            self.walked = end;
        }
        found
    }

    /// It is not copied any more.
    pub(super) const fn give_up(&mut self) {
        self.state = State::Stuck;
    }

    /// Removes the file, if that can be done.
    pub(super) fn remove(&self) {
        // What stays is a file that nothing names.
        drop(fs::remove_file(&self.path));
    }
}
