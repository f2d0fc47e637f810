//! Expiry, retries, relays, receipts and limits: rules R18 to R24.

use crate::bench::{Bench, id};
use meshmq::engine::command::{Command, MessageState, Outgoing, Reply};
use meshmq::engine::frame::Frame;
use meshmq::engine::message::Delivery::{Recoverable, Transactional};
use meshmq::engine::message::{Priority, Short};
use meshmq::engine::record::{DeathReason, Key, Record, Spot};
use meshmq::engine::rejection::Rejection;
use meshmq::engine::time::MINUTE_MS;

fn short(b: &Bench) -> Outgoing {
    Outgoing { reach_within_ms: MINUTE_MS, ..b.message("d", "q", "1") }
}

#[test]
fn r18_never_left_is_certain() {
    let mut b = Bench::new(&["o", "d"]);
    let message = short(&b);
    let ids = b.try_send("o", vec![message]).expect("accepted");
    b.pass(2 * MINUTE_MS);
    assert_eq!(b.state("o", &ids[0]), MessageState::Dead(DeathReason::ReachTimeExpired));
}

#[test]
fn r18_expired_after_hand_out_is_unconfirmed() {
    let mut b = Bench::new(&["o", "d", "x"]);
    b.create("d", "q", false);
    let message = short(&b);
    let ids = b.try_send("o", vec![message]).expect("accepted");
    let caught = b.caught("o", "d");
    b.pass(MINUTE_MS + 1);
    assert!(matches!(b.state("o", &ids[0]), MessageState::Unconfirmed(_)));
    b.hand("d", &caught[0]);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.state("o", &ids[0]), MessageState::Arrived);
    assert_eq!(b.dead("o"), []);
}

#[test]
fn r18_restart_counts_waiting_as_handed_out() {
    let mut b = Bench::new(&["o", "d"]);
    let message = short(&b);
    let ids = b.try_send("o", vec![message]).expect("accepted");
    b.kill("o");
    b.restart("o");
    b.pass(2 * MINUTE_MS);
    assert!(matches!(b.state("o", &ids[0]), MessageState::Unconfirmed(_)));
}

#[test]
fn r19_unconfirmed_cannot_be_retried() {
    let mut b = Bench::new(&["o", "d", "x"]);
    b.create("d", "q", false);
    let message = short(&b);
    b.try_send("o", vec![message]).expect("accepted");
    b.caught("o", "d");
    b.pass(2 * MINUTE_MS);
    let letter = b.dead("o")[0].letter;
    let retry = |may_duplicate| Command::RetryDead { letter, may_duplicate, salt: Short([1; 16]) };
    assert_eq!(b.ask("o", retry(false)), Err(Rejection::MayDuplicate));
    assert!(matches!(b.ask("o", retry(true)), Ok(Reply::Accepted(_))));
}

#[test]
fn r19_retry_has_a_new_number() {
    let mut b = Bench::new(&["o", "d"]);
    let message = short(&b);
    let ids = b.try_send("o", vec![message]).expect("accepted");
    b.pass(2 * MINUTE_MS);
    let letter = b.dead("o")[0].letter;
    let retry = Command::RetryDead { letter, may_duplicate: false, salt: Short([1; 16]) };
    let Ok(Reply::Accepted(again)) = b.ask("o", retry) else { panic!("not accepted") };
    assert_ne!(again[0], ids[0]);
    assert_eq!(b.dead("o"), []);
    b.create("d", "q", false);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1"]);
}

#[test]
fn r20_line_topology_recovers_from_lost_relay_copy() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.create("d", "q", true);
    b.send("o", "d", "q", Transactional, &["1", "2"]);
    b.link("o", "r");
    b.settle();
    b.wipe("r");
    b.link("o", "r");
    b.settle();
    b.link("r", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1", "2"]);
}

#[test]
fn r20_no_time_limit_still_sprays_again() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.create("d", "q", false);
    b.send("o", "d", "q", Recoverable, &["1"]);
    b.link("o", "r");
    b.settle();
    let first = b.transfers("o", "r").len();
    assert_eq!(first, 1);
    b.pass(2 * 60 * MINUTE_MS);
    let again = b.transfers("o", "r");
    assert_eq!(again.len(), 2, "after an hour a new round begins");
    assert!(again[1].transit.round > again[0].transit.round);
}

