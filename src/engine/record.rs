//! The durable records of a node: one ordered table of keys and values.
//!
//! Refuses to know how they are encoded; `store::keys` and `codec` do. The order of [`Key`]'s
//! variants and fields is the order of the encoded keys.

use super::address::{LineId, NodeId, QueueName};
use super::frame::NotTaken;
use super::ids::{Epoch, MessageId, StreamId};
use super::message::{
    Content, Delivery, Digest, Earlier, Extensions, Floors, Outer, Priority, Transit,
};
use super::ranges::RangeSet;
use super::statement::{Attested, DirectoryKey, DirectoryRecord, Receipt, Refusal, Status};
use super::time::Timestamp;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a record lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The store itself: [`Record::Store`].
    Store,
    /// Node time of the last commit: [`Record::Clock`].
    Clock,
    /// Private state of `security`, by name: [`Record::Private`].
    Private(String),
    /// A record that spreads to every member: [`Record::Directory`].
    Directory(DirectoryKey),
    /// A line of this origin: [`Record::Line`].
    Line(LineId),
    /// A stream of this origin: [`Record::Stream`].
    Stream(LineId, Epoch),
    /// The account of one message of this origin: [`Record::Sent`].
    Sent(LineId, Epoch, u64),
    /// A copy on its way: [`Record::Copy`]. By destination, urgency, arrival.
    Copy(Spot),
    /// Where the copy of a message lies: [`Record::CopyOf`].
    CopyOf(MessageId),
    /// A piece of a content that is too large for its record: [`Record::Chunk`].
    Chunk(u64, u32),
    /// A local queue: [`Record::Queue`].
    Queue(u32),
    /// A message in a local queue: [`Record::Queued`]. By queue, urgency, arrival.
    Queued(Seat),
    /// What a destination knows of a line: [`Record::InboxLine`].
    InboxLine(NodeId, LineId),
    /// What a destination knows of a stream: [`Record::Inbox`].
    Inbox(StreamId),
    /// A message held behind a gap: [`Record::Held`].
    Held(MessageId),
    /// A receipt of another node: [`Record::Receipt`].
    Receipt(StreamId),
    /// A status record of another node: [`Record::Status`].
    Status(StreamId),
    /// A dead letter, by the order of dying: [`Record::Dead`].
    Dead(u64),
    /// Something to do at a time: [`Record::Due`].
    Timer(Timestamp, Target),
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

/// What lies there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// See [`Key::Store`].
    #[serde(rename = "st")]
    Store(StoreInfo),
    /// See [`Key::Clock`].
    #[serde(rename = "ck")]
    Clock(Timestamp),
    /// See [`Key::Private`].
    #[serde(rename = "pv")]
    Private(Bytes),
    /// See [`Key::Directory`].
    #[serde(rename = "dr")]
    Directory(DirectoryRecord),
    /// See [`Key::Line`].
    #[serde(rename = "li")]
    Line(Line),
    /// See [`Key::Stream`].
    #[serde(rename = "sm")]
    Stream(Stream),
    /// See [`Key::Sent`].
    #[serde(rename = "se")]
    Sent(Sent),
    /// See [`Key::Copy`].
    #[serde(rename = "cp")]
    Copy(Box<Copy>),
    /// See [`Key::CopyOf`].
    #[serde(rename = "co")]
    CopyOf(Spot),
    /// See [`Key::Chunk`].
    #[serde(rename = "ch")]
    Chunk(Bytes),
    /// See [`Key::Queue`].
    #[serde(rename = "qu")]
    Queue(Queue),
    /// See [`Key::Queued`].
    #[serde(rename = "qd")]
    Queued(Box<Queued>),
    /// See [`Key::InboxLine`].
    #[serde(rename = "il")]
    InboxLine(InboxLine),
    /// See [`Key::Inbox`].
    #[serde(rename = "ib")]
    Inbox(Box<Inbox>),
    /// See [`Key::Held`].
    #[serde(rename = "he")]
    Held(Box<Queued>),
    /// See [`Key::Receipt`].
    #[serde(rename = "re")]
    Receipt(Box<Attested<Receipt>>),
    /// See [`Key::Status`].
    #[serde(rename = "su")]
    Status(Box<Attested<Status>>),
    /// See [`Key::Dead`].
    #[serde(rename = "de")]
    Dead(Box<Dead>),
    /// See [`Key::Timer`].
    #[serde(rename = "du")]
    Due,
}

