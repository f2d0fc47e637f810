//! What nodes say to each other once they have proven themselves: the hop protocol's vocabulary.
//!
//! A request carries frames, an answer says what became of its transfers. The loss of either is
//! always legal: everything is sent again until a fact makes it unnecessary.

use super::address::QueueName;
use super::ids::{Epoch, MessageId};
use super::message::{ContentHash, Digest, Extensions, Outer, Transit};
use super::statement::{Attested, DirectoryKey, DirectoryRecord, LinkState, Receipt, Status};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One thing said to a neighbour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frame {
    /// The first frame on a new link.
    #[serde(rename = "c")]
    Contact(Contact),
    /// A destination's receipt, made by the speaker or passed on.
    #[serde(rename = "r")]
    Receipt(Attested<Receipt>),
    /// An origin's status record, made by the speaker or passed on.
    #[serde(rename = "s")]
    Status(Attested<Status>),
    /// A node's live links.
    #[serde(rename = "l")]
    LinkState(Attested<LinkState>),
    /// Directory records that the speaker holds, when the digests differ.
    #[serde(rename = "h")]
    Have(Vec<DirectoryEntry>),
    /// A directory record.
    #[serde(rename = "d")]
    Record(DirectoryRecord),
    /// Everything that the speaker knows and the neighbour should know first has been said:
    /// receipts go before offers (rule R21).
    #[serde(rename = "y")]
    Synced,
    /// A copy of a message.
    #[serde(rename = "t")]
    Transfer(Box<Transfer>),
    /// Some bytes of a copy whose inner part is too large for one frame.
    #[serde(rename = "p")]
    Part(Box<Part>),
}

/// Who the speaker is, beyond what the link has proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The speaker's store.
    #[serde(rename = "a")]
    pub store: u64,
    /// The speaker's opening.
    #[serde(rename = "o")]
    pub opening: Epoch,
    /// The highest opening of the neighbour that the speaker has heard of.
    #[serde(rename = "y", default, skip_serializing_if = "Option::is_none")]
    pub yours: Option<Epoch>,
    /// A sum over the directory's keys and ranks: equal sums need no comparison.
    #[serde(rename = "g")]
    pub directory: u64,
    /// Bytes that the speaker would still carry for others.
    #[serde(rename = "r")]
    pub room: u64,
    /// Fields of later versions.
    #[serde(rename = "x", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions: Extensions,
}

/// A directory record that a node holds, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryEntry {
    /// Kind and subject.
    #[serde(rename = "k")]
    pub key: DirectoryKey,
    /// Rank of the one held.
    #[serde(rename = "r")]
    pub rank: Bytes,
}

/// Why a copy is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// Along the shortest live path, or to its destination: the receiver takes over.
    #[serde(rename = "m")]
    Move,
    /// One copy more, with a share of the tokens.
    #[serde(rename = "s")]
    Spray,
}

/// A copy of a message on its way over one link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// The unchanging outer part.
    #[serde(rename = "o")]
    pub outer: Outer,
    /// The changing outer part.
    #[serde(rename = "t")]
    pub transit: Transit,
    /// Why it is handed over.
    #[serde(rename = "p")]
    pub purpose: Purpose,
    /// Number of the hand-over at the sender, the same when it is repeated (rule R24).
    #[serde(rename = "n")]
    pub transfer: u64,
    /// The inner bytes.
    #[serde(rename = "i")]
    pub inner: Bytes,
    /// Digest of outer part and inner bytes; worked out at the edge, never sent.
    #[serde(skip)]
    pub digest: Digest,
    /// The queue named inside; read at the edge of the destination, never sent.
    #[serde(skip)]
    pub queue: Option<QueueName>,
}

/// Some bytes of a copy on its way over one link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The copy, without its inner bytes.
    #[serde(rename = "t")]
    pub transfer: Transfer,
    /// Hash of all its inner bytes.
    #[serde(rename = "h")]
    pub hash: ContentHash,
    /// Where these begin: a multiple of [`CHUNK_BYTES`](super::limits::CHUNK_BYTES).
    #[serde(rename = "o")]
    pub offset: u64,
    /// These bytes: whole chunks, but for the last.
    #[serde(rename = "b")]
    pub bytes: Bytes,
}

/// What became of one transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Durable at the receiver, which has it now (or had it, or had judged it).
    #[serde(rename = "y")]
    Accepted,
    /// Not taken; nothing is settled (rule R16).
    #[serde(rename = "n")]
    NotTaken(NotTaken),
    /// It comes in parts, and so many bytes from its beginning are durable at the receiver.
    #[serde(rename = "h")]
    Holding(u64),
}

/// Why a copy was not taken, yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotTaken {
    /// The destination queue is at its quota.
    QueueFull,
    /// The node's store is at its limit or its disk at the reserve.
    StoreFull,
    /// A window of the destination is full (rule R23).
    Busy,
    /// Too old in the destination's eyes (rule R16).
    OverAge,
    /// This relay had it in this round already.
    Seen,
    /// The hop limit was reached.
    HopLimit,
    /// The inner bytes cannot be read here.
    Unreadable,
}

impl NotTaken {
    /// The name in `outgoing` and `why`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::StoreFull => "store_full",
            Self::Busy => "busy",
            Self::OverAge => "over_age",
            Self::Seen => "seen",
            Self::HopLimit => "hop_limit",
            Self::Unreadable => "unreadable",
        }
    }
}

/// The answer to one request, sent after the commit that makes it true.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// One per transfer of the request, in its order.
    #[serde(rename = "o", default)]
    pub outcomes: Vec<(MessageId, Outcome)>,
    /// Receipts for the streams that the request touched, and what else is new.
    #[serde(rename = "f", default)]
    pub frames: Vec<Frame>,
}
