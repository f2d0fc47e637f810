//! Sends under a key: repeated, they send nothing; the memory of keys is bounded and durable.

use crate::bench::{Bench, line_of};
use meshmq::engine::command::{Command, OnceKey, Outgoing, Reply};
use meshmq::engine::ids::MessageId;
use meshmq::engine::limits::{ONCE_KEEP_MS, ONCE_LONGEST_MS, ONCE_REFRESH_MS};
use meshmq::engine::message::{Delivery, Priority, Short};
use meshmq::engine::record::{Key, Record};
use meshmq::engine::rejection::Rejection;
use meshmq::engine::storage::{Storage, Write};
use meshmq::store::FailMode;

/// Keys that a node remembers unless its limits say otherwise.
const ONCE_MAX: usize = 100_000;

fn key(number: u64) -> Short {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    Short(bytes)
}

fn request(number: u64, digest: u8) -> OnceKey {
    OnceKey { key: key(number), digest: Short([digest; 16]), number: 0 }
}

fn messages(b: &Bench, to: &'static str, bodies: &[&str]) -> Vec<Outgoing> {
    let of = |body: &&str| {
        let message = b.message(to, "q", body);
        Outgoing { line: line_of(&message), ..message }
    };
    bodies.iter().map(of).collect()
}

fn send(b: &mut Bench, request: OnceKey, bodies: &[&str]) -> Result<Reply, Rejection> {
    let messages = messages(b, "d", bodies);
    b.ask("d", Command::SendOnce { request, messages })
}

fn accepted(reply: Result<Reply, Rejection>) -> Vec<MessageId> {
    match reply {
        Ok(Reply::Accepted(ids)) => ids,
        other => panic!("not accepted: {other:?}"),
    }
}

fn local() -> Bench {
    let mut b = Bench::new(&["d"]);
    b.create("d", "q", false);
    b
}

#[test]
fn a_repetition_sends_nothing_and_gets_the_first_answer() {
    let mut b = local();
    let ids = accepted(send(&mut b, request(1, 1), &["a", "b"]));
    assert_eq!(send(&mut b, request(1, 1), &["a", "b"]), Ok(Reply::Repeated(ids)));
    assert_eq!(b.drain("d", "q"), ["a", "b"]);
    let other = accepted(send(&mut b, request(2, 1), &["a", "b"]));
    assert_eq!(other.len(), 2, "another key is another request");
}

#[test]
fn a_key_stands_for_one_request() {
    let mut b = local();
    accepted(send(&mut b, request(1, 1), &["a"]));
    assert_eq!(send(&mut b, request(1, 2), &["b"]), Err(Rejection::KeyReused));
    assert_eq!(b.drain("d", "q"), ["a"]);
}

#[test]
fn a_refused_send_leaves_its_key_free() {
    let mut b = Bench::new(&["d"]);
    let refused = send(&mut b, request(1, 1), &["a"]);
    assert!(matches!(refused, Err(Rejection::NoSuchQueue(_))), "{refused:?}");
    b.create("d", "q", false);
    accepted(send(&mut b, request(1, 1), &["a"]));
}

#[test]
fn a_restart_forgets_no_key() {
    let mut b = Bench::new(&["d", "e"]);
    b.create("d", "q", false);
    let ids = accepted(send(&mut b, request(1, 1), &["a", "b"]));
    let far = messages(&b, "e", &["x"]);
    let elsewhere = Command::SendOnce { request: request(2, 2), messages: far.clone() };
    let far_ids = accepted(b.ask("d", elsewhere));
    b.kill("d");
    b.restart("d");
    assert_eq!(send(&mut b, request(1, 1), &["a", "b"]), Ok(Reply::Repeated(ids)));
    let elsewhere = Command::SendOnce { request: request(2, 2), messages: far };
    assert_eq!(b.ask("d", elsewhere), Ok(Reply::Repeated(far_ids)));
    assert_eq!(b.drain("d", "q"), ["a", "b"]);
}

/// Key and messages are of one commit: whichever way it fails, both are there or neither.
#[test]
fn a_failing_commit_leaves_both_or_neither() {
    for (mode, is_there) in [(FailMode::Before, false), (FailMode::After, true)] {
        let mut b = local();
        b.mortal = true;
        b.engine("d").storage().faults().fail_commit(1, mode);
        let command =
            Command::SendOnce { request: request(1, 1), messages: messages(&b, "d", &["a"]) };
        assert!(b.try_ask("d", command).is_none(), "the node died");
        b.revive();
        let again = send(&mut b, request(1, 1), &["a"]);
        assert_eq!(matches!(again, Ok(Reply::Repeated(_))), is_there, "{again:?}");
        assert_eq!(b.drain("d", "q"), ["a"], "once either way");
    }
}

