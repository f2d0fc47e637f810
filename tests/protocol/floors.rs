//! What closed epochs, floors and skipped numbers keep out for good: rules R5 to R12.

use crate::bench::{Bench, id, line_of};
use meshmq::engine::command::{MessageState, Outgoing};
use meshmq::engine::frame::Frame;
use meshmq::engine::ids::{MessageId, StreamId};
use meshmq::engine::message::Delivery::{Recoverable, Transactional};
use meshmq::engine::record::{DeathReason, Key, Record};
use meshmq::engine::time::{DAY_MS, MINUTE_MS, Timestamp};

/// Sends one transactional message that has so long to arrive.
fn send_within(b: &mut Bench, body: &str, reach_within_ms: u64) -> MessageId {
    let message = b.message("d", "q", body);
    let message = Outgoing { delivery: Transactional, reach_within_ms, ..message };
    b.try_send("o", vec![message]).expect("accepted")[0]
}

/// The copy of a message among those caught.
fn copy_of(caught: &[Frame], wanted: &MessageId) -> Frame {
    let is = |frame: &&Frame| match frame {
        Frame::Transfer(transfer) => transfer.outer.id == *wanted,
        _ => false,
    };
    caught.iter().find(is).expect("it was caught").clone()
}

fn reopen(b: &mut Bench) {
    b.kill("o");
    b.restart("o");
}

#[test]
fn r3_an_opening_is_higher_when_the_clock_stands_still() {
    let mut b = Bench::new(&["o"]);
    let mut last = b.engine("o").opening();
    for behind in [1, 1, 1_000] {
        b.kill("o");
        b.now = Timestamp::from_millis(b.now.as_millis() - behind);
        b.restart("o");
        let next = b.engine("o").opening();
        assert!(next.k > last.k, "{next:?} after {last:?}: the nonce may be any");
        last = next;
    }
}

/// The origin is restored to where message 1 waits; message 2 is of the lost time, and under way.
/// Gives the lost message and the first one of the new epoch.
fn lost_time(b: &mut Bench) -> (Frame, Frame) {
    b.create("d", "q", true);
    b.send("o", "d", "q", Transactional, &["1"]);
    let backup = b.snapshot("o");
    let lost = b.send("o", "d", "q", Transactional, &["lost"])[0];
    let caught = b.caught("o", "d");
    let lost = copy_of(&caught, &lost);
    b.restore("o", &backup);
    let after = b.send("o", "d", "q", Transactional, &["after"])[0];
    let caught = b.caught("o", "d");
    (lost, copy_of(&caught, &after))
}

#[test]
fn r5_numbers_above_the_roster_limit_are_void() {
    let mut b = Bench::new(&["o", "d", "x"]);
    let (lost, after) = lost_time(&mut b);
    b.hand("d", &after);
    b.hand("d", &lost);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1", "after"]);
}

#[test]
fn r5_held_numbers_above_the_roster_limit_go() {
    let mut b = Bench::new(&["o", "d", "x"]);
    let (lost, after) = lost_time(&mut b);
    b.hand("d", &lost);
    b.hand("d", &after);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1", "after"]);
}

#[test]
fn r6_old_message_of_the_current_epoch_does_not_reopen_one() {
    let mut b = Bench::new(&["o", "d", "x"]);
    b.create("d", "q", true);
    b.send("o", "d", "q", Transactional, &["1"]);
    reopen(&mut b);
    b.send("o", "d", "q", Transactional, &["2"]);
    b.link("x", "d");
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1", "2"]);
    b.settle();
    let all = b.transfers("o", "d");
    let named = |roster: usize| {
        let found = all.iter().find(|transfer| transfer.outer.roster.len() == roster);
        Frame::Transfer(Box::new(found.expect("it was sent").clone()))
    };
    b.cut("o", "d");
    b.hand("d", &named(1));
    b.hand("d", &named(0));
    assert_eq!(b.drain("d", "q"), Vec::<String>::new());
}

#[test]
fn r6_restored_origin_does_not_reopen_an_epoch() {
    let mut b = Bench::new(&["o", "d", "x"]);
    b.create("d", "q", true);
    b.send("o", "d", "q", Transactional, &["1"]);
    let backup = b.snapshot("o");
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1"]);
    b.settle();
    let first = b.transfers("o", "d")[0].clone();
    reopen(&mut b);
    b.send("o", "d", "q", Transactional, &["2"]);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["2"]);
    b.restore("o", &backup);
    b.send("o", "d", "q", Transactional, &["3"]);
    b.link("o", "d");
    b.link("x", "d");
    b.settle();
    b.hand("d", &Frame::Transfer(Box::new(first)));
    assert_eq!(b.drain("d", "q"), ["3"], "1 is not taken twice");
}

