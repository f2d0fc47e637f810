//! A node's state in one mesh: what it believes, what it alone knows, and how both are stored.

use super::authority::AuthorityKeys;
use super::identity::Identity;
use super::invite::Invite;
use super::membership::{Membership, Verdict};
use super::record::{Authority, Body, Certificate, Keys, Leave, Record};
use super::suite;
use super::token::InviteId;
use super::{Keep, MeshId, NodeName, Role, SecurityError};
use crate::engine::address::NodeId;
use crate::engine::frame::Frame;
use crate::engine::statement::{DirectoryKey, DirectoryRecord};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use std::collections::{BTreeMap, VecDeque};
use zeroize::Zeroizing;

const MESH: &str = "mesh/id";
const AUTHORITY: &str = "mesh/authority";
const BACKED_UP: &str = "mesh/authority-backed-up";
const ISSUED: &str = "mesh/issued";
const SECRET: &str = "mesh/secret/";
const INVITE: &str = "mesh/invite/";

/// The secret that members of a mesh share, per generation of its authority.
pub(super) type MeshSecret = Zeroizing<[u8; 32]>;

/// A node's state in its mesh.
pub(super) struct Mesh {
    pub(super) view: Membership,
    /// Hash and rank of the records that are durable here.
    pub(super) held: BTreeMap<DirectoryKey, ([u8; 32], Bytes)>,
    /// Records whose ground is not known yet, the oldest first.
    pub(super) pending: VecDeque<Record>,
    /// Statements of nodes whose certificates are not known yet, the oldest first.
    pub(super) early: VecDeque<Frame>,
    pub(super) secrets: BTreeMap<u32, MeshSecret>,
    pub(super) invites: BTreeMap<InviteId, Invite>,
    pub(super) authority: Option<AuthorityKeys>,
    /// How many certificates this node has issued.
    pub(super) issued: u64,
    pub(super) backed_up: bool,
}

impl Mesh {
    fn new(mesh: MeshId) -> Self {
        Self {
            view: Membership::new(mesh),
            held: BTreeMap::new(),
            pending: VecDeque::new(),
            early: VecDeque::new(),
            secrets: BTreeMap::new(),
            invites: BTreeMap::new(),
            authority: None,
            issued: 0,
            backed_up: false,
        }
    }

    /// Founds a mesh: its authority, its secret, and this node as its first admin.
    pub(super) fn found(
        identity: &Identity,
        name: &NodeName,
        wall_ms: u64,
    ) -> Result<(Self, Keep), SecurityError> {
        let keys = AuthorityKeys::load_or_make(identity)?;
        let genesis = Authority {
            mesh: None,
            generation: 0,
            key: keys.key.public(),
            next: keys.next_hash,
            prev: None,
            min_generation: 0,
            label: format!("{name}'s mesh"),
            wall_ms,
        };
        let genesis = Record::sign(Body::Authority(genesis), &keys.key);
        let mut mesh = Self::new(Membership::mesh_of(&genesis));
        mesh.view.take(&genesis);
        mesh.secrets.insert(0, Zeroizing::new(suite::random()));
        mesh.authority = Some(keys);
        let own =
            mesh.certify(identity, identity.node_id(), name, Role::Admin, 1, None, wall_ms)?;
        let sealing = own_keys(identity, mesh.id());
        mesh.view.absorb(vec![own.clone(), sealing.clone()]);
        let keep = Keep {
            private: mesh.private(identity),
            directory: [&genesis, &own, &sealing].map(Record::to_directory).into(),
            forget: true,
        };
        Ok((mesh, keep))
    }

    /// Makes the state again from what is stored; `None` if the node is in no mesh.
    pub(super) fn restore(
        private: &[(String, Bytes)],
        directory: &[DirectoryRecord],
        authority: Option<AuthorityKeys>,
    ) -> Result<Option<Self>, SecurityError> {
        let Some((_, id)) = private.iter().find(|(name, _)| name == MESH) else { return Ok(None) };
        let id = id.as_ref().try_into().map_err(|_| SecurityError::Damaged("the mesh's id"))?;
        let mut mesh = Self::new(MeshId(id));
        for (name, value) in private {
            mesh.restore_private(name, value)?;
        }
        mesh.authority = mesh.authority.or(authority);
        mesh.restore_directory(directory)?;
        mesh.authority.take_if(|keys| {
            let public = keys.key.public();
            mesh.view.authority().is_none_or(|newest| newest.key != public)
        });
        Ok(Some(mesh))
    }

