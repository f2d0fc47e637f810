//! How a command ends: exit codes after sysexits, and errors with a code, a message and a hint.
//!
//! The table of codes is in one place, so that people and programs hear the same.

use crate::client::http::ClientError;
use crate::client::json::{Problem, code};
use crate::config::ConfigError;
use std::process::ExitCode;

/// Exit codes of every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Nothing there.
    Nothing = 1,
    /// Usage, bad address or bad limit.
    Usage = 64,
    /// The message is too large.
    TooLarge = 65,
    /// Unknown queue, node, message or file.
    Unknown = 66,
    /// The own node is not running, or the inviter cannot be reached.
    Unreachable = 69,
    /// A defect of the program.
    Defect = 70,
    /// It exists already.
    Exists = 73,
    /// The disk is full or the store damaged.
    Disk = 74,
    /// A quota is full, or a wait ran out.
    Later = 75,
    /// Not allowed: token, user or mesh.
    Denied = 77,
    /// Port taken, store of a newer version, bad configuration.
    Configuration = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The codes in words, shown at the end of `meshmq --help`.
pub const EXIT_CODES: &str = "\
Exit codes:
   0  done; recv: at least one message
   1  nothing there
  64  usage, bad address or limit
  65  the message is too large
  66  unknown queue, node, message or file
  69  the own node is not running, or the inviter cannot be reached
  70  a defect of meshmq
  73  it exists already, or a second node on one directory
  74  the disk is full or the store damaged
  75  a quota is full, or a wait ran out; what was stored stays stored
  77  token expired, used, forged or of another mesh; not allowed
  78  port taken, store of a newer version, bad configuration";

/// A command that did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CliError {
    /// Stable, for programs.
    pub code: String,
    /// What happened, in one line.
    pub message: String,
    /// What to do, in one line; empty if there is nothing to say.
    pub hint: String,
    /// How the command ends.
    pub exit: u8,
}

impl CliError {
    /// An error without a hint.
    pub fn new(exit: Exit, code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            hint: String::new(),
            exit: exit as u8,
        }
    }

    /// A signal ended a command that has tidied up after itself.
    pub fn interrupted(exit: u8) -> Self {
        let error = Self::new(Exit::Defect, "interrupted", "interrupted");
        Self { exit, ..error }.hint("nothing was left behind")
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// A wrong argument.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// Whoever read the output went away: no failure, the command just ends.
    pub fn reader_gone() -> Self {
        Self::new(Exit::Done, READER_GONE, "nobody reads the output any more")
    }

    /// Whether it is [`CliError::reader_gone`].
    pub fn is_reader_gone(&self) -> bool {
        self.code == READER_GONE
    }
}

const READER_GONE: &str = "reader_gone";

impl From<std::io::Error> for CliError {
    /// Failures to write to standard output; everything else is told apart where it happens.
    fn from(why: std::io::Error) -> Self {
        if why.kind() == std::io::ErrorKind::BrokenPipe {
            Self::reader_gone()
        } else {
            Self::new(Exit::Disk, "io", format!("the output cannot be written: {why}"))
        }
    }
}

impl From<ConfigError> for CliError {
    fn from(why: ConfigError) -> Self {
        let hint = match &why {
            ConfigError::Mistakes { path, .. } => {
                format!("`meshmq config check {}` lists all mistakes", path.display())
            }
            ConfigError::NoHome | ConfigError::Unreadable { .. } | ConfigError::Variable { .. } => {
                String::new()
            }
        };
        Self::new(Exit::Configuration, "configuration", why.to_string()).hint(hint)
    }
}

impl From<ClientError> for CliError {
    fn from(why: ClientError) -> Self {
        let message = why.to_string();
        match why {
            ClientError::NotRunning(_) => Self::new(Exit::Unreachable, "not_running", message)
                .hint("start one with `meshmq up`, or name its directory with --data"),
            ClientError::NotAllowed(_) => Self::new(Exit::Denied, code::NOT_ALLOWED, message)
                .hint("run as the node's user, or start it with `up --socket-group GROUP`"),
            ClientError::Broken(_) => Self::new(Exit::Unreachable, "connection_broken", message)
                .hint("see with `meshmq status` whether the node still runs"),
            ClientError::Unreadable(_) => Self::new(Exit::Defect, "unreadable_answer", message)
                .hint("node and command may be of different versions: see `meshmq status`"),
            ClientError::Problem(problem) => (*problem).into(),
        }
    }
}

impl From<Problem> for CliError {
    fn from(problem: Problem) -> Self {
        Self {
            exit: exit_of(&problem.code, problem.status) as u8,
            code: problem.code,
            message: problem.detail,
            hint: problem.hint.unwrap_or_default(),
        }
    }
}

/// The exit code of a problem: by its code, else by its HTTP status.
pub fn exit_of(problem: &str, status: u16) -> Exit {
    match problem {
        code::BAD_REQUEST | code::BAD_ADDRESS | "out_of_bounds" | "wrong_kind" => Exit::Usage,
        code::TOO_LARGE | "idempotency_mismatch" => Exit::TooLarge,
        code::NO_SUCH_NODE | "no_such_queue" | "no_such_message" | "no_such_token" => Exit::Unknown,
        code::INVITER_UNREACHABLE | code::NOT_READY => Exit::Unreachable,
        "queue_exists" | code::NAME_TAKEN | code::MESH_IN_USE => Exit::Exists,
        "disk_low" | code::STORE_FAILED => Exit::Disk,
        "queue_full" | "outgoing_full" | "express_full" | "too_many_epochs" | "too_many"
        | "lock_gone" | "may_duplicate" => Exit::Later,
        code::TOKEN_INVALID
        | code::TOKEN_EXPIRED
        | code::TOKEN_USED
        | code::OTHER_MESH
        | code::NOT_ALLOWED
        | code::UNAUTHORIZED
        | code::BAD_HOST
        | code::BAD_ORIGIN => Exit::Denied,
        code::INTERNAL | code::NO_SUCH_PATH => Exit::Defect,
        _ => exit_of_status(status),
    }
}

const fn exit_of_status(status: u16) -> Exit {
    match status {
        401 | 403 => Exit::Denied,
        404 | 410 => Exit::Unknown,
        408 | 423 | 425 | 429 => Exit::Later,
        409 => Exit::Exists,
        413 => Exit::TooLarge,
        502..=504 => Exit::Unreachable,
        507 => Exit::Disk,
        400..=499 => Exit::Usage,
        _ => Exit::Defect,
    }
}

/// The exit code of a message that died while somebody waited for it, by the reason of its death.
pub fn exit_of_death(reason: &str) -> Exit {
    match reason {
        "no_such_queue" | "queue_deleted" => Exit::Unknown,
        "wrong_kind" => Exit::Usage,
        "too_large" => Exit::TooLarge,
        "damaged" => Exit::Disk,
        _ => Exit::Later,
    }
}

#[cfg(test)]
mod tests;
