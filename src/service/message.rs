//! Messages as programs write and read them, and the bounds of their properties.

use super::content::{Body, Staged, StoredBody};
use crate::codec::{CodecError, Inner, decode_inner, decode_inner_head};
use crate::engine::address::QueueName;
use crate::engine::command::{Peeked, Shown};
use crate::engine::ids::MessageId;
use crate::engine::limits::WHOLE_BODY_MAX;
use crate::engine::message::{Delivery, Extensions, Priority};
use crate::engine::rejection::Rejection;
use crate::engine::time::Timestamp;
use crate::service::ServiceError;
use bytes::Bytes;
use std::collections::BTreeMap;

/// Bounds of a message's properties: together with the largest body they stay below the largest
/// inner part.
pub mod limits {
    /// Longest label, in characters (MSMQ: `MQ_MAX_MSG_LABEL_LEN`).
    pub const LABEL_MAX: usize = 249;
    /// Headers of one message.
    pub const HEADERS_MAX: usize = 64;
    /// Longest name of a header, in bytes.
    pub const HEADER_NAME_MAX: usize = 256;
    /// All headers of one message, names and values, in bytes. With a body that is handed in by itself
    /// all properties together have room for
    /// [`SPLIT_HEAD_MAX`](crate::engine::limits::SPLIT_HEAD_MAX).
    pub const HEADERS_BYTES_MAX: usize = 32 * 1024;
    /// Longest content type, in bytes.
    pub const CONTENT_TYPE_MAX: usize = 255;
    /// Longest correlation id, in bytes.
    pub const CORRELATION_MAX: usize = 255;
}

/// A message to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewMessage {
    /// The body.
    pub body: NewBody,
    /// A short text for people.
    pub label: String,
    /// Properties of the application.
    pub headers: BTreeMap<String, String>,
    /// Media type of the body; empty if nobody said.
    pub content_type: String,
    /// Urgency.
    pub priority: Priority,
    /// Express, recoverable or transactional.
    pub delivery: Delivery,
    /// Time to reach the queue, in milliseconds; the engine's default if none.
    pub reach_within_ms: Option<u64>,
    /// Time to be received, in milliseconds.
    pub ttl_ms: Option<u64>,
    /// The message that this one belongs to.
    pub correlation_id: Option<String>,
    /// The queue for the answer, `queue` or `queue@node`.
    pub reply_to: Option<String>,
}

/// The body of a message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewBody {
    /// These bytes, at most [`WHOLE_BODY_MAX`].
    Whole(Bytes),
    /// One that was handed in before. Several messages may have the same.
    Staged(Staged),
}

impl Default for NewBody {
    fn default() -> Self {
        Self::Whole(Bytes::new())
    }
}

impl NewMessage {
    /// Checks the properties against their bounds, and the body against the node's.
    pub(super) fn check(&self, body_max: u64) -> Result<(), ServiceError> {
        self.check_size(body_max)?;
        let too_long =
            |what, max: usize| Err(ServiceError::TooLong { what, limit: format!("{max} bytes") });
        if self.label.chars().count() > limits::LABEL_MAX {
            let limit = format!("{} characters", limits::LABEL_MAX);
            return Err(ServiceError::TooLong { what: "a label", limit });
        }
        if self.content_type.len() > limits::CONTENT_TYPE_MAX {
            return too_long("a content type", limits::CONTENT_TYPE_MAX);
        }
        if self.correlation_id.as_ref().is_some_and(|id| id.len() > limits::CORRELATION_MAX) {
            return too_long("a correlation id", limits::CORRELATION_MAX);
        }
        self.check_headers()
    }

    fn check_size(&self, body_max: u64) -> Result<(), ServiceError> {
        let size = match &self.body {
            NewBody::Whole(bytes) => bytes.len() as u64,
            // Its size was checked as it came.
            NewBody::Staged(_) if self.delivery.is_durable() => return Ok(()),
            NewBody::Staged(staged) => staged.len(),
        };
        let limit = body_max.min(WHOLE_BODY_MAX as u64);
        if size > limit { Err(Rejection::TooLarge { size, limit }.into()) } else { Ok(()) }
    }

