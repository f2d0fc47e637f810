//! Copies of messages that cross a link, as spans of the log: one for each, at the level debug.
//!
//! Refuses bodies. Where debug is not logged it costs a comparison for each request.

use crate::engine::address::NodeId;
use crate::engine::frame::{Frame, Transfer};
use tracing::Span;

/// Which way a copy goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From here to the neighbour.
    Out,
    /// From the neighbour to here.
    In,
}

/// Says of each message among the frames that it crosses the link of `peer`, within its span.
pub(crate) fn crosses(link: &Span, peer: NodeId, way: Way, frames: &[Frame]) {
    if link.is_disabled() {
        return;
    }
    for frame in frames {
        match frame {
            Frame::Transfer(transfer) => crosses_one(link, peer, way, transfer),
            // Its other parts follow.
            Frame::Part(part) if part.offset == 0 => crosses_one(link, peer, way, &part.transfer),
            _ => {}
        }
    }
}

fn crosses_one(link: &Span, peer: NodeId, way: Way, transfer: &Transfer) {
    let outer = &transfer.outer;
    let (kind, end) = match way {
        Way::Out => ("client", outer.destination),
        Way::In => ("server", outer.id.stream.origin),
    };
    let span = tracing::debug_span!(
        parent: link,
        "forward",
        otel.kind = kind,
        messaging.system = "meshmq",
        messaging.operation.name = "forward",
        messaging.operation.type = "send",
        messaging.destination.name = transfer.queue.as_ref().map(tracing::field::display),
        messaging.message.id = %outer.id.reference(),
        messaging.message.body.size = outer.size,
        meshmq.hop = transfer.transit.hops,
        meshmq.path = if end == peer { "direct" } else { "relay" },
    );
    span.in_scope(|| tracing::debug!("crosses a link"));
}