#[test]
fn r21_relay_refuses_what_its_receipt_covers() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.create("d", "q", false);
    b.link("o", "r");
    b.link("r", "d");
    b.send("o", "d", "q", Recoverable, &["1"]);
    b.settle();
    let copy = b.transfers("o", "r")[0].clone();
    b.cut("r", "d");
    b.say("o", "r", vec![Frame::Transfer(Box::new(copy))]);
    b.settle();
    let Ok(Reply::Summary(summary)) = b.ask("r", Command::Summary) else { panic!("a summary") };
    assert_eq!(summary.carried, 0);
}

#[test]
fn r21_receipts_go_before_offers() {
    let mut b = Bench::new(&["o", "r", "d", "s"]);
    b.create("d", "q", false);
    b.send("o", "d", "q", Recoverable, &["1"]);
    for relay in ["r", "s"] {
        b.link("o", relay);
        b.settle();
        b.cut("o", relay);
    }
    b.link("r", "d");
    b.settle();
    b.cut("r", "d");
    b.link("r", "s");
    b.settle();
    assert_eq!(b.transfers("s", "r").len(), 0, "s forgets before it copies");
    let Ok(Reply::Summary(summary)) = b.ask("s", Command::Summary) else { panic!("a summary") };
    assert_eq!(summary.carried, 0);
}

#[test]
fn r22_destination_takes_back_its_own_receipts() {
    let mut b = Bench::new(&["o", "d", "x"]);
    b.create("d", "q", true);
    b.link("o", "d");
    b.send("o", "d", "q", Transactional, &["0"]);
    b.settle();
    let backup = b.snapshot("d");
    b.send("o", "d", "q", Transactional, &["1"]);
    b.settle();
    assert_eq!(b.drain("d", "q"), ["0", "1"]);
    b.restore("d", &backup);
    b.link("o", "d");
    b.link("x", "d");
    b.settle();
    let copy = b.transfers("o", "d").last().cloned().expect("message 1");
    b.hand("d", &Frame::Transfer(Box::new(copy)));
    assert_eq!(b.drain("d", "q"), ["0"], "the backup's message, and not the lost one again");
}

#[test]
fn r22_receipts_after_destination_restore_are_believed() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", false);
    let backup = b.snapshot("d");
    b.link("o", "d");
    b.send("o", "d", "q", Recoverable, &["1"]);
    b.settle();
    b.restore("d", &backup);
    b.link("o", "d");
    let ids = b.send("o", "d", "q", Recoverable, &["2"]);
    b.settle();
    assert_eq!(b.state("o", &ids[0]), MessageState::Arrived);
}

#[test]
fn r23_urgent_is_not_behind_bulk() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", true);
    let bulk: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    let bulk: Vec<&str> = bulk.iter().map(String::as_str).collect();
    b.send("o", "d", "q", Transactional, &bulk);
    let urgent = Outgoing {
        delivery: Transactional,
        priority: Priority::MAX,
        ..b.message("d", "q", "urgent")
    };
    b.try_send("o", vec![urgent]).expect("accepted");
    b.link("o", "d");
    b.settle();
    assert_eq!(b.transfers("o", "d")[0].outer.priority, Priority::MAX);
    assert_eq!(b.drain("d", "q")[0], "urgent");
}

/// Tokens of all copies of everything for `d` at a node.
fn tokens(b: &mut Bench, name: &'static str) -> u64 {
    let spot = |rank| Spot { destination: id("d"), rank, arrival: 0 };
    let copies = b.records(name, &Key::Copy(spot(0)), &Key::Copy(spot(8)));
    let of = |record: &Record| match record {
        Record::Copy(copy) => u64::from(copy.transit.tokens),
        _ => 0,
    };
    copies.iter().map(|(_, record)| of(record)).sum()
}

#[test]
fn r24_unknown_transfer_never_doubles_tokens() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.send("o", "d", "q", Recoverable, &["1"]);
    assert_eq!(tokens(&mut b, "o"), 64);
    b.link("o", "r");
    while let Some(packet) = b.wire.pop_front() {
        let taken = packet.ends() == ("o", "r")
            && packet.frames().iter().any(|frame| matches!(frame, Frame::Transfer(_)));
        b.deliver(packet);
        if taken {
            break;
        }
    }
    b.cut("o", "r");
    assert_eq!(tokens(&mut b, "o") + tokens(&mut b, "r"), 64, "r has its share, o does not know");
    b.link("o", "r");
    b.settle();
    assert_eq!(tokens(&mut b, "o") + tokens(&mut b, "r"), 64);
    assert_eq!(b.transfers("o", "r")[0].transfer, b.transfers("o", "r")[1].transfer);
}
