//! Tests of the module above: each guard meets what it guards against.

use super::*;
use crate::codec::encode_record;
use crate::engine::limits::RECORD_MAX;
use crate::store::keys::encode_key;
use bytes::Bytes;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tempfile::TempDir;

fn put(number: u64, len: usize) -> Write {
    Write::Put(Key::Dead(number), Record::Private(Bytes::from(vec![number as u8; len])))
}

fn count(store: &SledStore) -> usize {
    store.range(&Key::Dead(0), &Key::Dead(u64::MAX), usize::MAX).unwrap().len()
}

fn open(dir: &TempDir) -> Result<SledStore, StorageError> {
    SledStore::open(dir.path(), SledOptions::default())
}

/// A store with ten records, closed.
fn closed_store() -> TempDir {
    let dir = TempDir::new().unwrap();
    let mut store = open(&dir).unwrap();
    for number in 0..10 {
        store.commit(&[put(number, 1_000)]).unwrap();
    }
    dir
}

/// Options that note the alarms.
fn noting() -> (SledOptions, Arc<Mutex<Vec<Alarm>>>) {
    let noted = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&noted);
    let alarm = Arc::new(move |alarm: &Alarm| into.lock().unwrap().push(alarm.clone()));
    (SledOptions { alarm, ..SledOptions::default() }, noted)
}

fn names(dir: &TempDir, start: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(start)).collect()
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let dir = closed_store();
    let store = open(&dir).unwrap();
    assert_eq!(count(&store), 10);
    let stats = store.stats();
    assert!(stats.used_bytes > 0 && stats.free_bytes.unwrap() > 0);
    assert_eq!(stats.commits, 0);
}

#[test]
fn a_second_opening_is_refused_until_the_first_is_closed() {
    let dir = closed_store();
    let first = open(&dir).unwrap();
    assert_eq!(open(&dir).unwrap_err(), StorageError::InUse);
    drop(first);
    open(&dir).unwrap();
}

#[test]
fn a_store_of_a_later_version_is_refused_and_left_alone() {
    let dir = closed_store();
    fs::write(dir.path().join("format"), "meshmq-store 7\n").unwrap();
    assert_eq!(open(&dir).unwrap_err(), StorageError::TooNew(7));
    fs::write(dir.path().join("format"), "something else").unwrap();
    assert!(matches!(open(&dir).unwrap_err(), StorageError::Damaged(_)));
    fs::write(dir.path().join("format"), "meshmq-store 1\n").unwrap();
    assert_eq!(count(&open(&dir).unwrap()), 10);
}

#[test]
fn a_record_of_a_later_version_and_a_damaged_one_are_told_apart() {
    let dir = closed_store();
    let store = open(&dir).unwrap();
    let tree = store.table().unwrap().tree();
    let place = |number| encode_key(&Key::Dead(number));
    let mut later = tree.get(place(1)).unwrap().unwrap().to_vec();
    later[0] = 2;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&later[..1]);
    hasher.update(&later[5..]);
    later[1..5].copy_from_slice(&hasher.finalize().to_be_bytes());
    let mut flipped = tree.get(place(2)).unwrap().unwrap().to_vec();
    flipped[500] ^= 1;
    tree.insert(place(1), later).unwrap();
    tree.insert(place(2), flipped).unwrap();
    assert_eq!(store.get(&Key::Dead(1)), Err(StorageError::TooNew(2)));
    assert!(
        matches!(store.get(&Key::Dead(2)), Err(StorageError::Damaged(why)) if why.contains("Dead(2)"))
    );
    assert!(store.range(&Key::Dead(2), &Key::Dead(4), 9).is_err());
    assert_eq!(store.range(&Key::Dead(3), &Key::Dead(5), 9).unwrap().len(), 2);
}

