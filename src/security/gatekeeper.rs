//! Everything this node believes about its mesh, shared by all tasks: the only door to it.
//!
//! Holds the lock and hands on to `state`, `frames`, `hello`, `admit` and `join`; has no rules of
//! its own. Nothing here waits for anything but that lock.

use super::authority::AuthorityKeys;
use super::dialogue::ADDRESSES_MAX;
use super::error::{ResolveError, SecurityError};
use super::membership::Standing;
use super::message::ADDRESS_LEN_MAX;
use super::state::Mesh;
use super::statement::Verified;
use super::token::Token;
use super::{
    Check, Identity, InviteOptions, Keep, Member, MeshId, NodeName, Role, admit, frames, suite,
};
use crate::engine::address::NodeId;
use crate::engine::frame::Frame;
use crate::engine::statement::DirectoryRecord;
use bytes::Bytes;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

mod doors;

/// Authority chain, certificates, keys, departures: built from directory records and private state.
pub struct Gatekeeper {
    identity: Arc<Identity>,
    boot: u64,
    verified: Verified,
    state: RwLock<State>,
}

struct State {
    mesh: Option<Mesh>,
    addresses: Vec<String>,
}

impl Gatekeeper {
    fn with(identity: Arc<Identity>, mesh: Option<Mesh>) -> Self {
        Self {
            identity,
            boot: u64::from_be_bytes(suite::random()),
            verified: Verified::default(),
            state: RwLock::new(State { mesh, addresses: Vec::new() }),
        }
    }

    /// Founds a mesh of which this node is the first member and admin.
    ///
    /// The authority key is in its file before this returns; the mesh exists once the records are
    /// committed.
    ///
    /// # Errors
    /// [`SecurityError::KeyFile`] if the authority key cannot be kept.
    pub fn found(
        identity: Arc<Identity>,
        name: &NodeName,
        wall_ms: u64,
    ) -> Result<(Self, Keep), SecurityError> {
        let (mesh, keep) = Mesh::found(&identity, name, wall_ms)?;
        Ok((Self::with(identity, Some(mesh)), keep))
    }

    /// A node that is in no mesh until it has [`joined`](Self::joined) one.
    pub fn unjoined(identity: Arc<Identity>) -> Self {
        Self::with(identity, None)
    }

    /// What the store holds, believed again. Without a mesh in it the node is as
    /// [`unjoined`](Self::unjoined).
    ///
    /// # Errors
    /// [`SecurityError::Damaged`] if it does not fit together, [`SecurityError::KeyFile`] if the
    /// authority's key file cannot be used.
    pub fn restore(
        identity: Arc<Identity>,
        private: Vec<(String, Bytes)>,
        directory: Vec<DirectoryRecord>,
    ) -> Result<Self, SecurityError> {
        let authority = AuthorityKeys::load(&identity)?;
        let mesh = Mesh::restore(&private, &directory, authority)?;
        Ok(Self::with(identity, mesh))
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask<T>(&self, question: impl FnOnce(&Mesh) -> T) -> Option<T> {
        self.read().mesh.as_ref().map(question)
    }

    /// This node.
    pub fn node(&self) -> NodeId {
        self.identity.node_id()
    }

    /// Its mesh, if it is in one.
    pub fn mesh(&self) -> Option<MeshId> {
        self.ask(Mesh::id)
    }

    /// The mesh's label, for people; empty without a mesh.
    pub fn mesh_label(&self) -> String {
        self.ask(|mesh| mesh.view.label().to_owned()).unwrap_or_default()
    }

    /// The name in this node's certificate. Another may have the plain name all the same: see
    /// [`name_of`](Self::name_of).
    pub fn name(&self) -> Option<NodeName> {
        self.ask(|mesh| mesh.view.certificate(self.node()).map(|own| own.name.clone()))?
    }

    /// This node's role, if it is a member.
    pub fn role(&self) -> Option<Role> {
        self.ask(|mesh| mesh.view.certificate(self.node()).map(|own| own.role))?
    }

    /// The name under which a node is shown and addressed, with `~` and digits of its id where
    /// another has the plain one.
    pub fn name_of(&self, node: NodeId) -> Option<String> {
        self.ask(|mesh| mesh.view.shown(node))?
    }

    /// The member that a name, a `name~digits` or a node id means.
    ///
    /// # Errors
    /// [`ResolveError`] if there is none, or more than one.
    pub fn resolve(&self, text: &str) -> Result<NodeId, ResolveError> {
        self.ask(|mesh| mesh.view.resolve(text))
            .unwrap_or_else(|| Err(ResolveError::Unknown(text.chars().take(140).collect())))
    }

    /// All members and those who left or were revoked, in the order of their names.
    pub fn members(&self) -> Vec<Member> {
        self.ask(|mesh| mesh.view.members()).unwrap_or_default()
    }

    /// Whether a node is a member now.
    pub fn is_member(&self, node: NodeId) -> bool {
        self.ask(|mesh| mesh.view.is_active(node)).unwrap_or(false)
    }

    /// Whether no other node is a member: only then may this one move to another mesh. Whether it
    /// has messages is for the caller to know.
    pub fn is_alone(&self) -> bool {
        let own = self.node();
        self.ask(|mesh| !mesh.view.nodes().any(|node| node != own && mesh.view.is_active(node)))
            .unwrap_or(true)
    }

    /// Whether this node has left its mesh.
    pub fn has_left(&self) -> bool {
        self.ask(|mesh| mesh.view.standing(self.node()) == Standing::Left).unwrap_or(false)
    }

    /// The file of the authority key, while the key is here and nobody has said that a copy of the
    /// file was made. The copy is the backup: whoever has it can make admins.
    pub fn authority_backup_due(&self) -> Option<PathBuf> {
        self.ask(|mesh| mesh.authority.is_some() && !mesh.backed_up)
            .filter(|&due| due)
            .and_then(|_| AuthorityKeys::path(&self.identity))
    }

    /// Notes that the authority key was backed up, once the record is committed.
    pub fn authority_backed_up(&self) -> Keep {
        if let Some(mesh) = self.write().mesh.as_mut() {
            mesh.backed_up = true;
        }
        Keep { private: vec![Mesh::backed_up_private()], ..Keep::default() }
    }

    /// Judges a directory record before the engine sees it.
    pub fn check(&self, record: &DirectoryRecord) -> Check {
        self.ask(|mesh| frames::check(mesh, record)).unwrap_or(Check::Pending)
    }

    /// Takes over a directory record that is durable now.
    pub fn learned(&self, record: &DirectoryRecord) {
        if let Some(mesh) = self.write().mesh.as_mut() {
            mesh.learned(record);
        }
    }

    /// Drops frames with bad statements or records, and fills in what is worked out at the edge.
    /// Returns the number of bad ones. Records that need others first are kept back, and join the
    /// frames of a later call once they hold.
    pub fn verify_frames(&self, frames: &mut Vec<Frame>, _from: NodeId) -> usize {
        let mut bad = 0;
        if frames.iter().any(|frame| matches!(frame, Frame::Record(_)))
            && let Some(mesh) = self.write().mesh.as_mut()
        {
            bad += frames::sift_records(mesh, frames);
        }
        let wait_over = |mesh: &Mesh| mesh.early.iter().any(|it| frames::is_due(&mesh.view, it));
        if self.ask(wait_over).unwrap_or(false)
            && let Some(mesh) = self.write().mesh.as_mut()
        {
            frames::release_early(mesh, frames);
        }
        let Some((sifted, early)) = self
            .ask(|mesh| frames::sift_statements(&mesh.view, &self.verified, self.node(), frames))
        else {
            let all = frames.len();
            frames.clear();
            return all;
        };
        if !early.is_empty()
            && let Some(mesh) = self.write().mesh.as_mut()
        {
            frames::keep_early(mesh, early);
        }
        bad + sifted
    }

    /// How many records and statements wait for others.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> (usize, usize) {
        self.ask(|mesh| (mesh.pending.len(), mesh.early.len())).unwrap_or_default()
    }

