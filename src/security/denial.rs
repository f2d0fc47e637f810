//! Why a peer is not let in, or does not let this node in, with what to do next.
//!
//! Some denials are told to the other side; what comes from there is text of a stranger, so only
//! numbers and names of nodes are taken over from it.

use super::fields::{Fields, Malformed};
use super::message::read_name;
use super::name::NodeName;
use ciborium::Value;

/// Why a dialogue ended without success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The bytes are no message of the dialogue.
    #[error("the peer does not keep to the protocol: {0}")]
    Malformed(&'static str),
    /// It does not know the mesh's secret: a stranger, or a node of another mesh.
    #[error("the peer belongs to no mesh of this node")]
    Stranger,
    /// This node is in no mesh, or has left it.
    #[error("this node is in no mesh")]
    NotInMesh,
    /// It is a node of another mesh.
    #[error("the peer belongs to another mesh")]
    OtherMesh,
    /// It speaks no common version.
    #[error(
        "the peer speaks protocol versions {min} to {max}; this node speaks others: upgrade the older one"
    )]
    NoCommonVersion {
        /// Its lowest.
        min: u16,
        /// Its highest.
        max: u16,
    },
    /// It needs something that this node does not know.
    #[error("the peer needs feature bits {0:#x} that this node does not know: upgrade this node")]
    NeedsFeature(u64),
    /// Its certificate does not hold.
    #[error("the peer's certificate does not hold: {0}")]
    NotAMember(&'static str),
    /// It has left the mesh.
    #[error("the node has left the mesh: `meshmq join TOKEN` brings it back")]
    Left,
    /// It was revoked.
    #[error("the node was revoked")]
    Revoked,
    /// The other side uses a token that no admin here made.
    #[error(
        "the token is not known there: it was used up long ago, or made elsewhere; ask for a new one: meshmq invite"
    )]
    TokenUnknown,
    /// The token's time is over.
    #[error("token expired {} ago; ask for a new one: meshmq invite", minutes(*ago_ms))]
    TokenExpired {
        /// For how long, in milliseconds.
        ago_ms: u64,
    },
    /// Another node has used the token.
    #[error("token already used by {by} {} ago; if that was not you, {by} is an intruder", minutes(*ago_ms))]
    TokenUsed {
        /// Under which name.
        by: NodeName,
        /// When, in milliseconds before now.
        ago_ms: u64,
    },
    /// Too many wrong proofs were made for the token.
    #[error("the token was burned by wrong proofs; ask for a new one: meshmq invite")]
    TokenBurned,
    /// The proof does not fit the token.
    #[error("the proof does not fit the token")]
    WrongProof,
    /// Another member has the name.
    #[error("the name {0} is taken in this mesh; choose another: --name")]
    NameTaken(NodeName),
    /// The other side may not invite any more.
    #[error(
        "the inviter may not admit members any more; ask another admin for a token: meshmq invite"
    )]
    InviterNotAdmin,
    /// This node is in the token's mesh already.
    #[error("this node is in that mesh already, as {0}")]
    AlreadyMember(String),
    /// Another machine answers than the one that made the token.
    #[error("another machine answers there: not the one that made the token")]
    WrongInviter,
    /// What the inviter shows is not the mesh of the token.
    #[error("the inviter shows another mesh than the token's: {0}; nothing was told to it")]
    ForgedMesh(&'static str),
    /// What the inviter made does not hold.
    #[error("what the inviter made does not hold: {0}")]
    BadWelcome(&'static str),
    /// The other side is at a limit.
    #[error("the inviter is at a limit: {0}")]
    Limit(&'static str),
    /// The other side refuses for a reason that this version does not know.
    #[error("the peer refuses for a reason that this version does not know ({0})")]
    Other(u64),
}

fn minutes(ms: u64) -> String {
    match ms / 60_000 {
        0 => "less than a minute".to_owned(),
        minutes @ 1..=119 => format!("{minutes} min"),
        minutes => format!("{} h", minutes / 60),
    }
}

impl Denial {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Stranger => "stranger",
            Self::NotInMesh => "not_in_mesh",
            Self::OtherMesh => "other_mesh",
            Self::NoCommonVersion { .. } => "no_common_version",
            Self::NeedsFeature(_) => "needs_feature",
            Self::NotAMember(_) => "not_a_member",
            Self::Left => "left",
            Self::Revoked => "revoked",
            Self::TokenUnknown => "token_unknown",
            Self::TokenExpired { .. } => "token_expired",
            Self::TokenUsed { .. } => "token_used",
            Self::TokenBurned => "token_burned",
            Self::WrongProof => "wrong_proof",
            Self::NameTaken(_) => "name_taken",
            Self::InviterNotAdmin => "inviter_not_admin",
            Self::AlreadyMember(_) => "already_member",
            Self::WrongInviter => "wrong_inviter",
            Self::ForgedMesh(_) => "forged_mesh",
            Self::BadWelcome(_) => "bad_welcome",
            Self::Limit(_) => "limit",
            Self::Other(_) => "refused",
        }
    }
}

/// Denials as one node tells them to another: a number, then what belongs to it.
impl Denial {
    /// The elements of the message.
    pub(super) fn values(&self) -> Vec<Value> {
        match self {
            Self::OtherMesh => vec![Value::from(1)],
            Self::NoCommonVersion { min, max } => {
                vec![Value::from(2), Value::from(*min), Value::from(*max)]
            }
            Self::NeedsFeature(bits) => vec![Value::from(3), Value::from(*bits)],
            Self::Left => vec![Value::from(4)],
            Self::Revoked => vec![Value::from(5)],
            Self::TokenUnknown => vec![Value::from(6)],
            Self::TokenExpired { ago_ms } => vec![Value::from(7), Value::from(*ago_ms)],
            Self::TokenUsed { by, ago_ms } => {
                vec![Value::from(8), Value::from(by.as_str()), Value::from(*ago_ms)]
            }
            Self::TokenBurned => vec![Value::from(9)],
            Self::WrongProof => vec![Value::from(10)],
            Self::NameTaken(name) => vec![Value::from(11), Value::from(name.as_str())],
            Self::InviterNotAdmin => vec![Value::from(12)],
            Self::Limit(_) => vec![Value::from(13)],
            // The rest concerns only the node that found it.
            _ => vec![Value::from(0)],
        }
    }

    /// Reads the elements of the message.
    pub(super) fn read(fields: &mut Fields) -> Result<Self, Malformed> {
        Ok(match fields.number::<u64>()? {
            1 => Self::OtherMesh,
            2 => Self::NoCommonVersion { min: fields.number()?, max: fields.number()? },
            3 => Self::NeedsFeature(fields.number()?),
            4 => Self::Left,
            5 => Self::Revoked,
            6 => Self::TokenUnknown,
            7 => Self::TokenExpired { ago_ms: fields.number()? },
            8 => Self::TokenUsed { by: read_name(fields)?, ago_ms: fields.number()? },
            9 => Self::TokenBurned,
            10 => Self::WrongProof,
            11 => Self::NameTaken(read_name(fields)?),
            12 => Self::InviterNotAdmin,
            13 => Self::Limit("it cannot admit more members"),
            other => Self::Other(other),
        })
    }
}

#[cfg(test)]
mod tests;
