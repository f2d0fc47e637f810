//! Identities, mesh membership, signatures: everything that decides whom and what to believe.
//!
//! Refuses to do I/O other than its key files, to wait, and to let anything unchecked through to
//! the engine. `suite` alone names algorithms.

mod access;
mod admit;
mod authority;
mod denial;
mod dialogue;
mod error;
mod fields;
mod frames;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod gatekeeper;
mod hello;
mod identity;
mod invite;
mod join;
mod keyfile;
mod membership;
mod message;
mod name;
mod record;
mod state;
mod statement;
mod suite;
mod token;

/// Every bound of this layer, by name (promise G8).
pub mod limits {
    pub use super::dialogue::{ADDRESSES_MAX, DIALOGUE_MAX, ROUNDS_MAX};
    pub use super::frames::PENDING_MAX;
    pub use super::invite::{INVITE_TTL_MAX_MS, INVITES_MAX, WRONG_PROOFS_MAX};
    pub use super::membership::{CLK_AHEAD_MAX, GENERATIONS_MAX, MEMBERS_MAX, REVOCATIONS_MAX};
    pub use super::statement::VERIFIED_MAX;
    pub use super::token::TOKEN_ADDRESSES_MAX;
}

pub use access::{AccessHash, AccessToken};
pub use denial::Denial;
pub use dialogue::{
    ADDRESSES_MAX, DIALOGUE_MAX, Dialogue, PROTOCOL_MAX, PROTOCOL_MIN, PeerHello, ROUNDS_MAX,
    Reaction, Turn, Visitor,
};
pub use error::{ResolveError, SecurityError};
pub use gatekeeper::Gatekeeper;
pub use identity::Identity;
pub use name::{BadNodeName, NodeName};
pub use statement::{line_id, sign_statement, verify_statement};
pub use suite::{fingerprint, random};
pub use token::{Token, TokenError};

#[cfg(test)]
mod tests;

use crate::engine::address::NodeId;
use crate::engine::statement::DirectoryRecord;
use bytes::Bytes;
use std::fmt;
use std::net::SocketAddr;

/// A mesh: the first sixteen bytes of the hash of its genesis authority record. It never changes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeshId(pub [u8; 16]);

impl fmt::Display for MeshId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for MeshId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Records of security to be committed together: the fields of `Command::Keep`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Keep {
    /// Private state by name; `None` removes it. Holds secrets, so it is never printed.
    pub private: Vec<(String, Option<Bytes>)>,
    /// Records to spread.
    pub directory: Vec<DirectoryRecord>,
    /// Whether all other directory records go first: the node changes its mesh.
    pub forget: bool,
}

impl fmt::Debug for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.private.iter().map(|(name, _)| name).collect();
        f.debug_struct("Keep")
            .field("private", &names)
            .field("directory", &self.directory.len())
            .field("forget", &self.forget)
            .finish()
    }
}

/// What becomes of a directory record that came from a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// It holds and is newer than what is here.
    New,
    /// It, or a greater one, is here already.
    Known,
    /// It may hold once others are known; it can be asked for again.
    Pending,
    /// It can never hold.
    Bad(&'static str),
}

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Sends, receives and carries.
    Member,
    /// Only carries for others.
    Courier,
    /// Also admits and revokes members.
    Admin,
}

impl Role {
    /// The name in replies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Courier => "courier",
            Self::Admin => "admin",
        }
    }
}

/// Whether a node of the directory is a member now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberState {
    /// It is.
    Active,
    /// It has left.
    Left,
    /// It was revoked.
    Revoked,
}

/// A node of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub node: NodeId,
    /// The name under which it is shown and addressed.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Whether it is a member now.
    pub state: MemberState,
    /// Serial number of its certificate.
    pub serial: u64,
}

/// What an invitation grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteOptions {
    /// How long the token is good, in milliseconds of the inviter's time.
    pub ttl_ms: u64,
    /// Whether it makes an admin; only where the authority key is.
    pub admin: bool,
    /// Where the inviter listens: at most four are put into the token.
    pub addresses: Vec<SocketAddr>,
}
