//! Records of the store, as they come and with a checksum that fits: what is read is written again
//! as bytes that read back as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshmq::codec::{RECORD_HEADER, RECORD_VERSION, decode_record, encode_record_unbounded};

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    if let Some(content) = bytes.get(RECORD_HEADER..) {
        let mut sum = crc32fast::Hasher::new();
        sum.update(&[RECORD_VERSION]);
        sum.update(content);
        let header = [&[RECORD_VERSION][..], &sum.finalize().to_be_bytes()].concat();
        read(&[&header, content].concat());
    }
});

fn read(bytes: &[u8]) {
    if let Ok(record) = decode_record(bytes) {
        let encoded = encode_record_unbounded(&record);
        assert_eq!(decode_record(&encoded).as_ref(), Ok(&record));
        assert_eq!(encode_record_unbounded(&record), encoded);
    }
}
