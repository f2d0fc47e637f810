//! Room on the disk: after a backlog is drained, the next start or a compaction brings the files below
//! twice of what lives in them, and nothing is lost on the way.

use bytes::Bytes;
use meshmq::engine::address::NodeId;
use meshmq::engine::record::{Key, Record, Spot};
use meshmq::engine::storage::{Compaction, Storage, Write};
use meshmq::store::sled::SLACK_BYTES;
use meshmq::store::{SledOptions, SledStore};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use tempfile::TempDir;

/// Messages of a backlog: each is a record, one in twenty has a body of 10 KiB in the log.
const MESSAGES: u64 = 12_000;

/// Bytes of all files of a store but for the ballast, which is there to be given up.
fn files(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("one"));
    let bytes = entries.filter(|entry| entry.file_name() != "ballast").map(|entry| {
        let found = entry.metadata().expect("it is there");
        if found.is_dir() { files(&entry.path()) } else { found.len() }
    });
    bytes.sum()
}

fn open(dir: &Path) -> SledStore {
    SledStore::open(dir, SledOptions::default()).expect("it opens")
}

/// Content that nothing compresses, of 200 to 900 bytes.
fn record(number: u64) -> Record {
    Record::Private(content(number, 200 + (number % 8) as usize * 100))
}

fn content(number: u64, len: usize) -> Bytes {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    (0..len).map(next).collect()
}

fn spot(number: u64) -> Key {
    Key::Copy(Spot { destination: NodeId::from_bytes([7; 32]), rank: 3, arrival: number })
}

fn has_body(number: u64) -> bool {
    (number / 7).is_multiple_of(20)
}

fn fill(store: &mut SledStore, numbers: impl Iterator<Item = u64>) {
    let numbers: Vec<u64> = numbers.collect();
    for some in numbers.chunks(200) {
        let mut writes = Vec::new();
        for &number in some {
            writes.push(Write::Put(spot(number), record(number)));
            if has_body(number) {
                let body = Record::Chunk(content(number, 10 << 10));
                writes.push(Write::Put(Key::Chunk(number, 0), body));
            }
        }
        store.commit(&writes).expect("a commit");
    }
}

fn drain(store: &mut SledStore, numbers: impl Iterator<Item = u64>) {
    let numbers: Vec<u64> = numbers.collect();
    for some in numbers.chunks(200) {
        let mut writes = Vec::new();
        for &number in some {
            writes.push(Write::Delete(spot(number)));
            if has_body(number) {
                writes.push(Write::Delete(Key::Chunk(number, 0)));
            }
        }
        store.commit(&writes).expect("a commit");
    }
}

/// Everything that should be there is, and nothing else.
fn check(store: &SledStore, expected: impl Iterator<Item = u64>) {
    let found = store.range(&spot(0), &spot(u64::MAX), usize::MAX).expect("it reads");
    let mut found = found.into_iter();
    for number in expected {
        assert_eq!(found.next(), Some((spot(number), record(number))));
        if has_body(number) {
            let body = store.get(&Key::Chunk(number, 0)).expect("it reads");
            assert_eq!(body, Some(Record::Chunk(content(number, 10 << 10))), "{number}");
        }
    }
    assert_eq!(found.next(), None);
}

/// Which file sled has: a copy is another one.
fn inode(dir: &Path) -> u64 {
    std::fs::metadata(dir.join("sled/db")).expect("it is there").ino()
}

#[track_caller]
fn assert_small(dir: &Path, live: u64) {
    let size = files(dir);
    // Each of sled's part and the log may have the slack.
    assert!(size <= 2 * live + 2 * SLACK_BYTES, "{size} bytes of files, {live} live");
}

#[test]
fn the_next_start_brings_the_files_below_twice_what_lives() {
    for parts in [1, 2, 4, 10, u64::MAX] {
        let dir = TempDir::new().expect("a directory");
        let stays = move |number: &u64| number.is_multiple_of(parts) && parts < u64::MAX;
        let mut store = open(dir.path());
        fill(&mut store, 0..MESSAGES);
        drain(&mut store, (0..MESSAGES).filter(|number| !stays(number)));
        let before = files(dir.path());
        drop(store);
        let store = open(dir.path());
        let live = store.stats().live_bytes;
        check(&store, (0..MESSAGES).filter(stays));
        assert!(live <= MESSAGES * 1_300 / parts + 20_000, "{live} of one in {parts}");
        drop(store);
        assert_small(dir.path(), live);
        assert!(parts == 1 || files(dir.path()) < before, "one in {parts}");
        // And it does not do so again in vain.
        let packed = inode(dir.path());
        check(&open(dir.path()), (0..MESSAGES).filter(stays));
        assert_eq!(packed, inode(dir.path()), "one in {parts}");
    }
}

/// Commits come between the parts, of keys that are copied already and of such that are not.
#[test]
fn a_compaction_in_use_loses_nothing_and_gives_back_room() {
    let dir = TempDir::new().expect("a directory");
    let mut store = open(dir.path());
    fill(&mut store, 0..MESSAGES);
    let mut there: Vec<u64> =
        (0..MESSAGES).filter(|number| number % 10 == 3 || number % 200 == 0).collect();
    drain(&mut store, (0..MESSAGES).filter(|number| !there.contains(number)));
    let before = files(dir.path());
    let mut steps = 0;
    let done = loop {
        match store.compact().expect("a step") {
            Compaction::Going | Compaction::Rest(_) => {}
            done => break done,
        }
        // One goes and one comes, all over the keys, and the first and the last change too.
        let gone = there.remove(steps * 37 % there.len());
        let new = MESSAGES + steps as u64;
        drain(&mut store, std::iter::once(gone));
        fill(&mut store, [new].into_iter());
        there.push(new);
        steps += 1;
    };
    assert_eq!(done, Compaction::Done);
    assert!(steps > 10, "{steps}");
    check(&store, there.iter().copied());
    assert_small(dir.path(), store.stats().live_bytes);
    assert!(files(dir.path()) < before / 2, "{before} bytes became {}", files(dir.path()));
    fill(&mut store, [MESSAGES * 9].into_iter());
    there.push(MESSAGES * 9);
    drop(store);
    check(&open(dir.path()), there.into_iter());
}

#[test]
fn a_large_store_opens_as_it_is_and_gives_back_room_in_use() {
    let dir = TempDir::new().expect("a directory");
    let stays = |number: &u64| number.is_multiple_of(10);
    let mut store = open(dir.path());
    fill(&mut store, 0..MESSAGES);
    drain(&mut store, (0..MESSAGES).filter(|number| !stays(number)));
    drop(store);
    let before = inode(dir.path());
    let options = || SledOptions { at_start_bytes: 100 << 10, ..SledOptions::default() };
    let mut store = SledStore::open(dir.path(), options()).expect("it opens");
    assert_eq!(inode(dir.path()), before, "it is not copied");
    while store.compact().expect("a step") != Compaction::Done {}
    assert_ne!(inode(dir.path()), before, "now it is");
    assert_small(dir.path(), store.stats().live_bytes);
    check(&store, (0..MESSAGES).filter(stays));
}

#[test]
fn a_store_with_nothing_to_give_is_done_at_once() {
    let dir = TempDir::new().expect("a directory");
    let mut store = open(dir.path());
    fill(&mut store, 0..100);
    assert_eq!(store.compact(), Ok(Compaction::Done));
    check(&store, 0..100);
}