    /// Signs this node's own statements.
    pub fn sign_frames(&self, frames: &mut [Frame]) {
        if let Some(mesh) = self.mesh() {
            frames::sign(&self.identity, &mesh, frames);
        }
    }

    /// Sets what HELLO tells about where this node can be dialed: the first eight.
    pub fn set_addresses(&self, mut addresses: Vec<String>) {
        addresses.retain(|address| {
            address.len() <= ADDRESS_LEN_MAX && !address.chars().any(char::is_control)
        });
        addresses.truncate(ADDRESSES_MAX);
        self.write().addresses = addresses;
    }

    /// Makes an invitation. The token is good once the records are committed.
    ///
    /// # Errors
    /// [`SecurityError::NotInMesh`], [`SecurityError::NotAdmin`], [`SecurityError::NoAuthority`]
    /// for an admin's invitation without the authority key, [`SecurityError::TooManyInvites`],
    /// [`SecurityError::OutOfBounds`].
    pub fn invite(
        &self,
        options: InviteOptions,
        now_ms: u64,
    ) -> Result<(Token, Keep), SecurityError> {
        let mut state = self.write();
        let mesh = state.mesh.as_mut().ok_or(SecurityError::NotInMesh)?;
        admit::invite(mesh, &self.identity, &options, now_ms)
    }

    /// Takes over the mesh that `Turn::Joined` brought, once its records are committed.
    pub fn joined(&self, keep: &Keep) {
        let private: Vec<(String, Bytes)> = keep
            .private
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.clone()?)))
            .collect();
        // A key that cannot be read now makes no difference to who is a member.
        let authority = AuthorityKeys::load(&self.identity).ok().flatten();
        self.write().mesh = Mesh::restore(&private, &keep.directory, authority).ok().flatten();
    }

    /// Signs this node's departure. Once committed it spreads, and members refuse this node.
    ///
    /// # Errors
    /// [`SecurityError::NotInMesh`] if the node is no member.
    pub fn leave(&self, wall_ms: u64) -> Result<Keep, SecurityError> {
        let state = self.read();
        let mesh = state.mesh.as_ref().ok_or(SecurityError::NotInMesh)?;
        let departure = mesh.departure(&self.identity, wall_ms).ok_or(SecurityError::NotInMesh)?;
        Ok(Keep { directory: vec![departure.to_directory()], ..Keep::default() })
    }

    /// Forgets the mesh: for a node that has left it, once its departure has spread. After the
    /// commit the node is as [`unjoined`](Self::unjoined).
    pub fn forget(&self) -> Keep {
        let mesh = self.write().mesh.take();
        let private = mesh.as_ref().map_or_else(Vec::new, Mesh::forget_private);
        Keep { private, directory: Vec::new(), forget: true }
    }
}
