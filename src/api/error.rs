//! Why a call did not do what it was asked: one enum for both ways to a node.

use crate::client::http::ClientError;
use std::fmt;

/// The outcome of a call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What happened, in the node's words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cause {
    /// A stable name, as in the HTTP reference.
    pub code: String,
    /// What happened, in one sentence.
    pub message: String,
    /// What to do about it, in one sentence; empty if there is nothing to say.
    pub hint: String,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Why a call did not do what it was asked. Unless it says otherwise, nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The queue is not there.
    #[error("{0}")]
    NoSuchQueue(Cause),
    /// No member has that name, or it has left.
    #[error("{0}")]
    NoSuchNode(Cause),
    /// The message is not known here, or has been forgotten.
    #[error("{0}")]
    NoSuchMessage(Cause),
    /// This user, or this node in its mesh, may not do it.
    #[error("{0}")]
    NotAllowed(Cause),
    /// A quota or a bound of the node is reached; later there may be room.
    #[error("{0}")]
    QuotaExceeded(Cause),
    /// The lock ran out or was settled: the message returned to its queue, or is gone.
    #[error("{0}")]
    LockLost(Cause),
    /// The message is larger than the node takes.
    #[error("{0}")]
    TooLarge(Cause),
    /// No node is there, it is stopping, or it is in no mesh.
    #[error("{0}")]
    NotReachable(Cause),
    /// The connection broke before the answer: it is not known whether the call was carried out.
    #[error("{0}")]
    Interrupted(Cause),
    /// Something of that name, or another kind, is there already.
    #[error("{0}")]
    Conflict(Cause),
    /// An argument is out of its bounds.
    #[error("{0}")]
    Invalid(Cause),
    /// The message ended without being delivered, for certain. The code is the reason.
    #[error("{0}")]
    Dead(Cause),
    /// The message ended here, and may have arrived. The code is the reason.
    #[error("{0}")]
    Unconfirmed(Cause),
    /// The disk or the store failed.
    #[error("{0}")]
    Store(Cause),
    /// A defect of the node, or an answer of another version.
    #[error("{0}")]
    Other(Cause),
}

impl Error {
    /// Whether the same call may succeed later, without a risk of doing it twice.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::NotReachable(_) | Self::QuotaExceeded(_))
    }

    /// What happened, with its stable name and what to do about it.
    pub const fn cause(&self) -> &Cause {
        match self {
            Self::NoSuchQueue(cause)
            | Self::NoSuchNode(cause)
            | Self::NoSuchMessage(cause)
            | Self::NotAllowed(cause)
            | Self::QuotaExceeded(cause)
            | Self::LockLost(cause)
            | Self::TooLarge(cause)
            | Self::NotReachable(cause)
            | Self::Interrupted(cause)
            | Self::Conflict(cause)
            | Self::Invalid(cause)
            | Self::Dead(cause)
            | Self::Unconfirmed(cause)
            | Self::Store(cause)
            | Self::Other(cause) => cause,
        }
    }

    /// The error of a refusal, by its code, else by its HTTP status.
    pub(super) fn of(code: &str, status: u16, message: String, hint: String) -> Self {
        let cause = Cause { code: code.to_owned(), message, hint };
        match code {
            "no_such_queue" => Self::NoSuchQueue(cause),
            "no_such_node" | "node_left" => Self::NoSuchNode(cause),
            "no_such_message" => Self::NoSuchMessage(cause),
            "lock_gone" => Self::LockLost(cause),
            "store_failed" => Self::Store(cause),
            _ => match status {
                400 | 404 | 405 | 415 => Self::Invalid(cause),
                401 | 403 => Self::NotAllowed(cause),
                409 => Self::Conflict(cause),
                413 => Self::TooLarge(cause),
                408 | 429 | 507 => Self::QuotaExceeded(cause),
                502..=504 => Self::NotReachable(cause),
                _ => Self::Other(cause),
            },
        }
    }

    /// The error of a message that died.
    pub(super) fn died(reason: &str, unconfirmed: bool) -> Self {
        let message = if unconfirmed {
            format!("the message ended here and may have arrived: {reason}")
        } else {
            format!("the message died: {reason}")
        };
        let cause = Cause { code: reason.to_owned(), message, hint: String::new() };
        if unconfirmed { Self::Unconfirmed(cause) } else { Self::Dead(cause) }
    }

    /// An argument that no node has to see.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::of("bad_request", 400, message.into(), String::new())
    }

    /// A defect, or another version at the other end.
    pub(super) fn other(message: impl Into<String>) -> Self {
        Self::of("internal", 500, message.into(), String::new())
    }
}

impl From<ClientError> for Error {
    fn from(why: ClientError) -> Self {
        let message = why.to_string();
        let cause = |code: &str, hint: &str| Cause {
            code: code.to_owned(),
            message: message.clone(),
            hint: hint.to_owned(),
        };
        match why {
            ClientError::NotRunning(_) => {
                Self::NotReachable(cause("not_running", "start one with `meshmq up`"))
            }
            ClientError::NotAllowed(_) => Self::NotAllowed(cause(
                "not_allowed",
                "run as the node's user, or start it with `up --socket-group GROUP`",
            )),
            ClientError::Broken(_) => Self::Interrupted(cause("connection_broken", "")),
            ClientError::Unreadable(_) => Self::Other(cause("unreadable_answer", "")),
            ClientError::Problem(problem) => {
                let hint = problem.hint.unwrap_or_default();
                Self::of(&problem.code, problem.status, problem.detail, hint)
            }
        }
    }
}

#[cfg(test)]
mod tests;
