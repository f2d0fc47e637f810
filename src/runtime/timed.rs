//! A store whose commits are timed and counted.

use super::histogram::Histogram;
use super::work::Work;
use crate::engine::record::{Key, Record};
use crate::engine::storage::{Compaction, Storage, StorageError, StorageStats, Write};
use std::sync::Arc;
use std::time::Instant;

/// Passes everything on to a store, and counts its commits: how long they take, what they write.
#[derive(Debug)]
pub struct Timed<S> {
    store: S,
    commits: Arc<Histogram>,
    work: Arc<Work>,
}

impl<S> Timed<S> {
    /// Times the commits of a store.
    pub const fn new(store: S, commits: Arc<Histogram>, work: Arc<Work>) -> Self {
        Self { store, commits, work }
    }
}

impl<S: Storage> Storage for Timed<S> {
    fn commit(&mut self, writes: &[Write]) -> Result<(), StorageError> {
        let begun = Instant::now();
        let outcome = self.store.commit(writes);
        self.commits.observe(begun.elapsed());
        self.work.committed(writes, &self.store.stats());
        outcome
    }

    fn get(&self, key: &Key) -> Result<Option<Record>, StorageError> {
        self.store.get(key)
    }

    fn range(
        &self,
        from: &Key,
        to: &Key,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StorageError> {
        self.store.range(from, to, limit)
    }

    fn reload(&mut self) -> Result<(), StorageError> {
        self.store.reload()
    }

    fn compact(&mut self) -> Result<Compaction, StorageError> {
        self.store.compact()
    }

    fn stats(&self) -> StorageStats {
        self.store.stats()
    }
}
