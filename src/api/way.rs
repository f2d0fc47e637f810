//! What a node does for a program, whichever way it is reached.
//!
//! [`socket`](super::socket) and, with the feature `node`, [`local`](super::local) implement it; all
//! else in this part is written once on top.

use super::body::{BodyStream, Pieces};
use super::{Message, MessageId, QueueInfo, QueueSpec, QueuedMessage, Result, State};
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::Instant;

pub use crate::client::json::PeerState;

/// A pending answer. Dropping it does no harm, but the call may still be carried out.
pub(super) type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// For how far a message is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    Now,
    Arrived,
    Received,
}

/// How a lock ends, or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settle {
    Ack,
    Nack,
    Release,
    Extend(Duration),
}

/// A message under a lock.
#[derive(Debug)]
pub(super) struct Taken {
    /// Names the lock.
    pub(super) token: String,
    /// When the lock ends unless extended.
    pub(super) until: Instant,
    pub(super) message: QueuedMessage,
}

/// Messages, and where the next page begins.
pub(super) type PeekPage = (Vec<QueuedMessage>, Option<String>);

/// A way to a node.
pub(super) trait Way: Debug + Send + Sync {
    /// The runtime that carries what goes on behind a program's back.
    fn runtime(&self) -> &Handle;

    /// How long one question for a message's state may wait.
    fn wait_step(&self) -> Duration;

    /// Whether the node is in this process, so that it does not come back.
    fn ends_with_node(&self) -> bool;

    fn send<'a>(&'a self, to: &'a str, batch: Vec<Message>) -> Answer<'a, Vec<MessageId>>;

    /// Sends a message whose body comes piece by piece.
    fn send_stream<'a>(
        &'a self,
        to: &'a str,
        message: Message,
        body: Pieces,
    ) -> Answer<'a, MessageId>;

    /// The body of a message under a lock.
    fn body<'a>(&'a self, token: &'a str) -> Answer<'a, BodyStream>;

    /// The state of a message, once it has come so far or the time is over.
    fn state<'a>(&'a self, id: &'a MessageId, until: Until, time: Duration) -> Answer<'a, State>;

    /// A session: what is received in it returns to its queue when it is dropped.
    fn open(&self) -> Answer<'_, Arc<dyn Session>>;

    fn settle<'a>(&'a self, token: &'a str, how: Settle) -> Answer<'a, ()>;

    fn peek<'a>(
        &'a self,
        queue: &'a str,
        after: Option<String>,
        max: usize,
    ) -> Answer<'a, PeekPage>;

    fn create_queue<'a>(&'a self, spec: &'a QueueSpec) -> Answer<'a, QueueInfo>;

    fn queue<'a>(&'a self, name: &'a str) -> Answer<'a, QueueInfo>;

    fn queues(&self) -> Answer<'_, Vec<QueueInfo>>;

    fn remove_queue<'a>(&'a self, name: &'a str) -> Answer<'a, u64>;

    fn purge_queue<'a>(&'a self, name: &'a str) -> Answer<'a, u64>;

    fn peers(&self) -> Answer<'_, Vec<Peer>>;

    /// The node's name; empty until it is a member of a mesh.
    fn name(&self) -> Answer<'_, String>;
}

/// A session of a program at its node.
pub(super) trait Session: Debug + Send + Sync {
    /// Takes up to `max` messages under locks; waits for the first one.
    fn receive<'a>(
        &'a self,
        queue: &'a str,
        max: usize,
        wait: Duration,
        lock_for: Duration,
    ) -> Answer<'a, Vec<Taken>>;
}

/// Another member of the mesh.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Peer {
    /// Its name.
    pub name: String,
    /// Its id: 64 hexadecimal digits.
    pub node_id: String,
    /// Whether it can be reached.
    pub state: PeerState,
    /// `direct`, `via NAME` or `none`.
    pub path: String,
    /// Own messages that wait for it.
    pub outgoing: u64,
}
