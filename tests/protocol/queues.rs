//! Local queues: order of receiving, locks, waits after a nack, quotas, time limits.

use crate::bench::{Bench, queue};
use crate::edge::body_of;
use meshmq::engine::command::{
    Command, Delivered, MessageState, Outgoing, OutgoingState, QueueSpec, Reply, Settlement,
};
use meshmq::engine::frame::NotTaken;
use meshmq::engine::message::Delivery::{self, Express, Recoverable, Transactional};
use meshmq::engine::message::Priority;
use meshmq::engine::record::DeathReason;
use meshmq::engine::rejection::Rejection;
use meshmq::engine::statement::Refusal;
use meshmq::engine::step::Input;

/// A node `d` with a queue `q` and these messages of its own in it.
fn local(bodies: &[&str]) -> Bench {
    let mut b = Bench::new(&["d"]);
    b.create("d", "q", false);
    b.send("d", "d", "q", Recoverable, bodies);
    b
}

fn take(b: &mut Bench) -> Vec<Delivered> {
    b.receive("d", "q", 1)
}

fn one(b: &mut Bench) -> Delivered {
    take(b).pop().expect("a ready message")
}

fn with_ttl(b: &Bench, body: &str, ttl_ms: u64) -> Outgoing {
    Outgoing { ttl_ms: Some(ttl_ms), ..b.message("d", "q", body) }
}

#[test]
fn priority_goes_first_then_arrival() {
    let mut b = Bench::new(&["d"]);
    b.create("d", "q", false);
    let of = |b: &Bench, body: &str, priority| Outgoing {
        priority: Priority::new(priority).expect("0 to 7"),
        ..b.message("d", "q", body)
    };
    for (body, priority) in [("a3", 3), ("b0", 0), ("c7", 7), ("d3", 3), ("e7", 7)] {
        let message = of(&b, body, priority);
        b.try_send("d", vec![message]).expect("accepted");
    }
    assert_eq!(b.drain("d", "q"), ["c7", "e7", "a3", "d3", "b0"]);
}

#[test]
fn a_locked_message_is_seen_by_nobody_else() {
    let mut b = local(&["1", "2"]);
    let first = one(&mut b);
    assert_eq!(body_of(&one(&mut b).message.inner), "2");
    assert_eq!(take(&mut b), []);
    b.finish("d", first.lock, Settlement::Ack);
    let again = Command::Settle { lock: first.lock, how: Settlement::Ack };
    assert_eq!(b.ask("d", again), Err(Rejection::LockGone));
}

#[test]
fn the_end_of_a_lease_returns_the_message() {
    let mut b = local(&["1"]);
    let first = one(&mut b);
    assert_eq!(first.message.delivery_count, 1);
    b.pass(29_999);
    assert_eq!(take(&mut b), []);
    b.pass(1);
    let second = one(&mut b);
    assert_eq!(second.message.delivery_count, 2);
    let late = Command::Settle { lock: first.lock, how: Settlement::Ack };
    assert_eq!(b.ask("d", late), Err(Rejection::LockGone));
    b.finish("d", second.lock, Settlement::Ack);
}

#[test]
fn a_lease_is_extended_from_now() {
    let mut b = local(&["1"]);
    let first = one(&mut b);
    b.pass(20_000);
    b.finish("d", first.lock, Settlement::Extend(30_000));
    b.pass(29_999);
    assert_eq!(take(&mut b), []);
    b.pass(1);
    assert_eq!(one(&mut b).message.delivery_count, 2);
}

#[test]
fn nacks_wait_a_second_and_double_to_a_minute() {
    let mut b = local(&["1"]);
    for wait in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] {
        let lock = one(&mut b).lock;
        b.finish("d", lock, Settlement::Nack);
        b.pass(wait - 1);
        assert_eq!(take(&mut b), [], "hidden for {wait} ms");
        b.pass(1);
    }
    assert_eq!(one(&mut b).message.delivery_count, 9);
}

#[test]
fn a_nack_survives_a_restart_and_hides_nothing_else() {
    let mut b = local(&["1", "2"]);
    let lock = one(&mut b).lock;
    b.finish("d", lock, Settlement::Nack);
    b.reopen("d");
    assert_eq!(b.drain("d", "q"), ["2"]);
    b.pass(1_000);
    assert_eq!(b.drain("d", "q"), ["1"]);
}

