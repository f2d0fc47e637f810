//! The behaviour of a node: who may connect, who says hello, who may exchange.

use super::clock::Clock;
use super::discovery;
use super::door::Door;
use super::gate::{Gate, GateLimits};
use super::greeter::Greeter;
use super::hop::{self, Hop};
use super::proven::Proven;
use libp2p::PeerId;
use libp2p::mdns;
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use std::sync::Arc;

/// All protocols of a node. The order binds: the gate must be asked first, because the others
/// register a connection as a side effect of being asked.
#[derive(NetworkBehaviour)]
pub(crate) struct Node {
    /// Refuses connections.
    pub(crate) gate: Gate,
    /// The stream on which nodes prove themselves and beat.
    pub(crate) greeter: Greeter,
    /// The hop protocol, for members.
    pub(crate) hop: Proven<Hop>,
    /// Finds neighbours on the local network.
    pub(crate) mdns: Toggle<mdns::tokio::Behaviour>,
}

impl Node {
    /// The behaviour of `peer`, and why discovery did not start if it was wanted.
    pub(crate) fn new(
        door: &Arc<Door>,
        clock: Clock,
        limits: GateLimits,
        discover: bool,
        peer: PeerId,
    ) -> (Self, Option<String>) {
        let (mdns, failure) = match discover.then(|| discovery::start(peer)) {
            None => (None, None),
            Some(Ok(mdns)) => (Some(mdns), None),
            Some(Err(why)) => (None, Some(why)),
        };
        let node = Self {
            gate: Gate::new(door.clone(), clock, limits),
            greeter: Greeter::default(),
            hop: Proven::new(hop::behaviour(door.clone()), door.clone()),
            mdns: mdns.into(),
        };
        (node, failure)
    }
}
