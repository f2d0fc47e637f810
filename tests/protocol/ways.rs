//! Statements find their addressee whatever happens to links.

use crate::bench::{Bench, id};
use meshmq::engine::command::{MessageState, Outgoing};
use meshmq::engine::frame::Frame;
use meshmq::engine::ids::MessageId;
use meshmq::engine::message::Delivery::Recoverable;
use meshmq::engine::ranges::RangeSet;
use meshmq::engine::record::DeathReason;
use meshmq::engine::statement::Attested;

/// Two ways to the other end: what was lost on one goes over the other, without a wait.
#[test]
fn a_receipt_takes_another_way_when_its_own_breaks() {
    let (mut b, ids) = two_ways();
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1"]);
    b.cut("d", "x");
    b.settle();
    assert_eq!(b.state("o", &ids[0]), MessageState::Received);
}

#[test]
fn a_status_takes_another_way_when_its_own_breaks() {
    let (mut b, _) = two_ways();
    b.settle();
    let id = b.post_within(Recoverable, "2", 10_000);
    b.hold();
    b.now = b.now.after(10_001);
    b.feed("o", vec![]);
    assert!(matches!(b.state("o", &id), MessageState::Unconfirmed(_)));
    b.cut("o", "x");
    b.settle();
    assert!(matches!(b.state("o", &id), MessageState::Dead(_)));
}

#[test]
fn a_carried_statement_takes_another_way_when_its_own_breaks() {
    let (mut b, ids) = two_ways();
    b.link("x", "y");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1"]);
    let receipt = b.wire.pop_front().expect("a receipt to x");
    assert_eq!(receipt.ends(), ("d", "x"));
    b.deliver(receipt);
    b.cut("o", "x");
    b.cut("d", "x");
    b.cut("d", "y");
    b.settle();
    assert_eq!(b.state("o", &ids[0]), MessageState::Received);
}

/// `o` and `d` with `x` and `y` between them, and a message under way.
fn two_ways() -> (Bench, Vec<MessageId>) {
    let mut b = Bench::new(&["o", "x", "y", "d"]);
    b.create("d", "q", false);
    for relay in ["x", "y"] {
        b.link("o", relay);
        b.link(relay, "d");
    }
    b.settle();
    let ids = b.post(Recoverable, &["1"]);
    (b, ids)
}

/// The end of a message in its queue travels with a ferry, as its receiving does.
#[test]
fn news_of_an_end_in_the_queue_travels_with_a_ferry() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.create("d", "q", false);
    let message = Outgoing { ttl_ms: Some(10_000), ..b.message("d", "q", "1") };
    let ids = b.try_send("o", vec![message]).expect("accepted");
    for _ in 0..3 {
        b.meet("o", "r");
        b.meet("r", "d");
    }
    assert_eq!(b.state("o", &ids[0]), MessageState::Arrived);
    b.pass(10_001);
    b.meet("r", "d");
    b.meet("o", "r");
    let ended = MessageState::Dead(DeathReason::EndedInQueue);
    assert_eq!(b.state("o", &ids[0]), ended);
}

#[test]
fn a_foreign_word_displaces_no_receipt() {
    let mut b = Bench::new(&["o", "r", "d", "x"]);
    b.create("d", "q", false);
    let ids = b.send("o", "d", "q", Recoverable, &["1"]);
    b.link("o", "r");
    b.settle();
    b.cut("o", "r");
    b.link("r", "d");
    b.settle();
    b.cut("r", "d");
    let mut lie = b.receipts("d", "r").pop().expect("the destination's receipt");
    lie.destination = id("x");
    lie.version.count = u64::MAX;
    lie.received = RangeSet::new();
    b.link("x", "r");
    b.settle();
    b.say("x", "r", vec![Frame::Receipt(Attested::own(lie))]);
    b.settle();
    b.link("o", "r");
    b.settle();
    assert_eq!(b.state("o", &ids[0]), MessageState::Arrived);
}
