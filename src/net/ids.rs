//! The two names of a node: the engine's [`NodeId`] and libp2p's [`PeerId`], and of a place.

use crate::engine::address::NodeId;
use libp2p::identity::{PublicKey, ed25519};
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};
use std::net::{IpAddr, SocketAddr};

/// Head of the protobuf form of an Ed25519 key, which a [`PeerId`] embeds: type 1, 32 bytes.
const ED25519_HEAD: [u8; 4] = [0x08, 0x01, 0x12, 0x20];

/// The node of a peer, if its key is an Ed25519 key.
pub(crate) fn node_of(peer: &PeerId) -> Option<NodeId> {
    let hash = peer.as_ref();
    let key = hash.digest().strip_prefix(&ED25519_HEAD)?;
    if hash.code() != 0 {
        return None;
    }
    Some(NodeId::from_bytes(key.try_into().ok()?))
}

/// The peer of a node, if its id is a key at all.
pub(crate) fn peer_of(node: &NodeId) -> Option<PeerId> {
    let key = ed25519::PublicKey::try_from_bytes(node.as_bytes()).ok()?;
    Some(PublicKey::from(key).to_peer_id())
}

/// The socket address of a TCP multiaddr, whatever follows.
pub(crate) fn socket_of(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip: IpAddr = match parts.next()? {
        Protocol::Ip4(ip) => ip.into(),
        Protocol::Ip6(ip) => ip.into(),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) => Some(SocketAddr::new(ip, port)),
        _ => None,
    }
}

/// The multiaddr of a socket address.
pub(crate) fn multiaddr_of(address: SocketAddr) -> Multiaddr {
    Multiaddr::empty().with(Protocol::from(address.ip())).with(Protocol::Tcp(address.port()))
}

/// Whether an address may be told to others and dialed: not a wildcard, not bound to one interface.
pub(crate) fn dialable(address: &SocketAddr) -> bool {
    let usable = match address.ip() {
        IpAddr::V4(ip) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast(),
        IpAddr::V6(ip) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_unicast_link_local(),
    };
    usable && address.port() != 0
}

#[cfg(test)]
mod tests;
