//! What nodes state and sign: receipts of destinations, status records of origins, link states.
//!
//! Refuses to sign or to check: an [`Attested`] that comes in was checked by `security` before it
//! reached the engine, and one that the engine makes is signed after the commit, on the way out.

use super::address::NodeId;
use super::ids::{Epoch, StreamId};
use super::message::{Digest, Earlier, Extensions, Floors};
use super::ranges::RangeSet;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A statement with its signature. The signer is named by the statement ([`Statement::signer`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attested<T> {
    /// What is stated.
    #[serde(rename = "b")]
    pub statement: T,
    /// The signature as it came; empty on a node's own statements until they leave the node.
    #[serde(rename = "s")]
    pub signature: Bytes,
}

impl<T> Attested<T> {
    /// A statement of this node, to be signed on its way out.
    pub const fn own(statement: T) -> Self {
        Self { statement, signature: Bytes::new() }
    }
}

/// Something that a node can sign.
pub trait Statement: Serialize {
    /// The kind's name, part of what is signed so that no kind can pass for another.
    const KIND: &'static str;

    /// The node whose signature makes it true.
    fn signer(&self) -> NodeId;
}

/// A moment in the life of a store: later ones win, whatever the clock said.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Version {
    /// The opening in which it was said.
    #[serde(rename = "o")]
    pub opening: Epoch,
    /// Counts within the opening.
    #[serde(rename = "n")]
    pub count: u64,
}

/// Why a destination refuses a number for good (rule R13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// There is no queue of that name.
    NoSuchQueue,
    /// A transactional message for a plain queue, or the reverse (MSMQ: Q17).
    WrongKind,
    /// Larger than the destination takes.
    TooLarge,
    /// The queue was deleted while the message was held for it.
    QueueDeleted,
}

impl Refusal {
    /// The reason's name in dead letters and replies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoSuchQueue => "no_such_queue",
            Self::WrongKind => "wrong_kind",
            Self::TooLarge => "too_large",
            Self::QueueDeleted => "queue_deleted",
        }
    }
}

/// A destination's statement about one stream (rules R8, R12, R21, R22).
///
/// Every number at or above `floors.known` and below the watermark has exactly one verdict in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The destination.
    #[serde(rename = "d")]
    pub destination: NodeId,
    /// The stream.
    #[serde(rename = "i")]
    pub stream: StreamId,
    /// The destination's store: another one has forgotten everything.
    #[serde(rename = "a")]
    pub store: u64,
    /// Newer ones win.
    #[serde(rename = "v")]
    pub version: Version,
    /// The floors that the destination has taken over; details start at `known`.
    #[serde(rename = "f")]
    pub floors: Floors,
    /// All numbers below have a verdict or are below `known`.
    #[serde(rename = "w")]
    pub watermark: u64,
    /// Entered the queue.
    #[serde(rename = "y", default, skip_serializing_if = "RangeSet::is_empty")]
    pub received: RangeSet,
    /// Refused for good.
    #[serde(rename = "n", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<Refusal, RangeSet>,
    /// Given up by the origin before they arrived.
    #[serde(rename = "s", default, skip_serializing_if = "RangeSet::is_empty")]
    pub skipped: RangeSet,
    /// Kept behind a gap: a hint, no verdict (rule R14).
    #[serde(rename = "h", default, skip_serializing_if = "RangeSet::is_empty")]
    pub held: RangeSet,
    /// Received by an application.
    #[serde(rename = "u", default, skip_serializing_if = "RangeSet::is_empty")]
    pub used: RangeSet,
    /// Expired, purged or deleted in the queue.
    #[serde(rename = "e", default, skip_serializing_if = "RangeSet::is_empty")]
    pub ended: RangeSet,
    /// Messages that the queue has room for; zero means "wait".
    #[serde(rename = "r")]
    pub room: u64,
    /// How many earlier epochs of the line are open here, so that the origin sees its roster taken.
    #[serde(rename = "q", default)]
    pub roster: u64,
    /// Digest of the highest received message, so that a reused number is noticed.
    #[serde(rename = "m", default)]
    pub digest: Digest,
    /// The lowest generation of sealing keys that the destination can open.
    #[serde(rename = "k", default)]
    pub lowest_key: u32,
    /// Set if this epoch is closed here (rules R5, R6): the highest epoch known for the line.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Epoch>,
    /// Fields of later versions.
    #[serde(rename = "x", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions: Extensions,
}

impl Statement for Receipt {
    const KIND: &'static str = "receipt";

    fn signer(&self) -> NodeId {
        self.destination
    }
}

/// An origin's header on its own (rule R9): it lets a destination skip what will never come, and
/// forget what the origin knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The stream.
    #[serde(rename = "i")]
    pub stream: StreamId,
    /// Where the stream goes.
    #[serde(rename = "d")]
    pub destination: NodeId,
    /// Newer ones win.
    #[serde(rename = "v")]
    pub version: Version,
    /// The floors.
    #[serde(rename = "f")]
    pub floors: Floors,
    /// The earlier epochs still open.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub roster: Vec<Earlier>,
    /// Whether the stream's numbers must be delivered in order.
    #[serde(rename = "o")]
    pub ordered: bool,
    /// Whether the stream carries express messages.
    #[serde(rename = "m", default)]
    pub express: bool,
    /// Fields of later versions.
    #[serde(rename = "x", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions: Extensions,
}

impl Statement for Status {
    const KIND: &'static str = "status";

    fn signer(&self) -> NodeId {
        self.stream.origin
    }
}

/// A node's live links. Flooded through the live component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkState {
    /// The node whose links these are.
    #[serde(rename = "d")]
    pub node: NodeId,
    /// Newer ones win.
    #[serde(rename = "v")]
    pub version: Version,
    /// The nodes it has a live link with, in order.
    #[serde(rename = "l")]
    pub neighbours: Vec<NodeId>,
    /// Fields of later versions.
    #[serde(rename = "x", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions: Extensions,
}

impl Statement for LinkState {
    const KIND: &'static str = "links";

    fn signer(&self) -> NodeId {
        self.node
    }
}

/// Which directory record it is: one per kind and subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DirectoryKey {
    /// Kind number; `security` gives it its meaning.
    #[serde(rename = "k")]
    pub kind: u8,
    /// What the record is about, at most 64 bytes.
    #[serde(rename = "s")]
    pub subject: Bytes,
}

/// A signed record that spreads to every member: certificates, keys, departures.
///
/// The engine stores it, spreads it and keeps the one with the greatest rank; what it says is for
/// `security`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryRecord {
    /// Kind and subject.
    #[serde(rename = "k")]
    pub key: DirectoryKey,
    /// The greater one wins, compared as bytes; at most 64 bytes.
    #[serde(rename = "r")]
    pub rank: Bytes,
    /// The record as its signer made it, passed on verbatim; at most 2 KiB.
    #[serde(rename = "b")]
    pub bytes: Bytes,
}
