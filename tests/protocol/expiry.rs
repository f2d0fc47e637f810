//! Rules R16 to R18: only the origin's clock kills a message, and says what is certain.

use crate::bench::{Bench, Packet};
use crate::edge::body_of;
use crate::more::HOUR;
use meshmq::engine::command::{MessageState, Outgoing, OutgoingState};
use meshmq::engine::frame::{Frame, NotTaken, Outcome};
use meshmq::engine::message::Delivery::{Recoverable, Transactional};
use meshmq::engine::record::DeathReason;

const EXPIRED: DeathReason = DeathReason::ReachTimeExpired;

#[test]
fn r16_aged_copy_gives_no_verdict() {
    let mut b = Bench::pair(false, None);
    let ids = b.post(Recoverable, &["1"]);
    let mut held = b.hold();
    for packet in &mut held {
        let Packet::Request { frames, .. } = packet else { continue };
        for frame in frames {
            let Frame::Transfer(transfer) = frame else { continue };
            transfer.transit.age_ms = transfer.outer.reach_within_ms;
        }
    }
    b.release(held);
    assert!(b.waits("o", &ids[0]), "a relay's clock kills nothing");
    let said = b.last_receipt();
    assert!(said.received.is_empty() && said.refused.is_empty() && said.skipped.is_empty());
    b.pass(2_000);
    assert_eq!(b.drain("d", "q"), ["1"]);
}

#[test]
fn r16_full_queue_gives_no_verdict() {
    for (transactional, delivery) in [(false, Recoverable), (true, Transactional)] {
        let mut b = Bench::pair(transactional, Some(1));
        let ids = b.post(delivery, &["1", "2"]);
        b.settle();
        assert_eq!(b.state("o", &ids[0]), MessageState::Arrived);
        assert!(b.waits("o", &ids[1]));
        assert_eq!(b.last_receipt().watermark, 2);
        let state = b.outgoing("o")[0].state;
        assert_eq!(state, OutgoingState::Refused(NotTaken::QueueFull));
        assert_eq!(b.drain("d", "q"), ["1"]);
        b.settle();
        assert_eq!(b.drain("d", "q"), ["2"]);
    }
}

#[test]
fn r17_first_seen_number_does_not_skip_earlier() {
    for (transactional, delivery) in [(false, Recoverable), (true, Transactional)] {
        let mut b = Bench::pair(transactional, None);
        b.post(delivery, &["1"]);
        let first = b.hold();
        b.post(delivery, &["2"]);
        b.settle();
        b.release(first);
        let mut bodies = b.drain("d", "q");
        bodies.sort();
        assert_eq!(bodies, ["1", "2"]);
    }
}

#[test]
fn r18_expired_after_hand_out_is_unconfirmed() {
    let mut b = Bench::pair(false, None);
    let id = b.post_within(Recoverable, "1", 10_000);
    let held = b.hold();
    b.cut("o", "d");
    b.pass(10_001);
    assert_eq!(b.state("o", &id), MessageState::Unconfirmed(EXPIRED));
    assert!(b.letter("o").unconfirmed);
    b.link("o", "d");
    b.release(held);
    assert_eq!(b.drain("d", "q"), ["1"], "the copy was on its way");
    b.settle();
    assert_eq!(b.state("o", &id), MessageState::Received);
    assert_eq!(b.dead("o"), []);
}

#[test]
fn r18_unconfirmed_becomes_certain_when_skipped() {
    let mut b = Bench::pair(true, None);
    let id = b.post_within(Transactional, "1", 10_000);
    let held = b.hold();
    b.cut("o", "d");
    b.pass(10_001);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.state("o", &id), MessageState::Dead(EXPIRED));
    assert!(!b.letter("o").unconfirmed);
    b.release(held);
    assert_eq!(b.drain("d", "q"), Vec::<String>::new(), "skipped is final");
}

#[test]
fn r18_restart_counts_waiting_as_handed_out() {
    let mut b = Bench::new(&["o", "d"]);
    let id = b.post_within(Recoverable, "1", 10_000);
    b.reopen("o");
    b.pass(10_001);
    assert_eq!(b.state("o", &id), MessageState::Unconfirmed(EXPIRED));
}

#[test]
fn r18_never_left_is_certain() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", false);
    let id = b.post_within(Recoverable, "1", 10_000);
    let later = b.post_within(Recoverable, "2", HOUR);
    b.pass(10_001);
    assert_eq!(b.state("o", &id), MessageState::Dead(EXPIRED));
    assert!(!b.letter("o").unconfirmed);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["2"]);
    b.settle();
    assert_eq!(b.state("o", &later), MessageState::Received);
}

#[test]
fn r16_aged_copy_is_not_taken() {
    let mut b = Bench::pair(true, None);
    b.post(Transactional, &["1"]);
    b.lose();
    let mut copy = b.transfers("o", "d")[0].clone();
    copy.transit.age_ms = u64::MAX;
    assert_eq!(b.offer("o", "d", vec![copy]), [Outcome::NotTaken(NotTaken::OverAge)]);
}

/// Time ends at most so many messages in a turn: those that it has not come to are not handed out.
#[test]
fn what_is_over_is_not_handed_out_before_it_is_ended() {
    let mut b = Bench::new(&["d"]);
    b.create("d", "q", false);
    let mortal = Outgoing { ttl_ms: Some(10_000), ..b.message("d", "q", "old") };
    for _ in 0..3 {
        b.try_send("d", vec![mortal.clone(); 256]).expect("they are accepted");
    }
    b.now = b.now.after(9_000);
    b.send("d", "d", "q", Recoverable, &["new"]);
    b.now = b.now.after(1_000);
    let bodies: Vec<String> =
        b.receive("d", "q", 10).into_iter().map(|it| body_of(&it.message.inner)).collect();
    assert_eq!(bodies, ["new"]);
    b.pass(1);
    assert_eq!(b.peek("d", "q").len(), 1, "the others are ended");
}
