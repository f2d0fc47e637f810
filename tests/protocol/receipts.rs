//! Rules R21 and R22: receipts are facts, and destinations that lost their memory are told.

use crate::bench::{Bench, Packet};
use meshmq::engine::command::MessageState;
use meshmq::engine::frame::{Frame, Outcome};
use meshmq::engine::message::Delivery::{Recoverable, Transactional};
use meshmq::engine::ranges::RangeSet;
use meshmq::engine::record::DeathReason;
use meshmq::engine::statement::{Attested, Refusal};
use meshmq::engine::step::Event;

/// `s` carries a copy, `r` has delivered its own and carries the receipt.
fn copy_and_receipt() -> Bench {
    let mut b = Bench::new(&["o", "r", "s", "d"]);
    b.create("d", "q", false);
    b.post(Recoverable, &["1"]);
    b.meet("o", "r");
    b.meet("o", "s");
    b.meet("r", "d");
    assert_eq!((b.summary("r").carried, b.summary("s").carried), (0, 1));
    b
}

#[test]
fn r21_relay_refuses_what_its_receipt_covers() {
    let mut b = copy_and_receipt();
    let copy = b.transfers("o", "s")[0].clone();
    b.link("s", "r");
    b.settle();
    assert_eq!(b.offer("s", "r", vec![copy]), [Outcome::Accepted]);
    assert_eq!(b.summary("r").carried, 0);
    assert!(!b.receipts("r", "s").is_empty());
}

#[test]
fn r21_receipts_go_before_offers() {
    let mut b = copy_and_receipt();
    b.link("s", "r");
    b.settle();
    assert_eq!(b.transfers("s", "r"), []);
    assert_eq!(b.summary("s").carried, 0, "the receipt has made the copy needless");
    for packets in [("o", "r"), ("r", "d"), ("s", "r")] {
        let said = b.history.iter().filter(|packet| packet.ends() == packets);
        let frames: Vec<&Frame> = said.flat_map(Packet::frames).collect();
        let synced = frames.iter().position(|frame| matches!(frame, Frame::Synced));
        let first = frames.iter().position(|frame| matches!(frame, Frame::Transfer(_)));
        assert!(first.is_none_or(|first| synced.is_some_and(|synced| synced < first)));
    }
}

#[test]
fn r21_first_verdict_is_final() {
    let mut b = Bench::pair(false, None);
    let ids = b.post(Recoverable, &["1"]);
    b.settle();
    let mut receipt = b.last_receipt();
    receipt.version.count += 1_000;
    receipt.refused.insert(Refusal::TooLarge, std::mem::take(&mut receipt.received));
    b.say_receipt("d", "o", receipt);
    assert_eq!(b.state("o", &ids[0]), MessageState::Arrived);
    assert_eq!(b.dead("o"), []);
}

/// The receipt of a time that the destination has lost turns up after its newer words (limit L2).
#[test]
fn r21_older_receipt_still_settles() {
    let mut b = Bench::pair(false, None);
    let image = b.snapshot("d");
    let mut ids = b.post(Recoverable, &["1"]);
    ids.push(b.post_within(Recoverable, "2", 10_000));
    for request in b.hold() {
        b.deliver(request);
    }
    b.hold();
    let lost = b.last_receipt();
    assert_eq!(lost.received.count(), 2);
    b.cut("o", "d");
    b.pass(10_001);
    b.restore("d", &image);
    ids.extend(b.post(Recoverable, &["3"]));
    b.link_without("o", "d", 1);
    assert_eq!(b.state("o", &ids[2]), MessageState::Arrived);
    assert!(b.letter("o").unconfirmed && b.waits("o", &ids[0]));
    b.say_receipt("d", "o", lost);
    assert_eq!(b.state("o", &ids[0]), MessageState::Arrived);
    assert_eq!(b.state("o", &ids[1]), MessageState::Arrived);
    assert_eq!(b.dead("o"), []);
}

/// Refused by the restored destination, received by the lost one: received wins.
#[test]
fn r21_received_beats_refused() {
    let mut b = Bench::pair(false, None);
    let ids = b.post(Recoverable, &["1", "2"]);
    b.hold();
    b.cut("o", "d");
    b.link_without("o", "d", 1);
    let mut receipt = b.last_receipt();
    receipt.refused.insert(Refusal::TooLarge, std::mem::take(&mut receipt.received));
    let ids = [ids, b.post(Recoverable, &["3"])].concat();
    b.hold();
    receipt.refused.get_mut(&Refusal::TooLarge).expect("just put").insert(3);
    receipt.version.count += 1_000;
    b.say("d", "o", vec![Frame::Receipt(Attested::own(receipt.clone()))]);
    b.hold();
    let refused = MessageState::Dead(DeathReason::Refused(Refusal::TooLarge));
    assert_eq!(b.state("o", &ids[2]), refused);
    assert_eq!(b.dead("o").len(), 1);
    receipt.received.insert(3);
    receipt.refused.clear();
    receipt.version.count += 1;
    b.say("d", "o", vec![Frame::Receipt(Attested::own(receipt))]);
    assert_eq!(b.state("o", &ids[2]), MessageState::Arrived);
    assert_eq!(b.dead("o"), []);
    assert_eq!(b.heard("o", |event| matches!(event, Event::Contradicted(_))), 1);
}

