//! Requests and answers of the hop protocol with every kind of frame, and inner parts of messages:
//! what is taken has one encoding, fits its bounds and reads back as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshmq::codec::{
    check_frames, decode_answer, decode_inner, decode_request, encode_answer, encode_inner,
    encode_request,
};

/// A default that the bytes left out is written: some bytes for each field that has one.
const GROWTH: usize = 4;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = decode_request(bytes) {
        let encoded = encode_request(&request);
        assert_eq!(decode_request(&encoded).as_ref(), Ok(&request));
        assert_eq!(check_frames(&request.frames), Ok(()));
        assert!(encoded.len() <= GROWTH * bytes.len());
    }
    if let Ok(answer) = decode_answer(bytes) {
        let encoded = encode_answer(&answer);
        assert_eq!(decode_answer(&encoded).as_ref(), Ok(&answer));
        assert!(encoded.len() <= GROWTH * bytes.len());
    }
    if let Ok(inner) = decode_inner(bytes) {
        let encoded = encode_inner(&inner);
        assert_eq!(decode_inner(&encoded).as_ref(), Ok(&inner));
        assert!(encoded.len() <= GROWTH * bytes.len());
    }
});