    fn restore_private(&mut self, name: &str, value: &Bytes) -> Result<(), SecurityError> {
        let damaged = SecurityError::Damaged;
        if let Some(generation) = name.strip_prefix(SECRET) {
            let generation = generation.parse().map_err(|_| damaged("a secret's generation"))?;
            let secret = value.as_ref().try_into().map_err(|_| damaged("a secret"))?;
            self.secrets.insert(generation, Zeroizing::new(secret));
        } else if let Some(id) = name.strip_prefix(INVITE) {
            let id = HEXLOWER.decode(id.as_bytes()).ok().and_then(|id| id.try_into().ok());
            let id = id.ok_or_else(|| damaged("an invitation's id"))?;
            let invite = Invite::read(value).map_err(|_| damaged("an invitation"))?;
            self.invites.insert(id, invite);
        } else if name == ISSUED {
            let bytes = value.as_ref().try_into().map_err(|_| damaged("the count of issues"))?;
            self.issued = u64::from_be_bytes(bytes);
        } else if name == AUTHORITY {
            let keys =
                AuthorityKeys::from_bytes(value).ok_or_else(|| damaged("the authority key"))?;
            self.authority = Some(keys);
        } else if name == BACKED_UP {
            self.backed_up = true;
        }
        Ok(())
    }

    /// Believes stored records without checking signatures again: only what was checked is stored.
    /// The authority's chain is checked all the same.
    fn restore_directory(&mut self, directory: &[DirectoryRecord]) -> Result<(), SecurityError> {
        let mut authorities = Vec::new();
        for stored in directory {
            let Ok(record) = Record::read(&stored.bytes) else { continue };
            self.held.insert(stored.key.clone(), (record.hash, stored.rank.clone()));
            match &record.body {
                Body::Authority(_) => authorities.push(record),
                body if body.mesh() == Some(self.id()) => self.view.take(&record),
                _ => {}
            }
        }
        self.view.absorb(authorities);
        if self.view.authority().is_none() {
            return Err(SecurityError::Damaged("the mesh's first record is missing"));
        }
        Ok(())
    }

    /// The mesh.
    pub(super) const fn id(&self) -> MeshId {
        self.view.mesh()
    }

    /// The present generation of the authority.
    pub(super) fn generation(&self) -> u32 {
        self.view.authority().map_or(0, |authority| authority.generation)
    }

    /// Takes over a record that is durable now.
    pub(super) fn learned(&mut self, stored: &DirectoryRecord) {
        let Ok(record) = Record::read(&stored.bytes) else { return };
        let of_this_mesh = match &record.body {
            Body::Authority(_) => self.view.judge(&record) == Verdict::Holds,
            body => body.mesh() == Some(self.id()),
        };
        if of_this_mesh {
            self.held.insert(stored.key.clone(), (record.hash, stored.rank.clone()));
            self.view.take(&record);
        }
    }

    /// Makes a certificate: with the authority's key for admins and for those who have one of the
    /// authority already, else with this node's own.
    #[expect(clippy::too_many_arguments, reason = "a certificate has that many free fields")]
    pub(super) fn certify(
        &mut self,
        identity: &Identity,
        node: NodeId,
        name: &NodeName,
        role: Role,
        serial: u64,
        invite: Option<InviteId>,
        wall_ms: u64,
    ) -> Result<Record, SecurityError> {
        let held = self.view.certificate(node);
        let by_authority = role == Role::Admin || held.is_some_and(|held| held.issuer.is_none());
        let signer = match (&self.authority, by_authority) {
            (Some(authority), true) => &authority.key,
            (None, true) => return Err(SecurityError::NoAuthority),
            (_, false) => &identity.signing,
        };
        let body = Certificate {
            mesh: self.id(),
            node,
            name: name.clone(),
            role,
            groups: Vec::new(),
            serial,
            generation: self.generation(),
            issuer: (!by_authority).then(|| identity.node_id()),
            issue: self.issued.saturating_add(1),
            clk: self.view.next_clk(),
            wall_ms,
            not_after_ms: 0,
            invite,
        };
        let record = Record::sign(Body::Certificate(body), signer);
        self.issued = self.issued.saturating_add(1);
        Ok(record)
    }

