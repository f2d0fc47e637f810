//! The inviter's side of joining: invitations, and the admission of whoever proves one.
//!
//! Refuses to answer before what it answers is durable: the use of the token, the certificate and
//! the joiner's keys are handed out as records to be committed first. A token is bound to the first
//! key that proves it, which gets the same answer again until the token expires.

use super::dialogue::{Reaction, Visit};
use super::identity::{Identity, wall_ms};
use super::invite::{INVITE_TTL_MAX_MS, INVITES_MAX, Invite, Occasion, Used, WRONG_PROOFS_MAX};
use super::membership::Standing;
use super::message::{AUTHORITIES_MAX, Message};
use super::record::{Body, Record};
use super::state::Mesh;
use super::suite;
use super::token::{InviteId, Token};
use super::{Denial, InviteOptions, Keep, NodeName, Role, SecurityError};
use crate::engine::address::NodeId;
use bytes::Bytes;

/// A joiner may say that it had serial numbers up to here; more would use them up.
const AFTER_MAX: u64 = 1 << 32;

/// What a joiner says.
pub(super) struct Application {
    pub(super) invite: InviteId,
    pub(super) theirs: [u8; 32],
    pub(super) ours: [u8; 32],
    pub(super) name: NodeName,
    pub(super) keys: Bytes,
    pub(super) proof: [u8; 64],
    pub(super) after: u64,
}

/// Makes an invitation.
pub(super) fn invite(
    mesh: &mut Mesh,
    identity: &Identity,
    options: &InviteOptions,
    now_ms: u64,
) -> Result<(Token, Keep), SecurityError> {
    if !(1..=INVITE_TTL_MAX_MS).contains(&options.ttl_ms) {
        return Err(SecurityError::OutOfBounds {
            what: "the token's life",
            bounds: "up to 30 days",
        });
    }
    if !mesh.view.is_admin(identity.node_id()) {
        return Err(SecurityError::NotAdmin);
    }
    if options.admin && mesh.authority.is_none() {
        return Err(SecurityError::NoAuthority);
    }
    let mut private = forget_old(mesh, now_ms);
    if mesh.invites.len() >= INVITES_MAX {
        return Err(SecurityError::TooManyInvites(INVITES_MAX));
    }
    let expires_ms = now_ms.saturating_add(options.ttl_ms);
    let token = Token::make(mesh.id(), identity.node_id(), expires_ms, &options.addresses);
    let key = token.key().public();
    let invite = Invite { key, admin: options.admin, expires_ms, wrong: 0, used: None };
    mesh.invites.insert(token.id(), invite);
    private.push(mesh.invite_private(&token.id()));
    Ok((token, Keep { private, ..Keep::default() }))
}

fn forget_old(mesh: &mut Mesh, now_ms: u64) -> Vec<(String, Option<Bytes>)> {
    let over = mesh.invites.iter().filter(|(_, invite)| invite.is_over(now_ms));
    let over: Vec<InviteId> = over.map(|(id, _)| *id).collect();
    over.iter()
        .map(|id| {
            mesh.invites.remove(id);
            mesh.invite_private(id)
        })
        .collect()
}

/// A joiner names a token: it is shown the mesh, if the token could still be good.
pub(super) fn wanted(
    mesh: &Mesh,
    identity: &Identity,
    id: InviteId,
    theirs: [u8; 32],
    now_ms: u64,
) -> Result<(Message, Visit), Denial> {
    let invite = mesh.invites.get(&id).ok_or(Denial::TokenUnknown)?;
    check_open(invite, now_ms)?;
    if !mesh.view.is_admin(identity.node_id()) {
        return Err(Denial::InviterNotAdmin);
    }
    let ours = suite::random();
    let authorities = mesh.view.authorities_from(0);
    if authorities.len() > AUTHORITIES_MAX {
        return Err(Denial::Limit("too many generations of the authority"));
    }
    let chain = mesh.view.chain(identity.node_id());
    let here = Message::Here { nonce: ours, authorities, chain };
    Ok((here, Visit::Wanted { invite: id, theirs, ours }))
}

const fn check_open(invite: &Invite, now_ms: u64) -> Result<(), Denial> {
    if invite.wrong >= WRONG_PROOFS_MAX {
        return Err(Denial::TokenBurned);
    }
    if now_ms >= invite.expires_ms {
        return Err(Denial::TokenExpired { ago_ms: now_ms - invite.expires_ms });
    }
    Ok(())
}

