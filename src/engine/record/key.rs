//! Where records lie. The order of the variants and fields is the order of the encoded keys.

use crate::engine::address::{LineId, NodeId};
use crate::engine::ids::{Epoch, MessageId, StreamId};
use crate::engine::message::Short;
use crate::engine::statement::DirectoryKey;
use crate::engine::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a record lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The store itself: [`Record::Store`](super::Record::Store).
    Store,
    /// Node time of the last commit: [`Record::Clock`](super::Record::Clock).
    Clock,
    /// Private state of `security`, by name: [`Record::Private`](super::Record::Private).
    Private(String),
    /// A record that spreads to every member: [`Record::Directory`](super::Record::Directory).
    Directory(DirectoryKey),
    /// A line of this origin: [`Record::Line`](super::Record::Line).
    Line(LineId),
    /// A stream of this origin: [`Record::Stream`](super::Record::Stream).
    Stream(LineId, Epoch),
    /// The account of one message of this origin: [`Record::Sent`](super::Record::Sent).
    Sent(LineId, Epoch, u64),
    /// A copy on its way: [`Record::Copy`](super::Record::Copy). By destination, urgency, arrival.
    Copy(Spot),
    /// Where the copy of a message lies: [`Record::CopyOf`](super::Record::CopyOf).
    CopyOf(MessageId),
    /// A piece of a content that is too large for its record: [`Record::Chunk`](super::Record::Chunk).
    Chunk(u64, u32),
    /// A local queue: [`Record::Queue`](super::Record::Queue).
    Queue(u32),
    /// A message in a local queue: [`Record::Queued`](super::Record::Queued). By queue, urgency, arrival.
    Queued(Seat),
    /// What a destination knows of a line: [`Record::InboxLine`](super::Record::InboxLine).
    InboxLine(NodeId, LineId),
    /// What a destination knows of a stream: [`Record::Inbox`](super::Record::Inbox).
    Inbox(StreamId),
    /// A message held behind a gap: [`Record::Held`](super::Record::Held).
    Held(MessageId),
    /// A receipt of another node, by the node that made it: one that has no say in a stream displaces
    /// nobody's word. [`Record::Receipt`](super::Record::Receipt).
    Receipt(StreamId, NodeId),
    /// A status record of another node: [`Record::Status`](super::Record::Status).
    Status(StreamId),
    /// A dead letter, by the order of dying: [`Record::Dead`](super::Record::Dead).
    Dead(u64),
    /// Something to do at a time: [`Record::Due`](super::Record::Due).
    Timer(Timestamp, Target),
    /// The answer to a send under a key: [`Record::Once`](super::Record::Once).
    Once(Short),
    /// Keys of sends in the order of sending: [`Record::OnceKey`](super::Record::OnceKey).
    OnceOrder(u64),
    /// A message whose inner part comes in parts: [`Record::Partial`](super::Record::Partial).
    Partial(MessageId),
    /// A content that a program is handing in: [`Record::Stage`](super::Record::Stage).
    Stage(u64),
    /// Further owners of a content: [`Record::Shares`](super::Record::Shares).
    Shares(u64),
}

/// Place of a copy on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Spot {
    /// Where it goes.
    #[serde(rename = "d")]
    pub destination: NodeId,
    /// Seven less the priority: the most urgent first.
    #[serde(rename = "p")]
    pub rank: u8,
    /// Order of arrival in this store.
    #[serde(rename = "n")]
    pub arrival: u64,
}

/// Place of a message in a local queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Seat {
    /// The queue's number in this store.
    #[serde(rename = "q")]
    pub queue: u32,
    /// Seven less the priority: the most urgent first.
    #[serde(rename = "p")]
    pub rank: u8,
    /// Order of arrival in this store.
    #[serde(rename = "n")]
    pub arrival: u64,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A message of this origin: a new round, or its end.
    Sent(LineId, Epoch, u64),
    /// A copy carried for another: its end.
    Copy(Spot),
    /// A message in a local queue: its end, or its return after a nack.
    Queued(Seat),
    /// A receipt or status record carried for others: its end.
    Statement(StreamId),
}

impl Target {
    /// Not after any other.
    pub const FIRST: Self = Self::Sent(LineId(0), Epoch { k: 0, nonce: 0 }, 0);
}