    fn check_headers(&self) -> Result<(), ServiceError> {
        let named = |name: &String| !name.is_empty() && !name.contains(char::is_control);
        let bytes: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        if self.headers.len() > limits::HEADERS_MAX {
            let limit = format!("{} headers", limits::HEADERS_MAX);
            return Err(ServiceError::TooLong { what: "a message", limit });
        }
        if !self.headers.keys().all(named) {
            let bounds = "one character at least, and none a control character";
            return Err(ServiceError::bad_value("a header's name", bounds));
        }
        if self.headers.keys().any(|name| name.len() > limits::HEADER_NAME_MAX) {
            let limit = format!("{} bytes", limits::HEADER_NAME_MAX);
            return Err(ServiceError::TooLong { what: "a header's name", limit });
        }
        if bytes > limits::HEADERS_BYTES_MAX {
            let limit = format!("{} bytes together", limits::HEADERS_BYTES_MAX);
            return Err(ServiceError::TooLong { what: "the headers", limit });
        }
        Ok(())
    }

    /// The inner part for a queue, and what stands in for its body if that lies apart. The caller has
    /// checked the properties.
    pub(super) fn into_inner(
        self,
        queue: QueueName,
        reply_to: Option<String>,
    ) -> (Inner, Option<Staged>) {
        let (body, staged) = match self.body {
            NewBody::Whole(bytes) => (bytes, None),
            NewBody::Staged(staged) => (Bytes::new(), Some(staged)),
        };
        let inner = Inner {
            queue,
            label: self.label,
            headers: self.headers,
            content_type: self.content_type,
            correlation_id: self.correlation_id,
            reply_to,
            body,
            extensions: Extensions::new(),
        };
        (inner, staged)
    }
}

/// A message in a local queue, with its inner part read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id; the origin is in it.
    pub id: MessageId,
    /// The queue it is in.
    pub queue: QueueName,
    /// 0 to 7.
    pub priority: Priority,
    /// Express, recoverable or transactional.
    pub delivery: Delivery,
    /// A short text for people.
    pub label: String,
    /// Properties of the application.
    pub headers: BTreeMap<String, String>,
    /// Media type of the body; empty if nobody said.
    pub content_type: String,
    /// The message that this one belongs to.
    pub correlation_id: Option<String>,
    /// The queue for the answer.
    pub reply_to: Option<String>,
    /// The body.
    pub body: Body,
    /// When it entered the queue.
    pub enqueued_at: Timestamp,
    /// How often it was handed out, this time included.
    pub delivery_count: u32,
    /// Whether it is under a lock.
    pub locked: bool,
}

impl Message {
    /// Reads what the engine hands out.
    ///
    /// Inner bytes that cannot be read (they were checked when they came, so only a later version
    /// of the format can cause it) are handed out whole as the body rather than blocking the queue.
    pub(super) fn read(queue: &QueueName, peeked: Peeked) -> Self {
        let (inner, body) = read_inner(&peeked.inner).unwrap_or_else(|why| {
            tracing::warn!(messaging.message.id = %peeked.id, %why, "the inner part of a message cannot be read");
            unreadable(queue.clone(), &peeked.inner)
        });
        Self {
            id: peeked.id,
            queue: queue.clone(),
            priority: peeked.priority,
            delivery: peeked.delivery,
            label: inner.label,
            headers: inner.headers,
            content_type: inner.content_type,
            correlation_id: inner.correlation_id,
            reply_to: inner.reply_to,
            body,
            enqueued_at: peeked.enqueued_at,
            delivery_count: peeked.delivery_count,
            locked: peeked.locked,
        }
    }
}

/// The properties and the body of an inner part.
pub(super) fn read_inner(shown: &Shown) -> Result<(Inner, Body), CodecError> {
    match shown.rest {
        None => {
            let mut inner = decode_inner(&shown.bytes)?;
            let body = std::mem::take(&mut inner.body);
            Ok((inner, Body::Whole(body)))
        }
        Some(rest) => {
            let (inner, head) = decode_inner_head(&shown.bytes, rest.len)?;
            Ok((inner, Body::Stored(StoredBody::of(rest, head as u64))))
        }
    }
}

fn unreadable(queue: QueueName, shown: &Shown) -> (Inner, Body) {
    let content_type = "application/vnd.meshmq.inner".to_owned();
    let (inner, _) = NewMessage { content_type, ..NewMessage::default() }.into_inner(queue, None);
    let body = match shown.rest {
        None => Body::Whole(shown.bytes.clone()),
        Some(rest) => Body::Stored(StoredBody::of(rest, 0)),
    };
    (inner, body)
}
