//! Access tokens: what a program shows at a door that the kernel does not guard.
//!
//! A token is 32 random bytes in text. The node keeps the file's token as it is, because programs of
//! its user read it there, and of every further one only a hash: what the store holds opens no door.

use super::error::SecurityError;
use super::keyfile::KeyFile;
use super::suite;
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use std::path::Path;
use zeroize::Zeroizing;

/// How every access token begins, so that one that leaked is recognised.
const PREFIX: &str = "mqa_";
/// Keys the hash, so that it means nothing elsewhere.
const PURPOSE: &[u8; 32] = b"meshmq access token hash, v1 ...";

/// The right to use a door of this node. Erased when dropped, never printed by accident.
pub struct AccessToken(Zeroizing<String>);

impl AccessToken {
    /// A new one.
    pub fn draw() -> Self {
        let secret = Zeroizing::new(suite::random::<32>());
        Self(Zeroizing::new(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&*secret))))
    }

    /// Its text.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the node keeps of it.
    pub fn hash(&self) -> AccessHash {
        AccessHash::of(&self.0)
    }

    /// The token in a file, alone on its line; a file that is not there is made with a new one.
    ///
    /// # Errors
    /// [`SecurityError::KeyFile`] if the file can be used by others, or holds anything else.
    pub fn load_or_create(path: &Path) -> Result<Self, SecurityError> {
        let file = KeyFile::new(path.to_path_buf(), "access token");
        if let Some(text) = file.read_text()? {
            return Self::parse(&text).ok_or_else(|| {
                file.problem(
                    "does not hold an access token: delete it, and the next start makes a new one",
                )
            });
        }
        let token = Self::draw();
        file.create_text(&format!("{}\n", token.reveal()))?;
        Ok(token)
    }

    /// A token's text, with white space around it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let secret = BASE64URL_NOPAD.decode(text.strip_prefix(PREFIX)?.as_bytes());
        let secret = Zeroizing::new(secret.ok()?);
        (secret.len() == 32).then(|| Self(Zeroizing::new(text.to_owned())))
    }
}

/// What is kept of an access token.
#[derive(Clone, Copy, Debug)]
pub struct AccessHash([u8; 32]);

impl AccessHash {
    /// The hash of whatever a program showed.
    pub fn of(text: &str) -> Self {
        Self(suite::keyed_hash(PURPOSE, text.as_bytes()))
    }

    /// The hash of these stored bytes, if there are 32.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes to store.
    pub fn to_bytes(self) -> Bytes {
        Bytes::copy_from_slice(&self.0)
    }

    /// Whether both are of one token, in constant time.
    pub fn is(&self, other: &Self) -> bool {
        suite::same(&self.0, &other.0)
    }
}

#[cfg(test)]
mod tests;
