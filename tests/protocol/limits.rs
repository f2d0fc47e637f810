//! Rule R23: limits without deadlock.

use crate::bench::Bench;
use meshmq::engine::frame::{NotTaken, Outcome};
use meshmq::engine::limits::{HELD_MAX, RANGES_MAX};
use meshmq::engine::message::Delivery::{Recoverable, Transactional};
use meshmq::engine::message::Priority;

#[test]
fn r23_window_one_drains() {
    for (transactional, delivery) in [(false, Recoverable), (true, Transactional)] {
        let mut b = Bench::pair(transactional, Some(1));
        b.post(delivery, &["1", "2", "3", "4"]);
        let mut bodies = Vec::new();
        for _ in 0..4 {
            b.settle();
            bodies.extend(b.drain("d", "q"));
        }
        b.settle();
        assert_eq!(bodies, ["1", "2", "3", "4"]);
        assert_eq!(b.outgoing("o"), []);
    }
}

#[test]
fn r23_urgent_is_not_behind_bulk() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", true);
    let bulk: Vec<_> = (0..250).map(|_| b.message("d", "q", "bulk")).collect();
    for mut messages in std::iter::repeat_n(bulk, 4) {
        messages.iter_mut().for_each(|message| message.delivery = Transactional);
        b.try_send("o", messages).expect("accepted");
    }
    let mut urgent = b.message("d", "q", "urgent");
    (urgent.delivery, urgent.priority) = (Transactional, Priority::MAX);
    b.try_send("o", vec![urgent]).expect("accepted");
    b.link("o", "d");
    b.settle();
    let first = &b.transfers("o", "d")[0];
    assert_eq!((first.outer.priority, first.outer.id.number), (Priority::MAX, 1));
    assert_eq!(b.drain("d", "q")[0], "urgent");
}

#[test]
fn r23_urgent_does_not_wait_for_a_gap_in_bulk() {
    let mut b = Bench::pair(true, None);
    b.post(Transactional, &["bulk 1"]);
    let first = b.hold();
    b.post(Transactional, &["bulk 2"]);
    let mut urgent = b.message("d", "q", "urgent");
    (urgent.delivery, urgent.priority) = (Transactional, Priority::MAX);
    b.try_send("o", vec![urgent]).expect("accepted");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["urgent"]);
    b.release(first);
    assert_eq!(b.drain("d", "q"), ["bulk 1", "bulk 2"]);
}

#[test]
fn r23_busy_never_refuses_the_watermark() {
    let mut b = Bench::pair(true, None);
    b.post(Transactional, &["0"]);
    let first = b.hold();
    let bodies: Vec<String> = (1..=HELD_MAX + 100).map(|n| n.to_string()).collect();
    for chunk in bodies.chunks(256) {
        b.post(Transactional, &chunk.iter().map(String::as_str).collect::<Vec<_>>());
        b.settle();
    }
    assert_eq!(b.last_receipt().held.count(), HELD_MAX);
    b.release(first);
    b.pass(5_000);
    let all = b.drain("d", "q");
    assert_eq!(all.len(), bodies.len() + 1);
    assert!(all.iter().enumerate().all(|(n, body)| *body == n.to_string()));
    b.settle();
    assert_eq!(b.outgoing("o"), []);
}

#[test]
fn r23_a_range_too_many_is_busy_but_the_watermark_enters() {
    for (transactional, delivery) in [(false, Recoverable), (true, Transactional)] {
        let mut b = Bench::pair(transactional, None);
        let bodies: Vec<String> = (1..=150).map(|n| n.to_string()).collect();
        b.post(delivery, &bodies.iter().map(String::as_str).collect::<Vec<_>>());
        b.hold();
        let sent = b.transfers("o", "d");
        let of = |n: usize| vec![sent[n - 1].clone()];
        let odd: Vec<usize> = (0..RANGES_MAX).map(|n| 3 + 2 * n).collect();
        for &n in &odd {
            assert_eq!(b.offer("o", "d", of(n)), [Outcome::Accepted]);
        }
        let next = odd[RANGES_MAX - 1] + 2;
        let busy = [Outcome::NotTaken(NotTaken::Busy)];
        assert_eq!(b.offer("o", "d", of(next)), busy);
        assert_eq!(b.offer("o", "d", of(1)), [Outcome::Accepted], "never the watermark");
        b.cut("o", "d");
        b.link("o", "d");
        b.pass(5_000);
        let mut all: Vec<u64> =
            b.drain("d", "q").iter().map(|body| body.parse().expect("a number")).collect();
        assert!(!transactional || all.is_sorted());
        all.sort_unstable();
        assert_eq!(all, (1..=150).collect::<Vec<_>>());
    }
}

/// A relay that was full when it was met says so when it has room again on the same link.
#[test]
fn a_relay_tells_its_new_room_until_it_is_heard() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.limits.relay_messages = 1;
    b.reopen("r");
    let short = b.post_within(Recoverable, "1", 10_000);
    b.meet("o", "r");
    b.link("o", "r");
    b.settle();
    b.post(Recoverable, &["2"]);
    b.settle();
    assert_eq!(b.transfers("o", "r").len(), 1);
    b.now = b.now.after(10_001);
    b.feed("r", vec![]);
    b.lose();
    b.pass(1_000);
    assert!(!b.waits("o", &short));
    let carried = b.copies("r");
    assert_eq!(carried.len(), 1);
    assert_eq!(carried[0].outer.id.number, 2);
}
