//! A node's disk: the memory store, watched. What a commit wrote is noted, so that the judge sees
//! what is durable, and the last commit can be taken back while it is still on its way down.
//!
//! Refuses to be asked by rules; it sits between an engine and its store and says nothing.

use crate::scenario::Side;
use meshmq::engine::record::{Key, Record};
use meshmq::engine::storage::{Storage, StorageError, StorageStats, Write};
use meshmq::store::{FailMode, MemoryStore, Snapshot};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A disk. A clone is the same disk, also while an engine owns it.
#[derive(Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    store: MemoryStore,
    done: Vec<Commit>,
    ordered: Option<(u64, Side)>,
    fired: Option<Side>,
    /// Records that do not read back.
    damaged: BTreeSet<Key>,
    /// Bytes that it holds at most, if it is to be full.
    capacity: Option<u64>,
}

/// A commit that is on the disk.
pub(crate) struct Commit {
    /// What it wrote.
    pub(crate) writes: Vec<Write>,
    /// What takes it back, write by write.
    pub(crate) undo: Vec<Write>,
}

impl Disk {
    /// A start after a crash: handles are new, nothing is ordered any more.
    pub(crate) fn start_again(&self) {
        let mut inner = self.inner();
        inner.store.crash();
        inner.done.clear();
        inner.ordered = None;
        inner.fired = None;
    }

    /// The commits since the last call.
    pub(crate) fn done(&self) -> Vec<Commit> {
        std::mem::take(&mut self.inner().done)
    }

    /// Takes commits back, newest first: the power went before they were flushed.
    pub(crate) fn take_back(&self, commits: &[Commit]) {
        let mut inner = self.inner();
        inner.store.crash();
        inner.store.faults().set_capacity(None);
        for commit in commits.iter().rev() {
            inner.store.commit(&commit.undo).expect("what was there before fits");
        }
        let capacity = inner.capacity;
        inner.store.faults().set_capacity(capacity);
        inner.done.clear();
    }

    /// What is on it now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.inner().store.snapshot()
    }

    /// Holds what it held then, every byte of it sound.
    pub(crate) fn restore(&self, snapshot: &Snapshot) {
        let mut inner = self.inner();
        inner.store.restore(snapshot);
        inner.damaged.clear();
    }

    /// All records, in order.
    pub(crate) fn records(&self) -> Vec<(Key, Record)> {
        let (first, last) = (Key::Store, Key::Shares(u64::MAX));
        self.inner().store.range(&first, &last, usize::MAX).unwrap_or_default()
    }

    /// Lets a record read back as damaged from now on, until it is written anew.
    pub(crate) fn damage(&self, key: Key) {
        self.inner().damaged.insert(key);
    }

    /// Leaves room for so many bytes, or for any number.
    pub(crate) fn set_room(&self, left: Option<u64>) {
        let mut inner = self.inner();
        inner.capacity = left.map(|left| inner.store.stats().used_bytes + left);
        inner.store.faults().set_capacity(inner.capacity);
    }

    /// Orders a fault at the `nth` commit from now, 1 being the next; before or after it.
    pub(crate) fn order(&self, nth: u64, side: Side) {
        self.inner().ordered = Some((nth, side));
    }

    /// Takes back a fault that is ordered and has not come.
    pub(crate) fn forget_orders(&self) {
        self.inner().ordered = None;
    }

    /// Whether a fault is ordered.
    pub(crate) fn has_orders(&self) -> bool {
        self.inner().ordered.is_some()
    }

    /// The fault that has come since the last call, if one has.
    pub(crate) fn fired(&self) -> Option<Side> {
        self.inner().fired.take()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn count_down(&mut self) -> Option<Side> {
        let (nth, side) = self.ordered?;
        self.ordered = (nth > 1).then_some((nth - 1, side));
        if nth > 1 {
            return None;
        }
        self.fired = Some(side);
        Some(side)
    }

    fn commit(&mut self, writes: &[Write]) -> Result<(), StorageError> {
        let before = |write: &Write| {
            Ok(match self.store.get(write.key())? {
                Some(record) => Write::Put(write.key().clone(), record),
                None => Write::Delete(write.key().clone()),
            })
        };
        let undo = writes.iter().map(before).collect::<Result<Vec<Write>, StorageError>>()?;
        let fault = self.count_down();
        match fault {
            Some(Side::Before) => self.store.faults().fail_commit(1, FailMode::Before),
            Some(Side::After) => self.store.faults().fail_commit(1, FailMode::After),
            _ => {}
        }
        let result = self.store.commit(writes);
        if result.is_ok() || fault == Some(Side::After) {
            for write in writes {
                self.damaged.remove(write.key());
            }
            self.done.push(Commit { writes: writes.to_vec(), undo });
        }
        result
    }
}

impl Storage for Disk {
    fn commit(&mut self, writes: &[Write]) -> Result<(), StorageError> {
        self.inner().commit(writes)
    }

    fn get(&self, key: &Key) -> Result<Option<Record>, StorageError> {
        let inner = self.inner();
        if inner.damaged.contains(key) {
            return Err(StorageError::Damaged(format!("{key:?}")));
        }
        inner.store.get(key)
    }

    fn range(
        &self,
        from: &Key,
        to: &Key,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StorageError> {
        self.inner().store.range(from, to, limit)
    }

    fn reload(&mut self) -> Result<(), StorageError> {
        self.inner().store.reload()
    }

    fn stats(&self) -> StorageStats {
        self.inner().store.stats()
    }
}
