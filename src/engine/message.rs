//! A message: the outer part that every relay reads, and the inner bytes that only its ends read.
//!
//! Refuses to know how either is encoded or sealed; that is for `codec` and `security`.

use super::address::NodeId;
use super::ids::{Epoch, MessageId, StreamId};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Optional fields of later versions, by number: kept and passed on by nodes that do not know them.
pub type Extensions = BTreeMap<u16, Bytes>;

/// How much a message may cost and what it may survive (MSMQ: P5).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// In memory only: lost when a node that holds it stops.
    Express,
    /// On disk at every node that holds it; exactly once, in no promised order.
    #[default]
    Recoverable,
    /// As recoverable, and in commit order per origin, queue and priority.
    Transactional,
}

impl Delivery {
    /// Whether it lives on disk.
    pub const fn is_durable(self) -> bool {
        !matches!(self, Self::Express)
    }

    /// Whether its stream is an ordered one.
    pub const fn is_ordered(self) -> bool {
        matches!(self, Self::Transactional)
    }

    /// The name in commands and replies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Express => "express",
            Self::Recoverable => "recoverable",
            Self::Transactional => "transactional",
        }
    }
}

/// A priority from 0 to 7, 7 the most urgent, 3 the default (MSMQ: P4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Priority(u8);

impl Priority {
    /// The most urgent.
    pub const MAX: Self = Self(7);

    /// The priority of that number, if there is one.
    pub const fn new(value: u8) -> Option<Self> {
        if value <= Self::MAX.0 { Some(Self(value)) } else { None }
    }

    /// The number, 0 to 7.
    pub const fn value(self) -> u8 {
        self.0
    }

    /// Place in an ordered key: the most urgent comes first.
    pub const fn rank(self) -> u8 {
        Self::MAX.0 - self.0
    }

    /// The priority whose [`rank`](Self::rank) this is; ranks above 7 give priority 0.
    pub const fn from_rank(rank: u8) -> Self {
        Self(Self::MAX.0.saturating_sub(rank))
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self(3)
    }
}

impl TryFrom<u8> for Priority {
    type Error = &'static str;

    fn try_from(value: u8) -> Result<Self, Self::Error> {
        Self::new(value).ok_or("a priority is a number from 0 to 7")
    }
}

impl From<Priority> for u8 {
    fn from(priority: Priority) -> Self {
        priority.0
    }
}

impl fmt::Debug for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0)
    }
}

/// An earlier epoch of a line that still holds a number without a final verdict (rule R4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Earlier {
    /// The earlier opening.
    #[serde(rename = "e")]
    pub epoch: Epoch,
    /// The last number given in it.
    #[serde(rename = "n")]
    pub last: u64,
}

/// The two floors of a stream (rules R7, R8), and the same for the second layer of verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Floors {
    /// All numbers below are settled or given up.
    #[serde(rename = "g")]
    pub give_up: u64,
    /// The origin holds the final verdict of all numbers below.
    #[serde(rename = "k")]
    pub known: u64,
    /// The origin wants to hear nothing more of what applications did with the numbers below.
    #[serde(rename = "u")]
    pub used_known: u64,
}

impl Floors {
    /// The floors of a stream that has given no number yet.
    pub const START: Self = Self { give_up: 1, known: 1, used_known: 1 };

    /// Raises each floor to the other's where that is higher (rule R10).
    pub fn raise(&mut self, other: &Self) {
        self.give_up = self.give_up.max(other.give_up);
        self.known = self.known.max(other.known);
        self.used_known = self.used_known.max(other.used_known);
    }
}

impl Default for Floors {
    fn default() -> Self {
        Self::START
    }
}

/// A fixed number of bytes, encoded as a byte string.
macro_rules! fixed_bytes {
    ($(#[$doc:meta])* $name:ident, $length:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub [u8; $length]);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.serialize_bytes(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                let bytes = Bytes::deserialize(input)?;
                let wrong = |_| serde::de::Error::invalid_length(bytes.len(), &$expected);
                bytes.as_ref().try_into().map(Self).map_err(wrong)
            }
        }
    };
}

