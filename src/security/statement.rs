//! Signatures of statements, and the numbers of lines that need a key.

use super::{Identity, MeshId, suite};
use crate::codec::encode_statement;
use crate::engine::address::{LineId, NodeId, QueueName};
use crate::engine::message::{Delivery, Priority};
use crate::engine::statement::{Attested, Statement};
use bytes::Bytes;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// What every signature of the project begins with, so that it can pass for nothing else.
const PREFIX: &[u8] = b"MeshMQ 1 ";
/// Verified statements that are remembered: half of them, the newer ones, for certain.
pub const VERIFIED_MAX: usize = 16_384;

/// What is signed: the prefix, the kind, a zero byte, and `parts`.
pub(super) fn to_be_signed(kind: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(PREFIX);
    bytes.extend_from_slice(kind.as_bytes());
    bytes.push(0);
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

fn signed_bytes<T: Statement>(mesh: &MeshId, statement: &T) -> Vec<u8> {
    to_be_signed(T::KIND, &[&mesh.0, &encode_statement(statement)])
}

/// Signs a statement of this node for its mesh.
pub fn sign_statement<T: Statement>(identity: &Identity, mesh: &MeshId, statement: &T) -> Bytes {
    Bytes::copy_from_slice(&identity.sign(&signed_bytes(mesh, statement)))
}

/// Whether a statement is signed by the node that it names, for this mesh. Whether that node is a
/// member is another question.
pub fn verify_statement<T: Statement>(mesh: &MeshId, attested: &Attested<T>) -> bool {
    let signed = signed_bytes(mesh, &attested.statement);
    suite::verify(attested.statement.signer().as_bytes(), &signed, &attested.signature)
}

/// The number of the line to a queue: a keyed hash, so that it survives a restored store and tells
/// a relay nothing. Names that differ only in case give one line.
pub fn line_id(
    identity: &Identity,
    destination: NodeId,
    queue: &QueueName,
    delivery: Delivery,
    priority: Priority,
) -> LineId {
    let mut bytes = destination.as_bytes().to_vec();
    bytes.extend_from_slice(delivery.as_str().as_bytes());
    bytes.extend_from_slice(&[0, priority.value()]);
    bytes.extend_from_slice(queue.folded().as_bytes());
    let hash = suite::keyed_hash(identity.line_key(), &bytes);
    let mut head = [0; 8];
    head.copy_from_slice(&hash[..8]);
    LineId(u64::from_be_bytes(head))
}

/// The statements whose signatures were good, so that what every neighbour passes on is checked
/// once. Bounded: the older half is forgotten when the younger is full.
#[derive(Default)]
pub(super) struct Verified(Mutex<Halves>);

#[derive(Default)]
struct Halves {
    young: HashSet<[u8; 32]>,
    old: HashSet<[u8; 32]>,
}

impl Verified {
    /// As [`verify_statement`].
    pub(super) fn check<T: Statement>(&self, mesh: &MeshId, attested: &Attested<T>) -> bool {
        let mut named = signed_bytes(mesh, &attested.statement);
        let signer = attested.statement.signer();
        let signed = named.len();
        named.extend_from_slice(signer.as_bytes());
        named.extend_from_slice(&attested.signature);
        let name = suite::hash(&named);
        if self.knows(&name) {
            return true;
        }
        let good = suite::verify(signer.as_bytes(), &named[..signed], &attested.signature);
        if good {
            self.remember(name);
        }
        good
    }

    fn knows(&self, name: &[u8; 32]) -> bool {
        let halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        halves.young.contains(name) || halves.old.contains(name)
    }

    fn remember(&self, name: [u8; 32]) {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if halves.young.len() >= VERIFIED_MAX / 2 {
            halves.old = std::mem::take(&mut halves.young);
        }
        halves.young.insert(name);
    }
}

#[cfg(test)]
mod tests;
