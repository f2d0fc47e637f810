//! Places of the body log, as they come and with a checksum that fits, and whole segments: no frame
//! lies beyond the end of its segment.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshmq::store::fuzzing;

fuzz_target!(|bytes: &[u8]| {
    let summed = bytes
        .get(5..)
        .map(|fields| [&bytes[..1], &crc32fast::hash(fields).to_be_bytes(), fields].concat());
    for place in [Some(bytes), summed.as_deref()].into_iter().flatten() {
        if let Some(written) = fuzzing::place(place) {
            assert_eq!(written, place);
        }
    }
    for (offset, len) in fuzzing::segment(bytes) {
        assert!(offset + len <= bytes.len() as u64);
    }
});
