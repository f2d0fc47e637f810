//! The inner part of a message, which only its ends read, and the digest that names a copy.
//!
//! Encoded once at the door of the origin and carried verbatim from then on.

use super::{CodecError, cbor};
use crate::engine::address::QueueName;
use crate::engine::limits::INNER_MAX;
use crate::engine::message::{Digest, Extensions, Outer, Short};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything of a message that is none of a relay's business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inner {
    /// The destination queue.
    #[serde(rename = "q")]
    pub queue: QueueName,
    /// A short text for people.
    #[serde(rename = "l", default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// Properties of the application, by name.
    #[serde(rename = "h", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Media type of the body; empty if nobody said.
    #[serde(rename = "t", default, skip_serializing_if = "String::is_empty")]
    pub content_type: String,
    /// The message that this one belongs to, in the application's words.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// Address of the queue for answers, `queue@node`.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// Fields of later versions.
    #[serde(rename = "x", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions: Extensions,
    /// The body. It stands last, so that a large one can be written and read as a stream behind
    /// the rest.
    #[serde(rename = "b")]
    pub body: Bytes,
}

/// Encodes an inner part. Whether it exceeds [`INNER_MAX`] is for whoever accepts it to judge.
pub fn encode_inner(inner: &Inner) -> Bytes {
    cbor::to_vec(inner).into()
}

/// Decodes an inner part of at most [`INNER_MAX`] bytes.
///
/// # Errors
/// [`CodecError::TooLarge`], [`CodecError::Malformed`] and the others of the strict subset.
pub fn decode_inner(bytes: &[u8]) -> Result<Inner, CodecError> {
    cbor::from_slice(bytes, INNER_MAX)
}

/// The first sixteen bytes of BLAKE3 over the encoded outer part and the BLAKE3 of the inner bytes.
///
/// The inner bytes are hashed by themselves, so that those who keep a large inner part need not
/// read it again for each outer part that goes with it.
pub fn digest(outer: &Outer, inner: &[u8]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&cbor::to_vec(outer)).update(blake3::hash(inner).as_bytes());
    let mut short = [0; 16];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    Short(short)
}
