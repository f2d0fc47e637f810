//! The messages of the dialogue as bytes: canonical arrays that begin with version and type.
//!
//! Refuses everything above 16 KiB and everything that is not in the one canonical form; elements
//! after the known ones are for later versions.

use super::denial::Denial;
use super::dialogue::{ADDRESSES_MAX, DIALOGUE_MAX};
use super::fields::{self, Fields, Malformed};
use super::state::MeshSecret;
use super::token::InviteId;
use super::{MeshId, NodeName};
use crate::engine::limits::DIRECTORY_RECORD_MAX;
use bytes::Bytes;
use ciborium::Value;
use zeroize::Zeroizing;

const VERSION: u64 = 1;
/// Most generations of the authority that one message shows, the newest.
pub(super) const AUTHORITIES_MAX: usize = 32;
/// Most generations of the mesh secret that a welcome gives.
const SECRETS_MAX: usize = 64;
/// Longest address and longest name of a program, in bytes.
pub(super) const ADDRESS_LEN_MAX: usize = 128;

/// A message of the dialogue.
pub(super) enum Message {
    /// Dialer: does the listener know the mesh's secret?
    Knock { nonce: [u8; 32] },
    /// Listener: it does; does the dialer?
    Counter { nonce: [u8; 32], mac: [u8; 32] },
    /// Both: who they are.
    Hello(Box<Hello>),
    /// Listener: no, and why.
    Refused(Denial),
    /// Joiner: it has a token.
    Want { invite: InviteId, nonce: [u8; 32] },
    /// Inviter: the mesh and itself, to be checked by the joiner before it proves anything.
    Here { nonce: [u8; 32], authorities: Vec<Bytes>, chain: Vec<Bytes> },
    /// Joiner: the proof, and what it wants to be.
    Join { name: NodeName, keys: Bytes, proof: [u8; 64], after: u64 },
    /// Inviter: the certificate, and what members know.
    Welcome { certificate: Bytes, secrets: Vec<(u32, MeshSecret)> },
}

/// Who a node is.
pub(super) struct Hello {
    /// The dialer's answer to a counter; none where both knew each other.
    pub(super) mac: Option<[u8; 32]>,
    /// Lowest and highest protocol version.
    pub(super) protocol: (u16, u16),
    /// Features without which it will not talk.
    pub(super) required: u64,
    /// Features that it knows.
    pub(super) optional: u64,
    pub(super) mesh: MeshId,
    /// Its certificate, and its issuer's where an admin signed.
    pub(super) chain: Vec<Bytes>,
    pub(super) keys: Bytes,
    /// Newest generation of the authority, and the records of the newest ones.
    pub(super) generation: u32,
    pub(super) authorities: Vec<Bytes>,
    pub(super) boot: u64,
    pub(super) wall_ms: u64,
    pub(super) addresses: Vec<String>,
    pub(super) agent: String,
}

impl Message {
    /// The bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let (kind, rest) = match self {
            Self::Knock { nonce } => (1, vec![fields::bytes(nonce)]),
            Self::Counter { nonce, mac } => (2, vec![fields::bytes(nonce), fields::bytes(mac)]),
            Self::Hello(hello) => (3, hello.values()),
            Self::Refused(denial) => (4, denial.values()),
            Self::Want { invite, nonce } => (5, vec![fields::bytes(invite), fields::bytes(nonce)]),
            Self::Here { nonce, authorities, chain } => {
                (6, vec![fields::bytes(nonce), records(authorities), records(chain)])
            }
            Self::Join { name, keys, proof, after } => (
                7,
                vec![
                    Value::from(name.as_str()),
                    fields::bytes(keys),
                    fields::bytes(proof),
                    Value::from(*after),
                ],
            ),
            Self::Welcome { certificate, secrets } => {
                let secrets = secrets.iter().map(|(generation, secret)| {
                    Value::Array(vec![Value::from(*generation), fields::bytes(secret.as_ref())])
                });
                (8, vec![fields::bytes(certificate), Value::Array(secrets.collect())])
            }
        };
        let head = [Value::from(VERSION), Value::from(kind)];
        fields::array(head.into_iter().chain(rest).collect())
    }

    /// Reads a message.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::read(bytes, DIALOGUE_MAX)?;
        if fields.number::<u64>()? != VERSION {
            return Err(Malformed("a message of a later version"));
        }
        let kind: u64 = fields.number()?;
        let fields = &mut fields;
        Ok(match kind {
            1 => Self::Knock { nonce: fields.fixed()? },
            2 => Self::Counter { nonce: fields.fixed()?, mac: fields.fixed()? },
            3 => Self::Hello(Box::new(Hello::read(fields)?)),
            4 => Self::Refused(Denial::read(fields)?),
            5 => Self::Want { invite: fields.fixed()?, nonce: fields.fixed()? },
            6 => Self::Here {
                nonce: fields.fixed()?,
                authorities: read_records(fields, AUTHORITIES_MAX)?,
                chain: read_records(fields, 2)?,
            },
            7 => Self::Join {
                name: read_name(fields)?,
                keys: fields.bytes(DIRECTORY_RECORD_MAX)?.into(),
                proof: fields.fixed()?,
                after: fields.number()?,
            },
            8 => Self::Welcome {
                certificate: fields.bytes(DIRECTORY_RECORD_MAX)?.into(),
                secrets: read_secrets(fields)?,
            },
            _ => return Err(Malformed("a message of an unknown type")),
        })
    }
}

