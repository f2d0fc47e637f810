//! Why the service refuses or fails: one enum, one table of codes.
//!
//! The engine's refusals keep their names; everything else is named here. The HTTP status and the
//! exit code stand in the same table so that no two doors can disagree.

use crate::engine::rejection::Rejection;
use crate::runtime::CallError;
use crate::security::{Denial, ResolveError, SecurityError, TokenError};

/// A refusal or a failure, for programs and people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// The engine refused.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The node is stopping, or its store has failed.
    #[error("the node is stopping")]
    Stopping,
    /// The text is not `queue` or `queue@node`.
    #[error("`{0}` is not an address: `queue` or `queue@node` is wanted")]
    BadAddress(String),
    /// A value is out of its bounds.
    #[error("{what} must be {bounds}")]
    BadValue {
        /// Which.
        what: &'static str,
        /// The bounds, in words.
        bounds: String,
    },
    /// A number is out of its bounds.
    #[error("{what} must be {bounds}")]
    OutOfBounds {
        /// Which.
        what: &'static str,
        /// The bounds, in words.
        bounds: String,
    },
    /// A text of a message is longer than the node takes.
    #[error("{what} may have {limit}")]
    TooLong {
        /// Which.
        what: &'static str,
        /// How much of what.
        limit: String,
    },
    /// A text is not an id of this kind.
    #[error("`{0}` is not a message id")]
    BadId(String),
    /// The name is no member's.
    #[error(transparent)]
    Unresolved(#[from] ResolveError),
    /// The queue is another node's; only there can it be read or administered.
    #[error("the queue is on node {0}: only programs there can do this")]
    Elsewhere(String),
    /// The node has no mesh: it was started to join one, or has left its own.
    #[error("this node is in no mesh")]
    NoMesh,
    /// No dead letter of that message is here.
    #[error("there is no dead letter of message {0}")]
    NoSuchLetter(String),
    /// There are as many access tokens as the limit allows.
    #[error("there are {0} access tokens already, which is the limit")]
    TooManyTokens(usize),
    /// There are as many streams as the limit allows.
    #[error("there are {0} streams already, which is the limit")]
    TooManyStreams(usize),
    /// No access token has that id.
    #[error("there is no access token `{0}`")]
    NoSuchToken(String),
    /// This node's own membership does not allow it.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// The text is no token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The inviter, or this node looking at it, said no.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The node that made the token cannot be reached.
    #[error("the node that made the token cannot be reached: {0}")]
    InviterUnreachable(String),
    /// Another join is under way.
    #[error("another join is under way")]
    Busy,
    /// The node cannot move to another mesh.
    #[error("this node has {0} in its present mesh, so it cannot move to another")]
    MeshInUse(String),
    /// Something that must hold does not: a defect.
    #[error("internal error: {0}")]
    Internal(String),
}

/// What the doors say: a stable name, an HTTP status and an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Stable, for programs.
    pub code: &'static str,
    /// Status of an HTTP answer.
    pub status: u16,
    /// Exit code of a command, after sysexits.
    pub exit: u8,
}

const fn verdict(code: &'static str, status: u16, exit: u8) -> Verdict {
    Verdict { code, status, exit }
}

impl ServiceError {
    /// A value out of its bounds.
    pub fn bad_value(what: &'static str, bounds: impl Into<String>) -> Self {
        Self::BadValue { what, bounds: bounds.into() }
    }

    /// A number out of its bounds.
    pub fn out_of_bounds(what: &'static str, bounds: impl Into<String>) -> Self {
        Self::OutOfBounds { what, bounds: bounds.into() }
    }

    /// Code, status and exit code.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Rejected(rejection) => of_rejection(rejection),
            Self::Stopping => verdict("not_ready", 503, 69),
            Self::BadAddress(_) | Self::BadId(_) => verdict("bad_address", 400, 64),
            Self::BadValue { .. } => verdict("bad_request", 400, 64),
            Self::OutOfBounds { .. } => verdict("out_of_bounds", 400, 64),
            Self::TooLong { .. } => verdict("too_large", 413, 65),
            Self::Unresolved(ResolveError::Ambiguous(_)) => verdict("bad_address", 400, 64),
            Self::Unresolved(error) => verdict(error.code(), 404, 66),
            Self::Elsewhere(_) => verdict("not_local", 400, 64),
            Self::NoMesh => verdict("no_mesh", 503, 69),
            Self::NoSuchLetter(_) => verdict("no_such_message", 404, 66),
            Self::TooManyTokens(_) | Self::TooManyStreams(_) => verdict("too_many", 507, 75),
            Self::NoSuchToken(_) => verdict("no_such_token", 404, 66),
            Self::Security(error) => of_security(error),
            Self::Token(_) => verdict("token_invalid", 403, 77),
            Self::Denied(denial) => of_denial(denial),
            Self::InviterUnreachable(_) => verdict("inviter_unreachable", 502, 69),
            Self::Busy => verdict("busy", 429, 75),
            Self::MeshInUse(_) => verdict("mesh_in_use", 409, 73),
            Self::Internal(_) => verdict("internal", 500, 70),
        }
    }

    /// What to do about it, in one sentence; empty if there is nothing to say.
    pub fn hint(&self) -> String {
        let hint = match self {
            Self::Rejected(rejection) => return hint_of_rejection(rejection),
            Self::Unresolved(_) => "`meshmq peers` (`GET /v1/peers`) lists the members",
            Self::TooManyTokens(_) => "`meshmq token revoke ID` (`DELETE /v1/tokens/ID`) ends one",
            Self::NoSuchToken(_) => "`meshmq token ls` (`GET /v1/tokens`) lists them",
            Self::NoMesh => "`meshmq join TOKEN` (`POST /v1/join`) joins one",
            Self::Denied(Denial::NameTaken(_)) => {
                "choose another: --name, or `name` in the request"
            }
            Self::Token(_) | Self::Denied(_) => {
                "ask a member for a new token: `meshmq invite` (`POST /v1/invites`)"
            }
            Self::InviterUnreachable(_) => {
                "start the inviter and check that its address can be reached from here; the token \
                 stays good until it expires"
            }
            Self::MeshInUse(_) => {
                "start a second node: `meshmq up --data DIR --join TOKEN`; or `meshmq leave` (`POST \
                 /v1/leave`) first, once nothing is queued or outgoing"
            }
            Self::Internal(_) => "this is a defect of MeshMQ: please report it with the node's log",
            _ => "",
        };
        hint.to_owned()
    }
}

