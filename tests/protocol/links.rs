//! Links: what is in flight at once, what is repeated, and in which order.

use crate::bench::{Bench, Packet};
use meshmq::engine::command::{MessageState, Outgoing};
use meshmq::engine::frame::Frame;
use meshmq::engine::limits::{BATCH_BYTES, BATCH_MESSAGES, IN_FLIGHT_MAX};
use meshmq::engine::message::Delivery::{Recoverable, Transactional};
use meshmq::engine::message::Priority;
use meshmq::engine::step::Event;

/// Waiting messages, as many and as large as asked.
fn many(b: &mut Bench, count: usize, bytes: usize) {
    let body = "x".repeat(bytes);
    for chunk in vec![body.as_str(); count].chunks(256) {
        b.post(Recoverable, chunk);
    }
}

fn transfers(packet: &Packet) -> Vec<usize> {
    let Packet::Request { frames, from: "o", .. } = packet else { return Vec::new() };
    let sizes = frames.iter().filter_map(|frame| match frame {
        Frame::Transfer(transfer) => Some(transfer.inner.len()),
        _ => None,
    });
    sizes.collect()
}

#[test]
fn at_most_four_requests_are_in_flight() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", false);
    many(&mut b, 6_000, 100);
    b.link("o", "d");
    let (mut flying, mut most) = (0, 0);
    let mut seen = 0;
    loop {
        for packet in &b.history[seen..] {
            match packet {
                Packet::Request { from: "o", .. } => flying += 1,
                Packet::Request { .. } | Packet::Answer { .. } => {}
            }
        }
        seen = b.history.len();
        most = most.max(flying);
        let Some(packet) = b.wire.pop_front() else { break };
        flying -= usize::from(matches!(packet, Packet::Answer { to: "o", .. }));
        b.deliver(packet);
    }
    assert_eq!(most, IN_FLIGHT_MAX);
    assert_eq!(b.drain("d", "q").len(), 6_000);
}

#[test]
fn requests_are_closed_at_their_limits() {
    for (count, bytes, together) in [(1_000, 10, 256), (600, 4_000, 50), (20, 100_000, 2)] {
        let mut b = Bench::new(&["o", "d"]);
        b.create("d", "q", false);
        many(&mut b, count, bytes);
        b.link("o", "d");
        b.settle();
        let batches: Vec<Vec<usize>> = b.history.iter().map(transfers).collect();
        assert!(batches.iter().all(|batch| batch.len() <= BATCH_MESSAGES));
        assert!(batches.iter().all(|batch| batch.iter().sum::<usize>() <= BATCH_BYTES));
        assert!(batches.iter().any(|batch| batch.len() >= together), "several go together");
        assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), count, "each goes once");
    }
}

#[test]
fn a_message_larger_than_a_request_goes_alone() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", false);
    let big = "x".repeat(1_000_000);
    b.post(Recoverable, &["1", &big, "3"]);
    b.link("o", "d");
    b.settle();
    let batches: Vec<Vec<usize>> = b.history.iter().map(transfers).collect();
    let with_big = batches.iter().find(|batch| batch.iter().any(|&size| size > BATCH_BYTES));
    assert_eq!(with_big.expect("it was sent").len(), 1);
    assert_eq!(b.drain("d", "q").len(), 3);
}

#[test]
fn a_lost_exchange_is_repeated() {
    let mut b = Bench::pair(true, None);
    let ids = b.post(Transactional, &["1", "2"]);
    b.lose();
    assert!(b.wire.is_empty(), "not at once");
    b.pass(200);
    assert_eq!(b.drain("d", "q"), ["1", "2"]);
    b.settle();
    assert_eq!(b.state("o", &ids[1]), MessageState::Received);
}

