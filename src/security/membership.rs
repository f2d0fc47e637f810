//! What the records of one mesh amount to: who is a member, under which name, in which role.
//!
//! Every element of a chain is checked on every question, so nothing holds longer than what it
//! rests on, and the order in which records came makes no difference. Refuses to judge time.

use super::record::{Authority, Body, Certificate, Keys, Leave, Record, Revocation};
use super::{MeshId, suite};
use crate::engine::address::NodeId;
use bytes::Bytes;
use names::Claims;
use std::collections::BTreeMap;

mod names;
mod standing;

pub(crate) use standing::Standing;

/// Most members of a mesh, those who left included.
pub const MEMBERS_MAX: usize = 10_000;
/// Most revocations that are kept.
pub const REVOCATIONS_MAX: usize = 10_000;
/// Most generations of the authority.
pub const GENERATIONS_MAX: u32 = 64;
/// A certificate's count of claims may be ahead of the highest known by this much.
pub const CLK_AHEAD_MAX: u64 = 1 << 20;

/// Whether a record may be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It holds.
    Holds,
    /// It may, once others are known.
    Pending,
    /// It never will.
    Bad(&'static str),
}

/// A record that was believed.
struct Entry<T> {
    body: T,
    bytes: Bytes,
    hash: [u8; 32],
    rank: Bytes,
}

/// The believed records of one mesh.
pub(crate) struct Membership {
    mesh: MeshId,
    authorities: BTreeMap<u32, Entry<Authority>>,
    certificates: BTreeMap<NodeId, Entry<Certificate>>,
    keys: BTreeMap<NodeId, Entry<Keys>>,
    departures: BTreeMap<NodeId, Entry<Leave>>,
    /// By subject, which begins with the node.
    revocations: BTreeMap<Bytes, Entry<Revocation>>,
    claims: BTreeMap<super::NodeName, Claims>,
    highest_clk: u64,
    /// Most members.
    most: usize,
}

impl Membership {
    /// A mesh of which only the id is known.
    pub(crate) const fn new(mesh: MeshId) -> Self {
        Self {
            mesh,
            authorities: BTreeMap::new(),
            certificates: BTreeMap::new(),
            keys: BTreeMap::new(),
            departures: BTreeMap::new(),
            revocations: BTreeMap::new(),
            claims: BTreeMap::new(),
            highest_clk: 0,
            most: MEMBERS_MAX,
        }
    }

    /// The mesh.
    pub(crate) const fn mesh(&self) -> MeshId {
        self.mesh
    }

    /// The id of the mesh that this record founds.
    pub(crate) fn mesh_of(genesis: &Record) -> MeshId {
        let mut id = [0; 16];
        id.copy_from_slice(&genesis.hash[..16]);
        MeshId(id)
    }

    /// Whether these very bytes are believed already.
    pub(crate) fn has(&self, record: &Record) -> bool {
        let hash = match &record.body {
            Body::Authority(body) => self.authorities.get(&body.generation).map(|e| e.hash),
            Body::Certificate(body) => self.certificates.get(&body.node).map(|e| e.hash),
            Body::Keys(body) => self.keys.get(&body.node).map(|e| e.hash),
            Body::Leave(body) => self.departures.get(&body.node).map(|e| e.hash),
            Body::Revocation(_) => self.revocations.get(&record.key().subject).map(|e| e.hash),
        };
        hash == Some(record.hash)
    }

    /// Whether a record may be believed, with all signatures and the whole chain.
    pub(crate) fn judge(&self, record: &Record) -> Verdict {
        if record.body.mesh().unwrap_or_else(|| Self::mesh_of(record)) != self.mesh {
            return Verdict::Bad("of another mesh");
        }
        match &record.body {
            Body::Authority(body) => self.judge_authority(body, record),
            Body::Certificate(body) => self.judge_certificate(body, record),
            Body::Revocation(body) => self.judge_revocation(body, record),
            Body::Keys(Keys { node, .. }) | Body::Leave(Leave { node, .. }) => {
                if !record.is_signed_by(node.as_bytes()) {
                    Verdict::Bad("not signed by the node that it is about")
                } else if self.has_ground(record) {
                    Verdict::Holds
                } else {
                    Verdict::Pending
                }
            }
        }
    }

    fn judge_authority(&self, body: &Authority, record: &Record) -> Verdict {
        if body.generation >= GENERATIONS_MAX {
            return Verdict::Bad("too many generations of the authority");
        }
        if !record.is_signed_by(&body.key) {
            return Verdict::Bad("not signed by its own key");
        }
        let Some(before) = body.generation.checked_sub(1) else { return Verdict::Holds };
        let Some(before) = self.authorities.get(&before) else { return Verdict::Pending };
        if suite::hash(&body.key) != before.body.next || body.prev != Some(before.hash) {
            return Verdict::Bad("an authority that its predecessor did not announce");
        }
        if body.min_generation < before.body.min_generation {
            return Verdict::Bad("an authority that revives an older one");
        }
        Verdict::Holds
    }

    fn judge_certificate(&self, body: &Certificate, record: &Record) -> Verdict {
        if body.clk > self.highest_clk.saturating_add(CLK_AHEAD_MAX) {
            return Verdict::Bad("a count of claims far ahead of all others");
        }
        let signed = self.judge_signer(body.issuer, body.generation, record);
        if signed == Verdict::Holds && !self.has_ground(record) {
            return Verdict::Pending;
        }
        signed
    }

    fn judge_revocation(&self, body: &Revocation, record: &Record) -> Verdict {
        let signed = self.judge_signer(body.issuer, body.generation, record);
        if signed != Verdict::Holds {
            return signed;
        }
        let certificate = self.certificates.get(&body.node).filter(|_| self.has_ground(record));
        let Some(certificate) = certificate else { return Verdict::Pending };
        if body.issuer.is_some() && certificate.body.issuer.is_none() {
            return Verdict::Bad("an admin's revocation of one whom the authority certified");
        }
        Verdict::Holds
    }