    /// This node's signed departure; none if it has no certificate.
    pub(super) fn departure(&self, identity: &Identity, wall_ms: u64) -> Option<Record> {
        let node = identity.node_id();
        let serial = self.view.certificate(node)?.serial;
        let issued_up_to = self.issued;
        let body = Leave { mesh: self.id(), node, serial, issued_up_to, wall_ms };
        Some(Record::sign(Body::Leave(body), &identity.signing))
    }

    /// The private record of an invitation.
    pub(super) fn invite_private(&self, id: &InviteId) -> (String, Option<Bytes>) {
        (invite_name(id), self.invites.get(id).map(Invite::encode))
    }

    /// The private record of the count of issues.
    pub(super) fn issued_private(&self) -> (String, Option<Bytes>) {
        (ISSUED.to_owned(), Some(Bytes::copy_from_slice(&self.issued.to_be_bytes())))
    }

    /// The private record that says that the authority key was backed up.
    pub(super) fn backed_up_private() -> (String, Option<Bytes>) {
        (BACKED_UP.to_owned(), Some(Bytes::new()))
    }

    /// All private records.
    fn private(&self, identity: &Identity) -> Vec<(String, Option<Bytes>)> {
        let mut private = vec![
            (MESH.to_owned(), Some(Bytes::copy_from_slice(&self.id().0))),
            self.issued_private(),
        ];
        private.extend(
            self.secrets.iter().map(|(generation, secret)| secret_private(*generation, secret)),
        );
        if let (Some(keys), None) = (&self.authority, AuthorityKeys::path(identity)) {
            private.push((AUTHORITY.to_owned(), Some(Bytes::copy_from_slice(&keys.to_bytes()))));
        }
        private
    }

    /// Removes all private records of this mesh.
    pub(super) fn forget_private(&self) -> Vec<(String, Option<Bytes>)> {
        let fixed = [MESH, ISSUED, AUTHORITY, BACKED_UP].map(str::to_owned);
        let secrets = self.secrets.keys().map(|generation| format!("{SECRET}{generation}"));
        let invites = self.invites.keys().map(invite_name);
        fixed.into_iter().chain(secrets).chain(invites).map(|name| (name, None)).collect()
    }
}

/// The private records of a node that has just joined a mesh.
pub(super) fn joined_private(
    mesh: MeshId,
    secrets: &[(u32, MeshSecret)],
) -> Vec<(String, Option<Bytes>)> {
    let id = (MESH.to_owned(), Some(Bytes::copy_from_slice(&mesh.0)));
    let secrets = secrets.iter().map(|(generation, secret)| secret_private(*generation, secret));
    std::iter::once(id).chain(secrets).collect()
}

/// The keys record of this node: the same bytes whenever it is made for one mesh.
pub(super) fn own_keys(identity: &Identity, mesh: MeshId) -> Record {
    let sealing = &identity.sealing;
    let body = Keys {
        mesh,
        node: identity.node_id(),
        generation: sealing.generation,
        kem: suite::KEM_X25519,
        key: sealing.public().to_vec(),
        incarnation: sealing.incarnation,
        wall_ms: sealing.made_ms,
    };
    Record::sign(Body::Keys(body), &identity.signing)
}

fn secret_private(generation: u32, secret: &MeshSecret) -> (String, Option<Bytes>) {
    (format!("{SECRET}{generation}"), Some(Bytes::copy_from_slice(secret.as_ref())))
}

fn invite_name(id: &InviteId) -> String {
    format!("{INVITE}{}", HEXLOWER.encode(id))
}
