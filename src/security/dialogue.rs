//! The dialogue by which two nodes prove themselves: its parties' memories and its results.
//!
//! The dialer asks and hears, the listener is asked and replies; whoever moves the bytes needs to
//! know nothing about them. `hello` and `join` hold the rules.

use super::join::Plan;
use super::token::InviteId;
use super::{Denial, Keep};
use crate::engine::address::NodeId;
use std::fmt;

/// Largest message of a dialogue, in bytes.
pub const DIALOGUE_MAX: usize = 16 * 1024;
/// Most requests that one unproven connection may make.
pub const ROUNDS_MAX: u8 = 6;
/// Lowest protocol version that this node speaks.
pub const PROTOCOL_MIN: u16 = 1;
/// Highest protocol version that this node speaks.
pub const PROTOCOL_MAX: u16 = 1;
/// Most addresses that a HELLO may tell.
pub const ADDRESSES_MAX: usize = 8;

/// The dialer's memory of a dialogue.
pub struct Dialogue {
    pub(super) peer: NodeId,
    pub(super) rounds: u8,
    pub(super) stage: Stage,
}

/// Where a dialer stands.
pub(super) enum Stage {
    /// It knocked.
    Knocking { nonce: [u8; 32] },
    /// It said HELLO.
    Greeting,
    /// It wants to join, and has told nothing yet.
    Wanting(Box<Plan>),
    /// It has proven its token.
    Joining(Box<Plan>),
    /// Nothing more is to come.
    Over,
}

impl Dialogue {
    /// A dialogue that begins.
    pub(super) const fn new(peer: NodeId, stage: Stage) -> Self {
        Self { peer, rounds: 0, stage }
    }

    /// The peer.
    pub const fn peer(&self) -> NodeId {
        self.peer
    }
}

impl fmt::Debug for Dialogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialogue").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// The listener's memory of one connection.
#[derive(Debug, Default)]
pub struct Visitor {
    pub(super) rounds: u8,
    pub(super) stage: Visit,
}

/// Where a listener stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Visit {
    /// Nothing was said yet.
    #[default]
    Fresh,
    /// The dialer knocked and was answered.
    Knocked { theirs: [u8; 32], ours: [u8; 32] },
    /// The dialer has a token, and was shown the mesh.
    Wanted { invite: InviteId, theirs: [u8; 32], ours: [u8; 32] },
    /// Nothing more is to come.
    Over,
}

/// What the dialer does next.
#[derive(Debug)]
pub enum Turn {
    /// Says this and hears the reply.
    Say(Vec<u8>),
    /// The peer is a member of this mesh.
    Proven(PeerHello),
    /// This node was admitted; the records must be committed, then `Gatekeeper::joined` be told.
    Joined(Keep),
}

/// What the listener does next.
#[derive(Debug)]
pub struct Reaction {
    /// The reply.
    pub reply: Vec<u8>,
    /// If there is something to keep, it must be committed before the reply is sent.
    pub keep: Option<Keep>,
    /// Set once the peer is proven.
    pub proven: Option<PeerHello>,
    /// Set if the reply tells the peer that it is refused: close after sending it.
    pub refused: Option<Denial>,
}

/// What a proven peer says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerHello {
    /// The protocol version agreed: the highest that both speak.
    pub version: u16,
    /// Optional features that both know, as bits.
    pub features: u64,
    /// Where it can be dialed, at most [`ADDRESSES_MAX`].
    pub addresses: Vec<String>,
    /// Drawn when its process started.
    pub boot: u64,
    /// Its wall clock in Unix milliseconds: for display and for doubting one's own.
    pub wall_ms: u64,
    /// Its program and version, for display.
    pub agent: String,
}