fixed_bytes! {
    /// Sixteen random bytes per message, drawn at the door: part of the key that will seal it.
    Short, 16, "sixteen bytes"
}
fixed_bytes! {
    /// BLAKE3 of the inner bytes of a message.
    ContentHash, 32, "thirty-two bytes"
}

/// The first sixteen bytes of BLAKE3 over the outer part and the hash of the inner bytes.
///
/// A copy is known by (id, digest): two copies of one id may differ, and a relay cannot tell which
/// one its origin made.
pub type Digest = Short;

/// The unchanging outer part, fixed in the commit that numbers the message.
///
/// All of it will be authenticated when the inner part is sealed, so it is encoded the same way
/// for ever: see the golden files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outer {
    /// Stream and number.
    #[serde(rename = "i")]
    pub id: MessageId,
    /// The node whose queue it is for.
    #[serde(rename = "d")]
    pub destination: NodeId,
    /// Express, recoverable or transactional.
    #[serde(rename = "c")]
    pub delivery: Delivery,
    /// 0 to 7.
    #[serde(rename = "p")]
    pub priority: Priority,
    /// Time to reach the queue, in milliseconds since its acceptance; never infinite (MSMQ: P13).
    #[serde(rename = "w")]
    pub reach_within_ms: u64,
    /// Time to be received, in milliseconds since its acceptance (MSMQ: P14).
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<u64>,
    /// The floors at the moment of numbering.
    #[serde(rename = "f")]
    pub floors: Floors,
    /// The roster at the moment of numbering.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub roster: Vec<Earlier>,
    /// Drawn at the door.
    #[serde(rename = "s")]
    pub salt: Short,
    /// Length of the inner bytes.
    #[serde(rename = "z")]
    pub size: u64,
    /// Fields of later versions.
    #[serde(rename = "x", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions: Extensions,
}

impl Outer {
    /// The stream it belongs to.
    pub const fn stream(&self) -> StreamId {
        self.id.stream
    }

    /// The time it may take to reach its queue: the smaller of both limits.
    pub fn limit_ms(&self) -> u64 {
        self.ttl_ms.map_or(self.reach_within_ms, |ttl| ttl.min(self.reach_within_ms))
    }
}

/// The changing outer part: what each holder tells the next. Not authenticated, so never trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transit {
    /// Time since acceptance, as added up by the holders so far.
    #[serde(rename = "a")]
    pub age_ms: u64,
    /// Copies that the holder may hand on, itself included.
    #[serde(rename = "t")]
    pub tokens: u16,
    /// Spray round of the origin (rule R20).
    #[serde(rename = "r")]
    pub round: u16,
    /// Links crossed so far.
    #[serde(rename = "h")]
    pub hops: u8,
}

/// What is given up when it is not kept whole: the inner bytes of a message, or where they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// Small enough to lie in the record itself.
    #[serde(rename = "i")]
    Inline(Bytes),
    /// In chunk records of this store under this number, behind a beginning that is not.
    #[serde(rename = "s")]
    Stored {
        /// Number of the content in this store.
        #[serde(rename = "n")]
        number: u64,
        /// Length in bytes, of the beginning too.
        #[serde(rename = "z")]
        len: u64,
        /// The beginning, where it is not among the chunks: several messages share these.
        #[serde(rename = "b", default, skip_serializing_if = "Bytes::is_empty")]
        head: Bytes,
        /// Hash of the bytes, where they go over links in parts.
        #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
        hash: Option<ContentHash>,
    },
}

impl Content {
    /// Length of the inner bytes.
    pub const fn len(&self) -> u64 {
        match self {
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Stored { len, .. } => *len,
        }
    }

    /// Whether there are no bytes.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
