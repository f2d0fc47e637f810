//! Implementations of the engine's storage port: strict sled (durable) and memory (for tests and
//! simulations). Both pass `tests/store_conformance.rs`.

mod bodies;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub use bodies::fuzzing;
mod files;
pub mod keys;
pub mod memory;
pub mod sled;

pub use self::memory::{FailMode, Faults, MemoryStore, Snapshot};
pub use self::sled::{Alarm, SledOptions, SledStore};

use crate::engine::storage::StorageError;

/// The refusal of every call after a failed commit.
fn stopped(why: &str) -> StorageError {
    StorageError::Io(format!("store stopped: {why}; it must be reloaded"))
}
