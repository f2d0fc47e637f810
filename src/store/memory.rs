//! A store in memory with the promises of a disk and its faults on demand: for tests, simulations.
//!
//! Refuses what strict sled refuses: records over [`RECORD_MAX`], keys over [`KEY_MAX`], any call
//! between a failed commit and [`Storage::reload`].
//!
//! [`RECORD_MAX`]: crate::engine::limits::RECORD_MAX

use super::keys::{KEY_MAX, encode_key};
use crate::codec::{RECORD_HEADER, encoded_len};
use crate::engine::limits::{CHUNK_BYTES, RECORD_MAX};
use crate::engine::record::{Key, Record};
use crate::engine::storage::{Storage, StorageError, StorageStats, Write};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// When a commit fails: both happen to disks, and the caller cannot tell which it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailMode {
    /// Nothing of it was written.
    Before,
    /// All of it is durable, and the error comes all the same.
    After,
}

/// Faults to come. A clone steers the same store, also while an engine owns it.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

#[derive(Debug, Default)]
struct Plan {
    /// Commits that still succeed, and what happens to how many after them.
    fail: Option<(u64, u64, FailMode)>,
    capacity: Option<u64>,
    lying: bool,
}

impl Faults {
    /// The next `count` commits fail with nothing written.
    pub fn fail_next_commits(&self, count: u64) {
        self.plan().fail = Some((0, count, FailMode::Before));
    }

    /// The `nth` commit from now fails in this way; 1 is the next one.
    pub fn fail_commit(&self, nth: u64, mode: FailMode) {
        self.plan().fail = Some((nth.saturating_sub(1), 1, mode));
    }

    /// The store holds at most so many bytes of records; a commit beyond gives
    /// [`StorageError::Full`].
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.plan().capacity = bytes;
    }

    /// A lying disk reports commits as durable and keeps them in its cache, which
    /// [`MemoryStore::crash`] empties. An honest one writes the cache down first.
    pub fn set_lying(&self, lying: bool) {
        self.plan().lying = lying;
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_commit(&self) -> Option<FailMode> {
        let mut plan = self.plan();
        let (wait, count, mode) = plan.fail?;
        plan.fail = match (wait, count) {
            (0, 0 | 1) => None,
            (0, count) => Some((0, count - 1, mode)),
            (wait, count) => Some((wait - 1, count, mode)),
        };
        (wait == 0 && count > 0).then_some(mode)
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    record: Record,
    bytes: u64,
}

type Table = BTreeMap<Key, Entry>;

/// What a [`MemoryStore`] held at one moment. Cheap to make, to keep and to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    table: Arc<Table>,
    used: u64,
}

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    table: Arc<Table>,
    used: u64,
    /// What a lying disk would lose: the entries as they were, oldest first.
    unsynced: Vec<(Key, Option<Entry>)>,
    commits: u64,
    stopped: bool,
    faults: Faults,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The steering wheel of its faults.
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// See [`Faults::fail_next_commits`].
    pub fn fail_next_commits(&self, count: u64) {
        self.faults.fail_next_commits(count);
    }

    /// A power cut and the start after it: what was not durable is gone, the handle is new.
    /// Faults that were ordered and have not come stay ordered.
    pub fn crash(&mut self) {
        for (key, earlier) in std::mem::take(&mut self.unsynced).into_iter().rev() {
            self.set(key, earlier);
        }
        self.stopped = false;
        self.commits = 0;
    }

    /// What the store holds now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { table: Arc::clone(&self.table), used: self.used }
    }

    /// Holds what it held then: a backup played back. The handle is new.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        self.table = Arc::clone(&snapshot.table);
        self.used = snapshot.used;
        self.unsynced.clear();
        self.stopped = false;
        self.commits = 0;
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    fn ready(&self) -> Result<(), StorageError> {
        if self.stopped { Err(super::stopped("a commit failed")) } else { Ok(()) }
    }

    fn try_commit(&mut self, writes: &[Write]) -> Result<(), StorageError> {
        let sizes = writes.iter().map(size).collect::<Result<Vec<u64>, StorageError>>()?;
        let failure = self.faults.next_commit();
        if failure == Some(FailMode::Before) {
            return Err(StorageError::Io("a commit failed as ordered".to_owned()));
        }
        let (capacity, lying) = {
            let plan = self.faults.plan();
            (plan.capacity, plan.lying)
        };
        if capacity.is_some_and(|limit| self.used_after(writes, &sizes) > limit) {
            return Err(StorageError::Full);
        }
        if !lying {
            self.unsynced.clear();
        }
        for (write, bytes) in writes.iter().zip(sizes) {
            let (key, entry) = match write {
                Write::Put(key, record) => (key, Some(Entry { record: record.clone(), bytes })),
                Write::Delete(key) => (key, None),
            };
            let earlier = self.set(key.clone(), entry);
            if lying {
                self.unsynced.push((key.clone(), earlier));
            }
        }
        match failure {
            None => Ok(()),
            Some(_) => Err(StorageError::Io("a commit failed as ordered, but is kept".to_owned())),
        }
    }

    /// Bytes after these writes; the last one of a key counts.
    fn used_after(&self, writes: &[Write], sizes: &[u64]) -> u64 {
        let last: BTreeMap<&Key, u64> =
            writes.iter().map(Write::key).zip(sizes.iter().copied()).collect();
        let gone = last.keys().filter_map(|key| self.table.get(key)).map(|entry| entry.bytes);
        self.used - gone.sum::<u64>() + last.values().sum::<u64>()
    }

    fn set(&mut self, key: Key, entry: Option<Entry>) -> Option<Entry> {
        let table = Arc::make_mut(&mut self.table);
        self.used += entry.as_ref().map_or(0, |entry| entry.bytes);
        let earlier = match entry {
            Some(entry) => table.insert(key, entry),
            None => table.remove(&key),
        };
        self.used -= earlier.as_ref().map_or(0, |entry| entry.bytes);
        earlier
    }
}

