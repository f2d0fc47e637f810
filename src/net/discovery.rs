//! Finding neighbours on the local network by mDNS.
//!
//! It can be absent: the port may be taken, multicast filtered. That is a warning and never stops
//! a node; static peers work all the same. It shows peer ids and addresses to the network, never
//! names.

use libp2p::{PeerId, mdns};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// The port of mDNS.
pub(crate) const MDNS_PORT: u16 = 5353;
/// Pause between two questions to the segment; any answer refreshes everybody.
pub(crate) const QUERY_INTERVAL: Duration = Duration::from_secs(5);
/// How long an answer counts.
pub(crate) const TTL: Duration = Duration::from_secs(20);

/// Starts discovery.
///
/// # Errors
/// In words, why it cannot run here.
pub(crate) fn start(peer: PeerId) -> Result<mdns::tokio::Behaviour, String> {
    let taken = |error: io::Error| {
        format!("port {MDNS_PORT}/udp cannot be shared ({error}): a program holds it for itself")
    };
    probe().map_err(taken)?;
    let config = mdns::Config { ttl: TTL, query_interval: QUERY_INTERVAL, enable_ipv6: false };
    mdns::tokio::Behaviour::new(config, peer)
        .map_err(|error| format!("the network's interfaces cannot be watched: {error}"))
}

/// Whether the port can be shared. The library would only log it when it cannot.
fn probe() -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, MDNS_PORT)).into())
}

#[cfg(test)]
mod tests;
