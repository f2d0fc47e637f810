//! The edge of the engine: what a neighbour says is checked here, what the engine says is signed.
//!
//! Refuses statements that their own node did not sign, statements of nodes that are no members,
//! and directory records that do not hold. What is left is true as far as signatures can tell; the
//! authors of messages are not proven before the inner parts are sealed.

use super::membership::{Membership, Standing, Verdict};
use super::record::{Record, Unreadable};
use super::state::Mesh;
use super::statement::{Verified, sign_statement};
use super::{Check, Identity, MeshId};
use crate::codec::{content_hash, decode_inner, decode_inner_head, digest};
use crate::engine::address::NodeId;
use crate::engine::frame::{Frame, Part, Transfer};
use crate::engine::limits::{CHUNK_BYTES, DIRECTORY_RECORD_MAX};
use crate::engine::statement::{Attested, DirectoryRecord, Statement};

/// Records that wait for others, and statements that wait for records, each; the oldest make room.
pub const PENDING_MAX: usize = 512;
/// Longest subject and longest rank of a directory record, in bytes.
const SUBJECT_MAX: usize = 64;

/// Judges a directory record that came from a neighbour.
pub(super) fn check(mesh: &Mesh, stored: &DirectoryRecord) -> Check {
    judge(mesh, stored).1
}

fn judge(mesh: &Mesh, stored: &DirectoryRecord) -> (Option<Record>, Check) {
    if stored.bytes.len() > DIRECTORY_RECORD_MAX
        || stored.key.subject.len() > SUBJECT_MAX
        || stored.rank.len() > SUBJECT_MAX
    {
        return (None, Check::Bad("too long"));
    }
    let held = mesh.held.get(&stored.key);
    if held.is_some_and(|(_, rank)| *rank >= stored.rank) {
        return (None, Check::Known);
    }
    let record = match Record::read(&stored.bytes) {
        Ok(record) => record,
        // A later version may know it; nothing here can tell whether it is true.
        Err(Unreadable::Later) => return (None, Check::Pending),
        Err(Unreadable::Malformed(why)) => return (None, Check::Bad(why)),
    };
    // Key and rank are not signed: a neighbour could lift its record over all others.
    if record.key() != stored.key || record.rank() != stored.rank {
        return (None, Check::Bad("a key or rank that is not the record's own"));
    }
    if mesh.view.has(&record) {
        return (Some(record), Check::New);
    }
    let check = match mesh.view.judge(&record) {
        Verdict::Holds => Check::New,
        Verdict::Pending => Check::Pending,
        Verdict::Bad(why) => Check::Bad(why),
    };
    (Some(record), check)
}

/// Takes the directory records out of the frames that do not hold, and believes the others at
/// once, so that the statements beside them can be checked. Returns the number of bad ones.
///
/// Records whose ground is missing wait here; they join the frames that bring it.
pub(super) fn sift_records(mesh: &mut Mesh, frames: &mut Vec<Frame>) -> usize {
    let mut bad = 0;
    let mut grew = false;
    let mut waiting = Vec::new();
    frames.retain(|frame| {
        let Frame::Record(stored) = frame else { return true };
        match judge(mesh, stored) {
            (Some(record), Check::New) => {
                mesh.view.take(&record);
                grew = true;
                true
            }
            (Some(record), Check::Pending) => {
                waiting.push(record);
                false
            }
            (_, Check::Bad(_)) => {
                bad += 1;
                false
            }
            _ => false,
        }
    });
    for record in waiting {
        if mesh.pending.iter().all(|other| other.hash != record.hash) {
            mesh.pending.push_back(record);
        }
    }
    if grew {
        release(mesh, frames);
    }
    while mesh.pending.len() > PENDING_MAX {
        mesh.pending.pop_front();
    }
    bad
}

/// Moves the waiting records that hold by now into the frames. Signatures are checked only of
/// those whose ground is there, so that a store of waiting records makes no other one dear.
fn release(mesh: &mut Mesh, frames: &mut Vec<Frame>) {
    loop {
        let mut grew = false;
        for record in std::mem::take(&mut mesh.pending) {
            if !mesh.view.has_ground(&record) {
                mesh.pending.push_back(record);
                continue;
            }
            let stored = record.to_directory();
            if judge(mesh, &stored).1 == Check::New {
                mesh.view.take(&record);
                frames.push(Frame::Record(stored));
                grew = true;
            }
        }
        if !grew {
            break;
        }
    }
}

