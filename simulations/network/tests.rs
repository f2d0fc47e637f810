//! Verdicts of packets.

use super::{End, Network};
use crate::rng::Rng;
use crate::scenario::{LinkPlan, Span, WayPlan};

fn plan() -> WayPlan {
    WayPlan {
        latency: Span::ms(10, 20),
        loss: 0.0,
        duplicate: 0.0,
        reorder: 0.0,
        bytes_per_s: None,
    }
}

fn network(plan: WayPlan) -> Network {
    Network::new(&[LinkPlan { ends: (0, 1), ways: [plan; 2], up: true }], Rng::new(1))
}

#[test]
fn a_plain_link_carries_within_its_latency() {
    let mut network = network(plan());
    for _ in 0..200 {
        let arrivals = network.verdict(0, 0, 100, 1_000);
        assert_eq!(arrivals.len(), 1);
        assert!((1_010..=1_020).contains(&arrivals[0]), "{arrivals:?}");
    }
}

#[test]
fn a_one_way_cut_stops_one_way() {
    let mut network = network(plan());
    assert!(network.link(0).set_cut(0, true));
    assert!(!network.link(0).set_cut(0, true));
    assert!(network.verdict(0, 0, 1, 0).is_empty());
    assert_eq!(network.verdict(0, 1, 1, 0).len(), 1);
    assert!(!network.link(0).is_whole());
    assert!(network.link(0).carries_from(1));
}

#[test]
fn loss_and_duplication_follow_their_chances() {
    let mut lossy = network(WayPlan { loss: 0.5, ..plan() });
    let arrived = (0..1_000).filter(|_| !lossy.verdict(0, 0, 1, 0).is_empty()).count();
    assert!((430..570).contains(&arrived), "{arrived}");
    let mut twice = network(WayPlan { duplicate: 1.0, ..plan() });
    assert_eq!(twice.verdict(0, 0, 1, 0).len(), 2);
}

#[test]
fn bandwidth_makes_packets_wait_for_each_other() {
    let slow = WayPlan { bytes_per_s: Some(1_000), latency: Span::ms(5, 5), ..plan() };
    let mut network = network(slow);
    assert_eq!(network.verdict(0, 0, 500, 0), [505]);
    assert_eq!(network.verdict(0, 0, 500, 0), [1_005]);
    assert_eq!(network.wire_ms(0, 0, 1_000, 0), 2_000);
    assert_eq!(network.verdict(0, 1, 500, 0), [505], "the other direction is free");
}

#[test]
fn each_direction_has_properties_of_its_own() {
    let slow = WayPlan { bytes_per_s: Some(1_000), latency: Span::ms(5, 5), ..plan() };
    let mut network = network(slow);
    network.link(0).change(1, WayPlan { latency: Span::ms(700, 700), ..plan() });
    assert_eq!(network.verdict(0, 0, 500, 0), [505]);
    assert_eq!(network.verdict(0, 1, 500, 0), [700]);
    assert_eq!(network.link(0).from(1).latency, Span::ms(700, 700));
}

#[test]
fn what_is_sent_on_a_severed_connection_is_lost() {
    let mut network = network(plan());
    let link = network.link(0);
    (link.connection, link.stands) = (1, true);
    *link.end(0) = End::Up(1);
    assert_eq!(network.verdict(0, 0, 1, 0).len(), 1);
    network.link(0).sever();
    assert!(!network.link(0).stands);
    assert!(network.verdict(0, 0, 1, 0).is_empty());
    *network.link(0).end(0) = End::Up(2);
    assert_eq!(network.verdict(0, 0, 1, 0).len(), 1);
}

#[test]
fn ends_believe_for_themselves() {
    let mut network = network(plan());
    *network.link(0).end(1) = End::Up(1);
    assert_eq!(*network.link(0).end(0), End::Down);
    assert_eq!(network.link(0).other(1), 0);
    assert_eq!(network.between(1, 0), Some(0));
    assert_eq!(network.of(1), [0]);
}