impl Hello {
    fn values(&self) -> Vec<Value> {
        let addresses = self.addresses.iter().map(|address| Value::from(address.as_str()));
        vec![
            fields::bytes(self.mac.as_ref().map_or(&[][..], |mac| &mac[..])),
            Value::from(self.protocol.0),
            Value::from(self.protocol.1),
            Value::from(self.required),
            Value::from(self.optional),
            fields::bytes(&self.mesh.0),
            records(&self.chain),
            fields::bytes(&self.keys),
            Value::from(self.generation),
            records(&self.authorities),
            Value::from(self.boot),
            Value::from(self.wall_ms),
            Value::Array(addresses.collect()),
            Value::from(self.agent.as_str()),
        ]
    }

    fn read(fields: &mut Fields) -> Result<Self, Malformed> {
        Ok(Self {
            mac: fields.optional()?,
            protocol: (fields.number()?, fields.number()?),
            required: fields.number()?,
            optional: fields.number()?,
            mesh: MeshId(fields.fixed()?),
            chain: read_records(fields, 2)?,
            keys: fields.bytes(DIRECTORY_RECORD_MAX)?.into(),
            generation: fields.number()?,
            authorities: read_records(fields, AUTHORITIES_MAX)?,
            boot: fields.number()?,
            wall_ms: fields.number()?,
            addresses: read_addresses(fields)?,
            agent: plain(fields.text(ADDRESS_LEN_MAX)?)?,
        })
    }
}

fn records(records: &[Bytes]) -> Value {
    fields::byte_list(records.iter().map(|record| record.as_ref()))
}

fn read_records(fields: &mut Fields, limit: usize) -> Result<Vec<Bytes>, Malformed> {
    let records = fields.byte_list(limit, DIRECTORY_RECORD_MAX)?;
    Ok(records.into_iter().map(Bytes::from).collect())
}

fn read_secrets(fields: &mut Fields) -> Result<Vec<(u32, MeshSecret)>, Malformed> {
    let mut list = fields.list(SECRETS_MAX)?;
    (0..list.left())
        .map(|_| {
            let mut pair = list.list(2)?;
            Ok((pair.number()?, Zeroizing::new(pair.fixed()?)))
        })
        .collect()
}

fn read_addresses(fields: &mut Fields) -> Result<Vec<String>, Malformed> {
    let mut list = fields.list(ADDRESSES_MAX)?;
    (0..list.left()).map(|_| plain(list.text(ADDRESS_LEN_MAX)?)).collect()
}

/// Reads a node's name.
pub(super) fn read_name(fields: &mut Fields) -> Result<NodeName, Malformed> {
    fields.text(NodeName::MAX_LEN)?.parse().map_err(|_| Malformed("not a node's name"))
}

/// What is shown to people later may hold no control characters.
fn plain(text: String) -> Result<String, Malformed> {
    if text.chars().any(char::is_control) {
        return Err(Malformed("a text with control characters"));
    }
    Ok(text)
}
