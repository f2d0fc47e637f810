//! The directory in which sled would put values that are too large for its file.

use crate::engine::storage::StorageError;
use crate::store::files::io_error;
use std::cell::Cell;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The coarsest step of the times that a file system notes.
const FILE_CLOCK_STEP: Duration = Duration::from_secs(3);

/// The directory of one store. It has to stay empty: a blob file is never synced by sled, and none is
/// ever made of values that this store takes.
pub(super) struct Blobs {
    dir: PathBuf,
    /// When it had last changed when it was found empty.
    seen: Cell<Option<SystemTime>>,
}

impl Blobs {
    /// That of the store in a directory.
    pub(super) fn of(store: &Path) -> Self {
        Self { dir: store.join("blobs"), seen: Cell::default() }
    }

    /// Fails if there is anything in it.
    pub(super) fn refuse(&self) -> Result<(), StorageError> {
        match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(io_error("read", &self.dir, &error)),
            Ok(mut entries) => match entries.next() {
                None => Ok(()),
                Some(_) => Err(StorageError::Damaged(format!(
                    "{} holds files, which are never durable; this program does not write any",
                    self.dir.display()
                ))),
            },
        }
    }

    /// The same, if something in it may have changed since.
    pub(super) fn refuse_new(&self) -> Result<(), StorageError> {
        let changed = fs::metadata(&self.dir).and_then(|meta| meta.modified()).ok();
        if changed.is_some() && changed == self.seen.get() {
            return Ok(());
        }
        self.refuse()?;
        // What comes within the step of the file system's clock does not change the time.
        let is_past =
            |changed: &SystemTime| changed.elapsed().is_ok_and(|elapsed| elapsed > FILE_CLOCK_STEP);
        self.seen.set(changed.filter(is_past));
        Ok(())
    }
}
