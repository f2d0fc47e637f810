//! Why a node does not start or has to stop, with the exit code and the way out.

use crate::engine::EngineError;
use crate::engine::storage::StorageError;
use crate::gateway::http::{DoorError, TcpError};
use crate::net::{BadAddr, NetError};
use crate::os::UnknownGroup;
use crate::security::SecurityError;
use crate::service::ServiceError;

/// The exit code where the same start may succeed later, for supervisors that try again.
pub(super) const AGAIN: u8 = 75;

/// A failure of the node as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DaemonError {
    /// A stable name for programs.
    pub code: &'static str,
    /// What happened, for people.
    pub message: String,
    /// What to do about it; empty if there is nothing to say.
    pub hint: String,
    /// The exit code of `up`, after sysexits.
    pub exit: u8,
}

impl DaemonError {
    /// A failure with its name, words, way out and exit code.
    pub fn new(
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
        exit: u8,
    ) -> Self {
        Self { code, message: message.into(), hint: hint.into(), exit }
    }

    /// The file of the access token is not what it should be.
    pub(super) fn token(error: SecurityError) -> Self {
        Self::new("bad_token_file", error.to_string(), "without this door: --http off", 78)
    }

    /// A part ended that never should: a defect.
    pub(super) fn defect(message: impl Into<String>) -> Self {
        Self::new("internal", message, "please report it with the node's log", 70)
    }
}

impl From<StorageError> for DaemonError {
    fn from(error: StorageError) -> Self {
        let message = error.to_string();
        match error {
            StorageError::InUse => {
                let hint = "stop the other node, or give this one a directory of its own: --data";
                Self::new("directory_in_use", message, hint, 73)
            }
            StorageError::TooNew(_) => Self::new(
                "store_too_new",
                message,
                "run the version that wrote it, or a later one",
                78,
            ),
            StorageError::Damaged(_) => {
                let hint = "bring back a copy of the node's directory, or move its `store` directory \
                            away to start empty: what was only there is lost";
                Self::new("store_damaged", message, hint, 74)
            }
            StorageError::Full => {
                Self::new("disk_full", message, "free some space and start the node again", AGAIN)
            }
            StorageError::RecordTooLarge(_) => Self::defect(message),
            StorageError::Io(_) => {
                let hint = "look at the disk and the system's log; nothing that was acknowledged is \
                            lost, start the node again";
                Self::new("store_failed", message, hint, AGAIN)
            }
        }
    }
}

impl From<EngineError> for DaemonError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Storage(error) => error.into(),
            EngineError::WrongNode(_) => {
                let hint = "bring back the identity file that belongs to this store";
                Self::new("wrong_node", error.to_string(), hint, 74)
            }
            EngineError::Poisoned => Self::defect(error.to_string()),
        }
    }
}

impl From<SecurityError> for DaemonError {
    fn from(error: SecurityError) -> Self {
        Self::new(error.code(), error.to_string(), "", 74)
    }
}

impl From<NetError> for DaemonError {
    fn from(error: NetError) -> Self {
        let message = error.to_string();
        match error {
            NetError::Listen { taken, .. } => {
                let code = if taken { "port_taken" } else { "cannot_listen" };
                let hint = "give another address with --listen, or `:0` for any free port";
                Self::new(code, message, hint, 78)
            }
            _ => Self::defect(message),
        }
    }
}

impl From<BadAddr> for DaemonError {
    fn from(error: BadAddr) -> Self {
        Self::new("bad_address", error.to_string(), "", 64)
    }
}

impl From<DoorError> for DaemonError {
    fn from(error: DoorError) -> Self {
        let message = error.to_string();
        match error {
            DoorError::InUse(_) => {
                Self::new("directory_in_use", message, "stop the other process", 73)
            }
            DoorError::NotASocket(_) => Self::new("bad_socket", message, "move it away", 78),
            DoorError::Group { .. } => {
                let hint = "the node's user must be a member of the group, or root";
                Self::new("bad_group", message, hint, 78)
            }
            DoorError::Io { .. } => Self::new("bad_socket", message, "", 78),
        }
    }
}

impl From<TcpError> for DaemonError {
    fn from(error: TcpError) -> Self {
        let message = error.to_string();
        match error {
            TcpError::Exposed(_) => {
                let hint = "give a certificate with --http-cert and --http-key, or an address that \
                            only this machine reaches, such as 127.0.0.1:7671";
                Self::new("needs_tls", message, hint, 78)
            }
            TcpError::Taken(_) => {
                let hint = "give another address with --http, or `--http off`";
                Self::new("port_taken", message, hint, 78)
            }
            TcpError::Bind { .. } => Self::new("bad_address", message, "", 78),
            TcpError::Certificate { .. } => {
                let hint = "--http-cert wants a certificate in PEM with those that vouch for it, \
                            --http-key its key";
                Self::new("bad_certificate", message, hint, 78)
            }
        }
    }
}

impl From<UnknownGroup> for DaemonError {
    fn from(error: UnknownGroup) -> Self {
        Self::new("bad_group", error.to_string(), "", 78)
    }
}

impl From<ServiceError> for DaemonError {
    fn from(error: ServiceError) -> Self {
        let verdict = error.verdict();
        Self::new(verdict.code, error.to_string(), error.hint(), verdict.exit)
    }
}