#[test]
fn r7_floor_stops_at_a_waiting_number_after_a_restart() {
    let mut b = Bench::new(&["o", "d", "y"]);
    b.create("d", "q", true);
    send_within(&mut b, "1", MINUTE_MS);
    let two = send_within(&mut b, "2", DAY_MS);
    b.pass(2 * MINUTE_MS);
    reopen(&mut b);
    b.link("o", "y");
    b.settle();
    let statuses = b.statuses("o", "y");
    let first = statuses.iter().filter(|status| status.stream == two.stream);
    let floors: Vec<u64> = first.map(|status| status.floors.give_up).collect();
    assert!(!floors.is_empty() && floors.iter().all(|&floor| floor == 2), "{floors:?}");
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["2"]);
}

#[test]
fn r9_empty_new_epoch_closes_the_old_ones() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", true);
    let one = b.send("o", "d", "q", Transactional, &["1"])[0];
    b.link("o", "d");
    b.settle();
    reopen(&mut b);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1"]);
    b.settle();
    assert_eq!(b.state("o", &one), MessageState::Received);
    let opening = b.engine("o").opening();
    let first = MessageId { stream: StreamId::FIRST, number: 0 };
    let lines = b.records(
        "d",
        &Key::InboxLine(id(""), line_of(&b.message("d", "q", ""))),
        &Key::Held(first),
    );
    let known = lines.iter().find_map(|(_, record)| match record {
        Record::InboxLine(line) => Some(line),
        _ => None,
    });
    let known = known.expect("a line");
    assert_eq!((known.current, known.roster.len()), (opening, 0));
}

#[test]
fn r9_status_is_said_at_each_contact_until_it_is_taken() {
    let mut b = Bench::new(&["o", "d", "x"]);
    b.create("d", "q", true);
    let one = send_within(&mut b, "1", MINUTE_MS);
    b.caught("o", "d");
    b.pass(2 * MINUTE_MS);
    for _ in 0..3 {
        b.link("o", "d");
        b.cut("o", "d");
    }
    assert!(matches!(b.state("o", &one), MessageState::Unconfirmed(_)));
    b.link("o", "d");
    b.settle();
    assert_eq!(b.state("o", &one), MessageState::Dead(DeathReason::ReachTimeExpired));
    let said = b.statuses("o", "d").len();
    b.cut("o", "d");
    b.link("o", "d");
    b.settle();
    assert_eq!(b.statuses("o", "d").len(), said, "and then no more");
}

#[test]
fn r9_receipt_that_lacks_the_floor_does_not_end_the_status() {
    let mut b = Bench::new(&["o", "d", "x"]);
    b.create("d", "q", true);
    b.send("o", "d", "q", Transactional, &["0"]);
    b.link("o", "d");
    b.settle();
    b.cut("o", "d");
    let one = send_within(&mut b, "1", MINUTE_MS);
    b.caught("o", "d");
    b.pass(2 * MINUTE_MS);
    let before = b.receipts("d", "o").len();
    b.link("o", "d");
    while let Some(packet) = b.wire.pop_front() {
        if packet.ends() == ("d", "o") {
            b.deliver(packet);
        }
    }
    b.cut("o", "d");
    assert!(b.receipts("d", "o").len() > before, "it told o what it knew");
    b.link("o", "d");
    b.settle();
    assert_eq!(b.state("o", &one), MessageState::Dead(DeathReason::ReachTimeExpired));
}

#[test]
fn r11_copy_above_the_watermark_is_ignored() {
    let mut b = Bench::new(&["o", "d", "x"]);
    b.create("d", "q", false);
    b.send("o", "d", "q", Recoverable, &["1", "2"]);
    let caught = b.caught("o", "d");
    for frame in [&caught[1], &caught[1], &caught[0], &caught[1]] {
        b.hand("d", frame);
    }
    assert_eq!(b.drain("d", "q"), ["2", "1"]);
}

#[test]
fn r12_skipped_above_the_watermark_stays_skipped() {
    let mut b = Bench::new(&["o", "d", "x"]);
    b.create("d", "q", true);
    let before = send_within(&mut b, "before", DAY_MS);
    reopen(&mut b);
    let one = send_within(&mut b, "1", MINUTE_MS);
    let two = send_within(&mut b, "2", MINUTE_MS);
    let caught = b.caught("o", "d");
    b.hand("d", &copy_of(&caught, &one));
    b.pass(2 * MINUTE_MS);
    b.link_without("o", "d", before.number);
    b.cut("o", "d");
    let receipts = b.receipts("d", "o");
    let skips = receipts.iter().any(|said| said.stream == two.stream && said.skipped.contains(2));
    assert!(skips, "2 is skipped while 1 is held: {receipts:?}");
    b.hand("d", &copy_of(&caught, &two));
    let receipts = b.receipts("d", "x");
    assert!(!receipts.iter().any(|said| said.stream == two.stream && said.held.contains(2)));
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["before", "1"]);
    b.settle();
    assert_eq!(b.state("o", &one), MessageState::Received);
    assert_eq!(b.state("o", &two), MessageState::Dead(DeathReason::ReachTimeExpired));
}
