//! A behaviour that exists only for proven peers.
//!
//! A connection whose peer is no member when it is made gets a handler that speaks nothing: a
//! stranger never reaches the inner protocol's decoder. The inner behaviour never hears of such
//! connections, so the counts of a peer's other connections are corrected on the way.

use super::door::Door;
use super::ids::node_of;
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::derive_prelude::{ConnectionClosed, ConnectionEstablished, Either};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::task::{Context, Poll};

/// `B` for those whom the door holds for members, nothing for everybody else.
pub(crate) struct Proven<B> {
    inner: B,
    door: Arc<Door>,
    shown: HashMap<PeerId, BTreeSet<ConnectionId>>,
}

impl<B: NetworkBehaviour> Proven<B> {
    /// Hides unproven connections from `inner`.
    pub(crate) fn new(inner: B, door: Arc<Door>) -> Self {
        Self { inner, door, shown: HashMap::new() }
    }

    /// The inner behaviour.
    pub(crate) fn inner(&mut self) -> &mut B {
        &mut self.inner
    }

    /// Whether the inner behaviour has this connection.
    pub(crate) fn has(&self, peer: &PeerId, connection: ConnectionId) -> bool {
        self.shown.get(peer).is_some_and(|shown| shown.contains(&connection))
    }

    fn admits(&self, peer: &PeerId) -> bool {
        node_of(peer).is_some_and(|node| self.door.holds(node))
    }

    fn show(&mut self, peer: PeerId, connection: ConnectionId) {
        self.shown.entry(peer).or_default().insert(connection);
    }

    /// Takes a connection out; returns how many of the peer's are left, if it was shown.
    fn hide(&mut self, peer: PeerId, connection: ConnectionId) -> Option<usize> {
        let shown = self.shown.get_mut(&peer)?;
        if !shown.remove(&connection) {
            return None;
        }
        let left = shown.len();
        if left == 0 {
            self.shown.remove(&peer);
        }
        Some(left)
    }
}

impl<B: NetworkBehaviour> NetworkBehaviour for Proven<B> {
    type ConnectionHandler = Either<THandler<B>, dummy::ConnectionHandler>;
    type ToSwarm = B::ToSwarm;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        if !self.admits(&peer) {
            return Ok(Either::Right(dummy::ConnectionHandler));
        }
        let handler =
            self.inner.handle_established_inbound_connection(connection, peer, local, remote)?;
        self.show(peer, connection);
        Ok(Either::Left(handler))
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        if !self.admits(&peer) {
            return Ok(Either::Right(dummy::ConnectionHandler));
        }
        let handler = self
            .inner
            .handle_established_outbound_connection(connection, peer, address, role, port)?;
        self.show(peer, connection);
        Ok(Either::Left(handler))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(event) => {
                if self.has(&event.peer_id, event.connection_id) {
                    let other_established = self.shown[&event.peer_id].len() - 1;
                    let event = ConnectionEstablished { other_established, ..event };
                    self.inner.on_swarm_event(FromSwarm::ConnectionEstablished(event));
                }
            }
            FromSwarm::ConnectionClosed(event) => {
                if let Some(remaining_established) = self.hide(event.peer_id, event.connection_id) {
                    let event = ConnectionClosed { remaining_established, ..event };
                    self.inner.on_swarm_event(FromSwarm::ConnectionClosed(event));
                }
            }
            FromSwarm::AddressChange(event) => {
                if self.has(&event.peer_id, event.connection_id) {
                    self.inner.on_swarm_event(FromSwarm::AddressChange(event));
                }
            }
            other => self.inner.on_swarm_event(other),
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {
            Either::Left(event) => self.inner.on_connection_handler_event(peer, connection, event),
            Either::Right(never) => match never {},
        }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.inner.poll(cx).map(|event| event.map_in(Either::Left))
    }
}
