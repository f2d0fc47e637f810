//! Giving back room of the store of a node that does not run.

use super::home::Home;
use super::{Compacted, DaemonError};
use crate::engine::storage::{Compaction, Storage};
use crate::store::{Alarm, SledOptions, SledStore};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Brings the files of the store in a node's directory below twice what lives in them. Blocks until
/// it is done; `said` hears how far it is, from any thread. A kill in the middle loses nothing.
///
/// # Errors
/// If there is no store, if a node runs there, and whatever keeps the store from opening.
pub fn compact(
    data: &Path,
    said: impl Fn(String) + Send + Sync + 'static,
) -> Result<Compacted, DaemonError> {
    let place = data.join("store");
    if !place.join("format").exists() {
        let message = format!("there is no node's data in {}", data.display());
        return Err(DaemonError::new("no_such_node", message, "name its directory: --data", 66));
    }
    let home = Home::enter(data)?;
    let before_bytes = bytes_of(&place);
    let alarm = Arc::new(move |alarm: &Alarm| said(alarm.to_string()));
    // Opening does most of it already, as at every start.
    let mut store =
        SledStore::open(&home.store(), SledOptions { alarm, ..SledOptions::default() })?;
    let refused = loop {
        match store.compact()? {
            Compaction::Going => {}
            Compaction::Rest(rest) => std::thread::sleep(rest),
            Compaction::Done => break None,
            Compaction::Refused(why) => break Some(why),
        }
    };
    let live_bytes = store.stats().live_bytes;
    drop(store);
    Ok(Compacted { before_bytes, after_bytes: bytes_of(&place), live_bytes, refused })
}

/// Bytes of all files below a directory, but for the ballast.
fn bytes_of(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let bytes = entries.filter(|entry| entry.file_name() != "ballast").map(|entry| {
        match entry.metadata() {
            Ok(found) if found.is_dir() => bytes_of(&entry.path()),
            Ok(found) => found.len(),
            Err(_) => 0,
        }
    });
    bytes.sum()
}
