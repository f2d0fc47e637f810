use super::{dialable, multiaddr_of, node_of, peer_of, socket_of};
use crate::engine::address::NodeId;
use crate::security::Identity;
use libp2p::PeerId;
use libp2p::identity::Keypair;

#[test]
fn a_node_and_its_peer_name_each_other() {
    let node = Identity::from_seed(&[1; 32]).node_id();
    let peer = peer_of(&node).expect("a key");
    assert_eq!(node_of(&peer), Some(node));
    let pair = Keypair::generate_ed25519();
    let key = pair.public().try_into_ed25519().expect("an Ed25519 key").to_bytes();
    assert_eq!(node_of(&pair.public().to_peer_id()), Some(NodeId::from_bytes(key)));
}

#[test]
fn peers_without_an_ed25519_key_are_no_nodes() {
    assert_eq!(node_of(&PeerId::random()), None, "a hash, as of a key of another kind");
}

#[test]
fn only_tcp_over_ip_is_a_place() {
    for text in ["192.0.2.1:7670", "[2001:db8::1]:1"] {
        let place = text.parse().expect("an address");
        assert_eq!(socket_of(&multiaddr_of(place)), Some(place));
    }
    for text in ["/ip4/192.0.2.1/udp/1", "/dns/pc-a/tcp/1", "/memory/1"] {
        assert_eq!(socket_of(&text.parse().expect("a multiaddr")), None, "{text}");
    }
}

#[test]
fn nobody_can_dial_a_wildcard_or_another_link() {
    for text in ["0.0.0.0:1", "[::]:1", "192.0.2.1:0", "224.0.0.251:1", "[fe80::1]:1"] {
        assert!(!dialable(&text.parse().expect("an address")), "{text}");
    }
    assert!(dialable(&"127.0.0.1:1".parse().expect("an address")));
}
