//! The authority's secret keys: the one that makes admins, and the one that will follow it.
//!
//! They lie in a file of their own, `authority.key` beside the identity, so that the backup is the
//! copy of one file. An identity without files keeps them among its private records.

use super::error::SecurityError;
use super::identity::Identity;
use super::keyfile::KeyFile;
use super::suite::{self, Signing};
use std::path::PathBuf;
use zeroize::Zeroizing;

const FILE: &str = "authority.key";

/// The keys of one generation of a mesh's authority.
pub(crate) struct AuthorityKeys {
    /// The generation, from 0.
    pub(crate) generation: u32,
    /// Signs certificates of admins.
    pub(crate) key: Signing,
    /// The hash of the next generation's key.
    pub(crate) next_hash: [u8; 32],
    next: Zeroizing<[u8; 32]>,
}

impl AuthorityKeys {
    /// Draws the first generation's key and the second's.
    pub(crate) fn make() -> Self {
        Self::of(0, &Zeroizing::new(suite::random()), Zeroizing::new(suite::random()))
    }

    pub(crate) fn of(generation: u32, key: &[u8; 32], next: Zeroizing<[u8; 32]>) -> Self {
        let next_hash = suite::hash(&Signing::from_secret(&next).public());
        Self { generation, key: Signing::from_secret(key), next_hash, next }
    }

    /// The bytes of the file and of the private record.
    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(68));
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        bytes.extend_from_slice(self.key.secret().as_ref());
        bytes.extend_from_slice(self.next.as_ref());
        bytes
    }

    /// Reads them back.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (generation, rest) = bytes.split_first_chunk()?;
        let (key, rest) = rest.split_first_chunk()?;
        let next = Zeroizing::new(rest.try_into().ok()?);
        Some(Self::of(u32::from_be_bytes(*generation), key, next))
    }

    /// The key file of an identity that has files.
    pub(crate) fn path(identity: &Identity) -> Option<PathBuf> {
        identity.home().map(|home| home.join(FILE))
    }

    fn file(identity: &Identity) -> Option<KeyFile> {
        Self::path(identity).map(|path| KeyFile::new(path, "authority key"))
    }

    /// Reads the file, if there is one.
    pub(crate) fn load(identity: &Identity) -> Result<Option<Self>, SecurityError> {
        let Some(file) = Self::file(identity) else { return Ok(None) };
        let Some(bytes) = file.read()? else { return Ok(None) };
        let keys = Self::from_bytes(&bytes).ok_or_else(|| file.problem("has a wrong length"))?;
        Ok(Some(keys))
    }

    /// Reads the file, or makes the keys and their file. A crash before the mesh is committed thus
    /// leaves a key that the next start goes on with.
    pub(crate) fn load_or_make(identity: &Identity) -> Result<Self, SecurityError> {
        if let Some(found) = Self::load(identity)? {
            return Ok(found);
        }
        let keys = Self::make();
        if let Some(file) = Self::file(identity) {
            file.create(&keys.to_bytes())?;
        }
        Ok(keys)
    }
}
