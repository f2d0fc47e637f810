//! Records made by hand: what an authority, an admin or an attacker could sign.

use crate::engine::address::NodeId;
use crate::security::authority::AuthorityKeys;
use crate::security::identity::Identity;
use crate::security::membership::Membership;
use crate::security::record::{
    Authority, Body, Certificate, Keys, Leave, Reason, Record, Revocation,
};
use crate::security::{MeshId, Role, suite};
use zeroize::Zeroizing;

/// The authority of a mesh that always comes out the same.
pub(in crate::security) struct Mint {
    pub(in crate::security) keys: Vec<AuthorityKeys>,
    pub(in crate::security) authorities: Vec<Record>,
}

fn secret(generation: u32) -> Zeroizing<[u8; 32]> {
    suite::derive(&generation.to_be_bytes(), b"test authority")
}

/// The keys of one generation, which announce the next one's.
pub(in crate::security) fn authority_keys(generation: u32) -> AuthorityKeys {
    AuthorityKeys::of(generation, &secret(generation), secret(generation + 1))
}

impl Mint {
    pub(in crate::security) fn new() -> Self {
        let keys = authority_keys(0);
        let genesis = Record::sign(Body::Authority(authority(None, &keys, None, 0)), &keys.key);
        Self { keys: vec![keys], authorities: vec![genesis] }
    }

    pub(in crate::security) fn mesh(&self) -> MeshId {
        Membership::mesh_of(&self.authorities[0])
    }

    /// The next generation; `min` is the lowest whose certificates still hold.
    pub(in crate::security) fn rotate(&mut self, min: u32) -> Record {
        let before = self.authorities.last().unwrap();
        let keys = authority_keys(self.keys.len() as u32);
        let body = authority(Some(self.mesh()), &keys, Some(before.hash), min);
        let record = Record::sign(Body::Authority(body), &keys.key);
        self.keys.push(keys);
        self.authorities.push(record.clone());
        record
    }

    /// A view that knows the authorities only.
    pub(in crate::security) fn view(&self) -> Membership {
        let mut view = Membership::new(self.mesh());
        assert!(view.absorb(self.authorities.clone()).is_empty());
        view
    }

    fn body(&self, node: NodeId, name: &str) -> Certificate {
        Certificate {
            mesh: self.mesh(),
            node,
            name: name.parse().unwrap(),
            role: Role::Member,
            groups: Vec::new(),
            serial: 1,
            generation: self.keys.len() as u32 - 1,
            issuer: None,
            issue: 1,
            clk: 1,
            wall_ms: 1_700_000_000_000,
            not_after_ms: 0,
            invite: None,
        }
    }

    /// A certificate signed by the newest authority, after a change.
    pub(in crate::security) fn by_authority(
        &self,
        node: &Identity,
        name: &str,
        change: impl FnOnce(&mut Certificate),
    ) -> Record {
        let mut body = self.body(node.node_id(), name);
        change(&mut body);
        Record::sign(Body::Certificate(body), &self.keys.last().unwrap().key)
    }

    /// An admin's certificate.
    pub(in crate::security) fn admin(&self, node: &Identity, name: &str) -> Record {
        self.by_authority(node, name, |body| body.role = Role::Admin)
    }

    /// A certificate signed by an admin, after a change.
    pub(in crate::security) fn by_admin(
        &self,
        admin: &Identity,
        node: &Identity,
        name: &str,
        change: impl FnOnce(&mut Certificate),
    ) -> Record {
        let mut body = self.body(node.node_id(), name);
        body.issuer = Some(admin.node_id());
        change(&mut body);
        Record::sign(Body::Certificate(body), &admin.signing)
    }

    /// A keys record about one node, signed by another.
    pub(in crate::security) fn keys_of(&self, node: &Identity, signer: &Identity) -> Record {
        let body = Keys {
            mesh: self.mesh(),
            node: node.node_id(),
            generation: 1,
            kem: suite::KEM_X25519,
            key: signer.sealing.public().to_vec(),
            incarnation: 7,
            wall_ms: 1_700_000_000_000,
        };
        Record::sign(Body::Keys(body), &signer.signing)
    }

    /// A departure.
    pub(in crate::security) fn leave(&self, node: &Identity, serial: u64, issued: u64) -> Record {
        let body = Leave {
            mesh: self.mesh(),
            node: node.node_id(),
            serial,
            issued_up_to: issued,
            wall_ms: 1_700_000_000_000,
        };
        Record::sign(Body::Leave(body), &node.signing)
    }

    /// A revocation by an admin, or by the newest authority.
    pub(in crate::security) fn revoke(
        &self,
        by: Option<&Identity>,
        node: &Identity,
        reason: Reason,
        issued_up_to: u64,
    ) -> Record {
        let authority = &self.keys.last().unwrap().key;
        let body = Revocation {
            mesh: self.mesh(),
            node: node.node_id(),
            up_to: 1,
            reason,
            generation: self.keys.len() as u32 - 1,
            issuer: by.map(Identity::node_id),
            issued_up_to,
            clk: 2,
            wall_ms: 1_700_000_000_000,
        };
        Record::sign(Body::Revocation(body), by.map_or(authority, |admin| &admin.signing))
    }
}

/// The body of a generation.
pub(in crate::security) fn authority(
    mesh: Option<MeshId>,
    keys: &AuthorityKeys,
    prev: Option<[u8; 32]>,
    min_generation: u32,
) -> Authority {
    Authority {
        mesh,
        generation: keys.generation,
        key: keys.key.public(),
        next: keys.next_hash,
        prev,
        min_generation,
        label: "plant-7".to_owned(),
        wall_ms: 1_700_000_000_000,
    }
}
