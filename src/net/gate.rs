//! The first thing a connection meets: bounds for those that have proven nothing, and a memory of
//! those that failed to.
//!
//! Must be the first field of the behaviour: fields are asked in order, and the ones behind it
//! register a connection as a side effect of being asked. It refuses to know any protocol.

mod counts;
mod denials;

pub use counts::GateLimits;
use counts::{Counts, Refused};
use denials::Denials;

use super::clock::Clock;
use super::door::Door;
use super::ids::{node_of, socket_of};
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::task::{Context, Poll};

/// The behaviour that admits and refuses connections.
pub(crate) struct Gate {
    door: Arc<Door>,
    clock: Clock,
    counts: Counts,
    denials: Denials,
}

impl Gate {
    /// A gate that asks `door` who is a member.
    pub(crate) fn new(door: Arc<Door>, clock: Clock, limits: GateLimits) -> Self {
        Self { door, clock, counts: Counts::new(limits), denials: Denials::default() }
    }

    /// Notes that a visitor failed to prove itself. Enough of that, and it is refused for a while.
    pub(crate) fn failed(&mut self, peer: PeerId, address: &Multiaddr) {
        self.denials.failed((ip_of(address), peer), self.clock.now_ms());
    }

    /// Notes that the peer of a connection has proven itself.
    pub(crate) fn proved(&mut self, connection: ConnectionId) {
        self.counts.proved(connection);
    }

    fn established(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let ip = ip_of(address);
        let outcome = match node_of(&peer) {
            None => Err(Refused::ForeignKey),
            Some(node) => {
                let proven = self.door.holds(node);
                if !proven && self.denials.denied(&(ip, peer), self.clock.now_ms()) {
                    Err(Refused::Denied)
                } else {
                    self.counts.established(connection, peer, ip, proven)
                }
            }
        };
        outcome.map(|()| dummy::ConnectionHandler).map_err(|why| {
            self.counts.closed(connection);
            tracing::debug!(meshmq.peer = %peer, server.address = %address, %why, "connection refused");
            ConnectionDenied::new(why)
        })
    }
}

/// The IP address of a multiaddr; what is not TCP over IP is counted as one place.
fn ip_of(address: &Multiaddr) -> IpAddr {
    socket_of(address)
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |socket| socket.ip().to_canonical())
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.counts.incoming(connection, ip_of(remote)).map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        _local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.established(connection, peer, remote)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        _peer: Option<PeerId>,
        _addresses: &[Multiaddr],
        _role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        self.counts.outgoing(connection).map_err(ConnectionDenied::new)?;
        Ok(Vec::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        _role: Endpoint,
        _port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.established(connection, peer, address)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionClosed(closed) => self.counts.closed(closed.connection_id),
            FromSwarm::DialFailure(failed) => self.counts.closed(failed.connection_id),
            FromSwarm::ListenFailure(failed) => self.counts.closed(failed.connection_id),
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}
