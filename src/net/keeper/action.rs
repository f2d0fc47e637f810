//! What the keeper is told of the moment, and what it wants done.

use crate::engine::address::NodeId;
use crate::net::config::PeerAddr;
use libp2p::swarm::ConnectionId;
use std::net::SocketAddr;

/// Number of a dial.
pub(crate) type DialId = u64;

/// Whom to dial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// This node, at one of these addresses.
    Node(NodeId, Vec<SocketAddr>),
    /// Whoever is at a configured place.
    Place(PeerAddr),
}

/// What the keeper wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Dial; `dialed` or `established` must follow.
    Dial {
        /// Number of the dial.
        dial: DialId,
        /// Whom.
        target: Target,
        /// Whether the TCP connection may take long.
        patient: bool,
    },
    /// Close a connection that is one too many.
    Close(ConnectionId),
}

/// What the keeper must know of the moment.
pub(crate) struct Moment<'a> {
    /// The time.
    pub(crate) now_ms: u64,
    /// Whether this node has something to prove.
    pub(crate) in_mesh: bool,
    /// Whether a node is a member.
    pub(crate) member: &'a dyn Fn(NodeId) -> bool,
    /// Whether a connection missed a beat.
    pub(crate) doubtful: &'a dyn Fn(ConnectionId) -> bool,
}