/// A joiner proves a token: it is admitted, or told why not.
pub(super) fn applied(
    mesh: &mut Mesh,
    identity: &Identity,
    joiner: NodeId,
    application: &Application,
    now_ms: u64,
) -> Result<Reaction, Denial> {
    let id = application.invite;
    let invite = mesh.invites.get(&id).cloned().ok_or(Denial::TokenUnknown)?;
    check_open(&invite, now_ms)?;
    let keys = read_keys(mesh, joiner, &application.keys)?;
    let occasion = Occasion {
        mesh: mesh.id(),
        invite: id,
        inviter: identity.node_id(),
        joiner,
        joiner_nonce: application.theirs,
        inviter_nonce: application.ours,
        keys: &keys,
        name: application.name.as_str(),
    };
    if !occasion.is_proven(&invite.key, &application.proof) {
        return Ok(wrong_proof(mesh, id));
    }
    let used = match invite.used {
        Some(used) if used.by == joiner => used,
        Some(used) => return Err(used_by_another(mesh, &used, now_ms)),
        None => admit(mesh, identity, joiner, application, &keys, now_ms)?,
    };
    let record = |bytes: &Bytes| Record::read(bytes).map(|record| record.to_directory());
    let directory = [&used.certificate, &used.keys].map(record);
    let directory = directory.into_iter().collect::<Result<_, _>>();
    let directory = directory.map_err(|_| Denial::Limit("its records are damaged"))?;
    let secrets = mesh.secrets.iter().map(|(&generation, secret)| (generation, secret.clone()));
    let welcome =
        Message::Welcome { certificate: used.certificate.clone(), secrets: secrets.collect() };
    if let Some(invite) = mesh.invites.get_mut(&id) {
        invite.used = Some(used);
    }
    // Told again even if it was committed before: the reply must never run ahead of the commit.
    let private = vec![mesh.invite_private(&id), mesh.issued_private()];
    Ok(Reaction {
        reply: welcome.encode(),
        keep: Some(Keep { private, directory, forget: false }),
        proven: None,
        refused: None,
    })
}

fn read_keys(mesh: &Mesh, joiner: NodeId, bytes: &Bytes) -> Result<Record, Denial> {
    let malformed = Denial::Malformed("the keys record is not the joiner's");
    let Ok(record) = Record::read(bytes) else { return Err(malformed) };
    let own =
        matches!(&record.body, Body::Keys(keys) if keys.node == joiner && keys.mesh == mesh.id());
    if own && record.is_signed_by(joiner.as_bytes()) { Ok(record) } else { Err(malformed) }
}

/// Counts a wrong proof. The count is durable before the joiner hears of it.
fn wrong_proof(mesh: &mut Mesh, id: InviteId) -> Reaction {
    let mut denial = Denial::WrongProof;
    if let Some(invite) = mesh.invites.get_mut(&id) {
        invite.wrong = invite.wrong.saturating_add(1);
        if invite.wrong >= WRONG_PROOFS_MAX {
            denial = Denial::TokenBurned;
        }
    }
    let keep = Keep { private: vec![mesh.invite_private(&id)], ..Keep::default() };
    Reaction { keep: Some(keep), ..refusal(denial) }
}

/// A reply that says no.
pub(super) fn refusal(denial: Denial) -> Reaction {
    let reply = Message::Refused(denial.clone()).encode();
    Reaction { reply, keep: None, proven: None, refused: Some(denial) }
}

fn used_by_another(mesh: &Mesh, used: &Used, now_ms: u64) -> Denial {
    let ago_ms = now_ms.saturating_sub(used.at_ms);
    match mesh.view.certificate(used.by) {
        Some(certificate) => Denial::TokenUsed { by: certificate.name.clone(), ago_ms },
        None => Denial::TokenUnknown,
    }
}

/// Makes the joiner a member.
fn admit(
    mesh: &mut Mesh,
    identity: &Identity,
    joiner: NodeId,
    application: &Application,
    keys: &Record,
    now_ms: u64,
) -> Result<Used, Denial> {
    if !mesh.view.is_admin(identity.node_id()) {
        return Err(Denial::InviterNotAdmin);
    }
    if mesh.view.holder(&application.name).is_some_and(|holder| holder != joiner) {
        return Err(Denial::NameTaken(application.name.clone()));
    }
    let serial = mesh.view.next_serial(joiner, application.after.min(AFTER_MAX));
    let serial = serial.ok_or(Denial::Revoked)?;
    let admin = mesh.invites.get(&application.invite).is_some_and(|invite| invite.admin);
    let role = if admin { Role::Admin } else { Role::Member };
    let (name, id) = (&application.name, application.invite);
    let certificate = mesh
        .certify(identity, joiner, name, role, serial, Some(id), wall_ms())
        .map_err(|_| Denial::InviterNotAdmin)?;
    let refused = mesh.view.absorb(vec![certificate.clone(), keys.clone()]);
    if !refused.is_empty() || mesh.view.standing(joiner) != Standing::Active {
        return Err(Denial::Limit("the mesh takes no more members"));
    }
    Ok(Used { by: joiner, at_ms: now_ms, certificate: certificate.bytes, keys: keys.bytes.clone() })
}
