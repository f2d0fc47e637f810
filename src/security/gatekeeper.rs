//! Everything this node believes about its mesh, shared by all tasks: the only door to it.

use super::dialogue::{Dialogue, Reaction, Turn, Visitor};
use super::error::{ResolveError, SecurityError};
use super::token::Token;
use super::{Check, Denial, Identity, InviteOptions, Keep, Member, MeshId, NodeName, Role};
use crate::engine::address::NodeId;
use crate::engine::frame::Frame;
use crate::engine::statement::DirectoryRecord;
use bytes::Bytes;
use std::path::PathBuf;
use std::sync::Arc;

/// Authority chain, certificates, keys, departures: built from directory records and private state.
pub struct Gatekeeper {
    identity: Arc<Identity>,
}

impl Gatekeeper {
    /// Founds a mesh of which this node is the first member and admin.
    ///
    /// # Errors
    /// [`SecurityError::KeyFile`] if the authority key cannot be kept.
    pub fn found(
        identity: Arc<Identity>,
        _name: &NodeName,
        _wall_ms: u64,
    ) -> Result<(Self, Keep), SecurityError> {
        Ok((Self { identity }, Keep::default()))
    }

    /// A node that is in no mesh until it has [`joined`](Self::joined) one.
    pub fn unjoined(identity: Arc<Identity>) -> Self {
        Self { identity }
    }

    /// What the store holds, believed again.
    ///
    /// # Errors
    /// [`SecurityError::Damaged`] if it does not fit together.
    pub fn restore(
        identity: Arc<Identity>,
        _private: Vec<(String, Bytes)>,
        _directory: Vec<DirectoryRecord>,
    ) -> Result<Self, SecurityError> {
        Ok(Self { identity })
    }

    /// This node.
    pub fn node(&self) -> NodeId {
        self.identity.node_id()
    }

    /// Its mesh, if it is in one.
    pub fn mesh(&self) -> Option<MeshId> {
        None
    }

    /// The mesh's label, for people.
    pub fn mesh_label(&self) -> String {
        String::new()
    }

    /// This node's name, if it is a member.
    pub fn name(&self) -> Option<NodeName> {
        None
    }

    /// This node's role, if it is a member.
    pub fn role(&self) -> Option<Role> {
        None
    }

    /// The name under which a member is shown and addressed, with `~` and digits of its id where
    /// another has the plain one.
    pub fn name_of(&self, _node: NodeId) -> Option<String> {
        None
    }

    /// The member that a name, a `name~digits` or a node id means.
    ///
    /// # Errors
    /// [`ResolveError`] if there is none, or more than one.
    pub fn resolve(&self, text: &str) -> Result<NodeId, ResolveError> {
        Err(ResolveError::Unknown(text.to_owned()))
    }

    /// All members and those who left, in the order of their names.
    pub fn members(&self) -> Vec<Member> {
        Vec::new()
    }

    /// Whether a node is a member now.
    pub fn is_member(&self, _node: NodeId) -> bool {
        false
    }

    /// Whether no other node is a member: only then may this one move to another mesh.
    pub fn is_alone(&self) -> bool {
        true
    }

    /// Whether this node has left its mesh.
    pub fn has_left(&self) -> bool {
        false
    }

    /// The file of the authority key, while it is here and nobody has said that a copy was made.
    pub fn authority_backup_due(&self) -> Option<PathBuf> {
        None
    }

    /// Judges a directory record before the engine sees it.
    pub fn check(&self, _record: &DirectoryRecord) -> Check {
        Check::New
    }

    /// Takes over a directory record that is durable now.
    pub fn learned(&self, _record: &DirectoryRecord) {}

    /// Drops frames with bad statements or records, and fills in what is worked out at the edge.
    /// Returns the number of bad ones.
    pub fn verify_frames(&self, _frames: &mut Vec<Frame>, _from: NodeId) -> usize {
        0
    }

    /// Signs this node's own statements.
    pub fn sign_frames(&self, _frames: &mut Vec<Frame>) {}

    /// Starts the dialogue with a peer that was dialed.
    pub fn knock(&self, _peer: NodeId) -> (Dialogue, Vec<u8>) {
        (Dialogue { rounds: 0 }, Vec::new())
    }

    /// Goes on with a dialogue that this node started.
    ///
    /// # Errors
    /// [`Denial`]: the dialogue is over.
    pub fn heard(&self, _dialogue: &mut Dialogue, _reply: &[u8]) -> Result<Turn, Denial> {
        Err(Denial::Stranger)
    }

    /// Answers a peer that dialed this node.
    ///
    /// # Errors
    /// [`Denial`]: the connection is to be closed without a reply.
    pub fn asked(
        &self,
        _peer: NodeId,
        _memory: &mut Visitor,
        _request: &[u8],
        _now_ms: u64,
    ) -> Result<Reaction, Denial> {
        Err(Denial::Stranger)
    }

    /// Sets what HELLO tells about where this node can be dialed.
    pub fn set_addresses(&self, _addresses: Vec<String>) {}

    /// Makes an invitation. The token is good once the records are committed.
    ///
    /// # Errors
    /// [`SecurityError`] if this node may not invite, or not an admin.
    pub fn invite(
        &self,
        _options: InviteOptions,
        _now_ms: u64,
    ) -> Result<(Token, Keep), SecurityError> {
        Err(SecurityError::NotAdmin)
    }

    /// Starts the dialogue with the inviter, which the link has proven to be `peer`.
    ///
    /// # Errors
    /// [`Denial::WrongInviter`] if the token names another node: nothing may be said to it.
    pub fn join(
        &self,
        _peer: NodeId,
        _token: &Token,
        _name: &NodeName,
    ) -> Result<(Dialogue, Vec<u8>), Denial> {
        Ok((Dialogue { rounds: 0 }, Vec::new()))
    }

    /// Takes over the mesh that [`Turn::Joined`] brought, once its records are committed.
    pub fn joined(&self, _keep: &Keep) {}

    /// Signs this node's departure. Once committed it spreads, and members refuse this node.
    ///
    /// # Errors
    /// [`SecurityError::NotInMesh`].
    pub fn leave(&self, _wall_ms: u64) -> Result<Keep, SecurityError> {
        Err(SecurityError::NotInMesh)
    }
}
