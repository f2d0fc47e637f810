//! Everything drains once faults stop, and then the mesh is silent: restarts, restores and floors.

use crate::bench::{Bench, Name};
use meshmq::engine::command::{MessageState, Outgoing};
use meshmq::engine::ids::{MessageId, StreamId};
use meshmq::engine::limits::ROSTER_MAX;
use meshmq::engine::message::Delivery::{Recoverable, Transactional};
use meshmq::engine::record::Key;
use meshmq::engine::rejection::Rejection;
use meshmq::engine::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};

fn reopen(b: &mut Bench, name: Name) {
    b.kill(name);
    b.restart(name);
}

#[test]
fn restarts_that_give_no_number_cost_no_epoch() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", true);
    b.send("o", "d", "q", Transactional, &["first"]);
    for _ in 0..2 * ROSTER_MAX {
        reopen(&mut b, "o");
    }
    b.send("o", "d", "q", Transactional, &["last"]);
    b.link("o", "d");
    b.settle();
    assert!(b.transfers("o", "d").iter().all(|transfer| transfer.outer.roster.len() <= 1));
    assert_eq!(b.drain("d", "q"), ["first", "last"]);
    b.assert_drained(&["o", "d"]);
}

#[test]
fn too_many_epochs_are_refused_and_drain() {
    for delivery in [Transactional, Recoverable] {
        let mut b = Bench::new(&["o", "d"]);
        b.create("d", "q", delivery == Transactional);
        let mut accepted = Vec::new();
        let mut refused = 0;
        for n in 0..2 * ROSTER_MAX {
            let body = format!("{n} {}", "x".repeat(1_400));
            let message = Outgoing { delivery, ..b.message("d", "q", &body) };
            match b.try_send("o", vec![message]) {
                Ok(_) => accepted.push(body),
                Err(Rejection::TooManyEpochs(_)) => refused += 1,
                Err(other) => panic!("{other}"),
            }
            reopen(&mut b, "o");
        }
        assert!(refused > 0 && accepted.len() >= ROSTER_MAX, "{delivery:?}: {refused} refused");
        b.link("o", "d");
        b.settle();
        assert_eq!(b.drain("d", "q"), accepted);
        b.settle();
        b.send("o", "d", "q", delivery, &["again"]);
        b.settle();
        assert_eq!(b.drain("d", "q"), ["again"], "{delivery:?}");
        b.assert_drained(&["o", "d"]);
    }
}

#[test]
fn a_reopened_store_never_gives_a_place_twice() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", false);
    b.create("o", "local", false);
    b.send("o", "d", "q", Recoverable, &["1", "2"]);
    b.send("o", "o", "local", Recoverable, &["a", "b"]);
    b.kill("o");
    let disk = b.down.remove("o").expect("it is down");
    b.open("o", disk);
    b.send("o", "d", "q", Recoverable, &["3", "4"]);
    b.send("o", "o", "local", Recoverable, &["c", "d"]);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1", "2", "3", "4"]);
    assert_eq!(b.drain("o", "local"), ["a", "b", "c", "d"]);
}

/// The origin goes back to a time when message 1 had arrived and was not received; by now the
/// destination has closed its epoch.
fn restored_behind_a_closed_epoch(b: &mut Bench) -> (MessageId, MessageId) {
    b.create("d", "q", true);
    b.link("o", "d");
    let one = b.send("o", "d", "q", Transactional, &["1"])[0];
    b.settle();
    let backup = b.snapshot("o");
    reopen(b, "o");
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1"]);
    b.settle();
    let two = b.send("o", "d", "q", Transactional, &["2"])[0];
    b.settle();
    assert_eq!(b.drain("d", "q"), ["2"]);
    b.settle();
    b.restore("o", &backup);
    (one, two)
}

#[test]
fn an_origin_that_names_a_closed_epoch_comes_to_rest() {
    let mut b = Bench::new(&["o", "d"]);
    restored_behind_a_closed_epoch(&mut b);
    b.link("o", "d");
    b.settle();
    b.send("o", "d", "q", Transactional, &["3"]);
    b.settle();
    assert_eq!(b.drain("d", "q"), ["3"]);
    b.assert_drained(&["o", "d"]);
}

#[test]
fn an_origin_whose_opening_is_closed_comes_to_rest() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", true);
    let backup = b.snapshot("o");
    let then = b.now;
    b.pass(HOUR_MS);
    reopen(&mut b, "o");
    b.link("o", "d");
    b.send("o", "d", "q", Transactional, &["1"]);
    b.settle();
    b.kill("o");
    b.down["o"].restore(&backup);
    let (now, disk) = (b.now, b.down.remove("o").expect("it is down"));
    b.now = then;
    b.open("o", disk);
    b.now = now;
    let ids = b.send("o", "d", "q", Transactional, &["2"]);
    b.link("o", "d");
    b.settle();
    assert!(matches!(b.state("o", &ids[0]), MessageState::Dead(_)), "said, not lost");
    assert_eq!(b.drain("d", "q"), ["1"]);
    b.assert_drained(&["o", "d"]);
}

#[test]
fn a_wiped_destination_learns_what_earlier_epochs_settled() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", true);
    b.link("o", "d");
    b.send("o", "d", "q", Transactional, &["1"]);
    b.settle();
    reopen(&mut b, "o");
    let ids = b.send("o", "d", "q", Transactional, &["2"]);
    b.wipe("d");
    b.create("d", "q", true);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["2"]);
    b.settle();
    assert_eq!(b.state("o", &ids[0]), MessageState::Received);
    b.assert_drained(&["o", "d"]);
}