#[test]
fn a_returned_message_comes_before_later_ones() {
    let mut b = local(&["1", "2"]);
    let first = one(&mut b);
    b.finish("d", first.lock, Settlement::Return);
    assert_eq!(b.drain("d", "q"), ["1", "2"]);
}

#[test]
fn the_end_of_a_session_returns_at_once() {
    let mut b = local(&["1", "2"]);
    b.receive("d", "q", 2);
    let other = Command::Receive { queue: queue("q"), max: 1, lease_ms: 1_000, session: 2 };
    assert_eq!(b.ask("d", other), Ok(Reply::Deliveries(vec![])));
    b.feed("d", vec![Input::SessionEnded(2)]);
    assert_eq!(take(&mut b), []);
    b.feed("d", vec![Input::SessionEnded(1)]);
    assert_eq!(b.drain("d", "q"), ["1", "2"]);
}

#[test]
fn peeking_disturbs_nothing() {
    let mut b = local(&["1", "2"]);
    let lock = one(&mut b).lock;
    let image = b.snapshot("d");
    let seen: Vec<_> =
        b.peek("d", "q").iter().map(|m| (body_of(&m.inner), m.locked, m.delivery_count)).collect();
    assert_eq!(seen, [("1".into(), true, 1), ("2".into(), false, 0)]);
    assert_eq!(b.snapshot("d"), image);
    b.finish("d", lock, Settlement::Ack);
    assert_eq!(b.drain("d", "q"), ["2"]);
}

#[test]
fn a_quota_refuses_locally_and_counts_locked_messages() {
    let mut b = Bench::new(&["d"]);
    b.create_with("d", "q", false, Some(2));
    b.send("d", "d", "q", Recoverable, &["1", "2"]);
    let lock = one(&mut b).lock;
    let third = b.message("d", "q", "3");
    let full = Err(Rejection::QueueFull(queue("q")));
    assert_eq!(b.try_send("d", vec![third.clone()]), full);
    b.finish("d", lock, Settlement::Ack);
    assert_eq!(b.try_send("d", vec![third.clone(), third.clone()]), full, "all or none");
    assert_eq!(b.peek("d", "q").len(), 1);
    b.try_send("d", vec![third]).expect("there is room");
}

/// It would never find room: that is no reason to wait for some.
#[test]
fn what_exceeds_the_whole_quota_is_too_large_and_not_full() {
    let mut b = Bench::new(&["o", "d"]);
    let spec = |max| QueueSpec {
        name: queue("q"),
        transactional: false,
        max_messages: None,
        max_bytes: Some(max),
    };
    let none = Rejection::OutOfBounds { what: "a quota", bounds: "at least 1" };
    assert_eq!(b.ask("d", Command::CreateQueue(spec(0))), Err(none));
    assert_eq!(b.ask("d", Command::CreateQueue(spec(100))), Ok(Reply::Done));
    let large = b.message("d", "q", &"x".repeat(200));
    let size = large.inner.len();
    let refused = Err(Rejection::TooLarge { size, limit: 100 });
    assert_eq!(b.try_send("d", vec![large]), refused);
    b.link("o", "d");
    let ids = b.send("o", "d", "q", Recoverable, &[&"x".repeat(200), "small"]);
    b.settle();
    let dead = MessageState::Dead(DeathReason::Refused(Refusal::TooLarge));
    assert_eq!(b.state("o", &ids[0]), dead);
    assert_eq!(b.state("o", &ids[1]), MessageState::Arrived);
}

#[test]
fn the_wrong_kind_is_refused_locally_at_once() {
    let mut b = Bench::new(&["d"]);
    b.create("d", "q", false);
    let message = Outgoing { delivery: Transactional, ..b.message("d", "q", "1") };
    let refused = b.try_send("d", vec![message]);
    let wrong = Rejection::WrongKind { queue: queue("q"), transactional: false };
    assert_eq!(refused, Err(wrong));
    let message = b.message("d", "nowhere", "1");
    assert_eq!(b.try_send("d", vec![message]), Err(Rejection::NoSuchQueue(queue("nowhere"))));
}

