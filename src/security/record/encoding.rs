//! Bodies of records as CBOR arrays that begin with version, kind and mesh.
//!
//! Elements after the known ones are allowed and kept, because the bytes are. Refuses what
//! contradicts itself: a weak key, an admin made by an admin, a generation without its ancestor.

use super::body::{Authority, Body, Certificate, Keys, Leave, Reason, Revocation};
use super::{Unreadable, VERSION};
use crate::engine::address::NodeId;
use crate::engine::limits::DIRECTORY_RECORD_MAX;
use crate::security::fields::{self, Fields, Malformed};
use crate::security::suite;
use crate::security::{MeshId, NodeName, Role};
use ciborium::Value;

/// Longest label of a mesh, in bytes.
const LABEL_MAX: usize = 128;
/// Most groups of one certificate.
const GROUPS_MAX: usize = 8;
/// Largest public key to seal for, in bytes: room for a post-quantum one.
const SEALING_KEY_MAX: usize = 1_300;
/// In place of the mesh's id in its first authority record, from which the id is made.
const NO_MESH: MeshId = MeshId([0; 16]);

impl Body {
    /// The canonical bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mesh = self.mesh().unwrap_or(NO_MESH);
        let mut values =
            vec![Value::from(VERSION), Value::from(self.kind()), fields::bytes(&mesh.0)];
        values.extend(match self {
            Self::Authority(body) => body.values(),
            Self::Certificate(body) => body.values(),
            Self::Keys(body) => body.values(),
            Self::Revocation(body) => body.values(),
            Self::Leave(body) => body.values(),
        });
        fields::array(values)
    }

    /// Reads a body and checks everything that it says about itself.
    pub(super) fn read(encoded: &[u8]) -> Result<Self, Unreadable> {
        let mut fields = Fields::read(encoded, DIRECTORY_RECORD_MAX)?;
        if fields.number::<u64>()? != VERSION {
            return Err(Unreadable::Later);
        }
        let kind: u64 = fields.number()?;
        let mesh = MeshId(fields.fixed()?);
        let fields = &mut fields;
        Ok(match kind {
            1 => Self::Authority(Authority::read(mesh, fields)?),
            2 => Self::Certificate(Certificate::read(mesh, fields)?),
            3 => Self::Keys(Keys::read(mesh, fields)?),
            4 => Self::Revocation(Revocation::read(mesh, fields)?),
            7 => Self::Leave(Leave::read(mesh, fields)?),
            _ => return Err(Unreadable::Later),
        })
    }
}

impl Authority {
    fn values(&self) -> Vec<Value> {
        vec![
            Value::from(self.generation),
            fields::bytes(&self.key),
            fields::bytes(&self.next),
            fields::bytes(self.prev.as_ref().map_or(&[][..], |hash| &hash[..])),
            Value::from(self.min_generation),
            Value::from(self.label.as_str()),
            Value::from(self.wall_ms),
        ]
    }

    fn read(mesh: MeshId, fields: &mut Fields) -> Result<Self, Malformed> {
        let body = Self {
            mesh: (mesh != NO_MESH).then_some(mesh),
            generation: fields.number()?,
            key: strong_key(fields)?,
            next: fields.fixed()?,
            prev: fields.optional()?,
            min_generation: fields.number()?,
            label: fields.text(LABEL_MAX)?,
            wall_ms: fields.number()?,
        };
        let first = body.generation == 0;
        if body.mesh.is_none() != first || body.prev.is_none() != first {
            return Err(Malformed("a generation that does not fit the rest"));
        }
        if body.min_generation > body.generation {
            return Err(Malformed("a lowest generation above its own"));
        }
        if body.label.chars().any(char::is_control) {
            return Err(Malformed("a label with control characters"));
        }
        Ok(body)
    }
}

impl Certificate {
    fn values(&self) -> Vec<Value> {
        vec![
            fields::bytes(self.node.as_bytes()),
            Value::from(self.name.as_str()),
            Value::from(role_number(self.role)),
            Value::Array(self.groups.iter().map(|group| Value::from(group.as_str())).collect()),
            Value::from(self.serial),
            Value::from(self.generation),
            node_or_none(self.issuer.as_ref()),
            Value::from(self.issue),
            Value::from(self.clk),
            Value::from(self.wall_ms),
            Value::from(self.not_after_ms),
            fields::bytes(self.invite.as_ref().map_or(&[][..], |id| &id[..])),
        ]
    }