#[test]
fn a_wiped_destination_behind_a_relay_learns_it_too() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.create("d", "q", true);
    for (one, two) in [("o", "r"), ("r", "d")] {
        b.link(one, two);
    }
    b.send("o", "d", "q", Transactional, &["1"]);
    b.settle();
    reopen(&mut b, "o");
    b.send("o", "d", "q", Transactional, &["2"]);
    b.wipe("d");
    b.create("d", "q", true);
    for (one, two) in [("o", "r"), ("r", "d"), ("o", "r"), ("r", "d"), ("o", "r")] {
        b.link(one, two);
        b.settle();
        b.cut(one, two);
    }
    assert_eq!(b.drain("d", "q"), ["2"]);
    for (one, two) in [("r", "d"), ("o", "r"), ("r", "d"), ("o", "r")] {
        b.link(one, two);
        b.settle();
        b.cut(one, two);
    }
    b.assert_drained(&["o", "d"]);
}

#[test]
fn receipts_do_not_pile_up_with_restarts() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.create("d", "q", true);
    for n in 0..40 {
        b.link("o", "r");
        b.link("r", "d");
        b.send("o", "d", "q", Transactional, &[&n.to_string()]);
        b.settle();
        assert_eq!(b.drain("d", "q"), [n.to_string()]);
        b.settle();
        reopen(&mut b, "o");
    }
    b.link("o", "r");
    b.settle();
    for name in ["o", "r", "d"] {
        let words = b.records(name, &Key::Receipt(StreamId::FIRST), &Key::Dead(0));
        assert!(words.len() <= 8, "{name} keeps {} statements", words.len());
    }
}

#[test]
fn a_death_that_is_certain_frees_its_successor() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.create("d", "q", true);
    let of = |b: &Bench, body: &str, reach_within_ms| Outgoing {
        delivery: Transactional,
        reach_within_ms,
        ..b.message("d", "q", body)
    };
    let messages = vec![of(&b, "1", MINUTE_MS), of(&b, "2", DAY_MS)];
    b.try_send("o", messages).expect("accepted");
    b.pass(2 * MINUTE_MS);
    b.link("o", "r");
    b.settle();
    b.cut("o", "r");
    b.link("r", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["2"], "the status went with it");
}

#[test]
fn local_messages_are_received_also_after_a_restart() {
    let mut b = Bench::new(&["o"]);
    b.create("o", "q", false);
    let ids = b.send("o", "o", "q", Recoverable, &["1"]);
    reopen(&mut b, "o");
    assert_eq!(b.drain("o", "q"), ["1"]);
    assert_eq!(b.state("o", &ids[0]), MessageState::Received);
}

#[test]
fn time_never_runs_back_over_a_restart() {
    let mut b = Bench::new(&["o"]);
    b.create("o", "q", false);
    b.pass(HOUR_MS);
    let last = b.engine("o").now();
    b.kill("o");
    let (now, disk) = (b.now, b.down.remove("o").expect("it is down"));
    b.now = Timestamp::from_millis(1);
    b.open("o", disk);
    b.now = now;
    assert!(b.engine("o").now() > Timestamp::from_millis(1_600_000_000_000), "{last:?}");
}

#[test]
fn what_waits_behind_a_retired_epoch_is_freed() {
    let mut b = Bench::new(&["o", "r", "d", "x"]);
    b.create("d", "q", true);
    b.link("o", "d");
    b.send("o", "d", "q", Transactional, &["1"]);
    b.settle();
    b.cut("o", "d");
    assert_eq!(b.drain("d", "q"), ["1"]);
    b.link("r", "d");
    b.settle();
    b.cut("r", "d");
    let short = Outgoing {
        delivery: Transactional,
        reach_within_ms: MINUTE_MS,
        ..b.message("d", "q", "never left")
    };
    b.try_send("o", vec![short]).expect("accepted");
    b.pass(2 * MINUTE_MS);
    reopen(&mut b, "o");
    b.send("o", "d", "q", Transactional, &["3"]);
    let caught = b.caught_unheard("o", "d");
    b.hand("d", &caught[0]);
    assert_eq!(b.drain("d", "q"), Vec::<String>::new(), "it waits for the earlier epoch");
    // The origin hears that 1 was received, and says nothing that gets through.
    b.link("o", "r");
    while let Some(packet) = b.wire.pop_front() {
        if packet.ends() == ("r", "o") {
            b.deliver(packet);
        }
    }
    b.cut("o", "r");
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["3"]);
    b.assert_drained(&["o", "d"]);
}

#[test]
fn what_was_given_up_and_loses_its_place_is_skipped() {
    let mut b = Bench::new(&["o", "d", "x"]);
    b.create_with("d", "q", true, Some(1));
    b.send("o", "d", "q", Transactional, &["1"]);
    reopen(&mut b, "o");
    let short = Outgoing {
        delivery: Transactional,
        reach_within_ms: MINUTE_MS,
        ..b.message("d", "q", "2")
    };
    let two = b.try_send("o", vec![short]).expect("accepted")[0];
    let caught = b.caught("o", "d");
    b.hand("d", &caught[1]);
    b.pass(2 * MINUTE_MS);
    b.link("o", "d");
    b.intercept("o", "d");
    assert!(matches!(b.state("o", &two), MessageState::Unconfirmed(_)), "it may still enter");
    b.hand("d", &caught[0]);
    assert_eq!(b.drain("d", "q"), ["1"]);
    b.cut("o", "d");
    b.link("o", "d");
    b.settle();
    assert!(matches!(b.state("o", &two), MessageState::Dead(_)), "nobody has it any more");
    b.assert_drained(&["o", "d"]);
}
