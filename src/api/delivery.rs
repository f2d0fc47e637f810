//! A message that was handed out under a lock.

use super::way::{Session, Settle, Taken, Way};
use super::{BodyStream, QueuedMessage, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A message under a lock: nobody else gets it until the lock ends.
///
/// It wants to be settled. One that is dropped returns to its queue at once, and so does one whose
/// program ends.
#[derive(Debug)]
#[must_use = "a delivery that is not acknowledged returns to its queue"]
pub struct Delivery {
    way: Arc<dyn Way>,
    /// Keeps the session open: its locks return when it ends.
    session: Arc<dyn Session>,
    token: String,
    until: Instant,
    message: QueuedMessage,
    settled: bool,
}

impl Delivery {
    pub(super) fn new(way: Arc<dyn Way>, session: Arc<dyn Session>, taken: Taken) -> Self {
        let Taken { token, until, message } = taken;
        Self { way, session, token, until, message, settled: false }
    }

    /// The message.
    pub const fn message(&self) -> &QueuedMessage {
        &self.message
    }

    /// Its body, piece by piece: for one of any size, and the only way to a large one.
    ///
    /// # Errors
    /// [`Error::LockLost`](super::Error::LockLost) if the lock ran out.
    pub async fn body(&self) -> Result<BodyStream> {
        if self.message.is_body_apart() {
            return self.way.body(&self.token).await;
        }
        let whole = self.message.body.clone();
        Ok(BodyStream::new(futures::stream::iter([Ok(whole)])))
    }

    /// Whether its lock has run out, by this program's clock: somebody else may have it.
    pub fn is_over(&self) -> bool {
        self.until <= Instant::now()
    }

    /// The message was received: it leaves its queue. Its sender hears of it.
    ///
    /// If the future is dropped, the message has left its queue, or returns to it.
    ///
    /// # Errors
    /// [`Error::LockLost`](super::Error::LockLost) if the lock ran out: the message will be handed
    /// out again.
    pub async fn ack(self) -> Result<()> {
        self.settle(Settle::Ack).await
    }

    /// The message could not be worked on: it returns to its queue after a second, which doubles
    /// with every further time up to a minute.
    ///
    /// # Errors
    /// As [`Delivery::ack`].
    pub async fn nack(self) -> Result<()> {
        self.settle(Settle::Nack).await
    }

    /// The message returns to its queue at once, as if it had been dropped; this waits until it has.
    ///
    /// # Errors
    /// As [`Delivery::ack`].
    pub async fn release(self) -> Result<()> {
        self.settle(Settle::Release).await
    }

    /// The lock lasts so long from now on, at most 12 hours.
    ///
    /// # Errors
    /// As [`Delivery::ack`].
    pub async fn extend(&mut self, time: Duration) -> Result<()> {
        let from = Instant::now();
        self.way.settle(&self.token, Settle::Extend(time)).await?;
        self.until = from + time;
        Ok(())
    }

    async fn settle(mut self, how: Settle) -> Result<()> {
        let outcome = self.way.settle(&self.token, how).await;
        // What the node refused it will refuse again.
        self.settled = !matches!(outcome, Err(super::Error::Interrupted(_)));
        outcome
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let (way, session) = (Arc::clone(&self.way), Arc::clone(&self.session));
        let token = std::mem::take(&mut self.token);
        self.way.runtime().spawn(async move {
            // A lock that is gone has returned by itself.
            let _ = way.settle(&token, Settle::Release).await;
            drop(session);
        });
    }
}
