//! Rules R14 and R15: what is held behind a gap has not arrived.

use crate::bench::{Bench, id, queue};
use meshmq::engine::command::{Command, MessageState, Reply};
use meshmq::engine::ids::MessageId;
use meshmq::engine::message::Delivery::Transactional;
use meshmq::engine::record::DeathReason;
use meshmq::engine::statement::Refusal;

/// Number 2 is held at `d`, number 1 is held back on the way.
fn second_is_held(b: &mut Bench) -> (Vec<crate::bench::Packet>, Vec<MessageId>) {
    let mut ids = b.post(Transactional, &["1"]);
    let first = b.hold();
    ids.extend(b.post(Transactional, &["2"]));
    b.settle();
    assert!(b.last_receipt().held.contains(2), "2 is held");
    (first, ids)
}

#[test]
fn r14_held_message_keeps_origin_copy() {
    let mut b = Bench::pair(true, None);
    let (_, ids) = second_is_held(&mut b);
    assert!(b.last_receipt().received.is_empty());
    assert_eq!(b.state("o", &ids[1]), MessageState::InTransit(id("d")));
    assert_eq!(b.copies("o").len(), 2);
    b.wipe("d");
    b.create("d", "q", true);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1", "2"]);
}

#[test]
fn r14_held_message_is_not_pushed_again() {
    let mut b = Bench::pair(true, None);
    let (_, ids) = second_is_held(&mut b);
    let before = b.transfers("o", "d").len();
    b.cut("o", "d");
    b.link("o", "d");
    b.settle();
    let again = b.transfers("o", "d").split_off(before);
    assert_eq!(again.iter().map(|t| t.outer.id).collect::<Vec<_>>(), ids[..1]);
    assert_eq!(b.drain("d", "q"), ["1", "2"]);
}

#[test]
fn r14_displaced_held_message_is_sent_again() {
    let mut b = Bench::pair(true, Some(1));
    let (first, ids) = second_is_held(&mut b);
    b.release(first);
    assert_eq!(b.state("o", &ids[0]), MessageState::Arrived);
    assert!(b.waits("o", &ids[1]));
    assert_eq!(b.drain("d", "q"), ["1"]);
    b.settle();
    assert_eq!(b.drain("d", "q"), ["2"]);
    b.settle();
    assert_eq!(b.state("o", &ids[1]), MessageState::Received);
}

#[test]
fn r14_crossed_answers_do_not_keep_a_stale_hint() {
    let mut b = Bench::pair(true, Some(1));
    b.post(Transactional, &["1"]);
    let first = b.hold();
    let ids = b.post(Transactional, &["2"]);
    let second = b.hold();
    second.into_iter().for_each(|packet| b.deliver(packet));
    let held = b.hold();
    first.into_iter().for_each(|packet| b.deliver(packet));
    b.settle();
    b.release(held);
    assert_eq!(b.drain("d", "q"), ["1"]);
    b.settle();
    b.pass(31_000);
    assert_eq!(b.drain("d", "q"), ["2"]);
    b.settle();
    assert_eq!(b.state("o", &ids[0]), MessageState::Received);
}

#[test]
fn r14_queue_deleted_while_held_refuses() {
    let mut b = Bench::pair(true, None);
    let (first, ids) = second_is_held(&mut b);
    assert_eq!(b.ask("d", Command::DropQueue(queue("q"))), Ok(Reply::Count(0)));
    b.settle();
    let deleted = DeathReason::Refused(Refusal::QueueDeleted);
    assert_eq!(b.state("o", &ids[1]), MessageState::Dead(deleted));
    b.create("d", "q", true);
    b.release(first);
    assert_eq!(b.drain("d", "q"), ["1"]);
    assert!(!b.letter("o").unconfirmed);
}

#[test]
fn r15_next_in_order_displaces_held() {
    let mut b = Bench::pair(true, Some(1));
    let (first, _) = second_is_held(&mut b);
    assert_eq!(b.peek("d", "q").len(), 0);
    first.into_iter().for_each(|packet| b.deliver(packet));
    assert_eq!(b.drain("d", "q"), ["1"]);
}

#[test]
fn r15_next_in_order_displaces_what_another_stream_holds() {
    let mut b = Bench::new(&["o", "p", "d"]);
    b.create_with("d", "q", true, Some(1));
    b.link("o", "d");
    b.settle();
    let (first, _) = second_is_held(&mut b);
    b.link("p", "d");
    b.settle();
    b.send("p", "d", "q", Transactional, &["p"]);
    b.settle();
    assert_eq!(b.drain("d", "q"), ["p"]);
    b.release(first);
    assert_eq!(b.drain("d", "q"), ["1"]);
    b.settle();
    assert_eq!(b.drain("d", "q"), ["2"]);
}

/// A relay on a live line moves copies on and keeps none: it must not refuse to do so again.
#[test]
fn r14_displaced_message_crosses_a_live_line_again() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.create_with("d", "q", true, Some(1));
    b.link("o", "r");
    b.link("r", "d");
    b.settle();
    let (first, ids) = {
        let mut ids = b.post(Transactional, &["1"]);
        let first = b.hold();
        ids.extend(b.post(Transactional, &["2"]));
        b.settle();
        (first, ids)
    };
    b.release(first);
    assert_eq!(b.drain("d", "q"), ["1"]);
    b.settle();
    assert_eq!(b.drain("d", "q"), ["2"]);
    b.settle();
    assert_eq!(b.state("o", &ids[1]), MessageState::Received);
}

/// The same with a ferry: it has seen the displaced message in its first round.
#[test]
fn r14_displaced_message_crosses_with_a_ferry_again() {
    let mut b = Bench::new(&["o", "p", "r", "d"]);
    b.create_with("d", "q", true, Some(1));
    b.post(Transactional, &["1", "2"]);
    b.meet("o", "r");
    b.meet_without("r", "d", 1);
    b.meet("o", "r");
    b.link("p", "d");
    b.settle();
    b.send("p", "d", "q", Transactional, &["p"]);
    b.settle();
    assert_eq!(b.drain("d", "q"), ["p"]);
    b.pass(2_000);
    for _ in 0..3 {
        b.meet("r", "d");
        b.meet("o", "r");
        b.drain("d", "q");
    }
    b.meet("o", "r");
    assert_eq!(b.outgoing("o"), [], "both have arrived without a wait for a round");
}

/// The store that comes back held 2; its former self has taken it, as the origin knows.
#[test]
fn r22_a_restored_destination_lets_go_of_what_it_had_taken() {
    for silent in [false, true] {
        let mut b = Bench::pair(true, Some(2));
        let (first, _) = second_is_held(&mut b);
        let image = b.snapshot("d");
        b.release(first);
        assert_eq!(b.drain("d", "q"), ["1", "2"]);
        b.settle();
        if silent {
            // The origin has forgotten the receipts: only its floors tell.
            b.kill("o");
            b.restart("o");
        }
        b.restore("d", &image);
        b.link("o", "d");
        b.settle();
        b.post(Transactional, &["3", "4"]);
        b.settle();
        assert_eq!(b.drain("d", "q"), ["3", "4"], "silent: {silent}");
        b.assert_drained(&["o", "d"]);
    }
}
