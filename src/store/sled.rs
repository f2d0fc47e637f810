//! Strict sled: the durable store, and the only code that knows sled.
//!
//! sled 0.34.7 as it ships loses acknowledged writes at a power cut. Strict sled is sled with what
//! keeps it safe: every commit is `apply_batch`, `flush`, and then `fdatasync` on its file through
//! a handle of our own; one tree; values of at most 4 KiB; a checksum on every record. Chunks of
//! larger contents lie in the body log beside it.
//!
//! **The thread that calls [`Storage::commit`] is the writer thread.** The engine runs on one
//! thread of its own and commits from it synchronously; no other thread writes, and no queue lies
//! between a commit and its result. What is deliberately absent: `flush_async`, sled transactions,
//! a second tree, a retry after a failed sync.

mod ballast;
mod blobs;
mod layout;
mod mark;
mod open;
mod quiet;
mod shrink;
mod table;
mod watchdog;
mod witness;

use super::bodies::SEGMENT_BYTES;
use crate::engine::record::{Key, Record};
use crate::engine::storage::{Compaction, Storage, StorageError, StorageStats, Write};
use layout::Home;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use table::Table;
use watchdog::Watchdog;

/// Bytes of sled's page cache, unless the options say otherwise.
pub const CACHE_BYTES: u64 = 64 << 20;
/// A commit that takes longer is reported as stuck.
pub const COMMIT_LIMIT: Duration = Duration::from_secs(10);
/// What sled's files, and those of the body log, may have beyond twice of what lives in them before
/// they are copied, in bytes.
pub const SLACK_BYTES: u64 = 4 << 20;

/// What may live in a store, or in its body log, that is copied at its opening, in bytes: a second or
/// two of work.
pub const AT_START_BYTES: u64 = 64 << 20;

/// Size of the file that is given up on a full disk, in bytes.
pub const BALLAST_BYTES: u64 = 16 << 20;

/// Something that an operator has to know and no caller waits for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Alarm {
    /// A commit does not end: the disk hangs, or a thread of sled died. Only the end of the
    /// process helps; nothing that was acknowledged is lost by it.
    #[error("a commit has not ended after {} s: the disk or the storage engine hangs", .0.as_secs())]
    CommitStuck(Duration),
    /// The store opened only without sled's snapshots, or will not open; why the first try failed.
    #[error("the store did not open, so its snapshots are removed and it is tried again: {0}")]
    SnapshotsDropped(String),
    /// The store could not be opened and was moved aside; where to.
    #[error("{0}")]
    Quarantined(String),
    /// Segments of the body log that the index names are not there; which. The contents in them end
    /// as dead letters.
    #[error("the body log lacks {}: the contents in them are lost", .0.join(", "))]
    BodiesMissing(Vec<String>),
    /// The store is being copied into smaller files before it opens; how far that is, in bytes.
    #[error("the store is being copied into smaller files: {} of {} MiB", .copied >> 20, .of >> 20)]
    Shrinking {
        /// Bytes that are copied.
        copied: u64,
        /// Bytes that live.
        of: u64,
    },
}

/// How a store is opened.
#[derive(Clone)]
pub struct SledOptions {
    /// Bytes of sled's page cache. sled uses about 330 bytes more per leaf, uncounted.
    pub cache_bytes: u64,
    /// How long a commit may take before [`Alarm::CommitStuck`].
    pub commit_limit: Duration,
    /// What the files may have beyond twice of what lives in them, in bytes. See [`SLACK_BYTES`].
    pub slack_bytes: u64,
    /// A store in which more lives than this, in bytes, is not copied at its opening: that would keep
    /// it from its work for long. [`compact`](Storage::compact) does it while it is in use. See
    /// [`AT_START_BYTES`].
    pub at_start_bytes: u64,
    /// Size of the ballast in bytes; 0 for none. See [`BALLAST_BYTES`].
    pub ballast_bytes: u64,
    /// Size of a segment of the body log, in bytes.
    pub segment_bytes: u64,
    /// Told what goes wrong, from any thread. The daemon logs it, and aborts on
    /// [`Alarm::CommitStuck`]; the default does nothing, which is right for tests only.
    pub alarm: Arc<dyn Fn(&Alarm) + Send + Sync>,
}

impl Default for SledOptions {
    fn default() -> Self {
        Self {
            cache_bytes: CACHE_BYTES,
            commit_limit: COMMIT_LIMIT,
            slack_bytes: SLACK_BYTES,
            at_start_bytes: AT_START_BYTES,
            ballast_bytes: BALLAST_BYTES,
            segment_bytes: SEGMENT_BYTES,
            alarm: Arc::new(|_| ()),
        }
    }
}

impl fmt::Debug for SledOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SledOptions")
            .field("cache_bytes", &self.cache_bytes)
            .field("commit_limit", &self.commit_limit)
            .field("slack_bytes", &self.slack_bytes)
            .field("at_start_bytes", &self.at_start_bytes)
            .field("ballast_bytes", &self.ballast_bytes)
            .field("segment_bytes", &self.segment_bytes)
            .finish_non_exhaustive()
    }
}

