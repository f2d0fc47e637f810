//! The port to what survives: six methods, and no way to see half a commit.

use super::record::{Key, Record};
use std::time::Duration;

/// A store of ordered records.
///
/// Implementations: strict sled (durable) and memory (for tests and simulations, with crashes and
/// failing commits). Both pass one conformance suite.
pub trait Storage: Send {
    /// Makes all writes durable, or none. When it returns, a power cut cannot undo them.
    ///
    /// After an error nothing is known about what is on the disk; the caller must not go on with
    /// this handle (see [`reload`](Self::reload)).
    fn commit(&mut self, writes: &[Write]) -> Result<(), StorageError>;

    /// The record at a key, as of the last commit.
    fn get(&self, key: &Key) -> Result<Option<Record>, StorageError>;

    /// Records with `from <= key < to`, in order, at most `limit` of them.
    fn range(&self, from: &Key, to: &Key, limit: usize)
    -> Result<Vec<(Key, Record)>, StorageError>;

    /// Throws away everything that is only in memory and starts again from what is durable.
    fn reload(&mut self) -> Result<(), StorageError>;

    /// Does the next part of giving back room that nothing lives in. Each call is short, and commits
    /// may come between two of them.
    ///
    /// An error is one as of [`commit`](Self::commit).
    fn compact(&mut self) -> Result<Compaction, StorageError> {
        Ok(Compaction::Done)
    }

    /// Size and room.
    fn stats(&self) -> StorageStats;
}

/// How far giving back room has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compaction {
    /// There is more to do.
    Going,
    /// There is more to do, best after so long.
    Rest(Duration),
    /// There is nothing to be had any more.
    Done,
    /// It cannot be done; why. Everything is as before.
    Refused(String),
}

/// One change of a commit. Later changes of one key win.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Puts a record, over whatever was there.
    Put(Key, Record),
    /// Removes what is there, if anything.
    Delete(Key),
}

impl Write {
    /// The key it changes.
    pub const fn key(&self) -> &Key {
        match self {
            Self::Put(key, _) | Self::Delete(key) => key,
        }
    }
}

/// Size of a store and room on its disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StorageStats {
    /// Bytes of its files.
    pub used_bytes: u64,
    /// Bytes of what lives in them: keys, records and contents.
    pub live_bytes: u64,
    /// Bytes that the file system would still give; `None` where there is no disk.
    pub free_bytes: Option<u64>,
    /// Commits since the store was opened.
    pub commits: u64,
    /// Bytes of keys, values and chunks that those commits wrote; 0 where nobody counts.
    pub written_bytes: u64,
    /// How long those commits waited for the disk, in microseconds; 0 where there is none.
    pub sync_us: u64,
}

/// Why a store could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// A record does not read back: wrong checksum, wrong form.
    #[error("a record of the store is damaged: {0}")]
    Damaged(String),
    /// A record is larger than a store may take; a bug of the writer.
    #[error("a record of {0} bytes is larger than a store takes")]
    RecordTooLarge(usize),
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The store was written by a later version.
    #[error("the store was written by a later version of MeshMQ ({0})")]
    TooNew(u32),
    /// Another process has it open.
    #[error("another process uses this store")]
    InUse,
    /// Anything else that the system said.
    #[error("the store failed: {0}")]
    Io(String),
}
