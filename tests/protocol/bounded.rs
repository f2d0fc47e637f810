//! What ten thousand messages leave behind: a few records, and silence.

use crate::bench::{Bench, Name};
use meshmq::engine::command::{Command, InnerPart, MessageState, Outgoing, Reply, Settlement};
use meshmq::engine::frame::Frame;
use meshmq::engine::ids::{MessageId, StreamId};
use meshmq::engine::limits::HISTORY_MAX;
use meshmq::engine::message::Delivery::{self, Recoverable, Transactional};
use meshmq::engine::message::{Floors, Priority};
use meshmq::engine::ranges::RangeSet;
use meshmq::engine::record::{Key, Record, Target};
use meshmq::engine::statement::Attested;
use meshmq::engine::storage::Storage;
use meshmq::engine::time::Timestamp;
use std::collections::BTreeMap;

/// Messages of the run.
const MESSAGES: usize = 10_000;
/// Messages sent at once.
const BATCH: usize = 250;

/// Before every message.
const FIRST: MessageId = MessageId { stream: StreamId::FIRST, number: 0 };

/// How many records of each kind a node has.
fn kinds(b: &mut Bench, name: Name) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for (key, _) in b.records(name, &Key::Store, &Key::Timer(Timestamp::MAX, Target::FIRST)) {
        let kind = format!("{key:?}");
        let end = kind.find(|c: char| !c.is_alphanumeric()).unwrap_or(kind.len());
        *kinds.entry(kind[..end].to_owned()).or_default() += 1;
    }
    kinds
}

/// Sends, carries and consumes all messages; gives the bytes of both stores at the middle.
fn run(b: &mut Bench, delivery: Delivery) -> [u64; 2] {
    let mut middle = [0; 2];
    for batch in 0..MESSAGES / BATCH {
        let mut bodies: Vec<String> = (0..BATCH).map(|n| (batch * BATCH + n).to_string()).collect();
        bodies[0].push_str(&"x".repeat(9_000));
        let texts: Vec<&str> = bodies.iter().map(String::as_str).collect();
        b.send("o", "d", "q", delivery, &texts);
        b.settle();
        assert_eq!(b.drain("d", "q"), bodies);
        b.settle();
        b.history.clear();
        b.events.clear();
        if (batch + 1) * BATCH == MESSAGES / 2 {
            middle = used(b);
        }
    }
    middle
}

fn used(b: &mut Bench) -> [u64; 2] {
    ["o", "d"].map(|name| b.engine(name).storage().stats().used_bytes)
}

#[test]
fn state_stays_bounded() {
    for (delivery, ordered) in [(Transactional, true), (Recoverable, false)] {
        let mut b = Bench::new(&["o", "d"]);
        b.create("d", "q", ordered);
        b.link("o", "d");
        b.settle();
        let middle = run(&mut b, delivery);
        for (now, then) in used(&mut b).into_iter().zip(middle) {
            assert!(now <= then + 256, "{now} bytes now, {then} at the middle");
        }
        let mut origin = kinds(&mut b, "o");
        let history = origin.remove("Sent").unwrap_or_default() as u64;
        assert!(history <= HISTORY_MAX + 1, "{history} settled messages are remembered");
        assert!(origin.values().all(|&count| count <= 1), "{origin:?}");
        let destination = kinds(&mut b, "d");
        assert!(destination.values().all(|&count| count <= 1), "{destination:?}");
        for name in ["Copy", "CopyOf", "Queued", "Held", "Chunk", "Dead", "Timer"] {
            assert!(!origin.contains_key(name) && !destination.contains_key(name), "{name}");
        }
        let streams = b.records("d", &Key::Inbox(StreamId::FIRST), &Key::Held(FIRST));
        let [(_, Record::Inbox(inbox))] = &streams[..] else { panic!("one stream: {streams:?}") };
        let next = MESSAGES as u64 + 1;
        let floors = Floors { give_up: next, known: next, used_known: next };
        assert_eq!((inbox.floors, inbox.watermark), (floors, next), "all is known");
        let ranges = [&inbox.received, &inbox.skipped, &inbox.held, &inbox.used, &inbox.ended];
        assert!(ranges.iter().all(|set| set.is_empty()), "no details are kept: {inbox:?}");
        for _ in 0..3 {
            b.feed("o", Vec::new());
            b.feed("d", Vec::new());
        }
        assert!(b.wire.is_empty() && b.history.is_empty(), "nothing is said without a reason");
        b.assert_drained(&["o", "d"]);
    }
}