impl From<CallError> for ServiceError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Rejected(rejection) => Self::Rejected(rejection),
            CallError::Stopped => Self::Stopping,
        }
    }
}

const fn of_security(error: &SecurityError) -> Verdict {
    match error {
        SecurityError::NotInMesh => verdict("no_mesh", 503, 69),
        SecurityError::NotAdmin | SecurityError::NoAuthority => verdict("not_allowed", 403, 77),
        SecurityError::TooManyInvites(_) => verdict("too_many", 507, 75),
        SecurityError::OutOfBounds { .. } => verdict("out_of_bounds", 400, 64),
        SecurityError::KeyFile { .. } | SecurityError::Damaged(_) => {
            verdict("store_failed", 500, 74)
        }
    }
}

const fn of_denial(denial: &Denial) -> Verdict {
    match denial {
        Denial::TokenExpired { .. } => verdict("token_expired", 403, 77),
        Denial::TokenUsed { .. } => verdict("token_used", 403, 77),
        Denial::OtherMesh | Denial::ForgedMesh(_) | Denial::WrongInviter => {
            verdict("other_mesh", 403, 77)
        }
        Denial::NameTaken(_) => verdict("name_taken", 409, 73),
        Denial::Limit(_) => verdict("limit", 429, 75),
        Denial::TokenUnknown | Denial::TokenBurned | Denial::WrongProof => {
            verdict("token_invalid", 403, 77)
        }
        other => verdict(other.code(), 403, 77),
    }
}

fn of_rejection(rejection: &Rejection) -> Verdict {
    let (status, exit) = match rejection {
        Rejection::NoSuchQueue(_) | Rejection::NoSuchMessage => (404, 66),
        Rejection::QueueExists(_) => (409, 73),
        Rejection::WrongKind { .. } => (409, 64),
        Rejection::QueueFull(_)
        | Rejection::OutgoingFull { .. }
        | Rejection::ExpressFull(_)
        | Rejection::TooManyEpochs(_)
        | Rejection::TooMany { .. } => (507, 75),
        Rejection::DiskLow { .. } => (507, 74),
        Rejection::TooLarge { .. } => (413, 65),
        Rejection::OutOfBounds { .. } => (400, 64),
        Rejection::LockGone => (409, 75),
        Rejection::MayDuplicate => (409, 75),
        Rejection::KeyReused => (422, 65),
        Rejection::RowPast(_) => (409, 73),
        Rejection::Damaged => (500, 74),
    };
    verdict(rejection.code(), status, exit)
}

fn hint_of_rejection(rejection: &Rejection) -> String {
    match rejection {
        Rejection::NoSuchQueue(queue) => {
            return format!(
                "`meshmq queue ls` (`GET /v1/queues`) lists them; `meshmq queue create {queue}` (`PUT \
                 /v1/queues/{queue}`) makes it"
            );
        }
        Rejection::WrongKind { transactional: true, .. } => "send with --delivery transactional (`delivery` in the request)",
        Rejection::WrongKind { transactional: false, .. } => "send with --delivery recoverable (`delivery` in the request)",
        Rejection::QueueFull(_) => "receive or purge messages, or send later",
        Rejection::OutgoingFull { .. } => "`meshmq outgoing` (`GET /v1/outgoing`) shows what waits, and why",
        Rejection::DiskLow { .. } => "free space on the disk of the node's directory",
        Rejection::LockGone => "unless it was settled, its message is in its queue again and will be handed out again",
        Rejection::Damaged => "look at the disk; `meshmq doctor` says more",
        Rejection::KeyReused => "draw a new key for every new request",
        Rejection::RowPast(_) => "a row of numbered sends has one at a time, with growing numbers",
        Rejection::MayDuplicate => "--may-duplicate (`may_duplicate` in the request) sends it all the same",
        _ => "",
    }
    .to_owned()
}