/// Takes out what is not signed by a member, and fills in what is worked out at the edge. Returns
/// the number of bad frames, and the statements of nodes that are not known yet: certificates
/// spread beside them, not before them.
pub(super) fn sift_statements(
    view: &Membership,
    verified: &Verified,
    own: NodeId,
    frames: &mut Vec<Frame>,
) -> (usize, Vec<Frame>) {
    let before = frames.len();
    let unknown =
        |frame: &mut Frame| signer(frame).is_some_and(|it| view.standing(it) == Standing::Unknown);
    let early: Vec<_> = frames.extract_if(.., unknown).collect();
    frames.retain_mut(|frame| match frame {
        // What a node stated before it left stays true.
        Frame::Receipt(receipt) => holds(view, verified, receipt, true),
        Frame::Status(status) => holds(view, verified, status, true),
        Frame::LinkState(links) => holds(view, verified, links, false),
        Frame::Transfer(transfer) => complete(transfer, own),
        Frame::Part(part) => complete_part(part, own),
        Frame::Have(entries) => entries
            .iter()
            .all(|entry| entry.key.subject.len() <= SUBJECT_MAX && entry.rank.len() <= SUBJECT_MAX),
        Frame::Contact(_) | Frame::Record(_) | Frame::Synced => true,
    });
    (before - frames.len() - early.len(), early)
}

fn signer(frame: &Frame) -> Option<NodeId> {
    match frame {
        Frame::Receipt(receipt) => Some(receipt.statement.signer()),
        Frame::Status(status) => Some(status.statement.signer()),
        Frame::LinkState(links) => Some(links.statement.signer()),
        _ => None,
    }
}

/// Whether a statement that waits can be judged by now.
pub(super) fn is_due(view: &Membership, frame: &Frame) -> bool {
    signer(frame).is_some_and(|it| view.standing(it) != Standing::Unknown)
}

/// Lets statements wait for the certificates of their signers; the oldest make room.
pub(super) fn keep_early(mesh: &mut Mesh, statements: Vec<Frame>) {
    for statement in statements {
        if !mesh.early.contains(&statement) {
            mesh.early.push_back(statement);
        }
    }
    while mesh.early.len() > PENDING_MAX {
        mesh.early.pop_front();
    }
}

/// Moves the waiting statements that can be judged by now into the frames.
pub(super) fn release_early(mesh: &mut Mesh, frames: &mut Vec<Frame>) {
    for statement in std::mem::take(&mut mesh.early) {
        if is_due(&mesh.view, &statement) {
            frames.push(statement);
        } else {
            mesh.early.push_back(statement);
        }
    }
}

fn holds<T: Statement>(
    view: &Membership,
    verified: &Verified,
    attested: &Attested<T>,
    after_leaving: bool,
) -> bool {
    let member = match view.standing(attested.statement.signer()) {
        Standing::Active => true,
        Standing::Left => after_leaving,
        Standing::Unknown | Standing::Void | Standing::Revoked => false,
    };
    member && verified.check(&view.mesh(), attested)
}

fn complete(transfer: &mut Transfer, own: NodeId) -> bool {
    if transfer.outer.size != transfer.inner.len() as u64 {
        return false;
    }
    transfer.digest = digest(&transfer.outer, &content_hash(&transfer.inner));
    transfer.queue = if transfer.outer.destination == own {
        decode_inner(&transfer.inner).ok().map(|inner| inner.queue)
    } else {
        None
    };
    true
}

/// The queue stands at the beginning, so that the first part says it for all.
fn complete_part(part: &mut Part, own: NodeId) -> bool {
    const CHUNK: u64 = CHUNK_BYTES as u64;
    let transfer = &mut part.transfer;
    let size = transfer.outer.size;
    let length = part.bytes.len() as u64;
    let end = part.offset.saturating_add(length);
    let is_whole =
        part.offset.is_multiple_of(CHUNK) && (length.is_multiple_of(CHUNK) || end == size);
    let is_durable = transfer.outer.delivery.is_durable();
    if !is_whole && part.offset != size || end > size || !transfer.inner.is_empty() || !is_durable {
        return false;
    }
    transfer.digest = digest(&transfer.outer, &part.hash);
    transfer.queue = if transfer.outer.destination == own && part.offset == 0 {
        decode_inner_head(&part.bytes, size).ok().map(|(inner, _)| inner.queue)
    } else {
        None
    };
    true
}

/// Signs this node's own statements that are not signed yet.
pub(super) fn sign(identity: &Identity, mesh: &MeshId, frames: &mut [Frame]) {
    for frame in frames {
        match frame {
            Frame::Receipt(receipt) => sign_one(identity, mesh, receipt),
            Frame::Status(status) => sign_one(identity, mesh, status),
            Frame::LinkState(links) => sign_one(identity, mesh, links),
            _ => {}
        }
    }
}

fn sign_one<T: Statement>(identity: &Identity, mesh: &MeshId, attested: &mut Attested<T>) {
    if attested.signature.is_empty() && attested.statement.signer() == identity.node_id() {
        attested.signature = sign_statement(identity, mesh, &attested.statement);
    }
}

#[cfg(test)]
mod tests;
