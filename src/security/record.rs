//! Signed records: `[body, signature]`, kept and passed on as the bytes that their signer made.
//!
//! Reading checks the form and everything that a record says about itself; whether its signer may
//! say so is for `membership`. The bodies are in `body`, their
//! bytes in `encoding`.

use super::fields::{self, Fields, Malformed};
use super::statement::to_be_signed;
use super::suite::{self, Signing};
use crate::engine::limits::DIRECTORY_RECORD_MAX;
use crate::engine::statement::{DirectoryKey, DirectoryRecord};
use bytes::Bytes;

mod body;
mod encoding;

pub(crate) use body::{Authority, Body, Certificate, Keys, Leave, Reason, Revocation};

/// Version of the records that this node makes and reads.
pub(crate) const VERSION: u64 = 1;

/// Why bytes are no record that this node can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// No version reads this.
    Malformed(&'static str),
    /// A later version may read this.
    Later,
}

impl From<Malformed> for Unreadable {
    fn from(Malformed(why): Malformed) -> Self {
        Self::Malformed(why)
    }
}

/// A record in canonical form, its signature not yet checked.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// What it says.
    pub(crate) body: Body,
    /// The whole record as it came.
    pub(crate) bytes: Bytes,
    /// Hash of the whole record.
    pub(crate) hash: [u8; 32],
}

impl Record {
    /// Signs a body.
    pub(crate) fn sign(body: Body, signer: &Signing) -> Self {
        let encoded = body.encode();
        let signature = signer.sign(&to_be_signed(body.kind_name(), &[&encoded]));
        let bytes = fields::array(vec![fields::bytes(&encoded), fields::bytes(&signature)]);
        Self { hash: suite::hash(&bytes), bytes: bytes.into(), body }
    }

    /// Reads a record.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let (encoded, _) = split(bytes)?;
        let body = Body::read(&encoded)?;
        Ok(Self { body, hash: suite::hash(bytes), bytes: Bytes::copy_from_slice(bytes) })
    }

    /// Whether the signature is this key's.
    pub(crate) fn is_signed_by(&self, key: &[u8; 32]) -> bool {
        split(&self.bytes).is_ok_and(|(encoded, signature)| {
            suite::verify(key, &to_be_signed(self.body.kind_name(), &[&encoded]), &signature)
        })
    }

    /// Kind and subject: of two records with one key the greater rank wins.
    pub(crate) fn key(&self) -> DirectoryKey {
        DirectoryKey { kind: self.body.kind(), subject: self.body.subject().into() }
    }

    /// Compared as bytes, the greater wins; equal only for the same bytes.
    pub(crate) fn rank(&self) -> Bytes {
        let mut rank = self.body.rank();
        // Of two that are otherwise equal, the lower hash wins everywhere.
        rank.extend(self.hash.iter().map(|byte| !byte));
        rank.into()
    }

    /// The record as the engine stores and spreads it.
    pub(crate) fn to_directory(&self) -> DirectoryRecord {
        DirectoryRecord { key: self.key(), rank: self.rank(), bytes: self.bytes.clone() }
    }
}

/// Body and signature of a record.
fn split(bytes: &[u8]) -> Result<(Vec<u8>, [u8; 64]), Malformed> {
    let mut envelope = Fields::read(bytes, DIRECTORY_RECORD_MAX)?;
    let parts = (envelope.bytes(DIRECTORY_RECORD_MAX)?, envelope.fixed()?);
    if envelope.left() > 0 { Err(Malformed("more than body and signature")) } else { Ok(parts) }
}

#[cfg(test)]
mod tests;