    /// Whether everything is known that a record rests on, and there is room for it. Costs no
    /// signature check.
    pub(crate) fn has_ground(&self, record: &Record) -> bool {
        match &record.body {
            Body::Authority(body) => {
                let before = body.generation.checked_sub(1);
                before.is_none_or(|before| self.authorities.contains_key(&before))
            }
            Body::Certificate(body) => {
                let room = self.certificates.len() < self.most
                    || self.certificates.contains_key(&body.node);
                room && self.authorities.contains_key(&body.generation) && self.is_chain_whole(body)
            }
            Body::Revocation(body) => {
                let room = self.revocations.len() < REVOCATIONS_MAX
                    || self.revocations.contains_key(&record.key().subject);
                room && self.authorities.contains_key(&body.generation)
                    && self.certificates.contains_key(&body.node)
                    && self.counts(body)
            }
            Body::Keys(Keys { node, .. }) | Body::Leave(Leave { node, .. }) => {
                self.certificates.contains_key(node)
            }
        }
    }

    /// Whether the record is signed by whom it names; whether he may is not asked.
    fn judge_signer(&self, issuer: Option<NodeId>, generation: u32, record: &Record) -> Verdict {
        let authority = self.authorities.get(&generation);
        let key = match (issuer.as_ref(), authority) {
            (Some(issuer), _) => issuer.as_bytes(),
            (None, Some(authority)) => &authority.body.key,
            (None, None) => return Verdict::Pending,
        };
        match (record.is_signed_by(key), authority) {
            (false, _) => Verdict::Bad("not signed by its issuer"),
            (true, None) => Verdict::Pending,
            (true, Some(_)) => Verdict::Holds,
        }
    }

    /// Believes a record that holds, unless a greater one is believed. Whether it does so is for
    /// the caller to have judged.
    pub(crate) fn take(&mut self, record: &Record) {
        match &record.body {
            Body::Authority(body) => {
                if put(&mut self.authorities, body.generation, body, record) {
                    // Of two for one generation the other one's descendants go with it.
                    self.authorities.retain(|&generation, _| generation <= body.generation);
                }
            }
            Body::Certificate(body) => self.take_certificate(body, record),
            Body::Keys(body) => {
                put(&mut self.keys, body.node, body, record);
            }
            Body::Leave(body) => {
                put(&mut self.departures, body.node, body, record);
            }
            Body::Revocation(body) => {
                self.highest_clk = self.highest_clk.max(body.clk);
                put(&mut self.revocations, record.key().subject, body, record);
            }
        }
    }

    fn take_certificate(&mut self, body: &Certificate, record: &Record) {
        self.highest_clk = self.highest_clk.max(body.clk);
        let before = self.certificates.get(&body.node).map(|e| (e.body.name.clone(), e.body.clk));
        if !put(&mut self.certificates, body.node, body, record) {
            return;
        }
        if let Some((name, clk)) = before
            && let Some(claims) = self.claims.get_mut(&name)
        {
            claims.remove(clk, body.node);
        }
        self.claims.entry(body.name.clone()).or_default().insert(body.clk, body.node);
    }

    /// Believes those that hold, whatever their order; the others are given back.
    pub(crate) fn absorb(&mut self, records: Vec<Record>) -> Vec<Record> {
        let mut left = records;
        loop {
            let before = left.len();
            left.retain(|record| {
                let holds = self.has(record)
                    || self.has_ground(record) && self.judge(record) == Verdict::Holds;
                if holds {
                    self.take(record);
                }
                !holds
            });
            if left.is_empty() || left.len() == before {
                return left;
            }
        }
    }

    /// A node's certificate, valid or not.
    pub(crate) fn certificate(&self, node: NodeId) -> Option<&Certificate> {
        self.certificates.get(&node).map(|entry| &entry.body)
    }

    /// The records that prove a node: its certificate, and its issuer's where an admin signed.
    pub(crate) fn chain(&self, node: NodeId) -> Vec<Bytes> {
        let Some(own) = self.certificates.get(&node) else { return Vec::new() };
        let issuer = own.body.issuer.and_then(|issuer| self.certificates.get(&issuer));
        std::iter::once(own).chain(issuer).map(|entry| entry.bytes.clone()).collect()
    }

    /// The authority's records, from this generation on.
    pub(crate) fn authorities_from(&self, generation: u32) -> Vec<Bytes> {
        self.authorities.range(generation..).map(|(_, entry)| entry.bytes.clone()).collect()
    }

    /// The newest authority.
    pub(crate) fn authority(&self) -> Option<&Authority> {
        self.authorities.last_key_value().map(|(_, entry)| &entry.body)
    }

    /// The mesh's label.
    pub(crate) fn label(&self) -> &str {
        self.authority().map_or("", |authority| &authority.label)
    }

    /// The count for the next record of an admin.
    pub(crate) const fn next_clk(&self) -> u64 {
        self.highest_clk.saturating_add(1)
    }

    /// All nodes with a certificate.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.certificates.keys().copied()
    }
}

/// Puts a record in place of a lesser one.
fn put<K: Ord, T: Clone>(
    into: &mut BTreeMap<K, Entry<T>>,
    key: K,
    body: &T,
    record: &Record,
) -> bool {
    let rank = record.rank();
    if into.get(&key).is_some_and(|entry| entry.rank >= rank) {
        return false;
    }
    let entry = Entry { body: body.clone(), bytes: record.bytes.clone(), hash: record.hash, rank };
    into.insert(key, entry);
    true
}

#[cfg(test)]
mod tests;
