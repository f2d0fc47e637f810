//! Nodes of a later version: whatever they state carries an optional field that the present version
//! does not know, and must find it again wherever it goes.
//!
//! Refuses to be more than that: which versions two nodes agree on is between their networks.

use super::{Stop, World};
use crate::checkers::Violation;
use crate::scenario::Place;
use bytes::Bytes;
use meshmq::engine::address::NodeId;
use meshmq::engine::frame::Frame;
use meshmq::engine::message::Extensions;

/// The field of the later version.
const FIELD: u16 = 60_001;
/// What is in it.
const VALUE: &[u8] = b"of a later version";

impl World<'_> {
    /// Puts the field into what a node states as one of the later version.
    pub(super) fn mark(&self, place: Place, frames: &mut [Frame]) {
        let machine = &self.machines[place];
        if machine.later_openings.is_empty() {
            return;
        }
        for frame in frames {
            let Some((node, opening, extensions)) = stated(frame) else { continue };
            if node.is_none_or(|node| node == machine.node)
                && machine.later_openings.contains(&opening)
            {
                extensions.insert(FIELD, Bytes::from_static(VALUE));
            }
        }
    }

    /// What was stated by a node of the later version has its field still.
    pub(super) fn check_marks(&self, from: Place, frames: &[Frame]) -> Result<(), Stop> {
        if self.machines.iter().all(|machine| machine.later_openings.is_empty()) {
            return Ok(());
        }
        for frame in frames {
            let mut frame = frame.clone();
            let Some((node, opening, extensions)) = stated(&mut frame) else { continue };
            let by = node.map_or(Some(from), |node| self.ledger.place(node));
            let later = by.is_some_and(|by| self.machines[by].later_openings.contains(&opening));
            if later && extensions.get(&FIELD).is_none_or(|value| value != VALUE) {
                let what = format!("{} dropped a field of a later version", self.name(from));
                return Err(Violation::general("compatibility", what).into());
            }
        }
        Ok(())
    }
}

/// Who stated it (nobody: the speaker), in which opening, and its optional fields.
fn stated(frame: &mut Frame) -> Option<(Option<NodeId>, u64, &mut Extensions)> {
    match frame {
        Frame::Contact(contact) => Some((None, contact.opening.k, &mut contact.extensions)),
        Frame::Receipt(receipt) => {
            let said = &mut receipt.statement;
            Some((Some(said.destination), said.version.opening.k, &mut said.extensions))
        }
        Frame::Status(status) => {
            let said = &mut status.statement;
            Some((Some(said.stream.origin), said.version.opening.k, &mut said.extensions))
        }
        Frame::LinkState(links) => {
            let said = &mut links.statement;
            Some((Some(said.node), said.version.opening.k, &mut said.extensions))
        }
        Frame::Transfer(transfer) => {
            let outer = &mut transfer.outer;
            Some((Some(outer.id.stream.origin), outer.id.stream.epoch.k, &mut outer.extensions))
        }
        Frame::Part(part) => {
            let outer = &mut part.transfer.outer;
            Some((Some(outer.id.stream.origin), outer.id.stream.epoch.k, &mut outer.extensions))
        }
        _ => None,
    }
}
