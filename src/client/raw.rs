//! A message's properties as headers, for a body that goes as it is.

use super::json::NewMessage;

/// The media type of a body of which nobody said more.
pub const OCTETS: &str = "application/octet-stream";

/// The headers of a raw send: all properties but the body.
pub fn headers(message: &NewMessage) -> Vec<(&'static str, String)> {
    let mut headers = Vec::new();
    let texts = [
        ("meshmq-label", &message.label),
        ("meshmq-content-type", &message.content_type),
        ("meshmq-correlation-id", &message.correlation_id),
        ("meshmq-reply-to", &message.reply_to),
    ];
    for (name, text) in texts {
        headers.extend(text.as_ref().map(|text| (name, encode(text, b""))));
    }
    let seconds = [("meshmq-ttl", message.ttl_s), ("meshmq-reach-within", message.reach_within_s)];
    for (name, seconds) in seconds {
        headers.extend(seconds.map(|seconds| (name, seconds.to_string())));
    }
    headers.extend(message.priority.map(|number| ("meshmq-priority", number.to_string())));
    headers.extend(message.delivery.map(|it| ("meshmq-delivery", it.as_str().to_owned())));
    for (name, value) in &message.headers {
        let item = format!("{}={}", encode(name, b",="), encode(value, b","));
        headers.push(("meshmq-header", item));
    }
    headers
}

/// A text as part of a header's value, percent-encoded; `reserved` are characters to be encoded beside
/// `%` and what is not printable ASCII.
pub fn encode(text: &str, reserved: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    let last = text.len().saturating_sub(1);
    for (at, byte) in text.bytes().enumerate() {
        // A space at either end would be lost on the way.
        let is_plain = (byte == b' ' && at != 0 && at != last) || byte.is_ascii_graphic();
        if is_plain && byte != b'%' && !reserved.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
