//! Tests of the module above.

use super::*;
use crate::engine::limits::CHUNK_BYTES;
use std::fs;
use tempfile::TempDir;

const SEGMENT: u64 = 200 << 10;

fn open(dir: &TempDir) -> BodyLog {
    BodyLog::open(&dir.path().join("bodies"), SEGMENT).unwrap()
}

fn chunk(fill: u8, len: usize) -> Vec<u8> {
    vec![fill; len]
}

fn files(dir: &TempDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.path().join("bodies")).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Ten chunks of 64 KiB, synced: three segments with four, four and two.
fn ten(log: &mut BodyLog) -> Vec<Place> {
    let places = (0..10).map(|n| log.append(7, n, &chunk(n as u8, CHUNK_BYTES)).unwrap());
    let places = places.collect();
    log.sync().unwrap();
    places
}

#[test]
fn what_was_synced_is_there_after_reopening() {
    let dir = TempDir::new().unwrap();
    let mut log = open(&dir);
    let places = ten(&mut log);
    let again = open(&dir);
    for (n, place) in places.iter().enumerate() {
        assert_eq!(again.read(place, 7, n as u32).unwrap(), chunk(n as u8, CHUNK_BYTES));
    }
    assert_eq!(files(&dir).len(), 3);
    assert_eq!(again.bytes(), log.bytes());
}

#[test]
fn a_place_in_the_index_reads_back_or_is_damaged() {
    let place = Place { segment: 1, offset: 2, len: 3, crc: u32::MAX };
    let value = place.encode();
    assert!(Place::is_one(&value));
    assert_eq!(Place::decode(&value), Ok(place));
    for bit in 0..value.len() * 8 {
        let mut flipped = value;
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(Place::decode(&flipped).is_err(), "bit {bit}");
    }
    assert!(Place::decode(&value[..20]).is_err());
}

#[test]
fn every_flipped_bit_of_a_frame_is_met() {
    let dir = TempDir::new().unwrap();
    let mut log = open(&dir);
    let place = log.append(7, 3, b"what it says").unwrap();
    log.sync().unwrap();
    let path = files(&dir).remove(0);
    let whole = fs::read(&path).unwrap();
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &flipped).unwrap();
        let read = open(&dir).read(&place, 7, 3);
        assert!(matches!(read, Err(StorageError::Damaged(why)) if why.contains(".log at 0")));
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(open(&dir).read(&place, 7, 3).unwrap(), "what it says");
    assert!(open(&dir).read(&place, 7, 4).is_err(), "another chunk's place");
}

#[test]
fn a_segment_that_ends_early_or_is_missing_is_damage() {
    let dir = TempDir::new().unwrap();
    let mut log = open(&dir);
    let places = ten(&mut log);
    let files = files(&dir);
    let whole = fs::read(&files[0]).unwrap();
    fs::write(&files[0], &whole[..CHUNK_BYTES]).unwrap();
    fs::remove_file(&files[1]).unwrap();
    let mut log = open(&dir);
    places.iter().for_each(|place| log.count(place.segment, place.bytes()));
    assert_eq!(log.missing(), [files[1].display().to_string()]);
    for (n, why) in [(0, "ends before the chunk"), (4, "is missing")] {
        let read = log.read(&places[n], 7, n as u32);
        assert!(matches!(read, Err(StorageError::Damaged(said)) if said.contains(why)), "{n}");
    }
    assert!(log.read(&places[9], 7, 9).is_ok());
}

#[test]
fn a_new_opening_writes_into_a_new_segment() {
    let dir = TempDir::new().unwrap();
    let first = open(&dir).append(1, 0, b"x").unwrap();
    // Nothing was synced: a torn end, as far as anybody can tell.
    let mut log = open(&dir);
    let second = log.append(2, 0, b"y").unwrap();
    log.sync().unwrap();
    assert!(second.segment > first.segment);
    // A segment that only the index remembers is not made a second time.
    let mut log = open(&dir);
    log.count(90, second.bytes());
    assert_eq!(log.append(3, 0, b"z").unwrap().segment, 91);
}

#[test]
fn a_segment_goes_when_nothing_in_it_lives() {
    let dir = TempDir::new().unwrap();
    let mut log = open(&dir);
    let places = ten(&mut log);
    places[..3].iter().for_each(|place| log.release(place));
    log.sweep();
    assert_eq!(files(&dir).len(), 3, "one chunk still lives in the first");
    log.release(&places[3]);
    log.sweep();
    assert_eq!(files(&dir).len(), 2);
    places[4..].iter().for_each(|place| log.release(place));
    log.sweep();
    assert_eq!(files(&dir).len(), 1, "the one in use stays");
    let mut again = open(&dir);
    again.leave_dead();
    assert_eq!(files(&dir).len(), 1);
    let mut again = open(&dir);
    again.sweep();
    assert!(files(&dir).is_empty());
}

#[test]
fn a_thin_segment_is_walked_from_end_to_end_and_a_bad_one_is_left_alone() {
    let dir = TempDir::new().unwrap();
    let mut log = open(&dir);
    let places = ten(&mut log);
    assert_eq!(log.thin(true), None);
    places[..2].iter().for_each(|place| log.release(place));
    assert_eq!((log.thin(false), log.thin(true)), (None, None), "half of it lives");
    log.release(&places[2]);
    assert_eq!((log.thin(false), log.thin(true)), (None, Some(1)), "a quarter");
    let mut walked = Vec::new();
    loop {
        let frames = log.next_frames(1, 1);
        assert!(frames.len() <= 1);
        if frames.is_empty() {
            break;
        }
        walked.extend(frames);
    }
    let expected: Vec<_> = (0..4).map(|n| (7, n as u32, places[n])).collect();
    assert_eq!(walked, expected);
    log.give_up(1);
    assert_eq!(log.thin(true), None);
    fs::write(&files(&dir)[1], b"no frame").unwrap();
    let mut log = open(&dir);
    log.count(2, places[4].bytes());
    assert!(log.next_frames(2, u64::MAX).is_empty());
    assert_eq!(log.thin(true), None);
}

#[test]
fn a_walk_gives_no_frame_that_the_segment_does_not_hold() {
    let dir = TempDir::new().unwrap();
    let mut log = open(&dir);
    log.append(1, 0, &chunk(1, 300)).unwrap();
    log.append(1, 1, &chunk(2, 200)).unwrap();
    log.sync().unwrap();
    let bytes = fs::read(&files(&dir)[0]).unwrap();
    let (one, two) = ((0, 324), (324, 224));
    assert_eq!(fuzzing::segment(&bytes), [one, two]);
    for cut in 324..bytes.len() {
        assert_eq!(fuzzing::segment(&bytes[..cut]), [one], "cut at {cut}");
    }
    assert!(fuzzing::segment(b"mqb1").is_empty());
    let place = log.append(1, 2, b"x").unwrap().encode();
    assert_eq!(fuzzing::place(&place).as_deref(), Some(&place[..]));
}
