//! Contents that do not read back from the disk: one message each, and no other.

use crate::bench::{Bench, Name};
use meshmq::codec::content_hash;
use meshmq::engine::command::{Command, InnerPart, MessageState, Outgoing, Reply, Settlement};
use meshmq::engine::limits::CHUNK_BYTES;
use meshmq::engine::message::Delivery::{Recoverable, Transactional};
use meshmq::engine::record::{DeathReason, Key};
use meshmq::engine::rejection::Rejection;
use meshmq::engine::step::Event;
use meshmq::engine::storage::Storage;

impl Bench {
    /// Damages all chunks with this index that are on a node's disk.
    fn damage(&mut self, name: Name, index: u32) {
        let disk = self.engine(name).storage().clone();
        let chunks = disk.range(&Key::Chunk(0, 0), &Key::Queue(0), 10_000).expect("it reads");
        let keys = chunks.into_iter().map(|(key, _)| key);
        let keys: Vec<Key> =
            keys.filter(|key| matches!(key, Key::Chunk(_, at) if *at == index)).collect();
        assert!(!keys.is_empty(), "a chunk at {name}");
        disk.damage(keys);
    }

    fn tells_of_damage(&self, name: Name) -> bool {
        self.events.iter().any(|(at, event)| *at == name && matches!(event, Event::Damaged(_)))
    }

    fn reasons(&mut self, name: Name) -> Vec<(DeathReason, bool)> {
        self.dead(name).iter().map(|letter| (letter.reason, letter.unconfirmed)).collect()
    }
}

/// Too long for its record.
fn long(text: &str) -> String {
    text.repeat(3_000)
}

#[test]
fn what_cannot_be_sent_any_more_is_a_dead_letter_and_the_others_go() {
    for delivery in [Recoverable, Transactional] {
        let mut b = Bench::new(&["o", "d"]);
        b.create("d", "q", delivery == Transactional);
        let lost = b.send("o", "d", "q", delivery, &[&long("x")]);
        b.damage("o", 0);
        b.send("o", "d", "q", delivery, &["after"]);
        b.meet("o", "d");
        assert_eq!(b.drain("d", "q"), ["after"], "{delivery:?}");
        assert_eq!(b.reasons("o"), [(DeathReason::Damaged, false)]);
        assert_eq!(b.state("o", &lost[0]), MessageState::Dead(DeathReason::Damaged));
        assert!(b.tells_of_damage("o"));
        let letter = b.dead("o")[0].letter;
        let salt = b.message("d", "q", "").salt;
        let retry = Command::RetryDead { letter, may_duplicate: true, salt };
        assert_eq!(b.ask("o", retry), Err(Rejection::Damaged));
        assert_eq!(b.ask("o", Command::PurgeDead(None)), Ok(Reply::Count(1)));
        b.assert_drained(&["o", "d"]);
    }
}

#[test]
fn a_relay_lets_a_damaged_copy_go_and_the_origin_gives_it_again() {
    let mut b = Bench::new(&["o", "r", "d"]);
    b.create("d", "q", false);
    let text = long("x");
    let sent = b.send("o", "d", "q", Recoverable, &[&text]);
    b.meet("o", "r");
    b.damage("r", 0);
    b.meet("r", "d");
    assert!(b.tells_of_damage("r"));
    assert!(b.waits("o", &sent[0]));
    b.meet("o", "d");
    assert_eq!(b.drain("d", "q"), [text]);
}

#[test]
fn a_damaged_message_leaves_its_queue_and_the_next_is_handed_out() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", false);
    b.link("o", "d");
    let sent = b.send("o", "d", "q", Recoverable, &[&long("x")]);
    b.settle();
    b.damage("d", 0);
    b.send("o", "d", "q", Recoverable, &["next"]);
    b.settle();
    assert_eq!(b.peek("d", "q").len(), 2, "a look disturbs nothing");
    assert_eq!(b.drain("d", "q"), ["next"]);
    assert_eq!(b.reasons("d"), [(DeathReason::Damaged, false)]);
    b.settle();
    assert_eq!(b.state("o", &sent[0]), MessageState::Dead(DeathReason::EndedInQueue));
    assert_eq!(b.ask("d", Command::PurgeDead(None)), Ok(Reply::Count(1)));
}

fn large(b: &Bench, delivery: meshmq::engine::message::Delivery) -> Outgoing {
    let message = b.message("d", "q", &"x".repeat(10 * CHUNK_BYTES));
    let InnerPart::Whole(bytes, _) = message.inner else { panic!("bytes") };
    let hash = Some(content_hash(&bytes));
    Outgoing { inner: InnerPart::Whole(bytes, hash), delivery, ..message }
}

#[test]
fn damage_in_the_middle_of_a_large_body_ends_it_at_its_origin() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", false);
    let message = large(&b, Recoverable);
    let sent = b.try_send("o", vec![message]).expect("it is accepted");
    b.damage("o", 8);
    b.send("o", "d", "q", Recoverable, &["small"]);
    b.meet("o", "d");
    b.meet("o", "d");
    assert_eq!(b.drain("d", "q"), ["small"]);
    assert_eq!(b.state("o", &sent[0]), MessageState::Dead(DeathReason::Damaged));
    b.assert_drained(&["o", "d"]);
}

#[test]
fn damage_that_a_reader_meets_ends_the_message_and_not_the_node() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", false);
    let body = vec![7_u8; 20 * CHUNK_BYTES];
    let mut content = None;
    for piece in body.chunks(4 * CHUNK_BYTES) {
        let stage = Command::Stage { content, bytes: piece.to_vec().into(), session: 1 };
        let Ok(Reply::Staged(number)) = b.ask("d", stage) else { panic!("it is staged") };
        content = Some(number);
    }
    let content = content.expect("a content");
    let inner = InnerPart::Kept {
        head: vec![1].into(),
        content,
        len: body.len() as u64 + 1,
        hash: content_hash(b"of no matter here"),
    };
    let message = Outgoing { inner, ..b.message("d", "q", "") };
    b.try_send("d", vec![message]).expect("it is accepted");
    b.damage("d", 12);
    let got = b.receive("d", "q", 1);
    assert_eq!(got.len(), 1, "its beginning reads");
    let read = |first| Command::Read { content, first, count: 8 };
    let before = b.ask("d", read(8));
    assert!(matches!(before, Ok(Reply::Chunks(chunks)) if chunks.len() == 4));
    assert_eq!(b.ask("d", read(12)), Ok(Reply::Damaged));
    assert_eq!(b.reasons("d"), [(DeathReason::Damaged, false)]);
    let ack = Command::Settle { lock: got[0].lock, how: Settlement::Ack };
    assert_eq!(b.ask("d", ack), Err(Rejection::LockGone));
}
