//! JSON of messages: sending, receiving, peeking, settling.

use super::body::{BadBody, join_body, split_body};
use crate::engine::message::Delivery;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A message to be sent: the body of `POST /v1/queues/{queue}/messages` (`{queue}` may be
/// `queue@node`), or one entry of a [`Batch`]. Every field may be left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewMessage {
    /// The body as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body in base64, instead of `body`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// A short text for people and filters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Properties of the application.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Media type of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// 0 to 7, 7 the most urgent; 3 if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// `express`, `recoverable` or `transactional`; recoverable if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Time to reach the queue, in seconds; 30 days if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach_within_s: Option<f64>,
    /// Time to be received, in seconds; unlimited if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_s: Option<f64>,
    /// The message that this one answers or belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The queue for the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
}

impl NewMessage {
    /// A message with this body and defaults.
    pub fn with_body(bytes: &[u8]) -> Self {
        let (body, body_base64) = split_body(bytes);
        Self { body, body_base64, ..Self::default() }
    }

    /// Takes the body out. Fails as [`join_body`] does.
    pub fn take_body(&mut self) -> Result<Vec<u8>, BadBody> {
        join_body(self.body.take(), self.body_base64.take().as_deref())
    }
}

/// Several messages to one queue, accepted in one commit or not at all; at most
/// [`SEND_MAX`](crate::engine::limits::SEND_MAX).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The messages, in order.
    pub messages: Vec<NewMessage>,
}

/// What `POST /v1/queues/{queue}/messages` takes: `{"messages":[…]}`, or one message.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum SendBody {
    /// Several.
    Batch(Batch),
    /// One.
    One(Box<NewMessage>),
}

impl SendBody {
    /// Reads either form; the member `messages` tells which it is.
    pub fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Probe {
            messages: Option<serde::de::IgnoredAny>,
        }
        let probe: Probe = serde_json::from_slice(json)?;
        if probe.messages.is_some() {
            serde_json::from_slice(json).map(Self::Batch)
        } else {
            serde_json::from_slice(json).map(|one| Self::One(Box::new(one)))
        }
    }
}

/// Until when a send waits: `?wait=`, with `?timeout_s=` as the longest wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// On this node's disk.
    #[default]
    Stored,
    /// In the destination queue.
    Arrived,
    /// Received by an application.
    Received,
}

impl Wait {
    /// The name in commands and queries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Arrived => "arrived",
            Self::Received => "received",
        }
    }
}

/// How far a message has come, as this node knows it (promise G10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SentState {
    /// On this disk (in this memory, for express), not handed out.
    Stored,
    /// A neighbour has it: see `held_by`.
    InTransit,
    /// In its destination queue.
    Arrived,
    /// Received by an application.
    Received,
    /// Dead for certain: see `reason`.
    Dead,
    /// Dead here, perhaps arrived there: see `reason`.
    Unconfirmed,
}

impl SentState {
    /// The name in replies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::InTransit => "in_transit",
            Self::Arrived => "arrived",
            Self::Received => "received",
            Self::Dead => "dead",
            Self::Unconfirmed => "unconfirmed",
        }
    }

    /// Whether a wait for `wait` has been fulfilled.
    pub const fn satisfies(self, wait: Wait) -> bool {
        match wait {
            Wait::Stored => true,
            Wait::Arrived => matches!(self, Self::Arrived | Self::Received),
            Wait::Received => matches!(self, Self::Received),
        }
    }
}

/// An accepted message: answer to a send, to `POST /v1/dead/{id}/retry` and to
/// `GET /v1/messages/{id}`. A wait that ran out answers the same with the state it came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Opaque, at most 64 characters of `[A-Za-z0-9-]`.
    pub id: String,
    /// How far it has come.
    pub state: SentState,
    /// The neighbour that has it, by name, if `in_transit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<String>,
    /// Why it died, if `dead` or `unconfirmed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Answer to a [`Batch`], in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchSent {
    /// One per message.
    pub messages: Vec<Sent>,
}

/// Body of `POST /v1/queues/{queue}/receive`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiveRequest {
    /// At most so many messages, 1 to [`RECEIVE_MAX`](crate::engine::limits::RECEIVE_MAX).
    pub max: usize,
    /// How long to wait for the first one, in seconds.
    pub wait_s: f64,
    /// How long the locks last unless extended, in seconds.
    pub lease_s: f64,
}

impl Default for ReceiveRequest {
    fn default() -> Self {
        Self { max: 1, wait_s: 0.0, lease_s: 30.0 }
    }
}

/// Answer to a receive: the messages, each with its lock; empty if there was none in time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// The messages.
    pub messages: Vec<Message>,
}

/// A message out of a local queue, received or peeked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Opaque, at most 64 characters of `[A-Za-z0-9-]`.
    pub id: String,
    /// The queue it is in.
    pub queue: String,
    /// The node that accepted it first, by name, or by id if the name is not known here.
    pub origin: String,
    /// 0 to 7, 7 the most urgent.
    pub priority: u8,
    /// Express, recoverable or transactional.
    #[serde(default)]
    pub delivery: Delivery,
    /// A short text, empty if it has none.
    pub label: String,
    /// Media type of the body, empty if it has none.
    pub content_type: String,
    /// Properties of the application.
    pub headers: BTreeMap<String, String>,
    /// The message that this one answers or belongs to.
    pub correlation_id: Option<String>,
    /// The queue for the answer.
    pub reply_to: Option<String>,
    /// The body as text, if it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body in base64 otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// When it entered the queue.
    pub enqueued_at: String,
    /// How often it was handed out, this time included.
    pub delivery_count: u32,
    /// The lock, if it was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<Lock>,
    /// Whether it is under somebody's lock, if it was peeked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
}

impl Message {
    /// The body's bytes. Fails as [`join_body`] does.
    pub fn body_bytes(&self) -> Result<Vec<u8>, BadBody> {
        join_body(self.body.clone(), self.body_base64.as_deref())
    }
}

/// A lock on a received message; settled by `POST /v1/locks/{token}/ack`, `/nack`, `/return`
/// (returns at once, nobody's fault) or `/extend`. It returns by itself when its lease runs out or
/// the connection that received it closes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Names the lock in paths.
    pub token: String,
    /// When the lease runs out.
    pub locked_until_at: String,
}

/// Body of `POST /v1/locks/ack`: many messages, acknowledged in one durable step where possible.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AckRequest {
    /// The locks, at most [`RECEIVE_MAX`](crate::engine::limits::RECEIVE_MAX).
    pub tokens: Vec<String>,
}

/// Answer to an [`AckRequest`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acked {
    /// Locks that were gone: their messages return, or were settled before. All others are done.
    pub gone: Vec<String>,
}

/// Body of `POST /v1/locks/{token}/extend`; the answer is a [`Lock`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtendRequest {
    /// The lease starts again with so many seconds.
    pub lease_s: f64,
}