/// The store itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreInfo {
    /// Drawn when the store was made.
    #[serde(rename = "a")]
    pub id: u64,
    /// The present opening.
    #[serde(rename = "o")]
    pub opening: Epoch,
    /// The node that owns it.
    #[serde(rename = "n")]
    pub node: NodeId,
}

/// A line of this origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Where it goes.
    #[serde(rename = "d")]
    pub destination: NodeId,
    /// Into which queue.
    #[serde(rename = "q")]
    pub queue: QueueName,
    /// Express, recoverable or transactional.
    #[serde(rename = "c")]
    pub delivery: Delivery,
    /// 0 to 7.
    #[serde(rename = "p")]
    pub priority: Priority,
}

/// A stream of this origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// The next number.
    #[serde(rename = "n")]
    pub next: u64,
    /// The floors, durable before they are shown.
    #[serde(rename = "f")]
    pub floors: Floors,
    /// The floors that the destination's receipts have confirmed.
    #[serde(rename = "c")]
    pub confirmed: Floors,
    /// States below this number have been forgotten.
    #[serde(rename = "b")]
    pub base: u64,
    /// Whether its epoch has left the roster: only its history is kept.
    #[serde(rename = "r", default)]
    pub retired: bool,
}

/// What is known of one message of this origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Its state.
    #[serde(rename = "s")]
    pub state: SentState,
    /// When it was accepted.
    #[serde(rename = "a")]
    pub accepted_at: Timestamp,
    /// When its time to reach the queue ends.
    #[serde(rename = "e")]
    pub expires_at: Timestamp,
    /// Its timer.
    #[serde(rename = "t")]
    pub timer_at: Timestamp,
    /// Its copy on the way, while there is one.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<Spot>,
    /// Its dead letter, while there is one.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub dead: Option<u64>,
}

/// The account a message is in, as its origin knows it (protocol, state table of the origin).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SentState {
    /// No verdict yet.
    #[serde(rename = "w")]
    Waiting,
    /// In the destination queue.
    #[serde(rename = "a")]
    Arrived,
    /// Received by an application.
    #[serde(rename = "r")]
    Received,
    /// It left the queue without being received: expired, purged or deleted there.
    #[serde(rename = "e")]
    Ended,
    /// Dead for certain.
    #[serde(rename = "d")]
    Dead(DeathReason),
    /// Ended here, outcome there unknown.
    #[serde(rename = "u")]
    Unconfirmed(DeathReason),
}

/// Why a message died.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeathReason {
    /// Its time to reach the queue ran out.
    ReachTimeExpired,
    /// Its time to be received ran out, before or after it reached the queue.
    ReceiveTimeExpired,
    /// The destination refused it for good.
    Refused(Refusal),
    /// The destination passed it over after the origin had given it up.
    Skipped,
    /// Nobody can say any more what became of it.
    OutcomeUnknown,
    /// It left its queue without being received: expired, purged or deleted there.
    EndedInQueue,
    /// Its content could not be read back from the store.
    Damaged,
}

impl DeathReason {
    /// The reason's name in dead letters and replies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReachTimeExpired => "reach_time_expired",
            Self::ReceiveTimeExpired => "receive_time_expired",
            Self::Refused(refusal) => refusal.as_str(),
            Self::Skipped => "skipped",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::EndedInQueue => "ended_in_queue",
            Self::Damaged => "damaged",
        }
    }
}

/// A copy on its way, this origin's own or another's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// The unchanging outer part.
    #[serde(rename = "o")]
    pub outer: Outer,
    /// Age, tokens, round and hops when it got here.
    #[serde(rename = "t")]
    pub transit: Transit,
    /// When it got here.
    #[serde(rename = "a")]
    pub arrived_at: Timestamp,
    /// The inner bytes.
    #[serde(rename = "i")]
    pub content: Content,
    /// Digest of outer part and inner bytes; zero on the origin's own.
    #[serde(rename = "g", default)]
    pub digest: Digest,
}

