//! Numbers that name openings, streams and messages.
//!
//! Refuses to draw randomness: whoever opens an engine brings the nonce.

use super::address::{LineId, NodeId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// One opening of a store (rule R3): numbers never continue across it.
///
/// `k` grows with every opening of one store, the nonce keeps two openings of copies of one store
/// apart. Compared in that order.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Epoch {
    /// The larger of the stored `k` plus one and the wall clock in milliseconds.
    pub k: u64,
    /// Random, drawn at the opening.
    #[serde(rename = "r")]
    pub nonce: u64,
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:04x}", self.k, self.nonce & 0xffff)
    }
}

/// A stream: the numbers that one origin gave in one opening on one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamId {
    /// The node that accepted the messages.
    #[serde(rename = "o")]
    pub origin: NodeId,
    /// Destination queue, order and priority, as an opaque number.
    #[serde(rename = "l")]
    pub line: LineId,
    /// The origin's opening.
    #[serde(rename = "e")]
    pub epoch: Epoch,
}

impl StreamId {
    /// Not after any other.
    pub const FIRST: Self =
        Self { origin: NodeId::FIRST, line: LineId(0), epoch: Epoch { k: 0, nonce: 0 } };
}

/// A message: its stream and its number in it. Durable for ever, unique in the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageId {
    /// The stream.
    #[serde(rename = "s")]
    pub stream: StreamId,
    /// The number, from 1.
    #[serde(rename = "n")]
    pub number: u64,
}

/// The printed form of a [`MessageId`]: what people and programs see and give back.
///
/// It holds the opening's nonce, the line and the number, which together are unique; it is opaque,
/// at most 64 characters of `[a-z0-9-]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageRef {
    /// Nonce of the epoch.
    pub nonce: u64,
    /// The line.
    pub line: LineId,
    /// The number.
    pub number: u64,
}

impl MessageId {
    /// Not after any other.
    pub const FIRST: Self = Self { stream: StreamId::FIRST, number: 0 };

    /// The printed form.
    pub const fn reference(&self) -> MessageRef {
        MessageRef { nonce: self.stream.epoch.nonce, line: self.stream.line, number: self.number }
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reference().fmt(f)
    }
}

impl fmt::Display for MessageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_base32(f, self.nonce)?;
        f.write_str("-")?;
        write_base32(f, self.line.0)?;
        f.write_str("-")?;
        write_base32(f, self.number)
    }
}

impl FromStr for MessageRef {
    type Err = BadMessageRef;

    fn from_str(text: &str) -> Result<Self, BadMessageRef> {
        let mut parts = text.split('-').map(read_base32);
        let mut next = || parts.next().flatten().ok_or(BadMessageRef);
        let found = Self { nonce: next()?, line: LineId(next()?), number: next()? };
        if parts.next().is_some() { Err(BadMessageRef) } else { Ok(found) }
    }
}

/// The text is not a message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a message id: three groups of letters and digits joined by `-` are wanted")]
pub struct BadMessageRef;

/// Digits without `i`, `l`, `o` and `u` (Crockford's alphabet), so that they are hard to misread.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

fn write_base32(f: &mut fmt::Formatter<'_>, mut value: u64) -> fmt::Result {
    let mut digits = [b'0'; 13];
    let mut from = digits.len();
    loop {
        from -= 1;
        digits[from] = ALPHABET[(value & 31) as usize];
        value >>= 5;
        if value == 0 {
            break;
        }
    }
    f.write_str(std::str::from_utf8(&digits[from..]).expect("the alphabet is ASCII"))
}

fn read_base32(text: &str) -> Option<u64> {
    if text.is_empty() || text.len() > 13 {
        return None;
    }
    text.bytes().try_fold(0_u64, |value, byte| {
        let byte = byte.to_ascii_lowercase();
        let digit = ALPHABET.iter().position(|&known| known == byte)? as u64;
        value.checked_mul(32)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests;
