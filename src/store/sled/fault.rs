//! What sled says when it fails, and what that says of the files.

use crate::engine::storage::StorageError;
use std::io::ErrorKind;

/// Why it did not open.
pub(super) enum Fault {
    /// What is on the disk is not a store that sled can read.
    Damage(String),
    /// sled reads it, and the last commits are not in it.
    Loss(String),
    /// The system or another process is in the way; the files may be fine.
    Hindered(StorageError),
}

impl From<StorageError> for Fault {
    fn from(error: StorageError) -> Self {
        Self::Hindered(error)
    }
}

/// A panic for want of threads, memory or handles says nothing about the files.
pub(super) fn judge_panic(panic: &str) -> Fault {
    let shortages = ["os error 11)", "os error 12)", "os error 23)", "os error 24)", "WouldBlock"];
    let why = format!("sled cannot open it: {panic}");
    if shortages.iter().any(|shortage| panic.contains(shortage)) {
        Fault::Hindered(StorageError::Io(why))
    } else {
        Fault::Damage(why)
    }
}

/// Whether another handle has the file.
pub(super) fn is_lock(error: &::sled::Error) -> bool {
    matches!(error, ::sled::Error::Io(inner) if inner.to_string().contains("could not acquire lock"))
}

/// What an error of an opening says of the files.
pub(super) fn judge(error: &::sled::Error) -> Fault {
    use ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match error {
        ::sled::Error::Io(inner)
            if !matches!(inner.kind(), InvalidData | InvalidInput | UnexpectedEof) =>
        {
            Fault::Hindered(sled_error(error))
        }
        _ => Fault::Damage(format!("sled cannot open it: {error}")),
    }
}

/// What sled said, as the port says it.
pub(super) fn sled_error(error: &::sled::Error) -> StorageError {
    match error {
        ::sled::Error::Io(inner) => match inner.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StorageError::Full,
            _ => StorageError::Io(inner.to_string()),
        },
        ::sled::Error::Corruption { .. } => StorageError::Damaged(error.to_string()),
        other => StorageError::Io(other.to_string()),
    }
}