#[test]
fn a_failed_commit_stops_the_handle_until_it_is_reloaded() {
    let dir = closed_store();
    let mut store = open(&dir).unwrap();
    let result = store.commit(&[put(20, 10), put(21, RECORD_MAX)]);
    assert!(matches!(result, Err(StorageError::RecordTooLarge(size)) if size > RECORD_MAX));
    let stopped = |result: StorageError| matches!(result, StorageError::Io(why) if why.starts_with("store stopped"));
    assert!(stopped(store.get(&Key::Dead(1)).unwrap_err()));
    assert!(stopped(store.commit(&[put(1, 1)]).unwrap_err()));
    assert!(stopped(store.range(&Key::Dead(1), &Key::Dead(2), 1).unwrap_err()));
    store.reload().unwrap();
    assert_eq!(count(&store), 10);
    store.commit(&[put(20, 10)]).unwrap();
    assert_eq!(count(&store), 11);
}

#[test]
fn the_largest_record_is_taken_and_makes_no_blob() {
    let dir = closed_store();
    let mut store = open(&dir).unwrap();
    let largest = RECORD_MAX - crate::codec::RECORD_HEADER - 7;
    assert_eq!(encode_record(&Record::Private(vec![0; largest].into())).unwrap().len(), RECORD_MAX);
    for round in 0..20 {
        let writes: Vec<Write> = (0..40).map(|n| put(round * 40 + n, largest)).collect();
        store.commit(&writes).unwrap();
    }
    assert_eq!(fs::read_dir(dir.path().join("sled/blobs")).unwrap().count(), 0);
    assert_eq!(count(&store), 800);
}

#[test]
fn damaged_snapshots_are_removed_and_nothing_is_lost() {
    for generating in ["", ".generating"] {
        let dir = closed_store();
        drop(open(&dir).unwrap());
        let torn = dir.path().join(format!("sled/snap.FFFFFFFFFFFFFFFF{generating}"));
        fs::write(&torn, "half").unwrap();
        let (options, alarms) = noting();
        let store = SledStore::open(dir.path(), options).unwrap();
        assert_eq!(count(&store), 10);
        assert!(!torn.exists());
        assert!(matches!(&alarms.lock().unwrap()[..], [Alarm::SnapshotsDropped(_)]));
    }
}

#[test]
fn a_store_that_cannot_be_read_goes_into_quarantine_and_is_not_passed_over() {
    let dir = closed_store();
    let db = dir.path().join("sled/db");
    let mut bytes = fs::read(&db).unwrap();
    let end = bytes.len();
    bytes[20..end.min(4_000)].fill(0x5a);
    fs::write(&db, bytes).unwrap();
    let (options, alarms) = noting();
    let Err(StorageError::Damaged(why)) = SledStore::open(dir.path(), options) else {
        panic!("a damaged store was opened");
    };
    let places = names(&dir, "quarantine-");
    assert_eq!(places.len(), 1);
    assert!(why.contains(&*places[0].to_string_lossy()), "{why}");
    assert!(places[0].join("db").exists());
    assert!(matches!(
        &alarms.lock().unwrap()[..],
        [Alarm::SnapshotsDropped(_), Alarm::Quarantined(_)]
    ));
    for _ in 0..2 {
        assert!(matches!(open(&dir), Err(StorageError::Damaged(_))));
    }
    fs::rename(&places[0], dir.path().join("kept-for-later")).unwrap();
    assert_eq!(count(&open(&dir).unwrap()), 0);
}

/// sled answers damage in its own ways: by a panic, an error, or the silent loss of a part. None of
/// them may get through as a panic or as an empty store.
#[test]
fn no_damage_gets_through_as_a_panic_or_an_empty_store() {
    let dir = closed_store();
    let mut store = open(&dir).unwrap();
    for round in 0..6 {
        let writes: Vec<Write> = (0..100).map(|n| put(round * 100 + n, 2_000)).collect();
        store.commit(&writes).unwrap();
    }
    drop(store);
    let whole = fs::read(dir.path().join("sled/db")).unwrap();
    let (mut quarantined, mut opened) = (0, 0);
    for place in (0..whole.len()).step_by(whole.len() / 24) {
        let copy = TempDir::new().unwrap();
        fs::create_dir_all(copy.path().join("sled/blobs")).unwrap();
        for name in ["conf", "witness"] {
            let name = format!("sled/{name}");
            fs::copy(dir.path().join(&name), copy.path().join(&name)).unwrap();
        }
        let mut bytes = whole.clone();
        let end = (place + 4_096).min(bytes.len());
        bytes[place..end].fill(if place % 2 == 0 { 0 } else { 0x5a });
        fs::write(copy.path().join("sled/db"), bytes).unwrap();
        match open(&copy) {
            Ok(store) => {
                opened += 1;
                match store.range(&Key::Dead(0), &Key::Dead(u64::MAX), usize::MAX) {
                    Ok(found) => assert_eq!(found.len(), 600, "from {place}"),
                    Err(error) => assert!(matches!(error, StorageError::Damaged(_)), "{error}"),
                }
            }
            Err(StorageError::Damaged(_)) => {
                quarantined += 1;
                assert_eq!(names(&copy, "quarantine-").len(), 1);
            }
            Err(other) => panic!("{other} from {place}"),
        }
    }
    assert!(quarantined > 0 && opened > 0, "{quarantined} in quarantine, {opened} opened");
}

