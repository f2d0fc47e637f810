//! The inner part of a message, which only its ends read, and the digest that names a copy.
//!
//! Encoded once at the door of the origin and carried verbatim from then on.

use super::{CodecError, cbor};
use crate::engine::address::QueueName;
use crate::engine::limits::{INNER_HEAD_MAX, WHOLE_MAX};
use crate::engine::message::{ContentHash, Digest, Extensions, Outer, Short};
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

/// Encodes an inner part. Whether it is too large is for whoever accepts it to judge.
pub fn encode_inner(inner: &Inner) -> Bytes {
    cbor::to_vec(inner).into()
}

/// Encodes what stands before a body of `body` bytes, more than 65,535 and less than 4 GiB. The body
/// of `inner` itself is left out.
pub fn encode_inner_head(inner: &Inner, body: u32) -> Bytes {
    let mut bytes = cbor::to_vec(&Inner { body: Bytes::new(), ..inner.clone() });
    // The head of an empty byte string becomes that of a longer one.
    bytes.pop();
    bytes.push(LONG_BYTES);
    bytes.extend(body.to_be_bytes());
    bytes.into()
}

/// Decodes a whole inner part of at most [`WHOLE_MAX`] bytes.
///
/// # Errors
/// [`CodecError::TooLarge`], [`CodecError::Malformed`] and the others of the strict subset.
pub fn decode_inner(bytes: &[u8]) -> Result<Inner, CodecError> {
    cbor::from_slice(bytes, WHOLE_MAX)
}

/// Decodes the beginning of an inner part of `len` bytes whose body is a large one, and says where the
/// body begins. The body of what is returned is empty.
///
/// # Errors
/// [`CodecError::Malformed`] if no beginning of `bytes`, at most [`INNER_HEAD_MAX`] long, is that of an
/// inner part whose body is all the rest.
pub fn decode_inner_head(bytes: &[u8], len: u64) -> Result<(Inner, usize), CodecError> {
    let beginning = &bytes[..bytes.len().min(INNER_HEAD_MAX)];
    for end in BODY_HEAD.len() + 4..=beginning.len() {
        let (rest, number) = beginning[..end].split_at(end - 4);
        let Ok(body) = u32::try_from(len.saturating_sub(end as u64)) else { continue };
        if !rest.ends_with(&BODY_HEAD) || number != body.to_be_bytes() {
            continue;
        }
        // No whole value is the beginning of another one, so that the first that reads is the one.
        let mut without = rest[..rest.len() - 1].to_vec();
        without.push(NO_BYTES);
        if let Ok(inner) = decode_inner(&without) {
            return Ok((inner, end));
        }
    }
    Err(CodecError::Malformed("no inner part with a large body begins so".to_owned()))
}

/// CBOR: a byte string whose length follows in four bytes.
const LONG_BYTES: u8 = 0x5a;
/// CBOR: a byte string without bytes.
const NO_BYTES: u8 = 0x40;
/// The name of the body, and the head of a long byte string.
const BODY_HEAD: [u8; 3] = [0x61, b'b', LONG_BYTES];

/// Hashes inner bytes as they come.
#[derive(Clone, Debug, Default)]
pub struct ContentHasher(blake3::Hasher);

impl ContentHasher {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all that came.
    pub fn finish(&self) -> ContentHash {
        ContentHash(*self.0.finalize().as_bytes())
    }
}

/// The hash of inner bytes.
pub fn content_hash(inner: &[u8]) -> ContentHash {
    ContentHash(*blake3::hash(inner).as_bytes())
}

/// The first sixteen bytes of BLAKE3 over the encoded outer part and the hash of the inner bytes.
///
/// The inner bytes are hashed by themselves, so that those who keep a large inner part need not
/// read it again for each outer part that goes with it.
pub fn digest(outer: &Outer, inner: &ContentHash) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&cbor::to_vec(outer)).update(&inner.0);
    let mut short = [0; 16];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    Short(short)
}
