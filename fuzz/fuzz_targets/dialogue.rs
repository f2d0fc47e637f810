//! Messages of strangers, from the knock to the welcome: what is read is written in one form, never
//! longer than what came.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshmq::security::fuzzing;

fuzz_target!(|bytes: &[u8]| {
    if let Some(written) = fuzzing::dialogue(bytes) {
        assert!(written.len() <= bytes.len());
        assert_eq!(fuzzing::dialogue(&written).as_ref(), Some(&written));
    }
});
