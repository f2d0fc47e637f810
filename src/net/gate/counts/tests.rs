use super::{Counts, GateLimits, Refused};
use libp2p::PeerId;
use libp2p::swarm::ConnectionId;
use std::net::{IpAddr, Ipv4Addr};

fn ip(last: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, last).into()
}

fn id(number: usize) -> ConnectionId {
    ConnectionId::new_unchecked(number)
}

fn counts(change: impl FnOnce(&mut GateLimits)) -> Counts {
    let mut limits = GateLimits::default();
    change(&mut limits);
    Counts::new(limits)
}

#[test]
fn one_address_gets_four_places_until_it_proves_itself() {
    let mut counts = counts(|_| {});
    for number in 0..4 {
        counts.incoming(id(number), ip(1)).expect("a place");
    }
    assert_eq!(counts.incoming(id(4), ip(1)), Err(Refused::PerIp));
    counts.incoming(id(5), ip(2)).expect("another address");
    counts.established(id(0), PeerId::random(), ip(1), false).expect("a place");
    assert_eq!(counts.incoming(id(6), ip(1)), Err(Refused::PerIp), "still unproven");
    counts.proved(id(0));
    counts.incoming(id(7), ip(1)).expect("one has proven itself");
    counts.closed(id(1));
    counts.incoming(id(8), ip(1)).expect("one is gone");
}

#[test]
fn many_nodes_may_live_on_one_machine() {
    let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
    let mut free = counts(|_| {});
    for number in 0..20 {
        free.incoming(id(number), loopback).expect("a place");
    }
    let mut counted = counts(|limits| limits.loopback_counts = true);
    for number in 0..4 {
        counted.incoming(id(number), loopback).expect("a place");
    }
    assert_eq!(counted.incoming(id(4), loopback), Err(Refused::PerIp));
}

#[test]
fn strangers_do_not_take_the_places_of_members() {
    let mut counts = counts(|limits| (limits.unproven, limits.established) = (2, 2));
    for number in 0..2 {
        counts.established(id(number), PeerId::random(), ip(1), false).expect("a place");
    }
    assert_eq!(counts.established(id(2), PeerId::random(), ip(2), false), Err(Refused::Unproven));
    for number in 3..5 {
        counts.established(id(number), PeerId::random(), ip(3), true).expect("a member's place");
    }
    assert_eq!(counts.established(id(5), PeerId::random(), ip(3), true), Err(Refused::Established));
}

#[test]
fn a_peer_has_two_connections_at_most() {
    let mut counts = counts(|_| {});
    let peer = PeerId::random();
    counts.established(id(0), peer, ip(1), true).expect("the first");
    counts.established(id(1), peer, ip(1), false).expect("the second");
    assert_eq!(counts.established(id(2), peer, ip(1), true), Err(Refused::PerPeer));
    counts.closed(id(0));
    counts.established(id(2), peer, ip(1), true).expect("one is gone");
}

#[test]
fn what_is_being_made_is_bounded_both_ways() {
    let mut counts = counts(|limits| (limits.pending_in, limits.pending_out) = (1, 1));
    counts.incoming(id(0), ip(1)).expect("a place");
    assert_eq!(counts.incoming(id(1), ip(2)), Err(Refused::PendingIn));
    counts.outgoing(id(2)).expect("a place");
    assert_eq!(counts.outgoing(id(3)), Err(Refused::PendingOut));
    counts.established(id(0), PeerId::random(), ip(1), false).expect("it is made");
    counts.incoming(id(1), ip(2)).expect("the place is free again");
}
