//! What every part of a durable store does with files and their names.

use crate::engine::storage::StorageError;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Makes the names in a directory durable. Windows does so itself and cannot be asked.
pub(super) fn sync_dir(dir: &Path) -> Result<(), StorageError> {
    if cfg!(windows) {
        return Ok(());
    }
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    File::open(dir).and_then(|file| file.sync_all()).map_err(|error| io_error("sync", dir, &error))
}

/// What the system said, as the port says it.
pub(super) fn io_error(what: &str, path: &Path, error: &io::Error) -> StorageError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StorageError::Full,
        _ => StorageError::Io(format!("cannot {what} {}: {error}", path.display())),
    }
}
