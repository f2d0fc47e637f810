//! Copies the store into new files at start: when most of the file is dead, or a sync has failed.
//!
//! sled reuses space and never gives it back. The copy is compared with the original before it
//! takes its place; a failure leaves the original in use.

use super::layout::Home;
use super::open::{self, Engine, call};
use crate::engine::storage::StorageError;

/// The file is copied when less than one part in so many lives.
const LIVE_PARTS: u64 = 4;
/// Bytes of keys and values after which a batch of the copy is written.
const BATCH_BYTES: usize = 256 * 1024;

/// Copies the store if it is worth it. Gives the engine to go on with.
pub(super) fn at_start(
    home: &Home,
    engine: Engine,
    shrink_from: u64,
    cache_bytes: u64,
    reopen: impl FnOnce() -> Result<Engine, StorageError>,
) -> Result<Engine, StorageError> {
    let forced = home.wants_rewrite();
    let size = engine.file_bytes();
    let worth = size >= shrink_from && engine.survey().bytes.saturating_mul(LIVE_PARTS) < size;
    if !forced && !worth {
        return Ok(engine);
    }
    if let Err(error) = copy(home, &engine, cache_bytes) {
        home.discard_fresh()?;
        // The old files are as good as before, and a full disk must not keep a node down.
        return if error == StorageError::Full || !forced { Ok(engine) } else { Err(error) };
    }
    engine.close()?;
    home.adopt_fresh()?;
    home.rewritten()?;
    reopen()
}

fn copy(home: &Home, from: &Engine, cache_bytes: u64) -> Result<(), StorageError> {
    let to = open::open_fresh(home, cache_bytes)?;
    let result = fill(from, &to);
    to.close()?;
    result
}

fn fill(from: &Engine, to: &Engine) -> Result<(), StorageError> {
    let (mut batch, mut bytes) = (::sled::Batch::default(), 0);
    for entry in from.tree() {
        let (key, value) = call(|| entry)?;
        bytes += key.len() + value.len();
        batch.insert(key, value);
        if bytes >= BATCH_BYTES {
            bytes = 0;
            call(|| to.tree().apply_batch(std::mem::take(&mut batch)))?;
        }
    }
    to.apply(batch)?;
    if sum(from)? == sum(to)? {
        Ok(())
    } else {
        Err(StorageError::Io("the copy of the store differs from it".to_owned()))
    }
}

/// Number of entries and checksum over all of them.
fn sum(engine: &Engine) -> Result<(u64, u32), StorageError> {
    let (mut count, mut hasher) = (0, crc32fast::Hasher::new());
    for entry in engine.tree() {
        let (key, value) = call(|| entry)?;
        count += 1;
        for part in [&key, &value] {
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
    }
    Ok((count, hasher.finalize()))
}
