use super::{ListenAddr, PeerAddr};
use crate::net::ids::peer_of;
use crate::security::Identity;

fn peer(text: &str) -> PeerAddr {
    text.parse().expect("an address")
}

#[test]
fn hosts_ports_and_multiaddrs_are_read() {
    let named = peer("pc-a.local:7670");
    assert_eq!((named.host.as_str(), named.port, named.node), ("pc-a.local", 7670, None));
    assert_eq!(named.literal(), None);
    assert_eq!(peer("192.0.2.1:1"), peer("/ip4/192.0.2.1/tcp/1"));
    assert_eq!(peer("[2001:db8::1]:9").to_string(), "[2001:db8::1]:9");
    assert_eq!(peer("/ip6/2001:db8::1/tcp/9"), peer("[2001:db8::1]:9"));
    assert_eq!(peer("/dns4/pc-b/tcp/7"), peer("pc-b:7"));
    let node = Identity::from_seed(&[7; 32]).node_id();
    let id = peer_of(&node).expect("a key");
    assert_eq!(peer(&format!("/ip4/192.0.2.1/tcp/1/p2p/{id}")).node, Some(node));
}

#[test]
fn what_is_no_address_is_refused() {
    let bad = [
        "",
        ":1",
        "pc-a",
        "pc-a:",
        "pc-a:x",
        "pc-a:70000",
        "pc-a:0",
        "2001:db8::1:9",
        "[pc-a]:1",
        "pc a:1",
        "/ip4/192.0.2.1",
        "/ip4/192.0.2.1/udp/1",
        "/ip4/192.0.2.1/tcp/1/ws",
        "/tcp/1",
    ];
    for text in bad {
        assert!(text.parse::<PeerAddr>().is_err(), "{text}");
    }
    assert!("pc-a:0".parse::<ListenAddr>().is_ok(), "any port");
    let long = format!("{}:1", "a".repeat(254));
    assert!(long.parse::<PeerAddr>().is_err());
}

#[test]
fn only_what_was_not_asked_for_moves() {
    assert!(ListenAddr::default().moves);
    let asked: ListenAddr = "0.0.0.0:7670".parse().expect("an address");
    assert!(!asked.moves);
    assert!(asked.or_free_port().moves);
}
