//! What the service needs of the links to other nodes; `daemon` implements it on `net`.

use crate::engine::address::NodeId;
use crate::security::{Denial, NodeName, Token};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

/// A live link to a member.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// The other end.
    pub node: NodeId,
    /// Its address.
    pub address: String,
    /// Round trip, in milliseconds, once it was measured.
    pub rtt_ms: Option<f64>,
    /// By how much its wall clock is ahead of this node's, in milliseconds, once it was told.
    pub clock_skew_ms: Option<i64>,
}

/// What went over the links with a neighbour since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// The other end.
    pub node: NodeId,
    /// Bytes that came, as they are on the wire.
    pub received_bytes: u64,
    /// Bytes that went.
    pub sent_bytes: u64,
    /// How often the link came up again.
    pub reconnects: u64,
}

/// A link came up or went down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkNews {
    /// The other end.
    pub node: NodeId,
    /// Whether it is up now.
    pub up: bool,
}

/// A node that is no member and was seen on the local network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Its id.
    pub node: NodeId,
    /// Where it was seen.
    pub addresses: Vec<String>,
    /// How long ago, in milliseconds.
    pub seen_ms: u64,
}

/// How nodes on the local network are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// They are.
    On,
    /// Not, as was asked for.
    Off,
    /// It could not be started, for this reason.
    Failed(String),
}

/// A pending join.
pub type JoinFuture<'a> = Pin<Box<dyn Future<Output = Result<(), JoinFailure>> + Send + 'a>>;

/// The links of this node.
pub trait Links: Send + Sync {
    /// The live links.
    fn links(&self) -> Vec<Link>;

    /// What went over the links with each neighbour.
    fn traffic(&self) -> Vec<Traffic>;

    /// How long ago a node was last heard directly, in milliseconds, if it ever was.
    fn heard_ms(&self, node: NodeId) -> Option<u64>;

    /// Nodes seen that are no members.
    fn strangers(&self) -> Vec<Sighting>;

    /// How nodes on the local network are looked for.
    fn discovery(&self) -> Discovery;

    /// Addresses at which this node listens, those that only this machine can use last.
    fn listening(&self) -> Vec<SocketAddr>;

    /// Addresses at which others reach this node, as far as it knows.
    fn announced(&self) -> Vec<SocketAddr> {
        self.listening()
    }

    /// Proves a token to the node that made it, and becomes a member of its mesh. When it is done,
    /// the membership is durable.
    fn join(&self, token: Token, name: NodeName) -> JoinFuture<'_>;
}

/// Why a join did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoinFailure {
    /// The inviter cannot be reached, or did not answer in time.
    #[error("{0}")]
    Unreachable(String),
    /// The inviter said no, or is not who it should be.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// Another join is under way.
    #[error("another join is under way")]
    Busy,
    /// This node could not store its membership.
    #[error("the membership could not be stored")]
    NotStored,
}
