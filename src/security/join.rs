//! The joiner's side of joining: it checks inviter and mesh before it proves or tells anything.

use super::dialogue::{Dialogue, Stage, Turn};
use super::identity::Identity;
use super::invite::Occasion;
use super::membership::Membership;
use super::message::Message;
use super::record::{Body, Record};
use super::state::{Mesh, MeshSecret, joined_private, own_keys};
use super::suite::{self, Signing};
use super::token::{InviteId, Token};
use super::{Denial, Keep, MeshId, NodeName};
use crate::engine::address::NodeId;
use bytes::Bytes;

/// What a joiner needs until it is in.
pub(super) struct Plan {
    mesh: MeshId,
    invite: InviteId,
    key: Signing,
    name: NodeName,
    nonce: [u8; 32],
    /// The highest serial number that this node had in that mesh before.
    after: u64,
    /// What the inviter has shown, checked.
    view: Membership,
    shown: Vec<Record>,
}

/// Begins a join with a peer that the link has proven.
pub(super) fn begin(
    peer: NodeId,
    token: &Token,
    name: &NodeName,
    after: u64,
) -> Result<(Dialogue, Vec<u8>), Denial> {
    if !token.is_from(peer) {
        return Err(Denial::WrongInviter);
    }
    let plan = Plan {
        mesh: token.mesh(),
        invite: token.id(),
        key: token.key(),
        name: name.clone(),
        nonce: suite::random(),
        after,
        view: Membership::new(token.mesh()),
        shown: Vec::new(),
    };
    let want = Message::Want { invite: plan.invite, nonce: plan.nonce };
    Ok((Dialogue::new(peer, Stage::Wanting(Box::new(plan))), want.encode()))
}

/// The inviter has shown the mesh and itself: only if all of it holds is the token proven.
pub(super) fn prove(
    identity: &Identity,
    inviter: NodeId,
    mut plan: Box<Plan>,
    nonce: [u8; 32],
    shown: &[Bytes],
) -> Result<(Stage, Turn), Denial> {
    plan.shown = check_shown(&mut plan.view, inviter, shown)?;
    let keys = own_keys(identity, plan.mesh);
    let proof = Occasion {
        mesh: plan.mesh,
        invite: plan.invite,
        inviter,
        joiner: identity.node_id(),
        joiner_nonce: plan.nonce,
        inviter_nonce: nonce,
        keys: &keys,
        name: plan.name.as_str(),
    }
    .prove(&plan.key);
    let name = plan.name.clone();
    let join = Message::Join { name, keys: keys.bytes, proof, after: plan.after };
    Ok((Stage::Joining(plan), Turn::Say(join.encode())))
}

fn check_shown(
    view: &mut Membership,
    inviter: NodeId,
    shown: &[Bytes],
) -> Result<Vec<Record>, Denial> {
    let mut records = Vec::new();
    for bytes in shown {
        let record = Record::read(bytes).map_err(|_| Denial::ForgedMesh("an unreadable record"))?;
        if !matches!(record.body, Body::Authority(_) | Body::Certificate(_)) {
            return Err(Denial::ForgedMesh("a record out of place"));
        }
        records.push(record);
    }
    if !view.absorb(records.clone()).is_empty() {
        return Err(Denial::ForgedMesh("a record that does not belong to it"));
    }
    if view.authority().is_none() {
        return Err(Denial::ForgedMesh("no authority"));
    }
    if !view.is_admin(inviter) {
        return Err(Denial::ForgedMesh("an inviter who is no admin"));
    }
    Ok(records)
}

/// The inviter has made the certificate: what is to be kept of the new mesh and of the old.
pub(super) fn complete(
    identity: &Identity,
    before: Option<&Mesh>,
    mut plan: Box<Plan>,
    certificate: &Bytes,
    secrets: &[(u32, MeshSecret)],
) -> Result<Keep, Denial> {
    let certificate = Record::read(certificate).map_err(|_| Denial::BadWelcome("unreadable"))?;
    let own = identity.node_id();
    if !matches!(&certificate.body, Body::Certificate(body) if body.node == own) {
        return Err(Denial::BadWelcome("a certificate of another node"));
    }
    let keys = own_keys(identity, plan.mesh);
    let refused = plan.view.absorb(vec![certificate.clone(), keys.clone()]);
    if !refused.is_empty() || !plan.view.is_active(own) {
        return Err(Denial::BadWelcome("a certificate that is not signed by an admin"));
    }
    if secrets.is_empty() {
        return Err(Denial::BadWelcome("no mesh secret"));
    }
    let mut private = before.map_or_else(Vec::new, Mesh::forget_private);
    let fresh = joined_private(plan.mesh, secrets);
    private.retain(|(name, _)| fresh.iter().all(|(kept, _)| kept != name));
    private.extend(fresh);
    let directory = plan.shown.iter().chain([&certificate, &keys]);
    let directory = directory.map(Record::to_directory).collect();
    Ok(Keep { private, directory, forget: true })
}
