//! Floors, verdicts and held messages: rules R7 to R13.

use crate::bench::Bench;
use meshmq::engine::command::{MessageState, Outgoing};
use meshmq::engine::frame::Frame;
use meshmq::engine::ids::MessageId;
use meshmq::engine::message::Delivery::{Recoverable, Transactional};
use meshmq::engine::record::DeathReason;
use meshmq::engine::statement::Refusal;
use meshmq::engine::time::{DAY_MS, MINUTE_MS};

/// Two messages on an ordered line, the first with a short time, both caught on their way.
fn first_is_short(b: &mut Bench) -> (Vec<MessageId>, Vec<Frame>) {
    b.create("d", "q", true);
    let of = |b: &Bench, body: &str, reach_within_ms| Outgoing {
        delivery: Transactional,
        reach_within_ms,
        ..b.message("d", "q", body)
    };
    let messages = vec![of(b, "1", MINUTE_MS), of(b, "2", DAY_MS)];
    let ids = b.try_send("o", messages).expect("accepted");
    let caught = b.caught("o", "d");
    (ids, caught)
}

#[test]
fn r7_give_up_floor_stops_at_a_waiting_number() {
    let mut b = Bench::new(&["o", "d", "x", "y"]);
    b.create("d", "q", false);
    let short = Outgoing { reach_within_ms: MINUTE_MS, ..b.message("d", "q", "2") };
    let long = b.message("d", "q", "1");
    let ids = b.try_send("o", vec![long, short]).expect("accepted");
    let caught = b.caught("o", "d");
    b.pass(2 * MINUTE_MS);
    b.link("o", "y");
    b.settle();
    assert!(b.statuses("o", "y").iter().all(|status| status.floors.give_up == 1));
    b.hand("d", &caught[0]);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1"]);
    b.settle();
    assert_eq!(b.state("o", &ids[0]), MessageState::Received);
}

#[test]
fn r9_last_message_expired_resolves() {
    let mut b = Bench::new(&["o", "d", "x"]);
    b.create("d", "q", false);
    let short = Outgoing { reach_within_ms: MINUTE_MS, ..b.message("d", "q", "1") };
    let ids = b.try_send("o", vec![short]).expect("accepted");
    b.caught("o", "d");
    b.pass(2 * MINUTE_MS);
    let unconfirmed = MessageState::Unconfirmed(DeathReason::ReachTimeExpired);
    assert_eq!(b.state("o", &ids[0]), unconfirmed);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.state("o", &ids[0]), MessageState::Dead(DeathReason::ReachTimeExpired));
    assert!(!b.dead("o")[0].unconfirmed);
}

#[test]
fn r9_held_successor_freed_by_status_alone() {
    let mut b = Bench::new(&["o", "d", "x"]);
    let (ids, caught) = first_is_short(&mut b);
    b.hand("d", &caught[1]);
    assert_eq!(b.drain("d", "q"), Vec::<String>::new());
    b.pass(2 * MINUTE_MS);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["2"]);
    b.settle();
    assert_eq!(b.state("o", &ids[1]), MessageState::Received);
}

#[test]
fn r8_verdicts_kept_until_known() {
    let mut b = Bench::new(&["o", "d", "x"]);
    let (ids, caught) = first_is_short(&mut b);
    b.hand("d", &caught[0]);
    b.pass(2 * MINUTE_MS);
    assert!(matches!(b.state("o", &ids[0]), MessageState::Unconfirmed(_)));
    b.link("o", "d");
    b.settle();
    assert_eq!(b.state("o", &ids[0]), MessageState::Arrived);
    assert_eq!(b.dead("o"), []);
    assert_eq!(b.drain("d", "q"), ["1", "2"]);
}

#[test]
fn r8_unconfirmed_does_not_raise_known() {
    let mut b = Bench::new(&["o", "d", "x", "y"]);
    first_is_short(&mut b);
    b.pass(2 * MINUTE_MS);
    b.link("o", "y");
    b.settle();
    let statuses = b.statuses("o", "y");
    assert!(statuses.iter().any(|status| status.floors.give_up == 2), "{statuses:?}");
    assert!(statuses.iter().all(|status| status.floors.known == 1));
}

#[test]
fn r10_floors_never_fall() {
    let mut b = Bench::new(&["o", "d", "x"]);
    b.create("d", "q", true);
    b.link("x", "d");
    b.link("o", "d");
    for n in 0..5 {
        b.send("o", "d", "q", Transactional, &[&n.to_string()]);
        b.settle();
    }
    let first = b.transfers("o", "d")[0].clone();
    b.hand("d", &Frame::Transfer(Box::new(first)));
    let receipts = b.receipts("d", "x");
    let known: Vec<u64> = receipts.iter().map(|receipt| receipt.floors.known).collect();
    assert!(known.is_sorted() && *known.last().expect("an answer") > 1, "{known:?}");
}

#[test]
fn r11_copy_below_watermark_is_ignored() {
    let mut b = Bench::new(&["o", "d", "x"]);
    b.create("d", "q", true);
    b.create("d", "p", false);
    b.link("x", "d");
    b.link("o", "d");
    b.send("o", "d", "q", Transactional, &["1", "2", "3"]);
    b.send("o", "d", "p", Recoverable, &["1", "2", "3"]);
    b.settle();
    assert_eq!(b.drain("d", "q").len() + b.drain("d", "p").len(), 6);
    b.settle();
    for transfer in b.transfers("o", "d") {
        b.hand("d", &Frame::Transfer(Box::new(transfer)));
    }
    assert_eq!(b.drain("d", "q").len() + b.drain("d", "p").len(), 0);
}

#[test]
fn r12_watermark_is_not_a_verdict() {
    let mut b = Bench::new(&["o", "d", "x"]);
    let (ids, caught) = first_is_short(&mut b);
    b.pass(2 * MINUTE_MS);
    b.hand("d", &caught[1]);
    b.link("o", "d");
    b.settle();
    let receipts = b.receipts("d", "o");
    assert!(receipts.iter().any(|receipt| receipt.watermark == 3));
    assert!(matches!(b.state("o", &ids[0]), MessageState::Dead(_)));
    assert_eq!(b.state("o", &ids[1]), MessageState::Arrived);
}

#[test]
fn r12_skipped_is_dead_and_received_is_arrived() {
    let mut b = Bench::new(&["o", "d", "x"]);
    let (ids, caught) = first_is_short(&mut b);
    b.pass(2 * MINUTE_MS);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.state("o", &ids[0]), MessageState::Dead(DeathReason::ReachTimeExpired));
    b.hand("d", &caught[0]);
    assert_eq!(b.drain("d", "q"), ["2"]);
}

#[test]
fn r13_refused_number_stays_refused_after_queue_created() {
    let mut b = Bench::new(&["o", "d", "x"]);
    b.link("o", "d");
    b.link("x", "d");
    let ids = b.send("o", "d", "q", Recoverable, &["1"]);
    b.settle();
    let dead = MessageState::Dead(DeathReason::Refused(Refusal::NoSuchQueue));
    assert_eq!(b.state("o", &ids[0]), dead);
    b.create("d", "q", false);
    let copy = b.transfers("o", "d")[0].clone();
    b.hand("d", &Frame::Transfer(Box::new(copy)));
    assert_eq!(b.drain("d", "q"), Vec::<String>::new());
}