    fn read(mesh: MeshId, fields: &mut Fields) -> Result<Self, Malformed> {
        let node = node(fields)?;
        let name = name(fields)?;
        let role = match fields.number::<u64>()? {
            0 => Role::Member,
            1 => Role::Courier,
            2 => Role::Admin,
            _ => return Err(Malformed("a role that does not exist")),
        };
        let mut list = fields.list(GROUPS_MAX)?;
        let groups =
            (0..list.left()).map(|_| list.text(NodeName::MAX_LEN)).collect::<Result<_, _>>()?;
        let body = Self {
            mesh,
            node,
            name,
            role,
            groups,
            serial: fields.number()?,
            generation: fields.number()?,
            issuer: issuer(fields)?,
            issue: fields.number()?,
            clk: fields.number()?,
            wall_ms: fields.number()?,
            not_after_ms: fields.number()?,
            invite: fields.optional()?,
        };
        if body.role == Role::Admin && body.issuer.is_some() {
            return Err(Malformed("an admin that an admin made"));
        }
        if body.issuer == Some(body.node) {
            return Err(Malformed("a certificate of its own issuer"));
        }
        Ok(body)
    }
}

impl Keys {
    fn values(&self) -> Vec<Value> {
        vec![
            fields::bytes(self.node.as_bytes()),
            Value::from(self.generation),
            Value::from(self.kem),
            fields::bytes(&self.key),
            Value::from(self.incarnation),
            Value::from(self.wall_ms),
        ]
    }

    fn read(mesh: MeshId, fields: &mut Fields) -> Result<Self, Malformed> {
        let body = Self {
            mesh,
            node: node(fields)?,
            generation: fields.number()?,
            kem: fields.number()?,
            key: fields.bytes(SEALING_KEY_MAX)?,
            incarnation: fields.number()?,
            wall_ms: fields.number()?,
        };
        // Keys of mechanisms that this version does not know are passed on unused.
        let usable = <&[u8; 32]>::try_from(body.key.as_slice()).is_ok_and(suite::is_sealing_key);
        if body.kem == suite::KEM_X25519 && !usable {
            return Err(Malformed("a key that nothing can be sealed for"));
        }
        Ok(body)
    }
}

impl Revocation {
    fn values(&self) -> Vec<Value> {
        vec![
            fields::bytes(self.node.as_bytes()),
            Value::from(self.up_to),
            Value::from(self.reason.number()),
            Value::from(self.generation),
            node_or_none(self.issuer.as_ref()),
            Value::from(self.issued_up_to),
            Value::from(self.clk),
            Value::from(self.wall_ms),
        ]
    }

    fn read(mesh: MeshId, fields: &mut Fields) -> Result<Self, Malformed> {
        Ok(Self {
            mesh,
            node: node(fields)?,
            up_to: fields.number()?,
            reason: match fields.number::<u64>()? {
                1 => Reason::Retired,
                2 => Reason::Rotated,
                3 => Reason::Lost,
                4 => Reason::Compromised,
                _ => return Err(Malformed("a reason that does not exist")),
            },
            generation: fields.number()?,
            issuer: issuer(fields)?,
            issued_up_to: fields.number()?,
            clk: fields.number()?,
            wall_ms: fields.number()?,
        })
    }
}

impl Leave {
    fn values(&self) -> Vec<Value> {
        vec![
            fields::bytes(self.node.as_bytes()),
            Value::from(self.serial),
            Value::from(self.issued_up_to),
            Value::from(self.wall_ms),
        ]
    }

    fn read(mesh: MeshId, fields: &mut Fields) -> Result<Self, Malformed> {
        Ok(Self {
            mesh,
            node: node(fields)?,
            serial: fields.number()?,
            issued_up_to: fields.number()?,
            wall_ms: fields.number()?,
        })
    }
}

const fn role_number(role: Role) -> u8 {
    match role {
        Role::Member => 0,
        Role::Courier => 1,
        Role::Admin => 2,
    }
}

fn node_or_none(node: Option<&NodeId>) -> Value {
    fields::bytes(node.map_or(&[][..], |node| &node.as_bytes()[..]))
}

fn strong_key(fields: &mut Fields) -> Result<[u8; 32], Malformed> {
    let key = fields.fixed()?;
    if suite::is_strong_key(&key) { Ok(key) } else { Err(Malformed("a weak key")) }
}

fn node(fields: &mut Fields) -> Result<NodeId, Malformed> {
    strong_key(fields).map(NodeId::from_bytes)
}

fn issuer(fields: &mut Fields) -> Result<Option<NodeId>, Malformed> {
    let key: Option<[u8; 32]> = fields.optional()?;
    match key {
        Some(key) if !suite::is_strong_key(&key) => Err(Malformed("a weak key")),
        key => Ok(key.map(NodeId::from_bytes)),
    }
}

fn name(fields: &mut Fields) -> Result<NodeName, Malformed> {
    fields.text(NodeName::MAX_LEN)?.parse().map_err(|_| Malformed("not a node's name"))
}
