//! Names of nodes, queues and lines: how they are parsed, compared and printed.
//!
//! Refuses to know where a node is or whether it exists; a `NodeId` is a key, not a place.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A node: its 32-byte Ed25519 public key, the same key that proves it on every link.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId([u8; 32]);

impl NodeId {
    /// Not after any other.
    pub const FIRST: Self = Self([0; 32]);

    /// Wraps the bytes of a public key. Whether they are a valid key is for `security` to say.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of the public key.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first eight bytes as a number, enough to tell the members of a mesh apart in an id.
    pub fn short(&self) -> u64 {
        let mut head = [0; 8];
        head.copy_from_slice(&self.0[..8]);
        u64::from_be_bytes(head)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.short())
    }
}

impl FromStr for NodeId {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let bad = || AddressError::Node(text.to_owned());
        // The library takes a sign for a digit's beginning.
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(bad());
        }
        let mut bytes = [0; 32];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for NodeId {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = NodeId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the 32 bytes of a node id")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<NodeId, E> {
                let bytes = bytes.try_into().map_err(|_| E::invalid_length(bytes.len(), &self))?;
                Ok(NodeId(bytes))
            }
        }
        input.deserialize_bytes(Visitor)
    }
}

/// A queue's name: 1–124 of `[A-Za-z0-9._-]`, compared ignoring ASCII case (MSMQ: A1).
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct QueueName(String);

impl QueueName {
    /// The longest name, in characters (MSMQ: `MQ_MAX_Q_NAME_LEN`).
    pub const MAX_LEN: usize = 124;

    /// The name as its creator wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which names are compared and indexed.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl FromStr for QueueName {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let fits = (1..=Self::MAX_LEN).contains(&text.len());
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if fits && text.chars().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(AddressError::Queue(text.chars().take(160).collect()))
        }
    }
}

impl TryFrom<String> for QueueName {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<QueueName> for String {
    fn from(name: QueueName) -> Self {
        name.0
    }
}

impl PartialEq for QueueName {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for QueueName {}

impl PartialOrd for QueueName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for QueueName {
    fn cmp(&self, other: &Self) -> Ordering {
        let fold = |b: u8| b.to_ascii_lowercase();
        self.0.bytes().map(fold).cmp(other.0.bytes().map(fold))
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A line: all streams of one origin to one queue with one order and priority, over all epochs.
///
/// The number is a keyed hash that `security` makes at the door, so that it survives a restored
/// store and tells a relay nothing. Together with the epoch it is the stream's opaque number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LineId(pub u64);

impl fmt::Debug for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line-{:x}", self.0)
    }
}

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not 64 hexadecimal digits.
    #[error("`{0}` is not a node id: 64 hexadecimal digits are wanted")]
    Node(String),
    /// Not a queue name.
    #[error("`{0}` is not a queue name: 1 to 124 letters, digits, `.`, `_` or `-` are wanted")]
    Queue(String),
}

#[cfg(test)]
mod tests;
