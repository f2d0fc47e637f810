//! Bytes and links by neighbour since the start, whichever connections they went over.

use crate::engine::address::NodeId;
use crate::net::event::TrafficView;
use crate::net::transport::Wire;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Neighbours whose bytes are counted; more than a mesh may have members.
const COUNTED_MAX: usize = 16_384;

/// What went over the proven connections with each neighbour.
#[derive(Default)]
pub(super) struct Traffic(BTreeMap<NodeId, Counted>);

#[derive(Default)]
struct Counted {
    /// The connections that are open.
    wires: Vec<Arc<Wire>>,
    /// Bytes of those that are closed.
    received: u64,
    sent: u64,
    links: u64,
}

impl Traffic {
    fn counted(&mut self, node: NodeId) -> Option<&mut Counted> {
        let known = self.0.contains_key(&node) || self.0.len() < COUNTED_MAX;
        known.then(|| self.0.entry(node).or_default())
    }

    /// A connection with a neighbour is proven.
    pub(super) fn opened(&mut self, node: NodeId, wire: Arc<Wire>) {
        if let Some(counted) = self.counted(node) {
            counted.wires.push(wire);
        }
    }

    /// It is closed.
    pub(super) fn closed(&mut self, node: NodeId, wire: &Arc<Wire>) {
        let Some(counted) = self.0.get_mut(&node) else { return };
        let before = counted.wires.len();
        counted.wires.retain(|other| !Arc::ptr_eq(other, wire));
        if counted.wires.len() < before {
            let (received, sent) = wire.moved();
            counted.received += received;
            counted.sent += sent;
        }
    }

    /// The link with a neighbour is up.
    pub(super) fn link_up(&mut self, node: NodeId) {
        if let Some(counted) = self.counted(node) {
            counted.links += 1;
        }
    }

    /// What was counted so far.
    pub(super) fn shown(&self) -> Vec<TrafficView> {
        let view = |(node, counted): (&NodeId, &Counted)| {
            let open = counted.wires.iter().map(|wire| wire.moved());
            let (received, sent) = open
                .fold((counted.received, counted.sent), |all, one| (all.0 + one.0, all.1 + one.1));
            TrafficView {
                node: *node,
                received_bytes: received,
                sent_bytes: sent,
                reconnects: counted.links.saturating_sub(1),
            }
        };
        self.0.iter().map(view).collect()
    }
}

#[cfg(test)]
mod tests;
