//! Commits, epochs and rosters: rules R1 to R6.

use crate::bench::{Bench, id};
use meshmq::engine::EngineError;
use meshmq::engine::command::{Command, MessageState, Outgoing};
use meshmq::engine::frame::Frame;
use meshmq::engine::ids::StreamId;
use meshmq::engine::message::Delivery::{Recoverable, Transactional};
use meshmq::engine::record::Key;
use meshmq::engine::rejection::Rejection;
use meshmq::engine::step::Input;

#[test]
fn r1_no_receipt_before_commit() {
    let mut b = Bench::new(&["o", "d", "x"]);
    b.create("d", "q", false);
    let ids = b.send("o", "d", "q", Recoverable, &["one"]);
    let caught = b.caught("o", "d");
    b.engine("d").storage().faults().fail_next_commits(1);
    let now = b.now;
    let request = Input::Request { peer: id("x"), exchange: 7, frames: caught };
    let result = b.engine("d").process(now, vec![request]);
    assert!(matches!(result, Err(EngineError::Storage(_))), "nothing is said: {result:?}");
    assert_eq!(b.engine("d").process(now, vec![]), Err(EngineError::Poisoned));
    b.kill("d");
    b.restart("d");
    assert_eq!(b.drain("d", "q"), Vec::<String>::new());
    assert_ne!(b.state("o", &ids[0]), MessageState::Arrived);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["one"]);
}

#[test]
fn r2_transaction_commits_all_streams_or_none() {
    let mut b = Bench::new(&["o", "d"]);
    let before = b.snapshot("o");
    let good = b.message("d", "q", "one");
    let bad = b.message("o", "missing", "two");
    let refused = b.try_send("o", vec![good.clone(), bad]);
    assert!(matches!(refused, Err(Rejection::NoSuchQueue(_))));
    assert_eq!(b.snapshot("o"), before);
    let other = Outgoing { queue: crate::bench::queue("p"), ..b.message("d", "p", "three") };
    let ids = b.try_send("o", vec![good, other]).expect("both are accepted");
    assert_ne!(ids[0].stream.line, ids[1].stream.line);
    b.kill("o");
    b.restart("o");
    for sent in &ids {
        assert_eq!(b.state("o", sent), MessageState::Stored);
    }
}

#[test]
fn r3_each_opening_draws_a_higher_epoch() {
    let mut b = Bench::new(&["o"]);
    let mut last = b.engine("o").opening();
    for _ in 0..3 {
        b.kill("o");
        b.restart("o");
        let next = b.engine("o").opening();
        assert!(next > last, "{next:?} after {last:?}");
        last = next;
    }
}

#[test]
fn r3_restored_origin_never_reuses_a_number() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", false);
    let backup = b.snapshot("o");
    b.send("o", "d", "q", Recoverable, &["A"]);
    b.link("o", "d");
    b.settle();
    b.restore("o", &backup);
    let ids = b.send("o", "d", "q", Recoverable, &["B"]);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["A", "B"]);
    b.settle();
    assert_eq!(b.state("o", &ids[0]), MessageState::Received);
}

/// Message 1 of the old epoch and message 2 of the new one, caught on their way.
fn across_a_restart(b: &mut Bench) -> (Frame, Frame) {
    b.create("d", "q", true);
    b.send("o", "d", "q", Transactional, &["1"]);
    b.kill("o");
    b.restart("o");
    b.send("o", "d", "q", Transactional, &["2"]);
    let caught = b.caught("o", "d");
    assert_eq!(caught.len(), 2);
    let is_first = |frame: &Frame| match frame {
        Frame::Transfer(transfer) => transfer.outer.roster.is_empty(),
        _ => false,
    };
    let (one, two): (Vec<_>, Vec<_>) = caught.into_iter().partition(is_first);
    (one[0].clone(), two[0].clone())
}

#[test]
fn r4_order_survives_origin_restart() {
    let mut b = Bench::new(&["o", "d", "x"]);
    let (one, two) = across_a_restart(&mut b);
    b.hand("d", &two);
    b.hand("d", &one);
    assert_eq!(b.drain("d", "q"), ["1", "2"]);
}

#[test]
fn r4_new_epoch_waits_for_roster() {
    let mut b = Bench::new(&["o", "d", "x"]);
    let (_, two) = across_a_restart(&mut b);
    b.hand("d", &two);
    assert_eq!(b.drain("d", "q"), Vec::<String>::new());
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1", "2"]);
}

#[test]
fn r5_lost_time_message_is_void_after_restore() {
    let mut b = Bench::new(&["o", "d", "x"]);
    b.create("d", "q", true);
    let backup = b.snapshot("o");
    b.send("o", "d", "q", Transactional, &["lost time"]);
    let caught = b.caught("o", "d");
    b.restore("o", &backup);
    b.send("o", "d", "q", Transactional, &["after"]);
    b.link("o", "d");
    b.settle();
    b.hand("d", &caught[0]);
    assert_eq!(b.drain("d", "q"), ["after"]);
}

#[test]
fn r5_old_epochs_leave_the_destination() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", true);
    for n in 0..6 {
        b.send("o", "d", "q", Transactional, &[&n.to_string()]);
        b.link("o", "d");
        b.settle();
        assert_eq!(b.drain("d", "q"), [n.to_string()]);
        b.settle();
        b.kill("o");
        b.restart("o");
    }
    b.link("o", "d");
    b.settle();
    let to = Key::Held(meshmq::engine::ids::MessageId { stream: StreamId::FIRST, number: 0 });
    let streams = b.records("d", &Key::Inbox(StreamId::FIRST), &to);
    assert!(streams.len() <= 2, "{streams:#?}");
}

#[test]
fn r6_stale_roster_does_not_reopen_an_epoch() {
    let mut b = Bench::new(&["o", "d", "x"]);
    b.create("d", "q", true);
    for n in ["1", "2", "3"] {
        b.send("o", "d", "q", Transactional, &[n]);
        b.kill("o");
        b.restart("o");
    }
    b.link("o", "d");
    b.link("x", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1", "2", "3"]);
    b.settle();
    let all = b.transfers("o", "d");
    for transfer in all.iter().rev().chain(&all) {
        b.hand("d", &Frame::Transfer(Box::new(transfer.clone())));
    }
    assert_eq!(b.drain("d", "q"), Vec::<String>::new());
    assert_eq!(b.ask("o", Command::Outgoing), Ok(meshmq::engine::command::Reply::Outgoing(vec![])));
}
