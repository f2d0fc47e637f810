//! A queue, here or on another node, as a program sees it.

use super::receiver::{LOCK_FOR, WAIT_STEP};
use super::way::Way;
use super::{Delivery, Error, Message, QueuedMessage, Receipt, ReceiverBuilder, Result};
use crate::client::json;
use bytes::Bytes;
use futures::Stream;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A queue: messages can be sent to any, and all else can be done with those of the own node.
#[derive(Clone, Debug)]
pub struct Queue {
    way: Arc<dyn Way>,
    address: String,
}

impl Queue {
    pub(super) const fn new(way: Arc<dyn Way>, address: String) -> Self {
        Self { way, address }
    }

    /// Its address, as it was given.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Sends a message. When this returns, it is on this node's disk (in its memory, if it is
    /// express) and will be delivered exactly once.
    ///
    /// If the future is dropped, the message may still be sent. If the connection to the node breaks, it
    /// is asked again for ten seconds; the message is not stored twice.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the queue is several: those take [`Queue::send_all`]. What the node
    /// refuses; [`Error::Interrupted`] if the connection broke before it said whether it has the
    /// message, and it could not be asked again.
    pub async fn send(&self, message: impl Into<Message>) -> Result<Receipt> {
        self.check_one()?;
        let sent = self.send_all(vec![message.into()]).await?;
        sent.into_iter().next().ok_or_else(|| Error::other("a receipt is missing"))
    }

    /// Sends messages, at most [`SEND_MAX`](crate::engine::limits::SEND_MAX), in one durable step:
    /// all of them or none. If this is several queues, their addresses joined by commas, each message
    /// goes to each of them and has a receipt for each, in this order; a large body is stored once.
    ///
    /// # Errors
    /// As [`Queue::send`].
    pub async fn send_all(&self, messages: Vec<Message>) -> Result<Vec<Receipt>> {
        let ids = self.way.send(&self.address, messages).await?;
        Ok(ids.into_iter().map(|id| Receipt::new(Arc::clone(&self.way), id)).collect())
    }

    fn check_one(&self) -> Result<()> {
        if self.address.contains(',') {
            return Err(Error::invalid("several queues at once take `send_all`"));
        }
        Ok(())
    }

    /// Sends a message whose body comes piece by piece, so that it is never held whole: of any size up
    /// to the node's limit. The body of `message` itself must be empty.
    ///
    /// If the future is dropped, or a piece is an error, nothing is sent, unless all pieces had come.
    ///
    /// # Errors
    /// As [`Queue::send`]; [`Error::Invalid`] if `message` has a body or is express and the body
    /// exceeds 1 MiB.
    pub async fn send_stream(
        &self,
        message: impl Into<Message>,
        body: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Result<Receipt> {
        self.check_one()?;
        let message = message.into();
        if !message.body.is_empty() {
            return Err(Error::invalid("a message whose body is a stream has no other"));
        }
        let id = self.way.send_stream(&self.address, message, Box::pin(body)).await?;
        Ok(Receipt::new(Arc::clone(&self.way), id))
    }

    /// Begins to receive from it; it must be a queue of the own node.
    pub fn receiver(&self) -> ReceiverBuilder {
        ReceiverBuilder::new(Arc::clone(&self.way), self.address.clone())
    }

    /// Receives one message, if one comes in time. For more than one use [`Queue::receiver`].
    ///
    /// # Errors
    /// [`Error::NoSuchQueue`]; [`Error::Invalid`] if it is not a queue of the own node;
    /// [`Error::NotReachable`].
    pub async fn receive(&self, wait: Duration) -> Result<Option<Delivery>> {
        let session = self.way.open().await?;
        let begun = Instant::now();
        loop {
            let left = wait.saturating_sub(begun.elapsed());
            let step = left.min(WAIT_STEP);
            let found = session.receive(&self.address, 1, step, LOCK_FOR).await?;
            if let Some(taken) = found.into_iter().next() {
                return Ok(Some(Delivery::new(Arc::clone(&self.way), session, taken)));
            }
            if begun.elapsed() >= wait {
                return Ok(None);
            }
        }
    }

    /// Looks at messages without taking or locking them, at most `max`, from the head or after an
    /// earlier page.
    ///
    /// # Errors
    /// [`Error::NoSuchQueue`]; [`Error::Invalid`] if it is not a queue of the own node.
    pub async fn peek(&self, after: Option<&Peeked>, max: usize) -> Result<Peeked> {
        let after = match after {
            Some(Peeked { next: None, .. }) => return Ok(Peeked::default()),
            Some(page) => page.next.clone(),
            None => None,
        };
        let (messages, next) = self.way.peek(&self.address, after, max).await?;
        Ok(Peeked { messages, next })
    }

    /// What is in it.
    ///
    /// # Errors
    /// As [`Queue::peek`].
    pub async fn info(&self) -> Result<QueueInfo> {
        self.way.queue(&self.address).await
    }

    /// Deletes what is in it, locked messages excepted; tells how many messages.
    ///
    /// # Errors
    /// As [`Queue::peek`].
    pub async fn purge(&self) -> Result<u64> {
        self.way.purge_queue(&self.address).await
    }

    /// Deletes it with everything in it; tells how many messages that were.
    ///
    /// # Errors
    /// As [`Queue::peek`].
    pub async fn remove(self) -> Result<u64> {
        self.way.remove_queue(&self.address).await
    }
}

/// Messages that were looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peeked {
    /// The messages, in the order of receiving.
    pub messages: Vec<QueuedMessage>,
    /// Where the next page begins.
    next: Option<String>,
}

