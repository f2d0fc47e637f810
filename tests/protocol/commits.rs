//! What a commit means: nothing is said before it, nothing goes on after a failed one, and the same
//! inputs lead to the same commits and outputs.

use crate::bench::{Bench, Packet, id, line_of};
use meshmq::codec::{HopAnswer, HopRequest, encode_answer, encode_request};
use meshmq::engine::EngineError;
use meshmq::engine::command::{Command, MessageState, Outgoing};
use meshmq::engine::message::Delivery::{Express, Recoverable, Transactional};
use meshmq::engine::message::Priority;
use meshmq::engine::step::Input;
use meshmq::engine::time::{HOUR_MS, MINUTE_MS};
use meshmq::store::{FailMode, Snapshot};

#[test]
fn a_failed_commit_shows_nothing_and_poisons() {
    for mode in [FailMode::Before, FailMode::After] {
        let mut b = Bench::new(&["o", "d"]);
        b.create("d", "q", false);
        b.link("o", "d");
        b.settle();
        let before = b.snapshot("o");
        b.engine("o").storage().faults().fail_commit(1, mode);
        let message = b.message("d", "q", "1");
        let message = Outgoing { line: line_of(&message), ..message };
        let send = Input::Command { ticket: 1, command: Command::Send(vec![message]) };
        let now = b.now;
        let said = b.engine("o").process(now, vec![send]);
        assert!(matches!(said, Err(EngineError::Storage(_))), "{mode:?}: {said:?}");
        for inputs in [vec![], vec![Input::LinkDown(id("d"))]] {
            assert_eq!(b.engine("o").process(now, inputs), Err(EngineError::Poisoned));
        }
        let kept = mode == FailMode::After;
        assert_eq!(b.snapshot("o") != before, kept, "{mode:?}");
        b.kill("o");
        b.restart("o");
        b.link("o", "d");
        b.settle();
        let wanted: &[&str] = if kept { &["1"] } else { &[] };
        assert_eq!(b.drain("d", "q"), wanted, "{mode:?}");
        b.settle();
        let again = b.send("o", "d", "q", Recoverable, &["2"]);
        b.settle();
        assert_eq!(b.state("o", &again[0]), MessageState::Arrived);
        assert_eq!(b.drain("d", "q"), ["2"]);
    }
}

/// Everything that engines said, as bytes where bytes leave a node and in words where not.
struct Said {
    bytes: Vec<u8>,
    words: String,
    stores: Vec<Snapshot>,
}

/// A scenario with a bit of everything.
fn play() -> Said {
    let mut b = Bench::new(&["o", "r", "s", "d"]);
    b.protocol = Some(String::new());
    b.create_with("d", "q", true, Some(2));
    b.create("d", "p", false);
    b.send("o", "d", "q", Transactional, &["1", "2", "3"]);
    for (queue, priority) in [("p", 0), ("p", 7), ("missing", 3)] {
        let priority = Priority::new(priority).expect("0 to 7");
        let urgent = Outgoing { priority, ..b.message("d", queue, &"x".repeat(9_000)) };
        let short = Outgoing { reach_within_ms: MINUTE_MS, ..b.message("d", queue, "short") };
        b.try_send("o", vec![urgent, short]).expect("accepted");
    }
    for relay in ["r", "s"] {
        b.link("o", relay);
        b.settle();
    }
    b.pass(2 * MINUTE_MS);
    b.kill("o");
    b.restart("o");
    b.send("o", "d", "q", Transactional, &["4"]);
    b.link("r", "d");
    b.settle();
    b.wipe("r");
    b.link("s", "d");
    b.link("o", "s");
    b.send("o", "d", "p", Express, &["quick"]);
    b.settle();
    for _ in 0..3 {
        b.drain("d", "q");
        b.drain("d", "p");
        b.pass(HOUR_MS);
    }
    b.dead("o");
    let mut bytes = Vec::new();
    for packet in b.history.clone() {
        bytes.extend(match packet {
            Packet::Request { exchange, frames, .. } => {
                encode_request(&HopRequest { exchange, frames })
            }
            Packet::Answer { answer, .. } => encode_answer(&HopAnswer { answer }),
        });
    }
    let stores = ["o", "r", "s", "d"].map(|name| b.snapshot(name)).into();
    Said { bytes, words: b.protocol.take().expect("it was kept"), stores }
}

#[test]
fn same_inputs_give_the_same_outputs() {
    let (one, two) = (play(), play());
    assert!(one.words.lines().count() > 100, "much is said");
    for (first, second) in one.words.lines().zip(two.words.lines()) {
        assert_eq!(first, second);
    }
    assert_eq!(one.words.len(), two.words.len());
    assert!(one.bytes == two.bytes, "the bytes of requests and answers");
    assert!(one.stores == two.stores, "the stores");
}