#[test]
fn the_wrong_kind_is_refused_remotely_as_a_dead_letter() {
    for (transactional, delivery) in [(true, Recoverable), (false, Transactional)] {
        let mut b = Bench::pair(transactional, None);
        let ids = b.post(delivery, &["1"]);
        b.settle();
        let dead = DeathReason::Refused(Refusal::WrongKind);
        assert_eq!(b.state("o", &ids[0]), MessageState::Dead(dead));
        let letter = b.letter("o");
        assert_eq!((letter.reason, letter.unconfirmed), (dead, false));
        assert_eq!(body_of(&letter.inner), "1");
        assert_eq!(b.drain("d", "q"), Vec::<String>::new());
    }
}

#[test]
fn a_message_that_expires_in_its_queue_is_a_dead_letter_there() {
    let mut b = Bench::pair(false, None);
    let message = with_ttl(&b, "1", 10_000);
    let ids = b.try_send("o", vec![message]).expect("accepted");
    b.settle();
    assert_eq!(b.state("o", &ids[0]), MessageState::Arrived);
    b.pass(10_000);
    assert_eq!(take(&mut b), []);
    let letter = b.letter("d");
    assert_eq!((letter.reason, letter.unconfirmed), (DeathReason::ReceiveTimeExpired, false));
    assert_eq!(b.state("o", &ids[0]), MessageState::Dead(DeathReason::EndedInQueue));
    assert_eq!(b.dead("o"), []);
    b.retry("d", letter.letter, false).expect("it is certain");
    assert_eq!(b.drain("d", "q"), ["1"]);
}

#[test]
fn a_message_whose_time_ends_under_a_lock_may_still_be_received() {
    let mut b = Bench::new(&["d"]);
    b.create("d", "q", false);
    for how in [Settlement::Ack, Settlement::Nack] {
        let message = with_ttl(&b, "1", 10_000);
        b.try_send("d", vec![message]).expect("accepted");
        let lock = one(&mut b).lock;
        b.pass(15_000);
        b.finish("d", lock, how);
        b.pass(60_000);
        assert_eq!(take(&mut b), []);
        assert_eq!(b.dead("d").len(), usize::from(how == Settlement::Nack));
    }
}

#[test]
fn time_that_ended_under_a_lock_is_not_forgotten_by_a_restart() {
    let mut b = Bench::new(&["d"]);
    b.create("d", "q", false);
    let message = with_ttl(&b, "1", 10_000);
    b.try_send("d", vec![message]).expect("accepted");
    one(&mut b);
    b.pass(15_000);
    b.reopen("d");
    b.pass(15_000);
    assert_eq!(take(&mut b), []);
    assert_eq!(b.letter("d").reason, DeathReason::ReceiveTimeExpired);
}

#[test]
fn a_late_receipt_resolves_an_unconfirmed_letter() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.create("d", "q", false);
    let id = b.post_within(Recoverable, "1", 10_000);
    b.meet("o", "r");
    b.meet("r", "d");
    b.pass(10_001);
    let letter = b.letter("o");
    assert!(letter.unconfirmed);
    let refused = b.retry("o", letter.letter, false);
    assert_eq!(refused, Err(Rejection::MayDuplicate));
    b.meet("o", "r");
    assert_eq!(b.state("o", &id), MessageState::Arrived);
    assert_eq!(b.dead("o"), []);
    assert_eq!(b.retry("o", letter.letter, true), Err(Rejection::NoSuchMessage));
}

#[test]
fn a_full_remote_queue_makes_the_message_wait() {
    let mut b = Bench::pair(false, Some(1));
    b.post(Recoverable, &["1"]);
    b.settle();
    let ids = b.post(Recoverable, &["2"]);
    b.settle();
    b.pass(3_600_000);
    assert!(b.waits("o", &ids[0]));
    assert_eq!(b.outgoing("o")[0].state, OutgoingState::Refused(NotTaken::QueueFull));
    assert_eq!(b.drain("d", "q"), ["1"]);
    b.settle();
    assert_eq!(b.drain("d", "q"), ["2"], "at once, not after a wait");
}

