//! Records of local queues and of incoming streams.

use crate::engine::address::QueueName;
use crate::engine::ids::{Epoch, MessageId};
use crate::engine::message::{
    Content, ContentHash, Delivery, Digest, Earlier, Floors, Outer, Priority,
};
use crate::engine::ranges::RangeSet;
use crate::engine::statement::Refusal;
use crate::engine::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

/// A message whose inner part comes in parts: what of it is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partial {
    /// The unchanging outer part.
    #[serde(rename = "o")]
    pub outer: Outer,
    /// Hash that the inner part will have.
    #[serde(rename = "h")]
    pub hash: ContentHash,
    /// Number of the content in this store.
    #[serde(rename = "n")]
    pub content: u64,
    /// Its chunks that are here.
    #[serde(rename = "r")]
    pub chunks: RangeSet,
    /// The queue it is for, if that is one of this node.
    #[serde(rename = "q", default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueName>,
    /// When the last part came.
    #[serde(rename = "a")]
    pub touched_at: Timestamp,
    /// Whether it was found to have its hash.
    #[serde(rename = "y", default)]
    pub checked: bool,
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
