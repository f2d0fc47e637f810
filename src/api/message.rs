//! Messages: made by a program, or found in a queue.

use super::{Error, Result};
use crate::engine::message::Delivery as Mode;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::time::Duration;

/// A body and its properties.
///
/// Every property has a field to read and a method of the same name to set it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The body; shared, never copied.
    pub body: Bytes,
    /// A short text for people, at most 249 characters.
    pub label: String,
    /// Properties of the application.
    pub headers: BTreeMap<String, String>,
    /// Media type of the body; empty if nobody said.
    pub content_type: String,
    /// 0 to 7, 7 the most urgent; 3 if nobody said.
    pub priority: Option<u8>,
    /// Express, recoverable or transactional; recoverable if nobody said.
    pub mode: Mode,
    /// How long it may take to reach its queue; 30 days if nobody said.
    pub reach_within: Option<Duration>,
    /// How long it may take to be received; for ever if nobody said.
    pub ttl: Option<Duration>,
    /// The message that this one answers or belongs to.
    pub correlation: Option<String>,
    /// The queue for the answer: `queue`, or `queue@node`.
    pub reply_to: Option<String>,
}

impl Message {
    /// A message with this body.
    pub fn new(body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }

    /// A message whose body is a value in JSON.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the value has no form in JSON.
    pub fn json(value: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_vec(value)
            .map_err(|why| Error::invalid(format!("the value cannot be written as JSON: {why}")))?;
        Ok(Self::new(body).content_type("application/json"))
    }

    /// The body read as JSON.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is not JSON of that form.
    pub fn read_json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body)
            .map_err(|why| Error::invalid(format!("the body is not JSON as wanted: {why}")))
    }

    /// Sets the short text for people.
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }

    /// Sets a property of the application.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Sets the media type of the body.
    #[must_use]
    pub fn content_type(self, content_type: impl Into<String>) -> Self {
        Self { content_type: content_type.into(), ..self }
    }

    /// Sets the priority, 0 to 7. A higher number is refused at the send.
    #[must_use]
    pub fn priority(self, priority: u8) -> Self {
        Self { priority: Some(priority), ..self }
    }

    /// Keeps it in memory only: fast, and lost when a node that holds it stops.
    #[must_use]
    pub fn express(self) -> Self {
        Self { mode: Mode::Express, ..self }
    }

    /// Delivers it in the order of sending; for transactional queues.
    #[must_use]
    pub fn transactional(self) -> Self {
        Self { mode: Mode::Transactional, ..self }
    }

    /// Lets it die if it has not reached its queue by then.
    #[must_use]
    pub fn reach_within(self, time: Duration) -> Self {
        Self { reach_within: Some(time), ..self }
    }

    /// Lets it die if no program has received it by then.
    #[must_use]
    pub fn ttl(self, time: Duration) -> Self {
        Self { ttl: Some(time), ..self }
    }

    /// Names the message that this one answers or belongs to.
    #[must_use]
    pub fn correlation(self, id: impl fmt::Display) -> Self {
        Self { correlation: Some(id.to_string()), ..self }
    }

    /// Names the queue for the answer.
    #[must_use]
    pub fn reply_to(self, address: impl Into<String>) -> Self {
        Self { reply_to: Some(address.into()), ..self }
    }
}

impl<T: Into<Bytes>> From<T> for Message {
    fn from(body: T) -> Self {
        Self::new(body)
    }
}

/// Names a message in the whole mesh. Opaque; at most 64 characters of `[a-z0-9-]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// The id of a text that was printed by one. Whether there is such a message, the node tells.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The printed form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A message as it lies in a local queue. It reads like its [`Message`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueuedMessage {
    /// Its id.
    pub id: MessageId,
    /// The queue that it is in.
    pub queue: String,
    /// The node that accepted it first, by name, or by id if the name is not known here.
    pub origin: String,
    /// Length of its body in bytes. One of more than 1 MiB is not in `body`, which is empty then: it is
    /// read with [`Delivery::body`](super::Delivery::body).
    pub body_size: u64,
    /// How often it was handed out, this time included.
    pub delivery_count: u32,
    /// When it entered the queue, RFC 3339.
    pub enqueued_at: String,
    /// Body and properties.
    pub message: Message,
}

impl QueuedMessage {
    /// Whether its body is too large to be here.
    pub const fn is_body_apart(&self) -> bool {
        self.message.body.is_empty() && self.body_size > 0
    }
}

impl Deref for QueuedMessage {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.message
    }
}

#[cfg(test)]
mod tests;