/// Room for some message is no room for this one.
#[test]
fn a_message_too_big_for_what_is_left_waits_quietly() {
    let mut b = Bench::pair(false, None);
    b.limits.queue_bytes = 1_000;
    b.reopen("d");
    b.link("o", "d");
    b.settle();
    b.post(Recoverable, &["x".repeat(500).as_str()]);
    b.post(Recoverable, &["y".repeat(500).as_str()]);
    b.settle();
    assert_eq!(b.drain("d", "q").len(), 1);
    b.settle();
    assert_eq!(b.drain("d", "q").len(), 1);
}

#[test]
fn purging_and_dropping_a_queue_make_room_and_tell() {
    let mut b = Bench::pair(false, Some(1));
    let ids = b.post(Recoverable, &["1", "2"]);
    b.settle();
    assert_eq!(b.ask("d", Command::PurgeQueue(queue("q"))), Ok(Reply::Count(1)));
    b.settle();
    assert_eq!(b.state("o", &ids[0]), MessageState::Dead(DeathReason::EndedInQueue));
    assert_eq!(b.state("o", &ids[1]), MessageState::Arrived);
    assert_eq!(b.ask("d", Command::DropQueue(queue("q"))), Ok(Reply::Count(1)));
    b.settle();
    assert_eq!(b.state("o", &ids[1]), MessageState::Dead(DeathReason::EndedInQueue));
}

#[test]
fn a_full_outgoing_store_is_refused() {
    let mut b = Bench::new(&["o", "d"]);
    (b.limits.outgoing_messages, b.limits.outgoing_bytes) = (2, 1_000);
    b.reopen("o");
    let full = Err(Rejection::OutgoingFull { messages: 2, bytes: 1_000 });
    let small = b.message("d", "q", "1");
    assert_eq!(b.try_send("o", vec![small.clone(); 3]), full, "all or none");
    assert_eq!(b.try_send("o", vec![b.message("d", "q", &"x".repeat(1_000))]), full);
    let short = Outgoing { reach_within_ms: 1_000, ..small.clone() };
    b.try_send("o", vec![short, small.clone()]).expect("there is room");
    b.pass(1_000);
    assert_eq!(b.dead("o").len(), 1);
    assert_eq!(b.try_send("o", vec![small.clone()]), full, "dead letters count");
    assert_eq!(b.ask("o", Command::PurgeDead(None)), Ok(Reply::Count(1)));
    b.try_send("o", vec![small]).expect("there is room");
}

#[test]
fn a_low_disk_is_refused_and_makes_others_wait() {
    let mut b = Bench::pair(false, None);
    let reserve = b.limits.disk_reserve_bytes;
    b.leave_free("o", Some(reserve - 1));
    let message = b.message("d", "q", "1");
    let refused = b.try_send("o", vec![message]);
    assert!(matches!(refused, Err(Rejection::DiskLow { .. })), "{refused:?}");
    b.leave_free("o", None);
    b.leave_free("d", Some(reserve - 1));
    let ids = b.post(Recoverable, &["1"]);
    b.settle();
    assert_eq!(b.outgoing("o")[0].state, OutgoingState::Refused(NotTaken::StoreFull));
    assert!(b.waits("o", &ids[0]));
    b.leave_free("d", None);
    b.pass(2_000);
    assert_eq!(b.drain("d", "q"), ["1"]);
}

#[test]
fn express_messages_have_a_limit_of_their_own() {
    let mut b = Bench::new(&["d"]);
    b.create("d", "q", false);
    b.limits.express_bytes = 300;
    b.reopen("d");
    let of = |b: &Bench, delivery: Delivery| Outgoing {
        delivery,
        ..b.message("d", "q", &"x".repeat(150))
    };
    let express = of(&b, Express);
    b.try_send("d", vec![express.clone()]).expect("there is room");
    assert_eq!(b.try_send("d", vec![express.clone()]), Err(Rejection::ExpressFull(300)));
    let durable = of(&b, Recoverable);
    b.try_send("d", vec![durable]).expect("the disk has room");
    assert_eq!(b.drain("d", "q").len(), 2);
    b.try_send("d", vec![express]).expect("there is room again");
}
