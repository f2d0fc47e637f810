//! An inviter's memory of one invitation: the public half of its key, never the secret.

use super::MeshId;
use super::fields::{self, Fields, Malformed};
use super::record::Record;
use super::statement::to_be_signed;
use super::suite::{self, Signing};
use super::token::InviteId;
use crate::engine::address::NodeId;
use crate::engine::limits::DIRECTORY_RECORD_MAX;
use bytes::Bytes;
use ciborium::Value;

/// Most invitations at once.
pub const INVITES_MAX: usize = 256;
/// Wrong proofs under a right id after which the token is burned.
pub const WRONG_PROOFS_MAX: u8 = 3;
/// Longest life of a token, in milliseconds.
pub const INVITE_TTL_MAX_MS: u64 = 30 * 24 * 3_600_000;
/// An expired invitation is remembered for so long, to say why it is refused.
const REMEMBERED_MS: u64 = 24 * 3_600_000;

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invite {
    /// The public half of the key that proves the token.
    pub(crate) key: [u8; 32],
    /// Whether it makes an admin.
    pub(crate) admin: bool,
    /// When it ends, in the inviter's own time.
    pub(crate) expires_ms: u64,
    /// Wrong proofs so far.
    pub(crate) wrong: u8,
    /// By whom it was used.
    pub(crate) used: Option<Used>,
}

/// The one use of an invitation: what was answered, so that it can be answered again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Used {
    /// The node that proved the token.
    pub(crate) by: NodeId,
    /// When, in the inviter's own time.
    pub(crate) at_ms: u64,
    /// The certificate made for it.
    pub(crate) certificate: Bytes,
    /// The keys record that it brought.
    pub(crate) keys: Bytes,
}

impl Invite {
    /// Whether it can be forgotten.
    pub(crate) const fn is_over(&self, now_ms: u64) -> bool {
        now_ms >= self.expires_ms.saturating_add(REMEMBERED_MS)
    }

    /// The private record.
    pub(crate) fn encode(&self) -> Bytes {
        let used = self.used.as_ref().map_or(Vec::new(), |used| {
            vec![
                fields::bytes(used.by.as_bytes()),
                Value::from(used.at_ms),
                fields::bytes(&used.certificate),
                fields::bytes(&used.keys),
            ]
        });
        fields::array(vec![
            Value::from(1),
            fields::bytes(&self.key),
            Value::from(u8::from(self.admin)),
            Value::from(self.expires_ms),
            Value::from(self.wrong),
            Value::Array(used),
        ])
        .into()
    }

    /// Reads the private record.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::read(bytes, 2 * DIRECTORY_RECORD_MAX)?;
        if fields.number::<u64>()? != 1 {
            return Err(Malformed("a later version"));
        }
        let key = fields.fixed()?;
        let admin = fields.number::<u8>()? == 1;
        let expires_ms = fields.number()?;
        let wrong = fields.number()?;
        let mut list = fields.list(8)?;
        let used = if list.left() == 0 {
            None
        } else {
            Some(Used {
                by: NodeId::from_bytes(list.fixed()?),
                at_ms: list.number()?,
                certificate: list.bytes(DIRECTORY_RECORD_MAX)?.into(),
                keys: list.bytes(DIRECTORY_RECORD_MAX)?.into(),
            })
        };
        Ok(Self { key, admin, expires_ms, wrong, used })
    }
}

/// What both sides of a join have in common: all of it is in the proof, so that a proof made for
/// one inviter, joiner, name or connection is good for no other.
pub(crate) struct Occasion<'a> {
    pub(crate) mesh: MeshId,
    pub(crate) invite: InviteId,
    pub(crate) inviter: NodeId,
    pub(crate) joiner: NodeId,
    pub(crate) joiner_nonce: [u8; 32],
    pub(crate) inviter_nonce: [u8; 32],
    pub(crate) keys: &'a Record,
    pub(crate) name: &'a str,
}

impl Occasion<'_> {
    fn signed(&self) -> Vec<u8> {
        to_be_signed(
            "join",
            &[
                &self.mesh.0,
                &self.invite,
                self.inviter.as_bytes(),
                self.joiner.as_bytes(),
                &self.joiner_nonce,
                &self.inviter_nonce,
                &self.keys.hash,
                self.name.as_bytes(),
            ],
        )
    }

    /// The joiner's proof that it has the token.
    pub(crate) fn prove(&self, key: &Signing) -> [u8; 64] {
        key.sign(&self.signed())
    }

    /// Whether a proof is of this occasion.
    pub(crate) fn is_proven(&self, key: &[u8; 32], proof: &[u8; 64]) -> bool {
        suite::verify(key, &self.signed(), proof)
    }
}
