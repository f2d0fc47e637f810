//! The decoders of raw requests for the fuzz targets. Built for them and for tests only; refuses to
//! check anything that the decoders do not.

use super::{decode, encode, properties};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The text that a header's value stands for.
pub fn decoded(value: &str) -> Option<String> {
    decode("meshmq-label", value).ok()
}

/// A text as a header's value.
pub fn encoded(text: &str) -> String {
    encode(text, b"")
}

/// Whether lines of `name: value` are properties of a message.
pub fn properties_in(lines: &[u8]) -> bool {
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(&line[colon + 1..]);
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    properties(&headers).is_ok()
}