impl Peeked {
    /// Whether nothing follows.
    pub const fn is_last(&self) -> bool {
        self.next.is_none()
    }
}

/// A queue to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct QueueSpec {
    pub(super) name: String,
    pub(super) transactional: bool,
    pub(super) max_messages: Option<u64>,
    pub(super) max_bytes: Option<u64>,
}

impl QueueSpec {
    /// A queue of that name, plain, with the node's quotas.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), transactional: false, max_messages: None, max_bytes: None }
    }

    /// Takes transactional messages only, each exactly once and in order. Fixed for ever.
    pub fn transactional(self) -> Self {
        Self { transactional: true, ..self }
    }

    /// Refuses more messages than this.
    pub fn max_messages(self, messages: u64) -> Self {
        Self { max_messages: Some(messages), ..self }
    }

    /// Refuses more bytes than this.
    pub fn max_bytes(self, bytes: u64) -> Self {
        Self { max_bytes: Some(bytes), ..self }
    }
}

impl<T: Into<String>> From<T> for QueueSpec {
    fn from(name: T) -> Self {
        Self::new(name)
    }
}

/// A queue of the node.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct QueueInfo {
    /// Its name as its creator wrote it.
    pub name: String,
    /// Whether it takes transactional messages only.
    pub transactional: bool,
    /// Messages that can be received now or after a wait.
    pub ready: u64,
    /// Messages under locks.
    pub locked: u64,
    /// Dead letters that were for it.
    pub dead: u64,
    /// Bytes of its messages.
    pub bytes: u64,
    /// Age of the message at its head.
    pub oldest_age: Option<Duration>,
    /// Quota in messages.
    pub max_messages: u64,
    /// Quota in bytes.
    pub max_bytes: u64,
}

impl From<json::Queue> for QueueInfo {
    fn from(queue: json::Queue) -> Self {
        let seconds = |age: f64| Duration::try_from_secs_f64(age).unwrap_or_default();
        Self {
            name: queue.name,
            transactional: queue.transactional,
            ready: queue.ready,
            locked: queue.locked,
            dead: queue.dead,
            bytes: queue.bytes,
            oldest_age: queue.oldest_age_s.map(seconds),
            max_messages: queue.max_messages,
            max_bytes: queue.max_bytes,
        }
    }
}
