//! What records say, kind by kind, and how those of one kind and subject are ranked.

use crate::engine::address::NodeId;
use crate::security::{MeshId, NodeName, Role};

/// A body of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Authority(Authority),
    Certificate(Certificate),
    Keys(Keys),
    Revocation(Revocation),
    Leave(Leave),
}

/// One generation of the mesh's authority; commits to the next generation's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    /// None in the genesis, whose hash is the mesh's id.
    pub(crate) mesh: Option<MeshId>,
    pub(crate) generation: u32,
    pub(crate) key: [u8; 32],
    /// Hash of the next generation's key.
    pub(crate) next: [u8; 32],
    /// Hash of the previous generation's record; none in the genesis.
    pub(crate) prev: Option<[u8; 32]>,
    /// What lower generations signed holds no more.
    pub(crate) min_generation: u32,
    pub(crate) label: String,
    pub(crate) wall_ms: u64,
}

/// A node's membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    pub(crate) mesh: MeshId,
    pub(crate) node: NodeId,
    pub(crate) name: NodeName,
    pub(crate) role: Role,
    pub(crate) groups: Vec<String>,
    pub(crate) serial: u64,
    /// The authority's generation: whose key signed, or the admin's present one.
    pub(crate) generation: u32,
    /// The admin who signed; none if the authority did.
    pub(crate) issuer: Option<NodeId>,
    /// Counts what the issuer has issued.
    pub(crate) issue: u64,
    /// One more than the highest that the issuer had seen: orders claims to names.
    pub(crate) clk: u64,
    pub(crate) wall_ms: u64,
    /// Unix milliseconds; zero for never.
    pub(crate) not_after_ms: u64,
    pub(crate) invite: Option<[u8; 8]>,
}

/// A node's key to seal for, signed by the node itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) mesh: MeshId,
    pub(crate) node: NodeId,
    pub(crate) generation: u32,
    pub(crate) kem: u16,
    pub(crate) key: Vec<u8>,
    pub(crate) incarnation: u64,
    pub(crate) wall_ms: u64,
}

/// Why a node was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    Retired,
    Rotated,
    Lost,
    Compromised,
}

/// A node's certificates hold no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Revocation {
    pub(crate) mesh: MeshId,
    pub(crate) node: NodeId,
    /// Certificates up to this serial number.
    pub(crate) up_to: u64,
    pub(crate) reason: Reason,
    pub(crate) generation: u32,
    /// The admin who signed; none if the authority did.
    pub(crate) issuer: Option<NodeId>,
    /// What the node itself has issued up to this number still holds, unless it was compromised.
    pub(crate) issued_up_to: u64,
    pub(crate) clk: u64,
    pub(crate) wall_ms: u64,
}

/// A node's own departure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leave {
    pub(crate) mesh: MeshId,
    pub(crate) node: NodeId,
    /// Its certificates up to this serial number hold no more.
    pub(crate) serial: u64,
    /// What it had issued until then, which still holds.
    pub(crate) issued_up_to: u64,
    pub(crate) wall_ms: u64,
}

impl Body {
    /// The kind's number.
    pub(crate) const fn kind(&self) -> u8 {
        match self {
            Self::Authority(_) => 1,
            Self::Certificate(_) => 2,
            Self::Keys(_) => 3,
            Self::Revocation(_) => 4,
            Self::Leave(_) => 7,
        }
    }

    /// The kind's name, part of what is signed.
    pub(crate) const fn kind_name(&self) -> &'static str {
        match self {
            Self::Authority(_) => "authority",
            Self::Certificate(_) => "certificate",
            Self::Keys(_) => "keys",
            Self::Revocation(_) => "revocation",
            Self::Leave(_) => "leave",
        }
    }

    /// The mesh it belongs to; none for a genesis.
    pub(crate) const fn mesh(&self) -> Option<MeshId> {
        match self {
            Self::Authority(body) => body.mesh,
            Self::Certificate(body) => Some(body.mesh),
            Self::Keys(body) => Some(body.mesh),
            Self::Revocation(body) => Some(body.mesh),
            Self::Leave(body) => Some(body.mesh),
        }
    }

    /// What it is about.
    pub(super) fn subject(&self) -> Vec<u8> {
        match self {
            Self::Authority(body) => body.generation.to_be_bytes().to_vec(),
            Self::Certificate(body) => body.node.as_bytes().to_vec(),
            Self::Keys(body) => body.node.as_bytes().to_vec(),
            Self::Leave(body) => body.node.as_bytes().to_vec(),
            // Revocations add up, so each reason and issuer has its own place.
            Self::Revocation(body) => {
                let issuer = body.issuer.as_ref().map_or(&[0; 32], NodeId::as_bytes);
                [body.node.as_bytes(), &[body.reason.number()][..], &issuer[..16]].concat()
            }
        }
    }

    /// Its rank among those of one kind and subject, without the hash that comes last.
    pub(super) fn rank(&self) -> Vec<u8> {
        match self {
            Self::Authority(_) => Vec::new(),
            // What the authority signed goes before what admins signed, so that no admin can
            // replace the certificate of another.
            Self::Certificate(body) => [
                &[u8::from(body.issuer.is_none())][..],
                &body.generation.to_be_bytes(),
                &body.serial.to_be_bytes(),
            ]
            .concat(),
            Self::Keys(body) => body.generation.to_be_bytes().to_vec(),
            Self::Revocation(body) => {
                [body.up_to.to_be_bytes(), body.issued_up_to.to_be_bytes()].concat()
            }
            Self::Leave(body) => body.serial.to_be_bytes().to_vec(),
        }
    }
}

impl Reason {
    /// The number in the record.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Retired => 1,
            Self::Rotated => 2,
            Self::Lost => 3,
            Self::Compromised => 4,
        }
    }
}
