//! The cloneable handle by which the rest of the node speaks to the task that owns the links.

use super::event::{DiscoveryState, JoinError, Joined, LinkView, StrangerView, TrafficView};
use super::view::View;
use crate::engine::address::NodeId;
use crate::engine::step::Output;
use crate::security::{Gatekeeper, NodeName, Token};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, mpsc, oneshot};

/// Requests and answers that wait for the task; beyond it the link of their peer is cut.
pub const OUTBOX: usize = 4_096;

/// What the handle asks of the task.
pub(super) enum Order {
    Join { token: Token, name: NodeName, reply: oneshot::Sender<Result<Joined, JoinError>> },
    Reopen { gatekeeper: Arc<Gatekeeper>, done: oneshot::Sender<()> },
    Shutdown { done: oneshot::Sender<()> },
}

/// Peers for whom something was lost before it reached the task: their links are cut, so that
/// `LinkDown` tells the engine that nothing sent to them is certain.
#[derive(Default)]
pub(super) struct Spilled {
    peers: Mutex<BTreeSet<NodeId>>,
    pub(super) notify: Notify,
}

impl Spilled {
    pub(super) fn add(&self, peer: NodeId) {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner).insert(peer);
        self.notify.notify_one();
    }

    pub(super) fn take(&self) -> BTreeSet<NodeId> {
        std::mem::take(&mut *self.peers.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The links of this node.
#[derive(Clone)]
pub struct NetHandle {
    pub(super) outbox: mpsc::Sender<Output>,
    pub(super) orders: mpsc::Sender<Order>,
    pub(super) spilled: Arc<Spilled>,
    pub(super) view: Arc<View>,
}

impl NetHandle {
    /// Sends a request or an answer of the engine; other outputs are not for neighbours and are
    /// dropped. Never waits: if [`OUTBOX`] things wait already, the peer's link is cut, and the
    /// engine hears `LinkDown`.
    pub fn try_send(&self, output: Output) {
        let peer = match &output {
            Output::Request { peer, .. } | Output::Answer { peer, .. } => *peer,
            Output::Reply { .. } | Output::Check { .. } | Output::Event(_) => return,
        };
        if self.outbox.try_send(output).is_err() {
            self.spilled.add(peer);
        }
    }

    /// The live links.
    pub fn links(&self) -> Vec<LinkView> {
        self.view.links()
    }

    /// What went over the links with each neighbour since the start.
    pub fn traffic(&self) -> Vec<TrafficView> {
        self.view.traffic()
    }

    /// How long ago a byte came from a node directly, in milliseconds, if ever since the start.
    pub fn heard_ms(&self, node: NodeId) -> Option<u64> {
        self.view.heard_ms(node)
    }

    /// Nodes seen that are no members, the latest first.
    pub fn strangers(&self) -> Vec<StrangerView> {
        self.view.strangers()
    }

    /// Where this node listens; loopback addresses last.
    pub fn listening(&self) -> Vec<SocketAddr> {
        self.view.listening()
    }

    /// Whether neighbours are looked for.
    pub fn discovery(&self) -> DiscoveryState {
        self.view.discovery()
    }

    /// Joins the mesh of a token: dials its addresses, proves the token, makes the membership
    /// durable through [`NetEvent::Keep`](super::NetEvent::Keep) and tells the gatekeeper.
    ///
    /// # Errors
    /// [`JoinError`]; then nothing has changed.
    pub async fn join(&self, token: Token, name: NodeName) -> Result<Joined, JoinError> {
        let (reply, result) = oneshot::channel();
        let order = Order::Join { token, name, reply };
        self.orders.send(order).await.map_err(|_| JoinError::Stopped)?;
        result.await.unwrap_or(Err(JoinError::Stopped))
    }

    /// Goes on with another gatekeeper: all links are cut and made anew as far as it allows.
    pub async fn reopen(&self, gatekeeper: Arc<Gatekeeper>) {
        let (done, wait) = oneshot::channel();
        if self.orders.send(Order::Reopen { gatekeeper, done }).await.is_ok() {
            let _ = wait.await;
        }
    }

    /// Closes all links and ends the task; returns when both is done.
    pub async fn shutdown(&self) {
        let (done, wait) = oneshot::channel();
        if self.orders.send(Order::Shutdown { done }).await.is_ok() {
            let _ = wait.await;
        }
    }
}