#[test]
fn a_healed_mesh_becomes_silent() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.create("d", "q", true);
    let bodies: Vec<String> = (0..300).map(|n| n.to_string()).collect();
    for chunk in bodies.chunks(100) {
        let texts: Vec<&str> = chunk.iter().map(String::as_str).collect();
        b.send("o", "d", "q", Transactional, &texts);
        b.link("o", "r");
        b.settle();
        b.cut("o", "r");
        b.kill("o");
        b.restart("o");
        b.link("r", "d");
        b.settle();
        b.cut("r", "d");
    }
    for (one, two) in [("o", "r"), ("r", "d"), ("o", "d")] {
        b.link(one, two);
    }
    b.settle();
    assert_eq!(b.drain("d", "q"), bodies);
    b.settle();
    let relay = kinds(&mut b, "r");
    assert!(!relay.contains_key("Copy") && !relay.contains_key("CopyOf"), "{relay:?}");
    let deadlines = ["o", "r", "d"].map(|name| b.engine(name).deadline());
    assert_eq!(deadlines, [None; 3], "nothing is due");
    b.assert_drained(&["o", "r", "d"]);
}

/// A member that numbers its messages far apart, and gives up what lies between.
#[test]
fn numbers_far_apart_stop_no_destination() {
    let mut b = Bench::new(&["o", "d", "x"]);
    b.create("d", "q", false);
    b.create("d", "t", true);
    b.send("o", "d", "q", Recoverable, &["1"]);
    let caught = b.caught("o", "d");
    let Frame::Transfer(first) = caught[0].clone() else { panic!("a transfer") };
    let mut given_up = 1;
    for n in 1..600_u64 {
        let mut one = first.clone();
        one.outer.id.number = n << 40;
        let to = ["q", "t", "missing"][(n % 3) as usize];
        let InnerPart::Whole(inner, _) = b.message("d", to, "far").inner else { panic!("bytes") };
        one.inner = inner;
        if n % 100 == 0 {
            given_up = n << 40;
        }
        one.outer.floors.give_up = given_up;
        b.hand("d", &Frame::Transfer(one));
        if n % 7 == 0 {
            let delivered = b.receive("d", "q", 1);
            for one in delivered {
                let settle = Command::Settle { lock: one.lock, how: Settlement::Ack };
                assert!(matches!(b.ask("d", settle), Ok(Reply::Settled(_))));
            }
        }
    }
    let honest = Outgoing { priority: Priority::MAX, ..b.message("d", "q", "honest") };
    b.try_send("o", vec![honest]).expect("accepted");
    b.link("o", "d");
    b.settle();
    assert!(b.drain("d", "q").contains(&"honest".to_owned()));
    let sets = b.receipts("d", "x").iter().map(|receipt| receipt.skipped.ranges()).max();
    assert!(sets.is_some_and(|most| most <= 200), "{sets:?}");
}

/// A destination that claims verdicts on numbers that were never given.
#[test]
fn verdicts_on_numbers_never_given_cost_nothing() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", false);
    b.link("o", "d");
    let ids = b.send("o", "d", "q", Recoverable, &["1"]);
    b.settle();
    let mut lie = b.receipts("d", "o").pop().expect("a receipt");
    let all = || std::iter::once(1..u64::MAX).collect::<RangeSet>();
    (lie.received, lie.used, lie.ended, lie.held) = (all(), all(), all(), all());
    (lie.version.count, lie.watermark, lie.skipped) = (u64::MAX - 1, u64::MAX, all());
    b.say("d", "o", vec![Frame::Receipt(Attested::own(lie.clone()))]);
    lie.version.count += 1;
    lie.held = RangeSet::new();
    b.say("d", "o", vec![Frame::Receipt(Attested::own(lie))]);
    b.settle();
    assert_eq!(b.state("o", &ids[0]), MessageState::Received);
}
