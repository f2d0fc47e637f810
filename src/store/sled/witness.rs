//! The witness: how many commits the store has acknowledged, beside the store.
//!
//! sled recovers up to the first damage in its log and says nothing of what came after it. The
//! witness is written after each commit and never synced on its own: it may lag behind after a
//! power cut, and never runs ahead. A store that holds fewer commits than its witness has lost some.

use crate::engine::storage::StorageError;
use crate::store::files::io_error;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;

/// A count and its checksum.
const LEN: usize = 12;

/// The file.
pub(super) struct Witness(File);

impl Witness {
    /// Opens the witness in an engine's directory, or makes one that knows nothing.
    pub(super) fn open(dir: &Path) -> Result<Self, StorageError> {
        let path = dir.join("witness");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        options.open(&path).map(Self).map_err(|error| io_error("open", &path, &error))
    }

    /// The number of commits that it knows of; 0 if it is damaged itself, `None` if it is new.
    pub(super) fn read(&self) -> Result<Option<u64>, StorageError> {
        let mut bytes = Vec::new();
        let mut file = &self.0;
        let read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
        read.map_err(|error| io_error("read", Path::new("witness"), &error))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let count = bytes.first_chunk().map_or(0, |count| u64::from_be_bytes(*count));
        Ok(Some(if encode(count) == *bytes { count } else { 0 }))
    }

    /// Notes a commit that is durable.
    pub(super) fn write(&self, count: u64) {
        let mut file = &self.0;
        // Without it a loss may go unnoticed, and nothing else is wrong.
        drop(file.rewind().and_then(|()| file.write_all(&encode(count))));
    }
}

fn encode(count: u64) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    bytes[..8].copy_from_slice(&count.to_be_bytes());
    let sum = crc32fast::hash(&bytes[..8]);
    bytes[8..].copy_from_slice(&sum.to_be_bytes());
    bytes
}
