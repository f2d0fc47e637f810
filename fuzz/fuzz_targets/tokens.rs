//! Join tokens, as typed and with a checksum that fits, and access tokens: each has one text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshmq::security::{Token, fuzzing};

fuzz_target!(|bytes: &[u8]| {
    let typed = fuzzing::join_token(bytes);
    for text in [std::str::from_utf8(bytes).ok(), Some(&typed)].into_iter().flatten() {
        if let Ok(token) = text.parse::<Token>() {
            assert_eq!(*token.reveal(), text.trim());
        }
        if let Some(text_of) = fuzzing::access_token(text) {
            assert_eq!(text_of, text.trim());
        }
    }
});
