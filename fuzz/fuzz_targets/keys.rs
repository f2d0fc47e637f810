//! Keys of the store: each has one form, and bytes are ordered as the keys that they are.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshmq::store::keys::{decode_key, encode_key};

fuzz_target!(|bytes: &[u8]| {
    let read = |bytes: &[u8]| {
        let key = decode_key(bytes).ok()?;
        assert_eq!(encode_key(&key), bytes);
        Some(key)
    };
    read(bytes);
    // Two at once, the first as long as the first byte says.
    let Some((&len, rest)) = bytes.split_first() else { return };
    let Some((one, other)) = rest.split_at_checked(len.into()) else { return };
    if let (Some(first), Some(second)) = (read(one), read(other)) {
        assert_eq!(first.cmp(&second), one.cmp(other), "{first:?} and {second:?}");
    }
});
