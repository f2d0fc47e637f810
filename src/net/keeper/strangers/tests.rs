use super::{KNOCK_FIRST_MS, KNOCK_LONGEST_MS, SHOWN_MS, STRANGERS_MAX, Strangers};
use crate::engine::address::NodeId;
use std::net::SocketAddr;

fn node(number: u16) -> NodeId {
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    NodeId::from_bytes(bytes)
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], port))
}

#[test]
fn a_stranger_is_knocked_once_and_then_ever_more_seldom() {
    let mut strangers = Strangers::default();
    strangers.seen(node(1), at(1), 0);
    let mut now = 0;
    let mut pauses = Vec::new();
    for _ in 0..10 {
        assert_eq!(strangers.knock(now), Some((node(1), vec![at(1)])));
        let from = now;
        while strangers.clone_due(now).is_none() {
            now += 60_000;
        }
        pauses.push(now - from);
    }
    assert_eq!(pauses[..3], [KNOCK_FIRST_MS, 2 * KNOCK_FIRST_MS, 4 * KNOCK_FIRST_MS]);
    assert_eq!(*pauses.last().expect("pauses"), KNOCK_LONGEST_MS);
}

impl Strangers {
    /// Whether somebody is due, without knocking.
    fn clone_due(&self, now_ms: u64) -> Option<NodeId> {
        Self(self.0.clone()).knock(now_ms).map(|(node, _)| node)
    }
}

#[test]
fn seen_again_and_again_is_no_reason_to_knock_again() {
    let mut strangers = Strangers::default();
    strangers.seen(node(1), at(1), 0);
    assert!(strangers.knock(0).is_some());
    for second in 0..500 {
        strangers.seen(node(1), at(1), second * 1_000);
        assert!(strangers.knock(second * 1_000).is_none());
    }
}

#[test]
fn who_came_by_itself_and_failed_is_not_knocked_soon() {
    let mut strangers = Strangers::default();
    strangers.met(node(1), None, 0);
    strangers.seen(node(1), at(1), 1_000);
    assert!(strangers.knock(1_000).is_none());
    assert_eq!(strangers.shown(1_000).count(), 1, "but shown");
    assert!(strangers.knock(KNOCK_FIRST_MS).is_some());
}

#[test]
fn who_became_a_member_is_taken_out() {
    let mut strangers = Strangers::default();
    strangers.seen(node(1), at(1), 0);
    strangers.seen(node(2), at(2), 0);
    assert_eq!(strangers.take(|it| it == node(2)), [(node(2), vec![at(2)])]);
    assert_eq!(strangers.shown(0).count(), 1);
}

#[test]
fn another_mesh_is_another_chance() {
    let mut strangers = Strangers::default();
    strangers.seen(node(1), at(1), 0);
    assert!(strangers.knock(0).is_some() && strangers.knock(1).is_none());
    strangers.begin_anew(1);
    assert!(strangers.knock(1).is_some());
}

#[test]
fn the_table_is_bounded_and_old_sightings_are_not_shown() {
    let mut strangers = Strangers::default();
    for number in 0..1_000 {
        strangers.seen(node(number), at(1), u64::from(number));
    }
    assert_eq!(strangers.0.len(), STRANGERS_MAX);
    assert!(!strangers.0.contains_key(&node(0)));
    for port in 1..100 {
        strangers.seen(node(999), at(port), 999);
    }
    assert_eq!(strangers.0[&node(999)].addresses.len(), super::STRANGER_ADDRESSES_MAX);
    assert_eq!(strangers.shown(1_000 + SHOWN_MS).count(), 0);
}

#[test]
fn who_came_by_itself_is_shown_with_its_ip() {
    let mut strangers = Strangers::default();
    strangers.met(node(1), Some(at(40_000).ip()), 0);
    let places = |strangers: &Strangers| strangers.0[&node(1)].places();
    assert_eq!(places(&strangers), ["192.0.2.1"], "its port leads nowhere");
    strangers.seen(node(1), at(7_670), 1_000);
    assert_eq!(places(&strangers), ["192.0.2.1:7670"]);
}
