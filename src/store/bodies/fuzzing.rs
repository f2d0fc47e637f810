//! The decoders of the body log for the fuzz targets. Built for them and for tests only; refuses to
//! check anything that the decoders do not.

use super::{BodyLog, Place, SEGMENT_BYTES, segment};
use std::fs;

/// A value of the index as a place, written again.
pub fn place(value: &[u8]) -> Option<Vec<u8>> {
    Place::decode(value).ok().map(|place| place.encode().to_vec())
}

/// Walks over a segment of these bytes, and reads each frame. Gives where each lies, and its length
/// with its header.
///
/// # Panics
/// If a temporary file cannot be written.
pub fn segment(bytes: &[u8]) -> Vec<(u64, u64)> {
    let dir = std::env::temp_dir().join(format!("meshmq-fuzz-{}", std::process::id()));
    fs::create_dir_all(&dir).expect("a temporary folder");
    fs::write(segment::path(&dir, 1), bytes).expect("a temporary file");
    let mut log = BodyLog::open(&dir, SEGMENT_BYTES).expect("the segment is listed");
    log.count(1, 1);
    let frames = log.next_frames(1, u64::MAX);
    for (content, index, place) in &frames {
        // Whatever it says, it is read or refused.
        drop(log.read(place, *content, *index));
    }
    fs::remove_dir_all(&dir).expect("the folder is removed");
    frames.iter().map(|(.., place)| (u64::from(place.offset), place.bytes())).collect()
}