#[test]
fn r22_receipts_after_destination_restore_are_believed() {
    for behind in [false, true] {
        let mut b = Bench::pair(false, None);
        let image = b.snapshot("d");
        b.pass(5_000);
        b.reopen("d");
        b.link("o", "d");
        b.settle();
        let ids = b.post(Recoverable, &["1"]);
        b.settle();
        assert_eq!(b.state("o", &ids[0]), MessageState::Arrived);
        let (now, opening) = (b.now, b.opening("d"));
        if behind {
            b.now = meshmq::engine::time::Timestamp::from_millis(1_700_000_000_000);
        }
        b.restore("d", &image);
        assert_eq!(b.opening("d") < opening, behind);
        b.now = now;
        b.link("o", "d");
        b.settle();
        let ids = b.post(Recoverable, &["2"]);
        b.settle();
        assert_eq!(b.state("o", &ids[0]), MessageState::Arrived);
        assert_eq!(b.drain("d", "q"), ["2"]);
        b.settle();
        assert_eq!(b.state("o", &ids[0]), MessageState::Received);
    }
}

#[test]
fn r22_wiped_destination_with_a_clock_behind_is_believed() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.create("d", "q", false);
    b.pass(5_000);
    b.reopen("d");
    b.post(Recoverable, &["1"]);
    b.meet("o", "r");
    b.meet("r", "d");
    b.meet("o", "r");
    let now = b.now;
    b.now = meshmq::engine::time::Timestamp::from_millis(1_600_000_000_000);
    b.wipe("d");
    b.now = now;
    b.create("d", "q", false);
    let ids = b.post(Recoverable, &["2"]);
    for _ in 0..3 {
        b.meet("o", "r");
        b.meet("r", "d");
    }
    b.meet("o", "r");
    assert_eq!(b.drain("d", "q"), ["2"]);
    assert_eq!(b.state("o", &ids[0]), MessageState::Arrived);
}

/// A relay holds old words of the destination and believes newer ones only if they look newer.
#[test]
fn r22_destination_is_told_what_its_receipts_must_exceed() {
    for wiped in [false, true] {
        let mut b = Bench::new(&["o", "r", "s", "d"]);
        b.create("d", "q", false);
        let image = b.snapshot("d");
        b.pass(5_000);
        b.reopen("d");
        b.post(Recoverable, &["1"]);
        b.meet("o", "s");
        b.meet("s", "d");
        let now = b.now;
        b.now = meshmq::engine::time::Timestamp::from_millis(1_600_000_000_000);
        if wiped {
            b.wipe("d");
            b.create("d", "q", false);
        } else {
            b.restore("d", &image);
        }
        b.now = now;
        let ids = b.post(Recoverable, &["2"]);
        b.meet("o", "r");
        b.meet("r", "d");
        b.meet("s", "d");
        b.meet("s", "o");
        assert_eq!(b.state("o", &ids[0]), MessageState::Arrived, "wiped: {wiped}");
    }
}

#[test]
fn r22_destination_takes_back_its_own_receipts() {
    let mut b = Bench::pair(true, None);
    let image = b.snapshot("d");
    b.post(Transactional, &["1"]);
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1"]);
    b.settle();
    let copy = b.transfers("o", "d")[0].clone();
    b.restore("d", &image);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.offer("o", "d", vec![copy]), [Outcome::Accepted]);
    assert_eq!(b.drain("d", "q"), Vec::<String>::new());
    b.post(Transactional, &["2"]);
    b.settle();
    assert_eq!(b.drain("d", "q"), ["2"]);
}

/// The origin has not heard yet that 1 arrived; a relay tells the restored destination.
#[test]
fn r22_destination_believes_its_own_receipts_from_a_relay() {
    let mut b = Bench::new(&["o", "r", "s", "d"]);
    b.create("d", "q", false);
    let image = b.snapshot("d");
    let ids = b.post(Recoverable, &["1"]);
    b.meet("o", "r");
    b.meet("o", "s");
    b.meet("s", "d");
    assert_eq!(b.drain("d", "q"), ["1"]);
    b.restore("d", &image);
    b.meet("s", "d");
    b.meet("r", "d");
    assert_eq!(b.drain("d", "q"), Vec::<String>::new(), "not twice");
    b.meet("r", "o");
    assert_eq!(b.state("o", &ids[0]), MessageState::Arrived);
}

