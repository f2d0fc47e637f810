//! Knock and HELLO: two members prove themselves to each other.
//!
//! A dialer that does not know the peer knocks first: both show that they know the mesh's secret
//! before either shows a certificate. HELLO then carries the certificate with its chain. Refuses
//! whoever has no valid certificate for the very key that the link has proven.

use super::dialogue::{PROTOCOL_MAX, PROTOCOL_MIN, PeerHello};
use super::identity::{Identity, wall_ms};
use super::membership::Standing;
use super::message::{AUTHORITIES_MAX, Hello};
use super::record::{Body, Record};
use super::state::{Mesh, own_keys};
use super::{Denial, suite};
use crate::engine::address::NodeId;
use bytes::Bytes;

/// Features that every peer must know to talk to this node, as bits.
const FEATURES_REQUIRED: u64 = 0;
/// Features that this node knows, as bits.
const FEATURES: u64 = 0;
/// A guest's certificate is good for so long after its end, because clocks differ.
const GRACE_MS: u64 = 24 * 3_600_000;

/// Which side of the dialogue speaks.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Dialer,
    Listener,
}

/// The two ends and nonces of one knock.
pub(super) struct Knock {
    pub(super) dialer: NodeId,
    pub(super) listener: NodeId,
    pub(super) dialer_nonce: [u8; 32],
    pub(super) listener_nonce: [u8; 32],
}

impl Knock {
    fn parts(&self, side: Side) -> [&[u8]; 6] {
        let label: &[u8] = match side {
            Side::Dialer => b"D",
            Side::Listener => b"L",
        };
        [
            b"MeshMQ 1 knock\0",
            label,
            self.dialer.as_bytes(),
            self.listener.as_bytes(),
            &self.dialer_nonce,
            &self.listener_nonce,
        ]
    }

    /// The proof of one side.
    pub(super) fn mac(&self, secret: &[u8; 32], side: Side) -> [u8; 32] {
        suite::mac(secret, &self.parts(side))
    }

    /// The secret with which one side made its proof, the newest generation first.
    pub(super) fn secret<'a>(
        &self,
        mesh: &'a Mesh,
        side: Side,
        proof: &[u8; 32],
    ) -> Option<&'a [u8; 32]> {
        let mut secrets = mesh.secrets.values().rev();
        secrets.find(|secret| suite::mac_fits(secret, &self.parts(side), proof)).map(|s| &**s)
    }
}

/// What one process of a node says about itself in every HELLO.
pub(super) struct Manner<'a> {
    pub(super) identity: &'a Identity,
    pub(super) boot: u64,
    pub(super) addresses: &'a [String],
}

/// This node's HELLO.
pub(super) fn own(mesh: &Mesh, manner: &Manner<'_>, mac: Option<[u8; 32]>) -> Hello {
    let identity = manner.identity;
    // The genesis is known to everybody who could come this far.
    let authorities = mesh.view.authorities_from(1);
    let newest = authorities.len().saturating_sub(AUTHORITIES_MAX);
    Hello {
        mac,
        protocol: (PROTOCOL_MIN, PROTOCOL_MAX),
        required: FEATURES_REQUIRED,
        optional: FEATURES,
        mesh: mesh.id(),
        chain: mesh.view.chain(identity.node_id()),
        keys: own_keys(identity, mesh.id()).bytes,
        generation: mesh.generation(),
        authorities: authorities[newest..].to_vec(),
        boot: manner.boot,
        wall_ms: wall_ms(),
        addresses: manner.addresses.to_vec(),
        agent: concat!("meshmq/", env!("CARGO_PKG_VERSION")).to_owned(),
    }
}

/// Checks a peer's HELLO, and believes the records that it shows.
pub(super) fn accept(mesh: &mut Mesh, peer: NodeId, hello: Hello) -> Result<PeerHello, Denial> {
    if hello.mesh != mesh.id() {
        return Err(Denial::OtherMesh);
    }
    let shown = shown_records(peer, &hello)?;
    let refused = mesh.view.absorb(shown);
    match mesh.view.standing(peer) {
        Standing::Active => {}
        Standing::Left => return Err(Denial::Left),
        Standing::Revoked => return Err(Denial::Revoked),
        Standing::Void => return Err(Denial::NotAMember("whoever issued it may not any more")),
        Standing::Unknown => return Err(Denial::NotAMember("no admin of this mesh issued it")),
    }
    if refused.iter().any(|record| matches!(record.body, Body::Certificate(_))) {
        return Err(Denial::NotAMember("it is not signed by an admin of this mesh"));
    }
    if refused.iter().any(|record| matches!(record.body, Body::Keys(_))) {
        return Err(Denial::NotAMember("its sealing key is not signed by the node itself"));
    }
    let ends = mesh.view.certificate(peer).map_or(0, |certificate| certificate.not_after_ms);
    if ends != 0 && wall_ms() > ends.saturating_add(GRACE_MS) {
        return Err(Denial::NotAMember("its time has run out"));
    }
    agree(hello)
}

/// The records of a HELLO: the peer's own certificate first, and nobody else's keys.
fn shown_records(peer: NodeId, hello: &Hello) -> Result<Vec<Record>, Denial> {
    let read = |bytes: &Bytes| {
        Record::read(bytes).map_err(|_| Denial::Malformed("a record that cannot be read"))
    };
    let chain: Vec<Record> = hello.chain.iter().map(read).collect::<Result<_, _>>()?;
    let is_own = |record: &Record| match &record.body {
        Body::Certificate(certificate) => certificate.node == peer,
        _ => false,
    };
    if !chain.first().is_some_and(is_own) {
        return Err(Denial::NotAMember("it is another node's"));
    }
    let keys = read(&hello.keys)?;
    if !matches!(&keys.body, Body::Keys(keys) if keys.node == peer) {
        return Err(Denial::NotAMember("its sealing key is another node's"));
    }
    let mut records: Vec<Record> = hello.authorities.iter().map(read).collect::<Result<_, _>>()?;
    records.extend(chain);
    records.push(keys);
    let fitting = |record: &Record| {
        matches!(record.body, Body::Authority(_) | Body::Certificate(_) | Body::Keys(_))
    };
    if !records.iter().all(fitting) {
        return Err(Denial::Malformed("a record that has no place in HELLO"));
    }
    Ok(records)
}

/// The highest common version and the common features.
fn agree(hello: Hello) -> Result<PeerHello, Denial> {
    let (min, max) = hello.protocol;
    let version = PROTOCOL_MAX.min(max);
    if min > max || version < PROTOCOL_MIN.max(min) {
        return Err(Denial::NoCommonVersion { min, max });
    }
    let unknown = hello.required & !FEATURES;
    if unknown != 0 {
        return Err(Denial::NeedsFeature(unknown));
    }
    Ok(PeerHello {
        version,
        features: hello.optional & FEATURES,
        addresses: hello.addresses,
        boot: hello.boot,
        wall_ms: hello.wall_ms,
        agent: hello.agent,
    })
}
