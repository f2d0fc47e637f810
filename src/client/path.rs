//! Paths of the HTTP door, with what people may type in them made safe.

/// `/v1/queues/{queue}`; the queue may be `queue@node`.
pub fn queue(queue: &str) -> String {
    format!("/v1/queues/{}", segment(queue))
}

/// `/v1/queues/{queue}/messages`.
pub fn messages(queue: &str) -> String {
    format!("/v1/queues/{}/messages", segment(queue))
}

/// `/v1/messages/{id}`.
pub fn message(id: &str) -> String {
    format!("/v1/messages/{}", segment(id))
}

/// `/v1/messages/{id}/{question}`; questions are `why`, `trace` and `wait`.
pub fn about_message(id: &str, question: &str) -> String {
    format!("/v1/messages/{}/{question}", segment(id))
}

/// `/v1/outgoing/{node}/why`.
pub fn why_node(node: &str) -> String {
    format!("/v1/outgoing/{}/why", segment(node))
}

/// `/v1/locks/{token}/{verb}`; verbs are `ack`, `nack`, `return` and `extend`.
pub fn lock(token: &str, verb: &str) -> String {
    format!("/v1/locks/{}/{verb}", segment(token))
}

/// Acknowledges many locks.
pub const LOCKS_ACK: &str = "/v1/locks/ack";

/// The access tokens.
pub const TOKENS: &str = "/v1/tokens";

/// `/v1/tokens/{id}`.
pub fn token(id: &str) -> String {
    format!("{TOKENS}/{}", segment(id))
}

/// `/v1/dead/{id}`.
pub fn dead(id: &str) -> String {
    format!("/v1/dead/{}", segment(id))
}

/// Percent-encodes everything that is not unreserved (RFC 3986) or `@`.
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A query string with its question mark, empty if no value is given.
pub fn query(pairs: &[(&str, Option<String>)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if let Some(value) = value {
            out.push(if out.is_empty() { '?' } else { '&' });
            out.push_str(name);
            out.push('=');
            out.push_str(&segment(value));
        }
    }
    out
}

#[cfg(test)]
mod tests;
