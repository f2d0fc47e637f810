//! What a node is set to, where its directory and socket are, and how a program finds them.
//!
//! Refuses to create or to change anything: `daemon` does that.

mod file;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod keys;
mod settings;
mod size;
mod value;

pub use file::{FILE_MAX, Mistake};
pub use keys::{KEYS, Key};
pub use settings::{FILE_VARIABLE, Flag, Settings, Source, config_file};
pub use size::{exact_size, parse_size};
pub use value::{Kind, Value};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Port of the hop protocol, tcp, unless another is asked for.
pub const HOP_PORT: u16 = 7670;
/// Port of the HTTP door on TCP, unless another is asked for.
pub const HTTP_PORT: u16 = 7671;
/// Name of the file in the node's directory that holds the access token of that door.
pub const TOKEN_NAME: &str = "token";
/// Longest path of a socket, in bytes: systems take 104 to 108.
pub const SOCKET_PATH_MAX: usize = 100;
/// Name of the socket in the node's directory.
pub const SOCKET_NAME: &str = "node.sock";
/// Name of the file in the node's directory that says where the socket is.
pub const NODE_FILE: &str = "node.json";

/// Directory of the configuration of the system's service.
pub const SYSTEM_DIR: &str = "/etc/meshmq";

/// What `node.json` says about the node of a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeFile {
    /// Path of the socket for local programs.
    pub socket: PathBuf,
    /// Where the HTTP door on TCP is, if it is open.
    #[serde(default)]
    pub http: Option<String>,
    /// Ports that were chosen, by what was asked for: the next start takes them again.
    #[serde(default)]
    pub ports: BTreeMap<String, u16>,
}

impl NodeFile {
    /// Reads the file of a node's directory; empty if there is none that can be read.
    pub fn read(data: &Path) -> Self {
        let bytes = std::fs::read(data.join(NODE_FILE)).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }
}

/// The node's directory: the one given, or `meshmq` in the user's data directory (XDG).
///
/// # Errors
/// [`ConfigError::NoHome`] if nothing was given and the user has no home directory.
pub fn data_dir(given: Option<&Path>) -> Result<PathBuf, ConfigError> {
    use etcetera::BaseStrategy;
    if let Some(dir) = given {
        return Ok(dir.to_owned());
    }
    let base = etcetera::base_strategy::Xdg::new().map_err(|_| ConfigError::NoHome)?;
    Ok(base.data_dir().join("meshmq"))
}

/// Path of the socket in a node's directory, if the path is short enough for a socket.
pub fn plain_socket(data: &Path) -> Option<PathBuf> {
    let path = data.join(SOCKET_NAME);
    (path.as_os_str().len() <= SOCKET_PATH_MAX).then_some(path)
}

/// Where a program finds the socket of the node of a directory, whether or not one runs.
pub fn find_socket(data: &Path) -> PathBuf {
    let path = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    if let Some(plain) = plain_socket(&path) {
        return plain;
    }
    let recorded = NodeFile::read(&path).socket;
    if recorded.as_os_str().is_empty() { path.join(SOCKET_NAME) } else { recorded }
}

/// Why there is no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The user has no home directory and no directory was given.
    #[error("there is no home directory: give one with --data or MESHMQ_DATA")]
    NoHome,
    /// The file cannot be read.
    #[error("{}: {why}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// The file has mistakes.
    #[error("{}:{}", path.display(), told(mistakes))]
    Mistakes {
        /// Which.
        path: PathBuf,
        /// All of them, in the order of the file; at least one.
        mistakes: Vec<Mistake>,
    },
    /// A variable has a value that is none.
    #[error("`{text}` in {name} is not {wanted}")]
    Variable {
        /// Which.
        name: String,
        /// Its value.
        text: String,
        /// What it should be.
        wanted: &'static str,
    },
}

/// The first mistake, and how many more there are.
fn told(mistakes: &[Mistake]) -> String {
    let first = mistakes.first().map(ToString::to_string).unwrap_or_default();
    match mistakes.len() {
        0 | 1 => first,
        many => format!("{first} (and {} more)", many - 1),
    }
}

#[cfg(test)]
mod tests;
