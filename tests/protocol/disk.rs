//! A memory store that outlives the engine that owns it, as a disk does: also one whose opening
//! failed half way.

use meshmq::engine::record::{Key, Record};
use meshmq::engine::storage::{Storage, StorageError, StorageStats, Write};
use meshmq::store::{Faults, MemoryStore, Snapshot};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

/// A handle to a store. A clone is another handle to the same one.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    store: Arc<Mutex<MemoryStore>>,
    commits: Arc<Mutex<u64>>,
    damaged: Arc<Mutex<BTreeSet<Key>>>,
}

impl Disk {
    fn store(&self) -> MutexGuard<'_, MemoryStore> {
        self.store.lock().expect("no test panics while it holds the store")
    }

    /// See [`MemoryStore::snapshot`].
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.store().snapshot()
    }

    /// See [`MemoryStore::restore`].
    pub(crate) fn restore(&self, snapshot: &Snapshot) {
        self.store().restore(snapshot);
    }

    /// See [`MemoryStore::crash`].
    pub(crate) fn crash(&self) {
        self.store().crash();
    }

    /// See [`MemoryStore::faults`].
    pub(crate) fn faults(&self) -> Faults {
        self.store().faults()
    }

    /// Lets records read back as damaged from now on.
    pub(crate) fn damage(&self, keys: Vec<Key>) {
        self.damaged.lock().expect("no test panics while it damages").extend(keys);
    }

    /// Commits that were tried since the disk was made.
    pub(crate) fn commits(&self) -> u64 {
        *self.commits.lock().expect("no test panics while it counts")
    }
}

impl Storage for Disk {
    fn commit(&mut self, writes: &[Write]) -> Result<(), StorageError> {
        *self.commits.lock().expect("no test panics while it counts") += 1;
        self.store().commit(writes)
    }

    fn get(&self, key: &Key) -> Result<Option<Record>, StorageError> {
        if self.damaged.lock().expect("no test panics while it damages").contains(key) {
            return Err(StorageError::Damaged(format!("{key:?}")));
        }
        self.store().get(key)
    }

    fn range(
        &self,
        from: &Key,
        to: &Key,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StorageError> {
        self.store().range(from, to, limit)
    }

    fn reload(&mut self) -> Result<(), StorageError> {
        self.store().reload()
    }

    fn stats(&self) -> StorageStats {
        self.store().stats()
    }
}
