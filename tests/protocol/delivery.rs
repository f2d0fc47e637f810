//! The plain road: neighbours, cuts, relays, ferries.

use crate::bench::{Bench, id};
use meshmq::engine::command::{Command, MessageState, Reply};
use meshmq::engine::message::Delivery::{Express, Recoverable, Transactional};

#[test]
fn a_message_crosses_a_link_and_its_receipt_comes_back() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", false);
    let ids = b.send("o", "d", "q", Recoverable, &["hello"]);
    assert_eq!(b.state("o", &ids[0]), MessageState::Stored);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.state("o", &ids[0]), MessageState::Arrived);
    assert_eq!(b.drain("d", "q"), ["hello"]);
    b.settle();
    assert_eq!(b.state("o", &ids[0]), MessageState::Received);
}

#[test]
fn a_thousand_messages_wait_for_a_link_in_order() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", true);
    let bodies: Vec<String> = (0..1_000).map(|n| n.to_string()).collect();
    for chunk in bodies.chunks(200) {
        let chunk: Vec<&str> = chunk.iter().map(String::as_str).collect();
        b.send("o", "d", "q", Transactional, &chunk);
    }
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), bodies);
    b.settle();
    assert_eq!(b.ask("o", Command::Outgoing), Ok(Reply::Outgoing(vec![])));
}

#[test]
fn a_relay_carries_along_a_live_path() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.create("d", "q", false);
    b.link("o", "r");
    b.link("r", "d");
    b.settle();
    let ids = b.send("o", "d", "q", Recoverable, &["one", "two"]);
    b.settle();
    assert_eq!(b.drain("d", "q"), ["one", "two"]);
    b.settle();
    assert_eq!(b.state("o", &ids[1]), MessageState::Received);
    let Ok(Reply::Summary(summary)) = b.ask("r", Command::Summary) else { panic!() };
    assert_eq!(summary.carried, 0);
}

#[test]
fn a_ferry_carries_between_nodes_that_never_meet() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.create("d", "q", true);
    let ids = b.send("o", "d", "q", Transactional, &["one", "two"]);
    b.link("o", "r");
    b.settle();
    b.cut("o", "r");
    assert_eq!(b.state("o", &ids[0]), MessageState::InTransit(id("r")));
    b.link("r", "d");
    b.settle();
    b.cut("r", "d");
    assert_eq!(b.drain("d", "q"), ["one", "two"]);
    b.link("r", "d");
    b.settle();
    b.cut("r", "d");
    b.link("o", "r");
    b.settle();
    assert_eq!(b.state("o", &ids[0]), MessageState::Received);
    assert_eq!(b.ask("o", Command::Outgoing), Ok(Reply::Outgoing(vec![])));
}

#[test]
fn express_messages_live_in_memory_only() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", false);
    let before = b.snapshot("o");
    b.send("o", "d", "q", Express, &["quick"]);
    assert_eq!(b.snapshot("o"), before, "an express message writes nothing");
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["quick"]);
    b.send("o", "d", "q", Express, &["lost"]);
    b.settle();
    b.kill("d");
    b.restart("d");
    assert_eq!(b.drain("d", "q"), Vec::<String>::new());
}

#[test]
fn restarts_of_both_ends_lose_nothing() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", true);
    b.send("o", "d", "q", Transactional, &["1", "2"]);
    b.kill("o");
    b.restart("o");
    b.send("o", "d", "q", Transactional, &["3"]);
    b.link("o", "d");
    b.settle();
    b.kill("d");
    b.restart("d");
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1", "2", "3"]);
    b.settle();
    assert_eq!(b.ask("o", Command::Outgoing), Ok(Reply::Outgoing(vec![])));
}

/// What a start counts it reads page by page, and each page goes on where the last one ended.
#[test]
fn a_restart_counts_a_large_backlog_as_it_was() {
    let mut b = Bench::new(&["o", "d"]);
    let bodies: Vec<String> = (0..700).map(|n| n.to_string()).collect();
    for chunk in bodies.chunks(175) {
        let chunk: Vec<&str> = chunk.iter().map(String::as_str).collect();
        b.send("o", "d", "q", Recoverable, &chunk);
    }
    let mut counted = || {
        let Ok(Reply::Summary(it)) = b.ask("o", Command::Summary) else { panic!() };
        let counts = (it.outgoing, it.outgoing_bytes);
        b.kill("o");
        b.restart("o");
        counts
    };
    let before = counted();
    assert_eq!(before.0, 700);
    assert_eq!(counted(), before);
}
