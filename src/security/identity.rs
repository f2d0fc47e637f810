//! Who this node is: its signing key and its sealing key, in files that nobody else can read.
//!
//! Refuses to print a secret: neither type has a `Debug` or `Clone`.

use super::error::SecurityError;
use super::keyfile::KeyFile;
use super::suite::{self, Signing};
use crate::engine::address::NodeId;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// File of the first sealing key, beside the identity's.
const SEALING_FILE: &str = "sealing.key";

/// This node's Ed25519 key, which is its node id, and its X25519 sealing key. Never printed.
pub struct Identity {
    pub(crate) signing: Signing,
    pub(crate) sealing: Sealing,
    line_key: Zeroizing<[u8; 32]>,
    home: Option<PathBuf>,
}

/// The key that will open what others seal for this node, and what its record says of it.
///
/// All of it is fixed when the key is made, so that the record is the same however often it is
/// signed: two records of one generation are the sign of a copied node.
pub(crate) struct Sealing {
    /// Counts the node's sealing keys, from 1.
    pub(crate) generation: u32,
    secret: Zeroizing<[u8; 32]>,
    /// Drawn with the first key: the life of this node's keys.
    pub(crate) incarnation: u64,
    /// Wall clock of its making, in Unix milliseconds; for display.
    pub(crate) made_ms: u64,
}

impl Sealing {
    const LEN: usize = 4 + 32 + 8 + 8;

    fn make(made_ms: u64) -> Self {
        Self {
            generation: 1,
            secret: Zeroizing::new(suite::random()),
            incarnation: u64::from_be_bytes(suite::random()),
            made_ms,
        }
    }

    /// The public key.
    pub(crate) fn public(&self) -> [u8; 32] {
        suite::sealing_public(&self.secret)
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(Self::LEN));
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        bytes.extend_from_slice(self.secret.as_ref());
        bytes.extend_from_slice(&self.incarnation.to_be_bytes());
        bytes.extend_from_slice(&self.made_ms.to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (generation, rest) = bytes.split_first_chunk()?;
        let (secret, rest) = rest.split_first_chunk()?;
        let (incarnation, rest) = rest.split_first_chunk()?;
        Some(Self {
            generation: u32::from_be_bytes(*generation),
            secret: Zeroizing::new(*secret),
            incarnation: u64::from_be_bytes(*incarnation),
            made_ms: u64::from_be_bytes(rest.try_into().ok()?),
        })
    }
}

impl Identity {
    /// Reads the key file, or makes it (and the sealing key's, `sealing.key` beside it) with mode
    /// 0600.
    ///
    /// # Errors
    /// [`SecurityError::KeyFile`] if a file is damaged, a symbolic link, or readable by others.
    pub fn load_or_create(path: &Path) -> Result<Self, SecurityError> {
        let home = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let file = KeyFile::new(path.to_path_buf(), "identity key");
        let secret: Zeroizing<[u8; 32]> = match file.read()? {
            Some(bytes) => Zeroizing::new(
                bytes.as_slice().try_into().map_err(|_| file.problem("has a wrong length"))?,
            ),
            None => {
                let secret = Zeroizing::new(suite::random());
                file.create(secret.as_ref())?;
                secret
            }
        };
        let file = KeyFile::new(home.join(SEALING_FILE), "sealing key");
        let sealing = match file.read()? {
            Some(bytes) => {
                Sealing::from_bytes(&bytes).ok_or_else(|| file.problem("has a wrong length"))?
            }
            None => {
                let sealing = Sealing::make(wall_ms());
                file.create(&sealing.to_bytes())?;
                sealing
            }
        };
        Ok(Self::of(&secret, sealing, Some(home)))
    }

    /// An identity that is in no file: for tests and simulations.
    pub fn ephemeral() -> Self {
        Self::of(&Zeroizing::new(suite::random()), Sealing::make(0), None)
    }

    /// An identity in no file whose keys all come from 32 bytes: the same bytes give the same one.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let secret = suite::derive(seed, b"MeshMQ 1 test identity");
        let sealing = suite::derive(seed, b"MeshMQ 1 test sealing");
        Self::of(
            &secret,
            Sealing { generation: 1, secret: sealing, incarnation: 1, made_ms: 0 },
            None,
        )
    }

    fn of(secret: &[u8; 32], sealing: Sealing, home: Option<PathBuf>) -> Self {
        Self {
            signing: Signing::from_secret(secret),
            sealing,
            line_key: suite::derive(secret, b"MeshMQ 1 line"),
            home,
        }
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

    /// The key of the numbers of lines.
    pub(crate) fn line_key(&self) -> &[u8; 32] {
        &self.line_key
    }

    /// The directory of the key files, if they are in files.
    pub(crate) fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }
}

/// The wall clock in Unix milliseconds; zero before 1970. Told to others for display only.
pub(crate) fn wall_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
