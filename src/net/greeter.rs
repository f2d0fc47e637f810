//! One stream per connection, from the dialer, on which the two nodes first prove themselves and
//! then beat.
//!
//! The behaviour only opens and hands out these streams; what is said on them is for
//! [`session`](super::session). It exists for everybody. A stream is bound to its connection,
//! which request-response is not: it takes any connection of the peer.

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
    NetworkBehaviour, StreamProtocol, SubstreamProtocol, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, Stream};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;

/// Name of the protocol on the wire.
pub(crate) const HELLO_PROTOCOL: StreamProtocol = StreamProtocol::new("/meshmq/hello/1");
/// How long the stream's protocol may take to be agreed on.
const NEGOTIATION_LIMIT: Duration = Duration::from_secs(20);

/// The stream of a connection, or that there will be none.
#[derive(Debug)]
pub(crate) struct Greeting {
    /// Who is at the other end, proven by Noise.
    pub(crate) peer: PeerId,
    /// The connection.
    pub(crate) connection: ConnectionId,
    /// The stream.
    pub(crate) stream: Result<Stream, NoStream>,
}

/// The other end does not speak the protocol: no node of any mesh.
#[derive(Debug)]
pub(crate) struct NoStream;

/// The behaviour that hands out the streams.
#[derive(Default)]
pub(crate) struct Greeter {
    greetings: VecDeque<Greeting>,
}

impl NetworkBehaviour for Greeter {
    type ConnectionHandler = Greeted;
    type ToSwarm = Greeting;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Greeted::new(false))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Greeted::new(true))
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        stream: THandlerOutEvent<Self>,
    ) {
        self.greetings.push_back(Greeting { peer, connection, stream });
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Greeting, THandlerInEvent<Self>>> {
        match self.greetings.pop_front() {
            Some(greeting) => Poll::Ready(ToSwarm::GenerateEvent(greeting)),
            None => Poll::Pending,
        }
    }
}

/// The end of one connection.
pub(crate) struct Greeted {
    dialer: bool,
    asked: bool,
    given: bool,
    out: Option<Result<Stream, NoStream>>,
}

impl Greeted {
    fn new(dialer: bool) -> Self {
        Self { dialer, asked: false, given: false, out: None }
    }

    /// Only the first stream counts; the dialer takes none from the other side.
    fn give(&mut self, stream: Result<Stream, NoStream>) {
        if !self.given {
            self.given = true;
            self.out = Some(stream);
        }
    }
}

impl ConnectionHandler for Greeted {
    type FromBehaviour = Infallible;
    type ToBehaviour = Result<Stream, NoStream>;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(HELLO_PROTOCOL), ())
            .with_timeout(NEGOTIATION_LIMIT)
    }

    /// Who may stay is decided by the task that owns the links.
    fn connection_keep_alive(&self) -> bool {
        true
    }

    fn on_behaviour_event(&mut self, never: Infallible) {
        match never {}
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), Self::ToBehaviour>> {
        if self.dialer && !self.asked {
            self.asked = true;
            let protocol = SubstreamProtocol::new(ReadyUpgrade::new(HELLO_PROTOCOL), ())
                .with_timeout(NEGOTIATION_LIMIT);
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        match self.out.take() {
            Some(stream) => Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(stream)),
            None => Poll::Pending,
        }
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<'_, Self::InboundProtocol, Self::OutboundProtocol>,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol, ..
            }) if !self.dialer => self.give(Ok(protocol)),
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol, ..
            }) => self.give(Ok(protocol)),
            ConnectionEvent::DialUpgradeError(DialUpgradeError { .. }) => self.give(Err(NoStream)),
            _ => {}
        }
    }
}
