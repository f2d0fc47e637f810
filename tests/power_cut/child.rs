//! The child: opens the store, tells what is in it, and commits until it is stopped.
//!
//! Its lines begin with `@`: `found ENTRY:VERSION…`, `try N`, `ack N`, `error WHAT`.

use super::load::{Load, State, entry, key, ranges, version};
use meshmq::engine::storage::{Storage, StorageError};
use meshmq::store::{SledOptions, SledStore};
use std::env;
use std::io::Write as _;
use std::path::Path;

/// Where the store is; without it there is nothing to do.
pub(crate) const DIR: &str = "MESHMQ_CHILD_DIR";
/// Number of the round, which is the seed of its load.
pub(crate) const ROUND: &str = "MESHMQ_CHILD_ROUND";
/// Acknowledge before committing.
pub(crate) const EARLY: &str = "MESHMQ_CHILD_EARLY";
/// End after so many batches.
pub(crate) const BATCHES: &str = "MESHMQ_CHILD_BATCHES";

pub(crate) fn run() {
    let Some(dir) = env::var_os(DIR) else { return };
    // The harness has begun a line of its own.
    say("");
    if let Err(error) = work(Path::new(&dir)) {
        say(&format!("@error {}", word(&error)));
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("the parent listens");
}

fn word(error: &StorageError) -> String {
    match error {
        StorageError::Full => "full".to_owned(),
        StorageError::Damaged(why) => format!("damaged {why}"),
        other => other.to_string(),
    }
}

fn number(name: &str) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn work(dir: &Path) -> Result<(), StorageError> {
    let round = number(ROUND);
    // Now and then the store is copied at start, so that a cut meets the copy and the swap too.
    let slack_bytes = if round.is_multiple_of(3) { 1 } else { u64::MAX };
    let ballast_bytes = 64 << 10;
    // Small segments are filled, thinned out and removed in every round.
    let segment_bytes = 256 << 10;
    let options =
        SledOptions { slack_bytes, ballast_bytes, segment_bytes, ..SledOptions::default() };
    let mut store = SledStore::open(dir, options)?;
    let mut state = State::new();
    for (from, to) in ranges() {
        for (place, record) in store.range(&from, &to, usize::MAX)? {
            let entry = entry(&place);
            let found = version(entry, &record);
            let found = found.ok_or_else(|| StorageError::Damaged(format!("{entry}")))?;
            state.insert(entry, found);
        }
    }
    let list = state.iter().map(|(entry, version)| format!(" {entry}:{version}"));
    say(&format!("@found{}", list.collect::<String>()));
    let (mut load, early) = (Load::new(round), number(EARLY) == 1);
    for count in 1..=number(BATCHES) {
        // A cut meets the copy that is made while the store is used, too. A sync that fails there is
        // no failure of the store.
        if slack_bytes == 1
            && env::var_os("MESHMQ_SHIM_FAIL_SYNC").is_none()
            && let Err(error) = store.compact()
        {
            return refused(&store, error);
        }
        let batch = load.next(&state);
        say(&format!("@try {count}"));
        if early {
            say(&format!("@ack {count}"));
        }
        if let Err(error) = store.commit(&batch.writes()) {
            return refused(&store, error);
        }
        batch.apply(&mut state);
        if !early {
            say(&format!("@ack {count}"));
        }
    }
    Ok(())
}

/// After a failed commit every call is refused.
fn refused(store: &SledStore, error: StorageError) -> Result<(), StorageError> {
    match store.get(&key(0)) {
        Err(StorageError::Io(why)) if why.starts_with("store stopped") => match error {
            StorageError::Io(why) => Err(StorageError::Damaged(format!("stopped {why}"))),
            other => Err(other),
        },
        _ => Err(StorageError::Io("a failed commit did not stop the store".to_owned())),
    }
}
