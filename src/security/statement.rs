//! Signatures of statements, and the numbers of lines that need a key.

use super::{Identity, MeshId, suite};
use crate::codec::encode_statement;
use crate::engine::address::{LineId, NodeId, QueueName};
use crate::engine::message::{Delivery, Priority};
use crate::engine::statement::{Attested, Statement};
use bytes::Bytes;

/// What every signature of the project begins with, so that it can pass for nothing else.
pub(crate) const PREFIX: &[u8] = b"MeshMQ 1 ";

/// What is signed: the prefix, the kind, a zero byte, and `parts`.
pub(crate) fn to_be_signed(kind: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(PREFIX);
    bytes.extend_from_slice(kind.as_bytes());
    bytes.push(0);
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

/// Signs a statement of this node for its mesh.
pub fn sign_statement<T: Statement>(identity: &Identity, mesh: &MeshId, statement: &T) -> Bytes {
    let encoded = encode_statement(statement);
    let signature = identity.sign(&to_be_signed(T::KIND, &[&mesh.0, &encoded]));
    Bytes::copy_from_slice(&signature)
}

/// Whether a statement is signed by the node that it names, for this mesh. Whether that node is a
/// member is another question.
pub fn verify_statement<T: Statement>(mesh: &MeshId, attested: &Attested<T>) -> bool {
    let encoded = encode_statement(&attested.statement);
    let signed = to_be_signed(T::KIND, &[&mesh.0, &encoded]);
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
    let key = suite::derive::<32>(identity.signing.secret().as_ref(), b"MeshMQ 1 line");
    let mut bytes = destination.as_bytes().to_vec();
    bytes.extend_from_slice(delivery.as_str().as_bytes());
    bytes.extend_from_slice(&[0, priority.value()]);
    bytes.extend_from_slice(queue.folded().as_bytes());
    let hash = suite::keyed_hash(&key, &bytes);
    let mut head = [0; 8];
    head.copy_from_slice(&hash[..8]);
    LineId(u64::from_be_bytes(head))
}