#[test]
fn messages_of_several_lines_have_their_own_ids_back() {
    let mut b = local();
    let delivery = [Delivery::Recoverable, Delivery::Express];
    let mixed: Vec<Outgoing> = (0..40_u8)
        .map(|n| {
            let message = Outgoing {
                priority: Priority::new(n % 8).expect("0 to 7"),
                delivery: delivery[usize::from(n % 3 == 0)],
                ..b.message("d", "q", &n.to_string())
            };
            Outgoing { line: line_of(&message), ..message }
        })
        .collect();
    let command = Command::SendOnce { request: request(1, 1), messages: mixed };
    let ids = accepted(b.ask("d", command.clone()));
    assert_eq!(b.ask("d", command), Ok(Reply::Repeated(ids)));
}

#[test]
fn a_key_is_forgotten_after_a_day() {
    let mut b = local();
    accepted(send(&mut b, request(1, 1), &["a"]));
    b.pass(ONCE_LONGEST_MS - 1);
    assert!(matches!(send(&mut b, request(1, 1), &["a"]), Ok(Reply::Repeated(_))));
    b.pass(1);
    accepted(send(&mut b, request(1, 2), &["again"]));
    assert_eq!(b.drain("d", "q"), ["a", "again"]);
    let keys = Key::OnceOrder(0);
    assert_eq!(b.records("d", &keys, &Key::OnceOrder(u64::MAX)).len(), 1);
}

#[test]
fn the_oldest_key_goes_for_a_new_one_but_not_before_its_time() {
    let mut b = local();
    let ids = accepted(send(&mut b, request(0, 1), &["first"]));
    let Some(Record::Once(once)) =
        b.records("d", &Key::Once(key(0)), &Key::Once(key(1))).pop().map(|(_, r)| r)
    else {
        panic!("the first key is on the disk")
    };
    assert_eq!(once.ids(ids[0].stream.origin), ids);
    b.kill("d");
    let writes: Vec<Write> = (1..ONCE_MAX as u64)
        .flat_map(|n| {
            let once = meshmq::engine::record::Once { order: once.order + n, ..(*once).clone() };
            [
                Write::Put(Key::Once(key(n)), Record::Once(Box::new(once.clone()))),
                Write::Put(Key::OnceOrder(once.order), Record::OnceKey(key(n))),
            ]
        })
        .collect();
    b.down.get_mut("d").expect("it is down").commit(&writes).expect("room");
    b.restart("d");
    let full = send(&mut b, request(1 << 40, 1), &["more"]);
    assert!(matches!(full, Err(Rejection::TooMany { limit: ONCE_MAX, .. })), "{full:?}");
    assert_eq!(send(&mut b, request(0, 1), &["first"]), Ok(Reply::Repeated(ids)));
    b.pass(ONCE_KEEP_MS);
    accepted(send(&mut b, request(1 << 40, 1), &["more"]));
    let kept = b.records("d", &Key::OnceOrder(0), &Key::OnceOrder(u64::MAX)).len();
    assert_eq!(kept, ONCE_MAX);
    accepted(send(&mut b, request(0, 1), &["first, sent again"]));
}

fn numbered(number: u64, digest: u8) -> OnceKey {
    OnceKey { number, ..request(1, digest) }
}

#[test]
fn a_row_remembers_its_last_send_and_refuses_earlier_ones() {
    let mut b = local();
    accepted(send(&mut b, numbered(1, 1), &["a"]));
    let second = accepted(send(&mut b, numbered(2, 2), &["b"]));
    b.kill("d");
    b.restart("d");
    assert_eq!(send(&mut b, numbered(2, 2), &["b"]), Ok(Reply::Repeated(second)));
    assert_eq!(send(&mut b, numbered(2, 9), &["x"]), Err(Rejection::KeyReused));
    assert_eq!(send(&mut b, numbered(1, 1), &["a"]), Err(Rejection::RowPast(2)));
    assert_eq!(send(&mut b, request(1, 1), &["a"]), Err(Rejection::RowPast(2)));
    accepted(send(&mut b, numbered(7, 2), &["b"]));
    assert_eq!(b.drain("d", "q"), ["a", "b", "b"]);
}

#[test]
fn a_row_takes_one_place_and_is_young_while_it_is_used() {
    let mut b = local();
    accepted(send(&mut b, numbered(1, 1), &["a"]));
    accepted(send(&mut b, request(2, 1), &["plain"]));
    let orders = |b: &mut Bench| b.records("d", &Key::OnceOrder(0), &Key::OnceOrder(u64::MAX));
    let before = orders(&mut b);
    assert_eq!(before.len(), 2);
    for number in 2..50 {
        accepted(send(&mut b, numbered(number, 1), &["a"]));
    }
    assert_eq!(orders(&mut b), before, "no record but the row's own is written");
    b.pass(ONCE_REFRESH_MS);
    accepted(send(&mut b, numbered(50, 1), &["a"]));
    let after = orders(&mut b);
    assert_eq!(after.len(), 2);
    assert_eq!(after[1].1, Record::OnceKey(key(1)), "now the plain key is forgotten first");
    b.pass(ONCE_LONGEST_MS - 1);
    let again = send(&mut b, numbered(50, 1), &["a"]);
    assert!(matches!(again, Ok(Reply::Repeated(_))), "{again:?}");
}
