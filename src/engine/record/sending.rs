//! Records of an origin's own messages, of copies on their way, and of dead letters.

use super::Spot;
use crate::engine::address::{NodeId, QueueName};
use crate::engine::ids::MessageId;
use crate::engine::message::{
    Content, Delivery, Digest, Extensions, Floors, Outer, Priority, Transit,
};
use crate::engine::statement::Refusal;
use crate::engine::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