/// A durable store in a directory of its own.
pub struct SledStore {
    /// `None` after a reload that failed.
    table: Option<Table>,
    /// Why every call is refused, after a failed commit.
    stopped: Option<String>,
    commits: u64,
    is_ballast_given_up: bool,
    watchdog: Watchdog,
    options: SledOptions,
    /// Last, so that the lock outlives the engine.
    home: Home,
}

impl SledStore {
    /// Opens the store in `dir`, making both if they are not there.
    ///
    /// # Errors
    /// [`StorageError::InUse`] if another process has it open and keeps it for a second;
    /// [`StorageError::TooNew`] for a store of a later version; [`StorageError::Damaged`] if it
    /// cannot be read, in which case it was moved into a `quarantine-…` directory inside `dir` that
    /// the error names; [`StorageError::Full`] and [`StorageError::Io`] as the system says. Opening
    /// again after a quarantine gives the same error until a person has moved that directory away.
    pub fn open(dir: &Path, options: SledOptions) -> Result<Self, StorageError> {
        let home = Home::enter(dir)?;
        let table = Table::open(&home, &options)?;
        let alarm = Arc::clone(&options.alarm);
        let watchdog = Watchdog::start(options.commit_limit, move |elapsed| {
            alarm(&Alarm::CommitStuck(elapsed));
        });
        let watchdog = watchdog
            .map_err(|error| StorageError::Io(format!("no thread for the watchdog: {error}")))?;
        let table = Some(table);
        let is_ballast_given_up = false;
        Ok(Self { table, stopped: None, commits: 0, is_ballast_given_up, watchdog, options, home })
    }

    fn refuse(&self) -> Result<(), StorageError> {
        match (&self.stopped, &self.table) {
            (Some(why), _) => Err(super::stopped(why)),
            (None, None) => Err(super::stopped("it did not open")),
            (None, Some(_)) => Ok(()),
        }
    }

    /// A failed write stops the handle.
    fn judge<T>(&mut self, result: Result<T, StorageError>) -> Result<T, StorageError> {
        if let Err(error) = &result {
            self.stopped = Some(error.to_string());
            match error {
                StorageError::Io(_) => self.home.want_rewrite(),
                StorageError::Full => {
                    self.is_ballast_given_up |= ballast::release(self.home.root())
                }
                _ => {}
            }
        }
        result
    }

    fn table(&self) -> Result<&Table, StorageError> {
        self.refuse()?;
        Ok(self.table.as_ref().expect("a store that is not stopped is open"))
    }
}

impl Storage for SledStore {
    fn commit(&mut self, writes: &[Write]) -> Result<(), StorageError> {
        self.refuse()?;
        let Some(table) = self.table.as_mut().filter(|_| !writes.is_empty()) else {
            return Ok(());
        };
        ballast::tend(self.home.root(), self.options.ballast_bytes, &mut self.is_ballast_given_up);
        let running = self.watchdog.begin();
        let result = table.commit(writes);
        drop(running);
        self.commits += u64::from(result.is_ok());
        self.judge(result)
    }

    fn get(&self, key: &Key) -> Result<Option<Record>, StorageError> {
        self.table()?.get(key)
    }

    fn range(
        &self,
        from: &Key,
        to: &Key,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StorageError> {
        self.table()?.range(from, to, limit)
    }

    fn reload(&mut self) -> Result<(), StorageError> {
        self.stopped = Some("it is being reloaded".to_owned());
        if let Some(table) = self.table.take() {
            table.close()?;
        }
        self.table = Some(Table::open(&self.home, &self.options)?);
        self.stopped = None;
        self.commits = 0;
        Ok(())
    }

    fn compact(&mut self) -> Result<Compaction, StorageError> {
        self.refuse()?;
        let Some(table) = self.table.as_mut() else { return Ok(Compaction::Done) };
        let running = self.watchdog.begin();
        let result = table.compact(&self.home, &self.options);
        drop(running);
        self.judge(result)
    }

    fn stats(&self) -> StorageStats {
        StorageStats {
            used_bytes: self.table.as_ref().map_or(0, Table::file_bytes),
            live_bytes: self.table.as_ref().map_or(0, Table::live_bytes),
            free_bytes: fs4::available_space(self.home.root()).ok(),
            commits: self.commits,
            written_bytes: self.table.as_ref().map_or(0, Table::written_bytes),
            sync_us: self.table.as_ref().map_or(0, Table::sync_us),
        }
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        if let Some(table) = self.table.take() {
            // Everything acknowledged is durable; a close that fails takes nothing from it.
            drop(table.close());
        }
    }
}

impl fmt::Debug for SledStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SledStore")
            .field("dir", &self.home.root())
            .field("stopped", &self.stopped)
            .field("commits", &self.commits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
