//! The members of the mesh as this node sees them, and the strangers next door.

use super::{Discovery, Service, ServiceError};
use crate::engine::address::NodeId;
use crate::engine::command::{Command, Reply};
use crate::security::MemberState;
use std::collections::BTreeMap;
use std::fmt;

/// Where a member stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerState {
    /// A live path leads there.
    Up,
    /// No live path leads there now.
    Away,
    /// It left the mesh, or was put out.
    Left,
}

/// How a member is reached now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// By a link of this node.
    Direct,
    /// By way of this neighbour.
    Via(String),
    /// Not at all.
    None,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("direct"),
            Self::Via(name) => write!(f, "via {name}"),
            Self::None => f.write_str("none"),
        }
    }
}

/// Another member of the mesh.
#[derive(Clone, Debug, PartialEq)]
pub struct Peer {
    /// Its name.
    pub name: String,
    /// Its id.
    pub node: NodeId,
    /// Where it stands.
    pub state: PeerState,
    /// How it is reached.
    pub path: Path,
    /// Round trip of the direct link, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// By how much its wall clock is ahead of this node's, in milliseconds, as it told over the direct
    /// link.
    pub clock_skew_ms: Option<i64>,
    /// Own messages that wait for it.
    pub outgoing: u64,
    /// Time since it was last heard, in milliseconds; zero while it is up.
    pub seen_ms: Option<u64>,
}

/// A node seen on the local network that is no member. Only members learn names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// Its id.
    pub node: NodeId,
    /// Where it was seen.
    pub addresses: Vec<String>,
    /// How long ago, in milliseconds.
    pub seen_ms: u64,
}

/// Everyone whom this node knows of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Peers {
    /// The other members, by name.
    pub members: Vec<Peer>,
    /// Strangers seen.
    pub strangers: Vec<Stranger>,
}

impl Service {
    /// Lists the other members and the strangers seen.
    ///
    /// # Errors
    /// [`ServiceError::Stopping`].
    pub async fn peers(&self) -> Result<Peers, ServiceError> {
        let waiting: BTreeMap<NodeId, u64> = self
            .outgoing_views()
            .await?
            .into_iter()
            .map(|view| (view.destination, view.messages))
            .collect();
        let paths = self.paths().await?;
        let links = self.links().links();
        let own = self.gatekeeper().node();
        let mut members = Vec::new();
        let known = if self.is_in_mesh() { self.gatekeeper().members() } else { Vec::new() };
        for member in known {
            let node = member.node;
            if node == own {
                continue;
            }
            let link = links.iter().find(|link| link.node == node);
            let via = paths.get(&node).filter(|via| **via != node);
            let (state, path) = match (member.state, link, via) {
                (MemberState::Left | MemberState::Revoked, ..) => (PeerState::Left, Path::None),
                (_, Some(_), _) => (PeerState::Up, Path::Direct),
                (_, None, Some(via)) => (PeerState::Up, Path::Via(self.node_text(*via))),
                (_, None, None) => (PeerState::Away, Path::None),
            };
            let is_up = state == PeerState::Up;
            members.push(Peer {
                name: member.name,
                node,
                state,
                path,
                rtt_ms: link.and_then(|link| link.rtt_ms),
                clock_skew_ms: link.and_then(|link| link.clock_skew_ms),
                outgoing: waiting.get(&node).copied().unwrap_or(0),
                seen_ms: if is_up { Some(0) } else { self.links().heard_ms(node) },
            });
        }
        members.sort_by(|a, b| a.name.cmp(&b.name));
        let strangers = self.links().strangers().into_iter();
        // One that has just joined is still among those that the links have seen.
        let strangers = strangers.filter(|seen| !self.gatekeeper().is_member(seen.node));
        let strangers = strangers.map(|seen| Stranger {
            node: seen.node,
            addresses: seen.addresses,
            seen_ms: seen.seen_ms,
        });
        Ok(Peers { members, strangers: strangers.collect() })
    }

    /// How nodes on the local network are looked for.
    pub fn discovery(&self) -> Discovery {
        self.links().discovery()
    }

    /// Reachable nodes, each with the neighbour that leads there.
    async fn paths(&self) -> Result<BTreeMap<NodeId, NodeId>, ServiceError> {
        match self.call(Command::Reach).await? {
            Reply::Reach(reach) => Ok(reach.into_iter().collect()),
            _ => Err(ServiceError::Internal("reachable nodes were expected".to_owned())),
        }
    }
}
