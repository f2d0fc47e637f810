//! The routing policy: who gets a copy, and how many tokens go with it.
//!
//! Binary spray (Spyropoulos and others, 2005) where no live path exists; a better policy takes
//! this file's place. Refuses to know about storage and links.

use super::address::NodeId;

/// How a neighbour can help a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It is the destination.
    Direct,
    /// It is the next hop of the shortest live path.
    Hop,
    /// Nobody knows a live path: it may carry a copy.
    Spray,
    /// Another neighbour is on the live path.
    None,
}

/// The way of a destination's messages over a neighbour.
pub(super) fn way(destination: NodeId, peer: NodeId, next_hop: Option<NodeId>) -> Way {
    match next_hop {
        _ if destination == peer => Way::Direct,
        Some(hop) if hop == peer => Way::Hop,
        Some(_) => Way::None,
        None => Way::Spray,
    }
}

/// The share of a copy's tokens that goes with a sprayed copy: half of them, rounded down.
pub(super) const fn share(tokens: u16) -> u16 {
    tokens / 2
}
