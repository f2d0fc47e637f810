//! News of the node: what happened to messages and links.

use super::{Error, MessageId, Result, State};
use futures::Stream;
use futures::stream::BoxStream;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Something that happened at the node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A message that was sent from this node has come further.
    State {
        /// Which.
        id: MessageId,
        /// How far.
        state: State,
    },
    /// A message came into a queue of this node.
    Entered {
        /// Which queue.
        queue: String,
        /// Which message.
        id: MessageId,
    },
    /// A program received a message of a queue of this node: it is acknowledged and gone.
    Consumed {
        /// Which queue.
        queue: String,
        /// Which message.
        id: MessageId,
    },
    /// A link to another node came up or went down.
    Link {
        /// The other node, by name, or by id if the name is not known.
        node: String,
        /// Whether it is up now.
        up: bool,
    },
    /// Events are missing here: the program was too slow, or away for too long, or the node was started
    /// again.
    Lagged {
        /// So many, if that is known.
        missed: Option<u64>,
    },
}

/// The events of a node from the moment on at which they were asked for; see
/// [`Client::events`](super::Client::events).
#[must_use = "nothing is read unless it is polled"]
pub struct Events(BoxStream<'static, Result<Event>>);

impl Events {
    pub(super) fn new(events: impl Stream<Item = Result<Event>> + Send + 'static) -> Self {
        Self(Box::pin(events))
    }

    /// The next event; none once a node within the program has stopped.
    ///
    /// # Errors
    /// [`Error::NotReachable`] if the node at a socket has gone and does not come back within ten seconds.
    /// Nothing more comes after an error.
    pub async fn next(&mut self) -> Option<Result<Event, Error>> {
        futures::StreamExt::next(&mut self.0).await
    }
}

impl Stream for Events {
    type Item = Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}
