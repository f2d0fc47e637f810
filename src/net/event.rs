//! What the links tell the daemon, and what they show of themselves.

use crate::engine::address::NodeId;
use crate::engine::step::Input;
use crate::security::{Denial, Keep};
use tokio::sync::oneshot;

/// News for the daemon, in the order in which they must be handled.
#[derive(Debug)]
pub enum NetEvent {
    /// For the engine: checked, and in the order of the link.
    Input(Input),
    /// To be made durable; the answer tells whether it is.
    Keep(Keep, oneshot::Sender<bool>),
    /// The addresses at which this node listens now, as `ip:port`.
    Listening(Vec<String>),
    /// Something that does not work and does not stop the node, in words.
    Warning(String),
}

/// A live link, as `peers` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkView {
    /// Who.
    pub node: NodeId,
    /// The other end.
    pub address: String,
    /// Round trip when idle, in milliseconds, once it was measured.
    pub rtt_ms: Option<f64>,
    /// By how much its wall clock is ahead of this node's, in milliseconds, once it was told.
    pub clock_skew_ms: Option<i64>,
    /// For how long the link has been up, in milliseconds.
    pub since_ms: u64,
    /// How long ago the last byte came, in milliseconds.
    pub last_heard_ms: u64,
    /// Requests of ours that wait for their answer.
    pub in_flight: usize,
}

/// What went over the links with a neighbour since the start, as it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrafficView {
    /// Who.
    pub node: NodeId,
    /// Bytes that came.
    pub received_bytes: u64,
    /// Bytes that went.
    pub sent_bytes: u64,
    /// How often the link came up again.
    pub reconnects: u64,
}

/// A node seen that is no member of this mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrangerView {
    /// Who.
    pub node: NodeId,
    /// Where it was seen: addresses, or the IP that it came from.
    pub addresses: Vec<String>,
    /// How long ago, in milliseconds.
    pub seen_ms: u64,
}

/// Whether neighbours are looked for by mDNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiscoveryState {
    /// It runs.
    On,
    /// It was turned off.
    Off,
    /// It could not start; static peers work all the same.
    Failed(String),
}

/// Outcome of a join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Who let this node in.
    pub inviter: NodeId,
    /// The mesh's label.
    pub mesh: String,
}

/// Why a join did not come about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// Nobody answered at the token's addresses (exit 69).
    #[error("the inviter cannot be reached: {0}")]
    Unreachable(String),
    /// The inviter or this node refuses (exit 77, 73 for a taken name).
    #[error(transparent)]
    Refused(#[from] Denial),
    /// The membership could not be made durable (exit 74).
    #[error("the new membership could not be stored")]
    NotKept,
    /// Another join is under way (exit 75).
    #[error("another join is under way")]
    Busy,
    /// The links are shutting down.
    #[error("the node is stopping")]
    Stopped,
}

/// Why the links did not start.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// A listen address that was asked for is taken or not of this machine (exit 78).
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// As it was asked for.
        address: String,
        /// The system's words.
        reason: String,
        /// Whether another program has it.
        taken: bool,
    },
    /// The secret is no Ed25519 key, or not that of the gatekeeper.
    #[error("the node's key cannot be used for links")]
    Key,
    /// The encryption of links could not be set up.
    #[error("cannot set up the transport: {0}")]
    Transport(String),
}
