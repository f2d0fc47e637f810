//! Why a node does not start or has to stop, with the exit code and the way out.

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
}
