//! What the engine thread and its store have done, counted: how often, how much, how long.

use super::engine_thread::Machine;
use crate::engine::record::Key;
use crate::engine::step::{Input, Output};
use crate::engine::storage::{Compaction, StorageStats, Write};
use crate::engine::time::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Counters that the engine thread feeds and anybody reads.
#[derive(Debug, Default)]
pub struct Work {
    turns: AtomicU64,
    inputs: AtomicU64,
    busy_us: AtomicU64,
    records: AtomicU64,
    timers: AtomicU64,
    removals: AtomicU64,
    written_bytes: AtomicU64,
    sync_us: AtomicU64,
}

/// What was counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worked {
    /// Turns of the engine; each makes one commit at most.
    pub turns: u64,
    /// Inputs that they served.
    pub inputs: u64,
    /// Time within turns, commits included.
    pub busy: Duration,
    /// Records written that are no timers.
    pub records: u64,
    /// Timers written.
    pub timers: u64,
    /// Records and timers removed.
    pub removals: u64,
    /// Bytes of keys and values given to the storage engine, and of chunks to the body log.
    pub written_bytes: u64,
    /// Time of commits that went into waiting for the disk.
    pub sync: Duration,
}

impl Work {
    /// What was counted so far.
    pub fn read(&self) -> Worked {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Worked {
            turns: of(&self.turns),
            inputs: of(&self.inputs),
            busy: Duration::from_micros(of(&self.busy_us)),
            records: of(&self.records),
            timers: of(&self.timers),
            removals: of(&self.removals),
            written_bytes: of(&self.written_bytes),
            sync: Duration::from_micros(of(&self.sync_us)),
        }
    }

    /// Counts a commit; `stats` are the store's after it.
    pub(super) fn committed(&self, writes: &[Write], stats: &StorageStats) {
        let (mut records, mut timers, mut removals) = (0, 0, 0);
        for write in writes {
            match write {
                Write::Put(Key::Timer(..), _) => timers += 1,
                Write::Put(..) => records += 1,
                Write::Delete(_) => removals += 1,
            }
        }
        self.records.fetch_add(records, Ordering::Relaxed);
        self.timers.fetch_add(timers, Ordering::Relaxed);
        self.removals.fetch_add(removals, Ordering::Relaxed);
        self.written_bytes.store(stats.written_bytes, Ordering::Relaxed);
        self.sync_us.store(stats.sync_us, Ordering::Relaxed);
    }

    fn turned(&self, inputs: usize, time: Duration) {
        self.turns.fetch_add(1, Ordering::Relaxed);
        self.inputs.fetch_add(inputs as u64, Ordering::Relaxed);
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.busy_us.fetch_add(micros, Ordering::Relaxed);
    }
}

/// A machine whose turns are counted.
#[derive(Debug)]
pub struct Watched<M> {
    machine: M,
    work: Arc<Work>,
}

impl<M> Watched<M> {
    /// Counts the turns of a machine.
    pub const fn new(machine: M, work: Arc<Work>) -> Self {
        Self { machine, work }
    }
}

impl<M: Machine> Machine for Watched<M> {
    type Error = M::Error;

    fn process(&mut self, now: Timestamp, inputs: Vec<Input>) -> Result<Vec<Output>, M::Error> {
        let (begun, count) = (Instant::now(), inputs.len());
        let outcome = self.machine.process(now, inputs);
        self.work.turned(count, begun.elapsed());
        outcome
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.machine.deadline()
    }

    fn compact(&mut self) -> Result<Compaction, M::Error> {
        self.machine.compact()
    }

    fn stats(&self) -> StorageStats {
        self.machine.stats()
    }
}

#[cfg(test)]
mod tests;
