//! How a body of bytes travels in JSON: as text where it is text, else in base64.

/// Splits a body into the fields `body` and `body_base64`, exactly one of which is set.
pub fn split_body(bytes: &[u8]) -> (Option<String>, Option<String>) {
    std::str::from_utf8(bytes).map_or_else(
        |_| (None, Some(data_encoding::BASE64.encode(bytes))),
        |text| (Some(text.to_owned()), None),
    )
}

/// Joins the fields `body` and `body_base64` into a body; neither gives an empty one.
///
/// Fails if both are set or the base64 (standard alphabet, padded) cannot be read.
pub fn join_body(text: Option<String>, base64: Option<&str>) -> Result<Vec<u8>, BadBody> {
    match (text, base64) {
        (Some(_), Some(_)) => Err(BadBody::Both),
        (Some(text), None) => Ok(text.into_bytes()),
        (None, Some(base64)) => {
            data_encoding::BASE64.decode(base64.as_bytes()).map_err(|_| BadBody::Base64)
        }
        (None, None) => Ok(Vec::new()),
    }
}

/// Why the fields are not a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBody {
    /// Both fields are set.
    #[error("a message has either `body` or `body_base64`, not both")]
    Both,
    /// The body is too large to stand in JSON.
    #[error("the body is too large to stand in JSON; it is read by itself")]
    Apart,
    /// The base64 cannot be read.
    #[error("`body_base64` is not base64 in the standard alphabet with padding")]
    Base64,
}
