//! Rules R20 and R24: the origin's copy outlives its relays, rounds, and shares of tokens.

use crate::bench::Bench;
use crate::more::HOUR;
use meshmq::engine::command::MessageState;
use meshmq::engine::frame::{NotTaken, Outcome};
use meshmq::engine::limits::{REACH_WITHIN_MAX_MS, TOKENS};
use meshmq::engine::message::Delivery::{Recoverable, Transactional};

#[test]
fn r20_origin_keeps_its_copy_when_a_relay_loses_one() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.create("d", "q", false);
    let ids = b.post(Recoverable, &["1"]);
    b.meet("o", "r");
    b.wipe("r");
    b.meet("r", "d");
    assert!(b.waits("o", &ids[0]));
    b.meet("o", "r");
    b.meet("r", "d");
    assert_eq!(b.drain("d", "q"), ["1"]);
}

/// `r` still has its copy of 2, `s` gave its own to `d`, and `d` had to drop it again.
#[test]
fn r20_line_topology_recovers_from_lost_relay_copy() {
    let mut b = Bench::new(&["o", "r", "s", "d", "p"]);
    b.create_with("d", "q", true, Some(1));
    let ids = b.post(Transactional, &["1", "2"]);
    b.meet("o", "r");
    b.meet("r", "s");
    b.meet_without("s", "d", 1);
    b.link("p", "d");
    b.settle();
    b.send("p", "d", "q", Transactional, &["p"]);
    b.settle();
    assert_eq!(b.drain("d", "q"), ["p"], "2 was displaced");
    b.cut("p", "d");
    b.pass(1_000);
    b.meet("s", "d");
    assert_eq!(b.drain("d", "q"), ["1"]);
    for _ in 0..4 {
        b.pass(24 * HOUR);
        b.meet("o", "r");
        b.meet("r", "s");
        b.meet("s", "d");
        b.meet("r", "s");
        b.meet("o", "r");
    }
    assert_eq!(b.drain("d", "q"), ["2"]);
    assert_eq!(b.state("o", &ids[1]), MessageState::Arrived);
}

#[test]
fn r20_seen_admits_a_new_round() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.create("d", "q", true);
    b.post(Transactional, &["1", "2"]);
    b.meet("o", "r");
    b.meet_without("r", "d", 1);
    assert_eq!(b.summary("r").carried, 1, "2 is held at the destination");
    b.link("o", "r");
    b.settle();
    let all = b.transfers("o", "r");
    let mut copy = all.iter().find(|t| t.outer.id.number == 2).expect("it was sent").clone();
    copy.transfer = 1 << 50;
    let seen = b.offer("o", "r", vec![copy.clone()]);
    assert_eq!(seen, [Outcome::NotTaken(NotTaken::Seen)]);
    copy.transit.round += 1;
    copy.transfer += 1;
    assert_eq!(b.offer("o", "r", vec![copy]), [Outcome::Accepted]);
    assert_eq!(b.summary("r").carried, 2);
}

#[test]
fn r20_no_time_limit_still_sprays_again() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.post_within(Recoverable, "1", REACH_WITHIN_MAX_MS);
    b.meet("o", "r");
    for hours in [1, 3, 20, 24] {
        b.pass(hours * HOUR);
        b.meet("o", "r");
    }
    let rounds: Vec<u16> = b.transfers("o", "r").iter().map(|t| t.transit.round).collect();
    assert_eq!(rounds, [0, 1, 2, 3, 4]);
}

#[test]
fn r20_half_of_the_time_starts_a_round() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.post_within(Recoverable, "1", 10_000);
    b.meet("o", "r");
    b.pass(5_000);
    b.meet("o", "r");
    let rounds: Vec<u16> = b.transfers("o", "r").iter().map(|t| t.transit.round).collect();
    assert_eq!(rounds, [0, 1]);
}

fn tokens(b: &mut Bench, name: &'static str) -> u16 {
    b.copies(name).iter().map(|copy| copy.transit.tokens).sum()
}

#[test]
fn r24_unknown_transfer_never_doubles_tokens() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.link("o", "r");
    b.settle();
    b.post(Recoverable, &["1"]);
    for lost in ["request", "answer"] {
        if lost == "answer" {
            let request = b.wire.pop_front().expect("a request");
            b.deliver(request);
        }
        assert!(tokens(&mut b, "o") + tokens(&mut b, "r") <= TOKENS);
        b.lose();
        assert!(b.wire.is_empty());
        b.now = b.now.after(200);
        b.feed("o", vec![]);
    }
    b.settle();
    let sent: Vec<_> =
        b.transfers("o", "r").iter().map(|t| (t.transfer, t.transit.tokens)).collect();
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|one| *one == sent[0]), "one hand-over under one number: {sent:?}");
    assert_eq!(tokens(&mut b, "o") + tokens(&mut b, "r"), TOKENS);
}

#[test]
fn r24_tokens_come_back_from_who_did_not_take_them() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.limits.relay_bytes = 400;
    b.reopen("r");
    b.link("o", "r");
    b.settle();
    let big = "x".repeat(300);
    b.post(Recoverable, &[&big, &big]);
    b.settle();
    assert_eq!(b.summary("r").carried, 1);
    let all = tokens(&mut b, "o") + tokens(&mut b, "r");
    assert_eq!(all, 2 * TOKENS);
}

#[test]
fn r24_receiver_lost_its_disk_abandons_transfer() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.link("o", "r");
    b.settle();
    b.post(Recoverable, &["1"]);
    let request = b.wire.pop_front().expect("a request");
    b.deliver(request);
    b.lose();
    b.wipe("r");
    b.link("o", "r");
    b.pass(1_000);
    let sent: Vec<_> = b.transfers("o", "r").iter().map(|t| t.transfer).collect();
    assert_eq!(sent.len(), 2);
    assert_ne!(sent[0], sent[1], "the old hand-over is abandoned");
    assert_eq!(b.summary("r").carried, 1);
    assert!(tokens(&mut b, "o") + tokens(&mut b, "r") <= TOKENS);
}
