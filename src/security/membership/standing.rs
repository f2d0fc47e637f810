//! Whether a certificate holds, with everything that it rests on.

use super::Membership;
use crate::engine::address::NodeId;
use crate::security::Role;
use crate::security::record::{Certificate, Reason, Revocation};
use std::ops::Bound;

/// What a node is to the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// No certificate of it is known.
    Unknown,
    /// Its certificate holds no more, through no act against the node itself.
    Void,
    /// It was revoked.
    Revoked,
    /// It has left.
    Left,
    /// It is a member.
    Active,
}

impl Membership {
    /// What a node is to the mesh.
    pub(crate) fn standing(&self, node: NodeId) -> Standing {
        let Some(entry) = self.certificates.get(&node) else { return Standing::Unknown };
        let certificate = &entry.body;
        if self.revocations_of(certificate).next().is_some() {
            Standing::Revoked
        } else if self.departures.get(&node).is_some_and(|e| e.body.serial >= certificate.serial) {
            Standing::Left
        } else if !self.is_chain_whole(certificate) {
            Standing::Void
        } else {
            Standing::Active
        }
    }

    /// Whether a node is a member.
    pub(crate) fn is_active(&self, node: NodeId) -> bool {
        self.standing(node) == Standing::Active
    }

    /// Whether a node is a member that may admit others.
    pub(crate) fn is_admin(&self, node: NodeId) -> bool {
        self.is_active(node) && self.certificate(node).is_some_and(|c| c.role == Role::Admin)
    }

    /// Whether whoever issued the certificate could, and still counts.
    pub(super) fn is_chain_whole(&self, certificate: &Certificate) -> bool {
        match certificate.issuer {
            None => self.is_generation_valid(certificate.generation),
            Some(issuer) => self.may_issue(issuer, certificate.issue),
        }
    }

    /// Whether the authority's certificates of this generation count.
    fn is_generation_valid(&self, generation: u32) -> bool {
        let lowest = self.authority().map_or(0, |authority| authority.min_generation);
        generation >= lowest && self.authorities.contains_key(&generation)
    }

    /// Whether what an admin issued under this number counts. The authority made every admin, so
    /// the question goes no further up.
    fn may_issue(&self, issuer: NodeId, issue: u64) -> bool {
        let Some(certificate) = self.certificate(issuer) else { return false };
        if certificate.role != Role::Admin
            || certificate.issuer.is_some()
            || !self.is_generation_valid(certificate.generation)
        {
            return false;
        }
        let departure = self.departures.get(&issuer).map(|entry| &entry.body);
        let left_before =
            departure.is_some_and(|d| d.serial >= certificate.serial && issue > d.issued_up_to);
        let revoked_before = self.revocations_of(certificate).any(|revocation| {
            let all = matches!(revocation.reason, Reason::Lost | Reason::Compromised);
            all || issue > revocation.issued_up_to
        });
        !left_before && !revoked_before
    }

    /// The revocations that count against a certificate.
    fn revocations_of(&self, certificate: &Certificate) -> impl Iterator<Item = &Revocation> {
        let from = certificate.node.as_bytes().to_vec();
        let by_authority = certificate.issuer.is_none();
        let serial = certificate.serial;
        let node = certificate.node;
        self.revocations
            .range::<[u8], _>((Bound::Included(from.as_slice()), Bound::Unbounded))
            .map(|(_, entry)| &entry.body)
            .take_while(move |revocation| revocation.node == node)
            .filter(move |revocation| revocation.up_to >= serial)
            .filter(move |revocation| !(by_authority && revocation.issuer.is_some()))
            .filter(|revocation| self.counts(revocation))
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// Whether whoever revoked could.
    pub(super) fn counts(&self, revocation: &Revocation) -> bool {
        match revocation.issuer {
            None => self.is_generation_valid(revocation.generation),
            Some(issuer) => self.may_issue(issuer, 0),
        }
    }

    /// The serial number for a node's next certificate; none if it is revoked for ever.
    pub(crate) fn next_serial(&self, node: NodeId, at_least: u64) -> Option<u64> {
        let held = self.certificate(node).map_or(0, |certificate| certificate.serial);
        let left = self.departures.get(&node).map_or(0, |entry| entry.body.serial);
        let revoked = self.revocations.values().map(|entry| &entry.body);
        let revoked =
            revoked.filter(|revocation| revocation.node == node && self.counts(revocation));
        let revoked = revoked.map(|revocation| revocation.up_to).max().unwrap_or(0);
        held.max(left).max(revoked).max(at_least).checked_add(1)
    }
}
