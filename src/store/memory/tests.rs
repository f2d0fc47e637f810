//! Tests of the module above: crashes, failures and snapshots.

use super::*;
use bytes::Bytes;

fn put(number: u64, text: &str) -> Write {
    Write::Put(Key::Dead(number), Record::Private(Bytes::copy_from_slice(text.as_bytes())))
}

fn all(store: &MemoryStore) -> Vec<u64> {
    let found = store.range(&Key::Dead(0), &Key::Dead(u64::MAX), 100).unwrap();
    let number = |(key, _)| match key {
        Key::Dead(number) => number,
        other => panic!("unexpected {other:?}"),
    };
    found.into_iter().map(number).collect()
}

#[test]
fn a_failed_commit_is_all_or_nothing_and_stops_the_handle() {
    for (mode, expected) in [(FailMode::Before, vec![1]), (FailMode::After, vec![1, 2, 3])] {
        let mut store = MemoryStore::new();
        store.faults().fail_commit(2, mode);
        store.commit(&[put(1, "a")]).unwrap();
        assert!(store.commit(&[put(2, "b"), put(3, "c")]).is_err());
        assert!(matches!(store.get(&Key::Dead(1)), Err(StorageError::Io(_))));
        assert!(store.commit(&[put(4, "d")]).is_err());
        assert!(store.range(&Key::Dead(0), &Key::Dead(9), 9).is_err());
        store.reload().unwrap();
        assert_eq!(all(&store), expected);
        store.commit(&[put(5, "e")]).unwrap();
    }
}

#[test]
fn so_many_commits_fail_as_were_ordered() {
    let mut store = MemoryStore::new();
    store.fail_next_commits(2);
    for _ in 0..2 {
        assert!(store.commit(&[put(1, "a")]).is_err());
        store.reload().unwrap();
    }
    store.commit(&[put(1, "a")]).unwrap();
}

#[test]
fn a_crash_of_an_honest_disk_loses_nothing() {
    let mut store = MemoryStore::new();
    store.commit(&[put(1, "a")]).unwrap();
    store.crash();
    assert_eq!(all(&store), [1]);
}

#[test]
fn a_crash_of_a_lying_disk_loses_what_it_never_wrote() {
    let mut store = MemoryStore::new();
    store.commit(&[put(1, "a"), put(2, "b")]).unwrap();
    let before = store.snapshot();
    store.faults().set_lying(true);
    store.commit(&[put(1, "x"), put(3, "c"), Write::Delete(Key::Dead(2))]).unwrap();
    store.commit(&[put(3, "d"), put(2, "y")]).unwrap();
    store.crash();
    assert_eq!(store.snapshot(), before);
}

#[test]
fn an_honest_commit_makes_earlier_lies_true() {
    let mut store = MemoryStore::new();
    store.faults().set_lying(true);
    store.commit(&[put(1, "a")]).unwrap();
    store.faults().set_lying(false);
    store.commit(&[put(2, "b")]).unwrap();
    store.crash();
    assert_eq!(all(&store), [1, 2]);
}

#[test]
fn a_snapshot_keeps_what_was() {
    let mut store = MemoryStore::new();
    store.commit(&[put(1, "a")]).unwrap();
    let then = store.snapshot();
    store.commit(&[put(2, "b")]).unwrap();
    assert_eq!(all(&store), [1, 2]);
    store.restore(&then);
    assert_eq!(all(&store), [1]);
    assert_eq!(store.snapshot(), then);
}

#[test]
fn a_full_store_refuses_and_counts() {
    let mut store = MemoryStore::new();
    store.commit(&[put(1, "aaaa")]).unwrap();
    let used = store.stats().used_bytes;
    store.faults().set_capacity(Some(used));
    assert_eq!(store.stats().free_bytes, Some(0));
    assert_eq!(store.commit(&[put(2, "b")]), Err(StorageError::Full));
    store.reload().unwrap();
    store.commit(&[put(1, "bbbb")]).unwrap();
    store.commit(&[Write::Delete(Key::Dead(1))]).unwrap();
    assert_eq!(store.stats().used_bytes, 0);
}

#[test]
fn the_bytes_in_use_are_those_of_what_is_there() {
    let mut store = MemoryStore::new();
    store.commit(&[put(1, "a"), put(1, "bb"), Write::Delete(Key::Dead(7))]).unwrap();
    let mut other = MemoryStore::new();
    other.commit(&[put(1, "bb")]).unwrap();
    assert_eq!(store.stats().used_bytes, other.stats().used_bytes);
}