/// A young store, one bit flipped: everything is there, or a clear refusal. `MESHMQ_SOAK=1` tries
/// every byte that sled has written.
#[test]
fn a_flipped_bit_is_met_or_does_no_harm() {
    let dir = closed_store();
    let whole = fs::read(dir.path().join("sled/db")).unwrap();
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap();
    let soak = std::env::var_os("MESHMQ_SOAK").is_some();
    let step = if soak { 1 } else { used / 150 };
    let (mut refused, mut lost) = (0, 0);
    for place in (0..used).step_by(step) {
        let copy = TempDir::new().unwrap();
        copy_dir(&dir.path().join("sled"), &copy.path().join("sled"));
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << (place % 8);
        fs::write(copy.path().join("sled/db"), bytes).unwrap();
        match open(&copy).map(|store| store.range(&Key::Dead(0), &Key::Dead(99), 99)) {
            Ok(Ok(found)) => assert_eq!(found.len(), 10, "byte {place}"),
            Ok(Err(StorageError::Damaged(_))) => {}
            Err(StorageError::Damaged(why)) => {
                refused += 1;
                lost += u32::from(why.contains(" are lost"));
                assert_eq!(names(&copy, "quarantine-").len(), 1, "{why}");
            }
            Ok(Err(other)) | Err(other) => panic!("{other} from byte {place}"),
        }
    }
    assert!(refused > 0 && lost > 0, "{refused} refused, {lost} of them by the witness");
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// The way out that the refusal names.
#[test]
fn without_the_witness_what_is_left_can_be_used() {
    let dir = closed_store();
    let store = open(&dir).unwrap();
    let witness = dir.path().join("sled/witness");
    drop(store);
    let known = u64::from_be_bytes(fs::read(&witness).unwrap()[..8].try_into().unwrap());
    assert_eq!(known, 11, "one commit when it was made, and ten");
    let mut ahead = (known + 3).to_be_bytes().to_vec();
    ahead.extend(crc32fast::hash(&ahead).to_be_bytes());
    fs::write(&witness, &ahead).unwrap();
    let refused = open(&dir).unwrap_err();
    assert!(
        matches!(&refused, StorageError::Damaged(why) if why.contains("the last 3 of 14 commits")),
        "{refused}"
    );
    let place = names(&dir, "quarantine-").remove(0);
    fs::remove_file(dir.path().join(&place).join("witness")).unwrap();
    fs::rename(dir.path().join(&place), dir.path().join("sled")).unwrap();
    assert_eq!(count(&open(&dir).unwrap()), 10);
    // A witness that is damaged itself accuses nobody.
    fs::write(&witness, [0; 8]).unwrap();
    assert_eq!(count(&open(&dir).unwrap()), 10);
}

#[test]
fn a_blob_is_an_error_and_nothing_is_moved() {
    let dir = closed_store();
    let blob = dir.path().join("sled/blobs/17");
    fs::write(&blob, "x").unwrap();
    assert!(matches!(open(&dir), Err(StorageError::Damaged(why)) if why.contains("blobs")));
    fs::remove_file(&blob).unwrap();
    let mut store = open(&dir).unwrap();
    assert_eq!(count(&store), 10);
    fs::write(&blob, "x").unwrap();
    assert!(matches!(store.commit(&[put(1, 1)]), Err(StorageError::Damaged(_))));
    assert!(store.get(&Key::Dead(1)).is_err());
}

#[test]
fn a_mostly_dead_file_shrinks_at_start() {
    let dir = closed_store();
    let mut store = open(&dir).unwrap();
    for round in 0..20 {
        let writes: Vec<Write> = (0..100).map(|n| put(100 + round * 100 + n, 2_000)).collect();
        store.commit(&writes).unwrap();
    }
    let writes: Vec<Write> = (0..2_000).map(|n| Write::Delete(Key::Dead(100 + n))).collect();
    store.commit(&writes).unwrap();
    drop(store);
    let options = |slack_bytes| SledOptions { slack_bytes, ..SledOptions::default() };
    let before = SledStore::open(dir.path(), options(u64::MAX)).unwrap().stats().used_bytes;
    let store = SledStore::open(dir.path(), options(1 << 20)).unwrap();
    assert_eq!(count(&store), 10);
    let after = store.stats().used_bytes;
    assert!(after * 2 < before, "{before} bytes became {after}");
    assert!(names(&dir, "sled.").is_empty());
}

#[cfg(unix)]
#[test]
fn a_well_used_file_is_left_alone() {
    let dir = closed_store();
    let inode = |dir: &TempDir| {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(dir.path().join("sled/db")).unwrap().ino()
    };
    let mut store = open(&dir).unwrap();
    let writes: Vec<Write> = (0..1_000).map(|n| put(n, 2_000)).collect();
    store.commit(&writes).unwrap();
    drop(store);
    let before = inode(&dir);
    drop(open(&dir).unwrap());
    assert_eq!(inode(&dir), before);
    fs::write(dir.path().join("rewrite"), "").unwrap();
    let store = open(&dir).unwrap();
    assert_ne!(inode(&dir), before);
    assert_eq!(count(&store), 1_000);
    assert!(!dir.path().join("rewrite").exists());
}

#[test]
fn a_swap_that_was_cut_short_is_put_right() {
    let sub = |dir: &TempDir, name: &str| dir.path().join(name);
    let dir = closed_store();
    fs::create_dir(sub(&dir, "sled.new")).unwrap();
    fs::write(sub(&dir, "sled.new/db"), "half a copy").unwrap();
    assert_eq!(count(&open(&dir).unwrap()), 10);
    fs::rename(sub(&dir, "sled"), sub(&dir, "sled.old")).unwrap();
    fs::create_dir(sub(&dir, "sled.new")).unwrap();
    assert_eq!(count(&open(&dir).unwrap()), 10);
    fs::create_dir_all(sub(&dir, "sled.old/blobs")).unwrap();
    fs::write(sub(&dir, "sled.old/db"), "the replaced one").unwrap();
    assert_eq!(count(&open(&dir).unwrap()), 10);
    assert!(names(&dir, "sled.").is_empty());
}

#[test]
fn a_creation_that_was_cut_short_begins_again() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("format"), "meshmq-store 1\n").unwrap();
    fs::create_dir(dir.path().join("sled.new")).unwrap();
    fs::write(dir.path().join("sled.new/conf"), "seg").unwrap();
    assert_eq!(count(&open(&dir).unwrap()), 0);
}

#[test]
fn the_ballast_is_made_once_and_given_up() {
    let dir = TempDir::new().unwrap();
    let options = || SledOptions { ballast_bytes: 1 << 20, ..SledOptions::default() };
    let len = || fs::metadata(dir.path().join("ballast")).map(|meta| meta.len()).ok();
    drop(SledStore::open(dir.path(), options()).unwrap());
    assert_eq!(len(), Some(1 << 20));
    assert!(ballast::release(dir.path()));
    assert!(!ballast::release(dir.path()));
    drop(SledStore::open(dir.path(), options()).unwrap());
    assert_eq!(len(), Some(1 << 20));
    ballast::release(dir.path());
    ballast::keep(dir.path(), u64::MAX);
    assert_eq!(len(), None);
}