impl Storage for MemoryStore {
    fn commit(&mut self, writes: &[Write]) -> Result<(), StorageError> {
        self.ready()?;
        if writes.is_empty() {
            return Ok(());
        }
        let result = self.try_commit(writes);
        match result {
            Ok(()) => self.commits += 1,
            Err(_) => self.stopped = true,
        }
        result
    }

    fn get(&self, key: &Key) -> Result<Option<Record>, StorageError> {
        self.ready()?;
        Ok(self.table.get(key).map(|entry| entry.record.clone()))
    }

    fn range(
        &self,
        from: &Key,
        to: &Key,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StorageError> {
        self.ready()?;
        if from >= to {
            return Ok(Vec::new());
        }
        let found = self.table.range(from..to).take(limit);
        Ok(found.map(|(key, entry)| (key.clone(), entry.record.clone())).collect())
    }

    fn reload(&mut self) -> Result<(), StorageError> {
        self.stopped = false;
        self.commits = 0;
        Ok(())
    }

    fn stats(&self) -> StorageStats {
        let free = self.faults.plan().capacity.map(|limit| limit.saturating_sub(self.used));
        StorageStats {
            used_bytes: self.used,
            live_bytes: self.used,
            free_bytes: free,
            commits: self.commits,
            ..StorageStats::default()
        }
    }
}

/// Bytes that a write puts into the store.
fn size(write: &Write) -> Result<u64, StorageError> {
    let key = write.key();
    if let Key::Private(_) | Key::Directory(_) = key {
        let bytes = encode_key(key).len();
        if bytes > KEY_MAX {
            return Err(StorageError::RecordTooLarge(bytes));
        }
    }
    match write {
        Write::Put(Key::Chunk(..), Record::Chunk(bytes)) if bytes.len() <= CHUNK_BYTES => {
            Ok(bytes.len() as u64)
        }
        Write::Put(_, record) => {
            let bytes = RECORD_HEADER + encoded_len(record);
            if bytes > RECORD_MAX {
                Err(StorageError::RecordTooLarge(bytes))
            } else {
                Ok(bytes as u64)
            }
        }
        Write::Delete(_) => Ok(0),
    }
}

#[cfg(test)]
mod tests;