/// A local queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Its name as it was given.
    #[serde(rename = "n")]
    pub name: QueueName,
    /// Whether it takes transactional messages only, or all others only (MSMQ: Q17).
    #[serde(rename = "t")]
    pub transactional: bool,
    /// Its own quota in messages.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub max_messages: Option<u64>,
    /// Its own quota in bytes.
    #[serde(rename = "z", default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// When it was made.
    #[serde(rename = "a")]
    pub created_at: Timestamp,
    /// Durable messages in it.
    #[serde(rename = "c")]
    pub messages: u64,
    /// Bytes of the durable messages in it.
    #[serde(rename = "b")]
    pub bytes: u64,
}

/// A message in a local queue, or held for one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// Its id.
    #[serde(rename = "i")]
    pub id: MessageId,
    /// Express, recoverable or transactional.
    #[serde(rename = "c")]
    pub delivery: Delivery,
    /// 0 to 7.
    #[serde(rename = "p")]
    pub priority: Priority,
    /// When it entered the queue, or was first held.
    #[serde(rename = "a")]
    pub enqueued_at: Timestamp,
    /// When its time to be received ends.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Not handed out before this moment.
    #[serde(rename = "v", default)]
    pub visible_at: Timestamp,
    /// Its timer, if it has one.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub timer_at: Option<Timestamp>,
    /// How often it came back from a reader.
    #[serde(rename = "n", default)]
    pub returned: u32,
    /// Digest of the copy that came; zero if it was sent here.
    #[serde(rename = "g", default)]
    pub digest: Digest,
    /// The inner bytes.
    #[serde(rename = "b")]
    pub content: Content,
}

/// What a destination knows of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxLine {
    /// The newest epoch heard of.
    #[serde(rename = "e")]
    pub current: Epoch,
    /// The earlier ones still open, as the newest epoch's header has them (rule R10).
    #[serde(rename = "r", default)]
    pub roster: Vec<Earlier>,
    /// The queue the line goes to, once a message has said so.
    #[serde(rename = "q", default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueName>,
    /// Whether its numbers are delivered in order.
    #[serde(rename = "o")]
    pub ordered: bool,
    /// Whether it carries express messages, so that its state lives in memory only.
    #[serde(rename = "x", default)]
    pub express: bool,
}

/// What a destination knows of a stream: deduplication and order in one small state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbox {
    /// The highest floors heard.
    #[serde(rename = "f")]
    pub floors: Floors,
    /// All numbers below have had a verdict.
    #[serde(rename = "w")]
    pub watermark: u64,
    /// Entered the queue.
    #[serde(rename = "y", default)]
    pub received: RangeSet,
    /// Refused.
    #[serde(rename = "n", default)]
    pub refused: BTreeMap<Refusal, RangeSet>,
    /// Skipped.
    #[serde(rename = "s", default)]
    pub skipped: RangeSet,
    /// Held behind a gap.
    #[serde(rename = "h", default)]
    pub held: RangeSet,
    /// Received by an application.
    #[serde(rename = "u", default)]
    pub used: RangeSet,
    /// Expired, purged or deleted in the queue.
    #[serde(rename = "e", default)]
    pub ended: RangeSet,
    /// Digest of the highest received message.
    #[serde(rename = "m", default)]
    pub digest: Digest,
    /// An opening higher than this store's own that its receipts must exceed (rule R22).
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Epoch>,
}

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dead {
    /// The message.
    #[serde(rename = "i")]
    pub id: MessageId,
    /// Where it was going.
    #[serde(rename = "d")]
    pub destination: NodeId,
    /// Into which queue.
    #[serde(rename = "q")]
    pub queue: QueueName,
    /// Express, recoverable or transactional.
    #[serde(rename = "c")]
    pub delivery: Delivery,
    /// 0 to 7.
    #[serde(rename = "p")]
    pub priority: Priority,
    /// Its time to reach the queue, for a retry.
    #[serde(rename = "w")]
    pub reach_within_ms: u64,
    /// Its time to be received, for a retry.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<u64>,
    /// Why.
    #[serde(rename = "r")]
    pub reason: DeathReason,
    /// When.
    #[serde(rename = "a")]
    pub died_at: Timestamp,
    /// Whether it may have arrived all the same.
    #[serde(rename = "u")]
    pub unconfirmed: bool,
    /// The inner bytes.
    #[serde(rename = "b")]
    pub content: Content,
    /// Fields of later versions.
    #[serde(rename = "x", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions: Extensions,
}

/// Why a line waits, as its origin was last told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The destination's words.
    pub reason: NotTaken,
    /// When it is tried again at the latest.
    pub until: Timestamp,
}