#[test]
fn r22_hints_die_with_the_incarnation() {
    let mut b = Bench::pair(true, None);
    let image = b.snapshot("d");
    b.post(Transactional, &["1"]);
    b.hold();
    let ids = b.post(Transactional, &["2"]);
    b.settle();
    assert!(b.last_receipt().held.contains(2));
    b.restore("d", &image);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1", "2"]);
    b.settle();
    assert_eq!(b.state("o", &ids[0]), MessageState::Received);
}

#[test]
fn wiped_destination_gives_unknown_outcome() {
    let mut b = Bench::pair(false, None);
    b.post(Recoverable, &["1"]);
    b.settle();
    let ids = b.post(Recoverable, &["2"]);
    let request = b.wire.pop_front().expect("a request");
    b.deliver(request);
    b.hold();
    assert_eq!(b.drain("d", "q"), ["1", "2"]);
    b.wipe("d");
    b.link("o", "d");
    b.settle();
    let unknown = MessageState::Dead(DeathReason::OutcomeUnknown);
    assert_eq!(b.state("o", &ids[0]), unknown, "the former store may have taken it");
    assert!(b.letter("o").unconfirmed);
    let ids = b.post(Recoverable, &["3"]);
    b.settle();
    let refused = DeathReason::Refused(Refusal::NoSuchQueue);
    assert_eq!(b.state("o", &ids[0]), MessageState::Dead(refused), "only this store saw it");
}

#[test]
fn void_answer_ends_as_outcome_unknown() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", false);
    let ids = b.post(Recoverable, &["1"]);
    let image = b.snapshot("o");
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1"]);
    b.settle();
    b.reopen("o");
    b.link("o", "d");
    b.settle();
    b.reopen("o");
    b.post(Recoverable, &["2"]);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["2"]);
    b.restore("o", &image);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.state("o", &ids[0]), MessageState::Dead(DeathReason::OutcomeUnknown));
    assert!(b.letter("o").unconfirmed);
    assert_eq!(b.drain("d", "q"), Vec::<String>::new(), "never twice");
}

#[test]
fn r22_receipt_of_nobody_changes_nothing() {
    let mut b = Bench::pair(false, Some(1));
    let ids = b.post(Recoverable, &["1"]);
    b.settle();
    let mut receipt = b.last_receipt();
    receipt.destination = crate::bench::id("x");
    receipt.received = RangeSet::new();
    receipt.closed = Some(b.opening("d"));
    receipt.version.opening.k += 1_000_000;
    b.say_receipt("d", "o", receipt);
    assert_eq!(b.state("o", &ids[0]), MessageState::Arrived);
    let ids = b.post(Recoverable, &["2"]);
    b.settle();
    assert!(b.waits("o", &ids[0]), "the queue is full");
    assert_eq!(b.drain("d", "q"), ["1"]);
    b.settle();
    assert_eq!(b.drain("d", "q"), ["2"], "the destination's own word of room still counts");
}

/// Words about a later epoch come back first: they close none of the earlier ones.
#[test]
fn r22_words_taken_back_close_no_earlier_epoch() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", false);
    let image = b.snapshot("d");
    let mut ids = b.post(Recoverable, &["1"]);
    b.reopen("o");
    ids.extend(b.post(Recoverable, &["2"]));
    b.link("o", "d");
    while let Some(mut packet) = b.wire.pop_front() {
        if let Packet::Request { frames, .. } = &mut packet {
            frames.retain(|frame| match frame {
                Frame::Transfer(transfer) => transfer.outer.id != ids[0],
                _ => true,
            });
        }
        b.deliver(packet);
    }
    assert_eq!(b.state("o", &ids[1]), MessageState::Arrived);
    let copy = b.transfers("o", "d").into_iter().find(|t| t.outer.id == ids[1]).expect("sent");
    b.restore("d", &image);
    b.link("o", "d");
    b.settle();
    b.pass(2_000);
    assert_eq!(b.state("o", &ids[0]), MessageState::Arrived);
    assert_eq!(b.offer("o", "d", vec![copy]), [Outcome::Accepted]);
    assert_eq!(b.drain("d", "q"), ["1"], "2 was taken by the lost time");
}

/// The backup knows an earlier epoch of the line only.
#[test]
fn r22_words_of_a_later_epoch_are_taken_back() {
    let mut b = Bench::new(&["o", "r", "s", "d"]);
    b.create("d", "q", false);
    b.post(Recoverable, &["1"]);
    b.meet("o", "d");
    let image = b.snapshot("d");
    b.reopen("o");
    b.post(Recoverable, &["2"]);
    b.meet("o", "r");
    b.meet("o", "s");
    b.meet("s", "d");
    assert_eq!(b.drain("d", "q"), ["1", "2"]);
    b.restore("d", &image);
    b.meet("s", "d");
    b.meet("r", "d");
    assert_eq!(b.drain("d", "q"), ["1"], "2 was taken by the lost time");
}