#[test]
fn a_lost_answer_delivers_nothing_twice() {
    let mut b = Bench::pair(false, None);
    b.post(Recoverable, &["1"]);
    let request = b.wire.pop_front().expect("a request");
    b.deliver(request);
    b.lose();
    b.pass(1_000);
    assert_eq!(b.drain("d", "q"), ["1"]);
    assert_eq!(b.heard("d", |event| matches!(event, Event::Duplicate { .. })), 1);
    b.settle();
    assert_eq!(b.outgoing("o"), []);
}

#[test]
fn a_lost_statement_is_said_again() {
    let mut b = Bench::pair(false, None);
    let ids = b.post(Recoverable, &["1"]);
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1"]);
    b.lose();
    assert_eq!(b.state("o", &ids[0]), MessageState::Arrived);
    b.pass(200);
    assert_eq!(b.state("o", &ids[0]), MessageState::Received);
}

#[test]
fn a_lost_greeting_is_said_again() {
    for lost in 1..8 {
        let mut b = Bench::new(&["o", "d"]);
        b.create("d", "q", false);
        b.post(Recoverable, &["1"]);
        b.link("o", "d");
        for _ in 0..lost {
            let Some(packet) = b.wire.pop_front() else { break };
            b.deliver(packet);
        }
        b.lose();
        b.pass(1_000);
        assert_eq!(b.drain("d", "q"), ["1"], "after {lost} packets");
    }
}

#[test]
fn statements_survive_a_flapping_link() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.create("d", "q", false);
    let ids = b.post(Recoverable, &["1"]);
    b.meet("o", "r");
    b.meet("r", "d");
    for delivered in 0..6 {
        b.link("o", "r");
        for _ in 0..delivered {
            let Some(packet) = b.wire.pop_front() else { break };
            b.deliver(packet);
        }
        b.cut("o", "r");
    }
    b.meet("o", "r");
    assert_eq!(b.state("o", &ids[0]), MessageState::Arrived);
    assert_eq!(b.drain("d", "q"), ["1"]);
    for _ in 0..3 {
        b.link("r", "d");
        b.wire.pop_front();
        b.cut("r", "d");
    }
    b.meet("r", "d");
    b.meet("o", "r");
    assert_eq!(b.state("o", &ids[0]), MessageState::Received);
}

#[test]
fn a_link_that_comes_up_twice_begins_again() {
    let mut b = Bench::pair(false, None);
    b.post(Recoverable, &["1"]);
    b.hold();
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1"]);
}

#[test]
fn the_urgent_goes_before_bulk_to_all_destinations() {
    let mut b = Bench::new(&["o", "d", "e"]);
    b.create("d", "q", false);
    let bulk: Vec<Outgoing> = (0..200).map(|_| b.message("d", "q", "bulk")).collect();
    b.try_send("o", bulk).expect("accepted");
    let urgent = Outgoing { priority: Priority::MAX, ..b.message("e", "q", "urgent") };
    b.try_send("o", vec![urgent]).expect("accepted");
    b.link("o", "d");
    b.settle();
    let sent = b.transfers("o", "d");
    assert_eq!(sent[0].outer.priority, Priority::MAX, "to be carried to another, and yet first");
    assert_eq!(sent.len(), 201);
}

/// An urgent message accepted while bulk is under way goes with the next request.
#[test]
fn the_urgent_overtakes_bulk_on_a_busy_link() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", false);
    many(&mut b, 3_000, 1_000);
    b.link("o", "d");
    while b.transfers("o", "d").is_empty() {
        let packet = b.wire.pop_front().expect("something is said");
        b.deliver(packet);
    }
    let before = b.transfers("o", "d").len();
    let urgent = Outgoing { priority: Priority::MAX, ..b.message("d", "q", "urgent") };
    b.try_send("o", vec![urgent]).expect("accepted");
    b.settle();
    let sent = b.transfers("o", "d");
    let at = sent.iter().position(|t| t.outer.priority == Priority::MAX).expect("it was sent");
    assert!(at <= before, "{at} after {before}");
}
