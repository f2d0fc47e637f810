//! What can go wrong with keys, records of this node and names.

use std::path::PathBuf;

/// Why something of this node's own security state could not be used or made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecurityError {
    /// A key file could not be read or written.
    #[error("{path}: {problem}")]
    KeyFile {
        /// Which file.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The node's own records do not fit together.
    #[error("the membership records of this node are damaged: {0}")]
    Damaged(&'static str),
    /// Only members can do this.
    #[error("this node is in no mesh: `meshmq up --join TOKEN`")]
    NotInMesh,
    /// Only admins can do this.
    #[error("this node may not invite: ask an admin of the mesh for `meshmq invite --admin`")]
    NotAdmin,
    /// Only the holder of the authority key can do this.
    #[error("the mesh's authority key is not on this node: only its holder can invite admins")]
    NoAuthority,
    /// There are too many open invitations.
    #[error(
        "there are {0} open invitations already, which is the limit; they expire by themselves"
    )]
    TooManyInvites(usize),
    /// A number of the request is out of its bounds.
    #[error("{what} must be {bounds}")]
    OutOfBounds {
        /// Which.
        what: &'static str,
        /// The bounds, in words.
        bounds: &'static str,
    },
}

impl SecurityError {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::KeyFile { .. } => "key_file",
            Self::Damaged(_) => "membership_damaged",
            Self::NotInMesh => "not_in_mesh",
            Self::NotAdmin => "not_admin",
            Self::NoAuthority => "no_authority",
            Self::TooManyInvites(_) => "too_many_invites",
            Self::OutOfBounds { .. } => "out_of_bounds",
        }
    }
}

/// Why a text names no member.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// Nobody of that name is known here.
    #[error("no node `{0}` is known in this mesh")]
    Unknown(String),
    /// It was a member and has left.
    #[error("node `{0}` has left the mesh")]
    Left(String),
    /// More than one member fits.
    #[error("`{0}` fits more than one node: give more digits of its id")]
    Ambiguous(String),
}

impl ResolveError {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "no_such_node",
            Self::Left(_) => "node_left",
            Self::Ambiguous(_) => "ambiguous_node",
        }
    }
}
