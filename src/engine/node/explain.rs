//! What a person asks when a message does not move. Nothing is changed by an answer.

use super::Node;
use crate::engine::address::NodeId;
use crate::engine::explain::{TraceView, WayLink, WayView};
use crate::engine::ids::MessageRef;
use crate::engine::record::{Key, Record};
use crate::engine::rejection::Rejection;
use crate::engine::turn::{Fault, Turn};

impl Node {
    /// What is known of a message of this origin.
    pub(super) fn trace(&self, turn: &Turn<'_>, reference: MessageRef) -> Result<TraceView, Fault> {
        let unknown = || Fault::Rejected(Rejection::NoSuchMessage);
        let (id, sent) = self.origin.sent(turn, reference)?.ok_or_else(unknown)?;
        let line = self.origin.line(id.stream.line).ok_or_else(unknown)?;
        let state = self.state(turn, reference)?;
        let letter = sent.dead.map(|letter| turn.get(&Key::Dead(letter))).transpose()?.flatten();
        let died_at = match letter {
            Some(Record::Dead(letter)) => Some(letter.died_at),
            _ => None,
        };
        Ok(TraceView {
            id,
            destination: line.destination,
            queue: line.queue.clone(),
            delivery: line.delivery,
            priority: line.priority,
            state,
            accepted_at: sent.accepted_at,
            expires_at: (line.destination != self.me).then_some(sent.expires_at),
            died_at,
            held_there: self.origin.is_held(&id),
        })
    }

    /// How messages for a node leave this one.
    pub(super) fn way_to(&self, node: NodeId) -> WayView {
        let hop = self.topology.next_hop(node);
        let link = hop.and_then(|hop| self.links.link(hop));
        let refused = link.and_then(|link| {
            let blocked = link.blocked.values().find(|b| b.destination == node && !b.over)?;
            Some((blocked.reason, blocked.until))
        });
        WayView {
            hop,
            link: link.map(|link| WayLink {
                agreed: link.greeted && link.heard_synced,
                requests: link.in_flight.len() as u64,
                bytes: link.bytes_in_flight,
                window: link.window,
                retry_at: link.retry_at,
            }),
            refused,
            carriers: self.links.carriers(node),
        }
    }
}
