//! What a program holds of a message that it has sent.

use super::way::{Until, Way};
use super::{Error, MessageId, Result};
use std::sync::Arc;
use std::time::Duration;

/// How far a message has come, as the node that accepted it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// On this node's disk, in its memory if it is express.
    Stored,
    /// A neighbour has a copy.
    InTransit {
        /// Which, by name, or by id if the name is not known here.
        held_by: String,
    },
    /// In its destination queue.
    Arrived,
    /// Received by a program.
    Received,
    /// Ended without being delivered, for certain.
    Dead {
        /// Why.
        reason: String,
    },
    /// Ended here; it may have arrived.
    Unconfirmed {
        /// Why.
        reason: String,
    },
}

/// A message that the node has: it is safe, and on its way.
///
/// Dropping it changes nothing: the message is delivered all the same.
#[derive(Clone, Debug)]
pub struct Receipt {
    way: Arc<dyn Way>,
    id: MessageId,
}

impl Receipt {
    pub(super) const fn new(way: Arc<dyn Way>, id: MessageId) -> Self {
        Self { way, id }
    }

    /// The message's id, durable and unique in the mesh.
    pub const fn id(&self) -> &MessageId {
        &self.id
    }

    /// How far it has come now.
    ///
    /// # Errors
    /// [`Error::NoSuchMessage`] if it was settled long ago and forgotten.
    pub async fn state(&self) -> Result<State> {
        self.way.state(&self.id, Until::Now, Duration::ZERO).await
    }

    /// Waits until it is in its destination queue, which may take days; put a time limit around it.
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`Error::Dead`] or [`Error::Unconfirmed`] if it ended on the way.
    pub async fn arrived(&self) -> Result<()> {
        self.come(Until::Arrived).await
    }

    /// Waits until a program has received it. Otherwise as [`Receipt::arrived`].
    ///
    /// # Errors
    /// As [`Receipt::arrived`]; a message can also end in its queue, [`Error::Dead`].
    pub async fn received(&self) -> Result<()> {
        self.come(Until::Received).await
    }

    async fn come(&self, until: Until) -> Result<()> {
        loop {
            match self.way.state(&self.id, until, self.way.wait_step()).await? {
                State::Received => return Ok(()),
                State::Arrived if until == Until::Arrived => return Ok(()),
                State::Dead { reason } => return Err(Error::died(&reason, false)),
                State::Unconfirmed { reason } => return Err(Error::died(&reason, true)),
                State::Stored | State::InTransit { .. } | State::Arrived => {}
            }
        }
    }
}
