//! Doing what the keeper wants: dialing, closing, resolving names.

use super::{Dialed, Inner, Links};
use crate::engine::address::NodeId;
use crate::net::config::PeerAddr;
use crate::net::ids::{multiaddr_of, peer_of};
use crate::net::keeper::{Action, DialId, Target};
use crate::net::session::Purpose;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError};
use std::net::SocketAddr;
use std::time::Duration;

/// How long the TCP connection of a usual dial may take: short, so that after an outage a new SYN
/// is never far away.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// The same for the dials in between that have time, for links with round trips of seconds.
const PATIENT_CONNECT_LIMIT: Duration = Duration::from_secs(20);
/// How long a name may take to be resolved.
const RESOLVE_LIMIT: Duration = Duration::from_secs(5);

const fn connect_limit(patient: bool) -> Duration {
    if patient { PATIENT_CONNECT_LIMIT } else { CONNECT_LIMIT }
}

impl Links {
    pub(super) fn act(&mut self, action: Action) {
        match action {
            Action::Close(id) => {
                tracing::debug!(?id, "one connection too many");
                self.close(id);
            }
            Action::Dial { dial, target: Target::Node(node, addresses), patient } => {
                self.dial_node(dial, node, addresses, patient);
            }
            Action::Dial { dial, target: Target::Place(place), patient } => match place.literal() {
                Some(address) => self.dial_resolved(dial, place.node, patient, vec![address]),
                None => self.resolve(dial, place, patient),
            },
        }
    }

    fn resolve(&self, dial: DialId, place: PeerAddr, patient: bool) {
        let inner = self.inner.clone();
        tokio::spawn(async move {
            let lookup = tokio::net::lookup_host((place.host.as_str(), place.port));
            let found = match tokio::time::timeout(RESOLVE_LIMIT, lookup).await {
                Ok(Ok(found)) => found.collect(),
                Ok(Err(error)) => {
                    tracing::debug!(server.address = %place, %error, "the name of a peer cannot be resolved");
                    Vec::new()
                }
                Err(_) => Vec::new(),
            };
            let _ = inner.send(Inner::Resolved { dial, node: place.node, patient, found }).await;
        });
    }

    pub(super) fn dial_resolved(
        &mut self,
        dial: DialId,
        node: Option<NodeId>,
        patient: bool,
        found: Vec<SocketAddr>,
    ) {
        if let Some(node) = node {
            return self.dial_node(dial, node, found, patient);
        }
        // One at a time, each in its turn: without an expected peer libp2p takes one address.
        let turn = usize::try_from(dial).unwrap_or(0) % found.len().max(1);
        match found.get(turn) {
            Some(address) => {
                let options = DialOpts::unknown_peer_id().address(multiaddr_of(*address));
                let options = options.allocate_new_port().build();
                self.dial(options, Some(dial), Purpose::Knock, connect_limit(patient));
            }
            None => self.keeper.failed(dial),
        }
    }

    fn dial_node(&mut self, dial: DialId, node: NodeId, found: Vec<SocketAddr>, patient: bool) {
        let Some(peer) = peer_of(&node).filter(|_| !found.is_empty()) else {
            self.keeper.failed(dial);
            return;
        };
        let options = DialOpts::peer_id(peer)
            .condition(PeerCondition::Always)
            .addresses(found.into_iter().map(multiaddr_of).collect())
            .allocate_new_port()
            .build();
        self.dial(options, Some(dial), Purpose::Knock, connect_limit(patient));
    }

    /// Dials. Whatever comes of it is reported under the number returned.
    pub(super) fn dial(
        &mut self,
        options: DialOpts,
        dial: Option<DialId>,
        purpose: Purpose,
        connect_limit: Duration,
    ) -> ConnectionId {
        let id = options.connection_id();
        let wire = self.wires.order(connect_limit);
        self.state.dialed.insert(id, Dialed { dial, wire, purpose });
        let outcome = self.swarm.dial(options);
        self.wires.ordered_no_more();
        if let Err(error) = outcome {
            self.on_dial_failure(id, &error);
        }
        id
    }

    pub(super) fn on_dial_failure(&mut self, id: ConnectionId, error: &DialError) {
        let Some(dialed) = self.state.dialed.remove(&id) else { return };
        tracing::trace!(%error, "a dial failed");
        if let Some(dial) = dialed.dial {
            self.keeper.failed(dial);
        }
        self.join_dial_failed(id, error);
    }
}
