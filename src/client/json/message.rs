//! JSON of messages: sending, receiving, peeking, settling.

use super::body::{BadBody, join_body, split_body};
use crate::engine::message::Delivery;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A message to be sent: the body of `POST /v1/queues/{queue}/messages` (`{queue}` may be
/// `queue@node`), or one entry of a [`Batch`]. Every field may be left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewMessage {
    /// The body as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body in base64, instead of `body`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        pattern = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$"
    )]
    pub body_base64: Option<String>,
    /// A short text for people and filters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 249)]
    pub label: Option<String>,
    /// Properties of the application: at most 64, of at most 32 KiB together.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(schema_with = super::schema::headers)]
    pub headers: BTreeMap<String, String>,
    /// Media type of the body, at most 255 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 255)]
    pub content_type: Option<String>,
    /// 0 to 7, 7 the most urgent; 3 if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "super::whole::number_or_null")]
    #[schema(minimum = 0, maximum = 7)]
    pub priority: Option<u8>,
    /// `express`, `recoverable` or `transactional`; recoverable if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = super::schema::delivery_or_null)]
    pub delivery: Option<Delivery>,
    /// Time to reach the queue, in seconds; 30 days if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.001, maximum = 315_360_000.0)]
    pub reach_within_s: Option<f64>,
    /// Time to be received, in seconds; unlimited if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.001, maximum = 9_000_000_000_000.0)]
    pub ttl_s: Option<f64>,
    /// The message that this one answers or belongs to, at most 255 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 255)]
    pub correlation_id: Option<String>,
    /// The queue for the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Za-z0-9._-]{1,124}(@([a-z0-9-]{1,63}|[0-9a-f]{64}))?$")]
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The messages, in order.
    #[schema(min_items = 1, max_items = 256)]
    pub messages: Vec<NewMessage>,
}

/// What `POST /v1/queues/{queue}/messages` takes: `{"messages":[…]}`, or one message.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum SendBody {
    /// Several.
    Batch(Batch),
    /// One.
    One(Box<NewMessage>),
}

impl SendBody {
    /// Whether it is the form of several: the member `messages` tells.
    pub fn is_batch(json: &[u8]) -> bool {
        #[derive(Deserialize)]
        struct Probe {
            messages: Option<serde::de::IgnoredAny>,
        }
        serde_json::from_slice(json).is_ok_and(|probe: Probe| probe.messages.is_some())
    }

    /// Reads either form.
    pub fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        if Self::is_batch(json) {
            serde_json::from_slice(json).map(Self::Batch)
        } else {
            serde_json::from_slice(json).map(|one| Self::One(Box::new(one)))
        }
    }
}

/// Until when a send waits: `?wait=`, with `?timeout_s=` as the longest wait.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchSent {
    /// One per message.
    pub messages: Vec<Sent>,
}

/// Answer to a send: as its body was, one or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum SendAnswer {
    /// To a batch.
    Batch(BatchSent),
    /// To one message.
    One(Sent),
}

/// Body of `POST /v1/queues/{queue}/receive`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiveRequest {
    /// At most so many messages, 1 to [`RECEIVE_MAX`](crate::engine::limits::RECEIVE_MAX).
    #[serde(deserialize_with = "super::whole::number")]
    #[schema(minimum = 1, maximum = 256)]
    pub max: usize,
    /// How long to wait for the first one, in seconds.
    #[schema(minimum = 0, maximum = 9_000_000_000_000.0)]
    pub wait_s: f64,
    /// How long the locks last unless extended, in seconds.
    #[schema(minimum = 0.001, maximum = 43_200.0)]
    pub lease_s: f64,
}

impl Default for ReceiveRequest {
    fn default() -> Self {
        Self { max: 1, wait_s: 0.0, lease_s: 30.0 }
    }
}

/// Answer to a receive: the messages, each with its lock; empty if there was none in time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Received {
    /// The messages.
    pub messages: Vec<Message>,
}

/// A message out of a local queue, received or peeked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
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
    #[schema(schema_with = super::schema::delivery)]
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
    /// Length of the body in bytes. One of more than 1 MiB is not here: it is read from
    /// `GET /v1/locks/{token}/body`, or as it is.
    #[serde(default)]
    pub body_size: u64,
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
    /// The body's bytes. Fails as [`join_body`] does, and if they are not here.
    pub fn body_bytes(&self) -> Result<Vec<u8>, BadBody> {
        if self.is_body_apart() {
            return Err(BadBody::Apart);
        }
        join_body(self.body.clone(), self.body_base64.as_deref())
    }

    /// Whether the body is too large to stand here, so that it is to be read by itself.
    pub const fn is_body_apart(&self) -> bool {
        self.body.is_none() && self.body_base64.is_none() && self.body_size > 0
    }
}

/// A lock on a received message; settled by `POST /v1/locks/{token}/ack`, `/nack`, `/return`
/// (returns at once, nobody's fault) or `/extend`. It returns by itself when its lease runs out or
/// the connection that received it closes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Lock {
    /// Names the lock in paths.
    pub token: String,
    /// When the lease runs out.
    pub locked_until_at: String,
}

/// Body of `POST /v1/locks/ack`: many messages, acknowledged in one durable step where possible.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AckRequest {
    /// The locks, at most [`RECEIVE_MAX`](crate::engine::limits::RECEIVE_MAX).
    #[schema(max_items = 256)]
    pub tokens: Vec<String>,
}

/// Answer to an [`AckRequest`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Acked {
    /// Locks that were gone: their messages return, or were settled before. All others are done.
    pub gone: Vec<String>,
}

/// Body of `POST /v1/locks/{token}/extend`; the answer is a [`Lock`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendRequest {
    /// The lease starts again with so many seconds.
    #[schema(minimum = 0.001, maximum = 43_200.0)]
    pub lease_s: f64,
}

/// Body of `POST /v1/locks/settle`: many locks, each in its own way, in one request. At most
/// [`RECEIVE_MAX`](crate::engine::limits::RECEIVE_MAX) in each list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SettleRequest {
    /// Received: these messages leave their queues.
    #[schema(max_items = 256)]
    pub ack: Vec<String>,
    /// Not received: these return after 1 s, doubling to 60 s.
    #[schema(max_items = 256)]
    pub nack: Vec<String>,
    /// Nobody's fault: these return at once.
    #[serde(rename = "return")]
    #[schema(max_items = 256)]
    pub give_back: Vec<String>,
    /// The leases of these start again.
    #[schema(max_items = 256)]
    pub extend: Vec<String>,
    /// How long extended leases last, in seconds; 30 if left out.
    #[schema(minimum = 0.001, maximum = 43_200.0)]
    pub lease_s: Option<f64>,
}

/// Answer to a [`SettleRequest`], lock by lock in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Settled {
    /// One per lock: of `ack`, `nack`, `return`, `extend`.
    pub results: Vec<SettleResult>,
}

/// What became of one lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SettleResult {
    /// The lock.
    pub token: String,
    /// `acked`, `nacked`, `returned`, `extended`, or `failed`.
    pub result: String,
    /// Why it failed: `lock_gone` where the lock ran out, was settled, or never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Until when it lasts, if it was extended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_until_at: Option<String>,
}
