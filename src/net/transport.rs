//! TCP + Noise + Yamux, with a counter under the encryption: any byte received is a sign of life.
//!
//! What it refuses: names (they are resolved before), other transports, reuse of the listen port
//! for dialing (two SYNs would merge into one connection of two dialers).

mod wire;

pub(crate) use wire::{Wire, WireStream};

use super::clock::Clock;
use super::event::NetError;
use super::ids::socket_of;
use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::{
    Boxed, DialOpts, ListenerId, PortUse, TransportError, TransportEvent,
};
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId, Transport, noise, tcp, yamux};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

/// How long the keys may take to be exchanged, from the first SYN on. Satellite links need seconds.
pub(crate) const SETUP_LIMIT: Duration = Duration::from_secs(20);
/// Streams of one connection, both ways.
pub(crate) const STREAMS_MAX: usize = 64;

/// The counters of incoming connections that were not asked for yet, by both ends.
type Arrivals = Arc<Mutex<HashMap<(SocketAddr, SocketAddr), Weak<Wire>>>>;

/// Connects what is dialed, and what comes in, with its [`Wire`].
///
/// libp2p dials within the call of `Swarm::dial`, so that the order laid down here just before
/// belongs to that dial and no other.
#[derive(Clone)]
pub(crate) struct Wires {
    clock: Clock,
    next: Arc<Mutex<Option<DialOrder>>>,
    arrivals: Arrivals,
}

#[derive(Clone)]
struct DialOrder {
    wire: Arc<Wire>,
    connect_limit: Duration,
}

impl Wires {
    /// No connections yet.
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, next: Arc::default(), arrivals: Arc::default() }
    }

    /// Lays down how long the TCP connection of the next dial may take; returns its counter.
    pub(crate) fn order(&self, connect_limit: Duration) -> Arc<Wire> {
        let wire = Arc::new(Wire::new(self.clock));
        let order = DialOrder { wire: wire.clone(), connect_limit };
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(order);
        wire
    }

    /// The dial has begun: what is dialed from here on was not ordered.
    pub(crate) fn ordered_no_more(&self) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The counter of an incoming connection.
    pub(crate) fn arrived(&self, local: &Multiaddr, remote: &Multiaddr) -> Option<Arc<Wire>> {
        let ends = (socket_of(local)?, socket_of(remote)?);
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        arrivals.remove(&ends)?.upgrade()
    }

    fn ordered(&self) -> Option<DialOrder> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn arriving(&self, local: &Multiaddr, remote: &Multiaddr) -> Arc<Wire> {
        let wire = Arc::new(Wire::new(self.clock));
        if let (Some(local), Some(remote)) = (socket_of(local), socket_of(remote)) {
            let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
            // Entries of connections that came to nothing; live ones are bounded by the gate.
            arrivals.retain(|_, wire| wire.strong_count() > 0);
            arrivals.insert((local, remote), Arc::downgrade(&wire));
        }
        wire
    }
}

/// The whole transport of a node.
///
/// # Errors
/// [`NetError::Transport`] if the key cannot be used for Noise.
pub(crate) fn build(
    keypair: &Keypair,
    wires: Wires,
) -> Result<Boxed<(PeerId, StreamMuxerBox)>, NetError> {
    let noise =
        noise::Config::new(keypair).map_err(|error| NetError::Transport(error.to_string()))?;
    let mut yamux = yamux::Config::default();
    yamux.set_max_num_streams(STREAMS_MAX);
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
    Ok(Wired { tcp, wires }
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(yamux)
        .timeout(SETUP_LIMIT)
        .boxed())
}

/// TCP whose streams are counted and can be cut.
struct Wired {
    tcp: tcp::tokio::Transport,
    wires: Wires,
}

impl Wired {
    fn inner(self: Pin<&mut Self>) -> Pin<&mut tcp::tokio::Transport> {
        Pin::new(&mut self.get_mut().tcp)
    }
}

impl Transport for Wired {
    type Output = WireStream<tcp::tokio::TcpStream>;
    type Error = io::Error;
    type ListenerUpgrade = BoxFuture<'static, io::Result<Self::Output>>;
    type Dial = BoxFuture<'static, io::Result<Self::Output>>;

    fn listen_on(
        &mut self,
        id: ListenerId,
        address: Multiaddr,
    ) -> Result<(), TransportError<io::Error>> {
        self.tcp.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.tcp.remove_listener(id)
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        options: DialOpts,
    ) -> Result<Self::Dial, TransportError<io::Error>> {
        let Some(DialOrder { wire, connect_limit }) = self.wires.ordered() else {
            return Err(TransportError::Other(io::Error::other("nobody ordered this dial")));
        };
        let options = DialOpts { port_use: PortUse::New, ..options };
        let connecting = self.tcp.dial(address, options)?;
        let limited = async move {
            let connected = tokio::time::timeout(connect_limit, connecting).await;
            let stream = connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            Ok(WireStream::new(stream, wire))
        };
        Ok(limited.boxed())
    }

    fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        let wires = self.wires.clone();
        self.inner().poll(cx).map(|event| match event {
            TransportEvent::Incoming { listener_id, upgrade, local_addr, send_back_addr } => {
                let wire = wires.arriving(&local_addr, &send_back_addr);
                let upgrade = upgrade.map_ok(|stream| WireStream::new(stream, wire)).boxed();
                TransportEvent::Incoming { listener_id, upgrade, local_addr, send_back_addr }
            }
            other => other.map_upgrade(|_| unreachable!("only `Incoming` has an upgrade")),
        })
    }
}

#[cfg(test)]
mod tests;
