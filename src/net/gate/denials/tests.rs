use super::{BURST, Culprit, DENIALS_MAX, Denials, FIRST_MS, LONGEST_MS, REFILL_MS};
use libp2p::PeerId;
use std::net::Ipv4Addr;

fn culprit(last: u8) -> Culprit {
    (Ipv4Addr::new(192, 0, 2, last).into(), PeerId::random())
}

#[test]
fn a_burst_of_failures_is_denied_twice_as_long_each_time() {
    let mut denials = Denials::default();
    let who = culprit(1);
    for _ in 0..BURST {
        denials.failed(who, 0);
        assert!(!denials.denied(&who, 0), "an honest newcomer fails too");
    }
    denials.failed(who, 0);
    assert!(denials.denied(&who, FIRST_MS - 1));
    assert!(!denials.denied(&who, FIRST_MS));
    // It goes on as soon as it may.
    let (mut now, mut longest) = (0, 0);
    for _ in 0..12 {
        while denials.denied(&who, now) {
            now += 1_000;
        }
        let from = now;
        while !denials.denied(&who, now) {
            denials.failed(who, now);
        }
        longest = 0;
        while denials.denied(&who, now + longest) {
            longest += 1_000;
        }
        assert!((FIRST_MS..=LONGEST_MS).contains(&longest), "{longest} after {from}");
    }
    assert_eq!(longest, LONGEST_MS);
}

#[test]
fn who_knocks_at_the_pace_of_an_honest_node_is_never_denied() {
    let mut denials = Denials::default();
    let who = culprit(1);
    for knock in 0..1_000 {
        denials.failed(who, knock * crate::net::keeper::STRANGER_AT_STATIC_MS);
        assert!(!denials.denied(&who, knock * crate::net::keeper::STRANGER_AT_STATIC_MS));
    }
    const { assert!(REFILL_MS < crate::net::keeper::STRANGER_AT_STATIC_MS) }
}

#[test]
fn nobody_else_at_that_address_is_denied() {
    let mut denials = Denials::default();
    let who = culprit(1);
    for _ in 0..=BURST {
        denials.failed(who, 0);
    }
    assert!(denials.denied(&who, 1));
    assert!(!denials.denied(&(who.0, PeerId::random()), 1));
}

#[test]
fn the_table_is_bounded_and_the_oldest_goes() {
    let mut denials = Denials::default();
    let first = culprit(0);
    for _ in 0..=BURST {
        denials.failed(first, 0);
    }
    for number in 0..DENIALS_MAX {
        denials.failed(culprit(1), 1 + number as u64);
    }
    assert_eq!(denials.0.len(), DENIALS_MAX);
    assert!(!denials.denied(&first, 1), "forgotten");
}
