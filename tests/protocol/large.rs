//! Messages that go over links in parts: resumed, overtaken, checked, shared (promises G2, G3, G8).

use crate::bench::{Bench, Name, Packet, queue};
use bytes::Bytes;
use meshmq::codec::{ContentHasher, Inner, content_hash, encode_inner, encode_inner_head};
use meshmq::engine::command::{
    Command, InnerPart, MessageState, Outgoing, QueueSpec, Reply, Settlement,
};
use meshmq::engine::frame::{Frame, NotTaken, Outcome, Part};
use meshmq::engine::ids::MessageId;
use meshmq::engine::limits::{CHUNK_BYTES, PART_BYTES, WHOLE_MAX};
use meshmq::engine::message::{Delivery, Priority, Short};
use meshmq::engine::record::{DeathReason, Key};
use meshmq::engine::rejection::Rejection;
use meshmq::engine::statement::Refusal;
use std::collections::BTreeMap;

/// Length of a body that goes in parts, and is held whole all the same.
const LARGE: usize = 900_000;

fn inner(queue_name: &str, body: Vec<u8>) -> Inner {
    Inner {
        queue: queue(queue_name),
        label: "large".to_owned(),
        headers: BTreeMap::new(),
        content_type: String::new(),
        correlation_id: None,
        reply_to: None,
        body: body.into(),
        extensions: BTreeMap::new(),
    }
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at / 7 % 251) as u8).collect()
}

impl Bench {
    fn large(&self, to: Name, delivery: Delivery) -> Outgoing {
        let bytes = encode_inner(&inner("q", pattern(LARGE)));
        let hash = Some(content_hash(&bytes));
        let inner = InnerPart::Whole(bytes, hash);
        Outgoing { inner, delivery, ..self.message(to, "q", "") }
    }

    fn send_large(&mut self, from: Name, to: Name) -> MessageId {
        let message = self.large(to, Delivery::Recoverable);
        self.try_send(from, vec![message]).expect("it is accepted")[0]
    }

    fn parts(&self, from: Name, to: Name) -> Vec<Part> {
        self.frames(from, to, |frame| match frame {
            Frame::Part(part) => Some((**part).clone()),
            _ => None,
        })
    }

    /// Records of contents and of what is not whole, at a node.
    fn pieces(&mut self, name: Name) -> usize {
        let chunks = self.records(name, &Key::Chunk(0, 0), &Key::Queue(0));
        let rest = self.records(name, &Key::Partial(MessageId::FIRST), &Key::Shares(u64::MAX));
        chunks.len() + rest.len()
    }

    /// Delivers so many packets.
    fn steps(&mut self, count: usize) {
        for _ in 0..count {
            let Some(packet) = self.wire.pop_front() else { return };
            self.deliver(packet);
        }
    }

    /// Delivers until a node has been sent so many parts.
    fn until_parts(&mut self, from: Name, to: Name, count: usize) {
        while self.parts(from, to).len() < count {
            assert!(!self.wire.is_empty(), "only {} parts", self.parts(from, to).len());
            self.steps(1);
        }
    }

    fn stage(&mut self, name: Name, session: u64, body: &[u8]) -> u64 {
        let mut content = None;
        for piece in body.chunks(PART_BYTES) {
            let bytes = Bytes::copy_from_slice(piece);
            match self.ask(name, Command::Stage { content, bytes, session }) {
                Ok(Reply::Staged(number)) => content = Some(number),
                other => panic!("not staged: {other:?}"),
            }
        }
        content.expect("a content")
    }

    fn staged(&self, to: Name, queue_name: &str, content: u64, body: &[u8]) -> Outgoing {
        let head = encode_inner_head(&inner(queue_name, Vec::new()), body.len() as u32);
        let mut hasher = ContentHasher::default();
        hasher.update(&head);
        hasher.update(body);
        let (len, hash) = ((head.len() + body.len()) as u64, hasher.finish());
        let inner = InnerPart::Kept { head, content, len, hash };
        Outgoing { inner, ..self.message(to, queue_name, "") }
    }
}

/// The body of the one large message that is ready, read as a program reads it.
fn take(b: &mut Bench, name: Name, queue_name: &str) -> Vec<u8> {
    let one = b.receive(name, queue_name, 2);
    assert_eq!(one.len(), 1, "one message");
    let shown = &one[0].message.inner;
    let body = match shown.rest {
        None => meshmq::codec::decode_inner(&shown.bytes).expect("an inner part").body.to_vec(),
        Some(rest) => {
            let head = meshmq::codec::decode_inner_head(&shown.bytes, rest.len);
            let (_, head) = head.expect("the head of an inner part");
            let mut bytes = Vec::new();
            let mut first = 0;
            while (bytes.len() as u64) < rest.len - rest.before {
                let read = Command::Read { content: rest.content, first, count: 3 };
                let Ok(Reply::Chunks(chunks)) = b.ask(name, read) else { panic!("no chunks") };
                first += chunks.len() as u32;
                chunks.iter().for_each(|chunk| bytes.extend_from_slice(chunk));
            }
            bytes.split_off(head - rest.before as usize)
        }
    };
    let settle = Command::Settle { lock: one[0].lock, how: Settlement::Ack };
    assert!(matches!(b.ask(name, settle), Ok(Reply::Settled(_))));
    body
}

fn mesh(names: &[Name]) -> Bench {
    let mut b = Bench::new(names);
    b.create("d", "q", false);
    b
}

#[test]
fn a_large_message_goes_in_parts_and_leaves_nothing_behind() {
    let mut b = mesh(&["o", "d"]);
    let sent = b.send_large("o", "d");
    b.link("o", "d");
    b.settle();
    let parts = b.parts("o", "d");
    assert_eq!(parts[0].bytes.len(), CHUNK_BYTES, "first it is asked what is there");
    assert!(parts.iter().all(|part| part.bytes.len() <= PART_BYTES));
    let bytes: usize = parts.iter().map(|part| part.bytes.len()).sum();
    assert_eq!(bytes as u64, parts[0].transfer.outer.size, "nothing went twice");
    assert!(b.transfers("o", "d").is_empty());
    assert_eq!(b.state("o", &sent), MessageState::Arrived);
    assert_eq!(take(&mut b, "d", "q"), pattern(LARGE));
    b.assert_drained(&["o", "d"]);
    assert_eq!((b.pieces("o"), b.pieces("d")), (0, 0));
}

#[test]
fn g2_a_transfer_goes_on_where_a_cut_broke_it() {
    let mut b = mesh(&["o", "d"]);
    b.send_large("o", "d");
    b.link("o", "d");
    b.until_parts("o", "d", 3);
    b.steps(4);
    b.cut("o", "d");
    let before = b.parts("o", "d").len();
    b.meet("o", "d");
    let after: Vec<u64> = b.parts("o", "d")[before..].iter().map(|part| part.offset).collect();
    assert_eq!(after[0], 0, "it asks what is there");
    assert!(after[1] > CHUNK_BYTES as u64, "and goes on behind it: {after:?}");
    assert_eq!(take(&mut b, "d", "q"), pattern(LARGE));
    b.assert_drained(&["o", "d"]);
}

#[test]
fn g1_what_a_destination_says_it_holds_survives_its_crash() {
    let mut b = mesh(&["o", "d"]);
    b.send_large("o", "d");
    b.link("o", "d");
    b.until_parts("o", "d", 3);
    b.steps(4);
    let held = b.history.iter().filter_map(|packet| match packet {
        Packet::Answer { answer, .. } => {
            answer.outcomes.iter().find_map(|(_, outcome)| match outcome {
                Outcome::Holding(bytes) => Some(*bytes),
                _ => None,
            })
        }
        Packet::Request { .. } => None,
    });
    let held = held.max().expect("it said so");
    b.kill("d");
    b.kill("o");
    b.restart("o");
    b.restart("d");
    let before = b.parts("o", "d").len();
    b.meet("o", "d");
    assert!(b.parts("o", "d")[before + 1].offset >= held);
    assert_eq!(take(&mut b, "d", "q"), pattern(LARGE));
    b.assert_drained(&["o", "d"]);
    assert_eq!((b.pieces("o"), b.pieces("d")), (0, 0));
}

#[test]
fn a_relay_carries_a_large_message_across_partitions() {
    for delivery in [Delivery::Recoverable, Delivery::Transactional] {
        let mut b = Bench::new(&["o", "r", "d"]);
        b.create("d", "q", delivery.is_ordered());
        let message = b.large("d", delivery);
        let sent = b.try_send("o", vec![message]).expect("it is accepted")[0];
        b.link("o", "r");
        b.until_parts("o", "r", 2);
        b.cut("o", "r");
        b.meet("o", "r");
        assert!(b.pieces("r") > 10, "the relay has it");
        b.meet("r", "d");
        assert_eq!(take(&mut b, "d", "q"), pattern(LARGE));
        b.meet("r", "d");
        b.meet("o", "r");
        assert_eq!(b.state("o", &sent), MessageState::Received);
        b.assert_drained(&["o", "r", "d"]);
        assert_eq!((b.pieces("o"), b.pieces("r"), b.pieces("d")), (0, 0, 0));
    }
}

#[test]
fn an_urgent_message_overtakes_a_large_one() {
    let mut b = mesh(&["o", "d"]);
    b.send_large("o", "d");
    b.link("o", "d");
    b.until_parts("o", "d", 4);
    let urgent = Outgoing {
        priority: Priority::new(7).expect("a priority"),
        ..b.message("d", "q", "urgent")
    };
    b.try_send("o", vec![urgent]).expect("it is accepted");
    let parts = b.parts("o", "d").len();
    assert_eq!(b.transfers("o", "d").len(), 1, "it is under way at once");
    b.settle();
    assert!(b.parts("o", "d").len() > parts, "before the rest of the large one");
}

#[test]
fn a_small_message_does_not_wait_for_a_large_one_and_does_not_starve_it() {
    let mut b = mesh(&["o", "d"]);
    b.send_large("o", "d");
    b.send("o", "d", "q", Delivery::Recoverable, &["1", "2"]);
    b.link("o", "d");
    b.until_parts("o", "d", 1);
    assert_eq!(b.transfers("o", "d").len(), 2, "both go beside the first part");
    b.settle();
    assert_eq!(b.drain_count("d"), 3);
}

impl Bench {
    fn drain_count(&mut self, name: Name) -> usize {
        self.receive(name, "q", 256).len()
    }
}

#[test]
fn other_bytes_than_announced_are_dropped_and_come_again() {
    let mut b = mesh(&["o", "d"]);
    let sent = b.send_large("o", "d");
    b.link("o", "d");
    b.until_parts("o", "d", 3);
    let spoilt = b.wire.iter_mut().find_map(|packet| match packet {
        Packet::Request { frames, .. } => frames.iter_mut().find_map(|frame| match frame {
            Frame::Part(part) => Some(part),
            _ => None,
        }),
        Packet::Answer { .. } => None,
    });
    let part = spoilt.expect("a part under way");
    let mut bytes = part.bytes.to_vec();
    bytes[100] ^= 1;
    part.bytes = bytes.into();
    b.settle();
    assert_eq!(b.state("o", &sent), MessageState::Stored, "it is not taken");
    let unreadable = (sent, Outcome::NotTaken(NotTaken::Unreadable));
    let said = |packet: &Packet| match packet {
        Packet::Answer { answer, .. } => answer.outcomes.contains(&unreadable),
        Packet::Request { .. } => false,
    };
    assert!(b.history.iter().any(said));
    assert_eq!(b.pieces("d"), 0, "nothing of it is kept");
    b.pass(10_000);
    assert_eq!(b.state("o", &sent), MessageState::Arrived);
    assert_eq!(take(&mut b, "d", "q"), pattern(LARGE));
}

#[test]
fn what_nobody_takes_is_refused_at_its_first_part() {
    let mut b = Bench::new(&["o", "d"]);
    let sent = b.send_large("o", "d");
    b.meet("o", "d");
    assert_eq!(b.parts("o", "d").len(), 1);
    let letters = b.dead("o");
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].reason, DeathReason::Refused(Refusal::NoSuchQueue));
    assert_eq!(b.pieces("d"), 0);
    b.create("d", "q", false);
    let retry = Command::RetryDead {
        letter: letters[0].letter,
        may_duplicate: false,
        salt: Short([1; 16]),
    };
    assert!(matches!(b.ask("o", retry), Ok(Reply::Accepted(ids)) if ids[0] != sent));
    b.meet("o", "d");
    assert_eq!(take(&mut b, "d", "q"), pattern(LARGE), "a retry needs no second copy of it");
    b.assert_drained(&["o", "d"]);
    assert_eq!((b.pieces("o"), b.pieces("d")), (0, 0));
}

#[test]
fn r16_a_full_queue_takes_no_part_until_there_is_room() {
    let mut b = Bench::new(&["o", "d"]);
    let spec = QueueSpec {
        name: queue("q"),
        transactional: false,
        max_messages: Some(1),
        max_bytes: None,
    };
    assert_eq!(b.ask("d", Command::CreateQueue(spec)), Ok(Reply::Done));
    b.send("d", "d", "q", Delivery::Recoverable, &["in the way"]);
    b.send_large("o", "d");
    b.link("o", "d");
    b.settle();
    assert_eq!(b.parts("o", "d").len(), 1);
    assert_eq!(b.drain("d", "q"), ["in the way"]);
    b.pass(5_000);
    assert_eq!(take(&mut b, "d", "q"), pattern(LARGE));
}

#[test]
fn one_stored_body_serves_several_destinations() {
    let mut b = Bench::new(&["o", "d", "e"]);
    b.create("d", "q", false);
    b.create("e", "other", false);
    b.create("o", "own", false);
    let body = pattern(WHOLE_MAX + 300_000);
    let content = b.stage("o", 1, &body);
    let messages = vec![
        b.staged("d", "q", content, &body),
        b.staged("e", "other", content, &body),
        b.staged("o", "own", content, &body),
    ];
    b.try_send("o", messages).expect("they are accepted");
    let stored = body.len().div_ceil(CHUNK_BYTES);
    assert_eq!(b.pieces("o"), stored + 1, "one body, and how many have it");
    b.meet("o", "d");
    assert_eq!(take(&mut b, "d", "q"), body);
    assert_eq!(take(&mut b, "o", "own"), body);
    assert_eq!(b.pieces("o"), stored, "one has it still");
    b.kill("o");
    b.restart("o");
    b.meet("o", "e");
    assert_eq!(take(&mut b, "e", "other"), body);
    b.meet("o", "e");
    b.meet("o", "d");
    b.assert_drained(&["o", "d", "e"]);
    assert_eq!((b.pieces("o"), b.pieces("d"), b.pieces("e")), (0, 0, 0));
}

#[test]
fn g8_what_no_send_takes_goes_with_its_program() {
    let mut b = mesh(&["o", "d"]);
    let body = pattern(2 * PART_BYTES);
    let first = b.stage("o", 1, &body);
    b.stage("o", 2, &body);
    b.feed("o", vec![meshmq::engine::step::Input::SessionEnded(1)]);
    assert_eq!(b.pieces("o"), body.len() / CHUNK_BYTES + 1);
    let gone = b.staged("d", "q", first, &body);
    assert_eq!(b.try_send("o", vec![gone]), Err(Rejection::NoSuchMessage));
    b.kill("o");
    b.restart("o");
    assert_eq!(b.pieces("o"), 0, "nor does it survive a restart");
    b.limits.partial_bytes = 3 * PART_BYTES as u64;
    b.kill("o");
    b.restart("o");
    b.stage("o", 1, &body);
    let bytes = Bytes::from(body);
    let more = Command::Stage { content: None, bytes: bytes.slice(..PART_BYTES), session: 1 };
    assert!(matches!(b.ask("o", more), Ok(Reply::Staged(_))));
    let over = Command::Stage { content: None, bytes: bytes.slice(..1), session: 1 };
    assert!(matches!(b.ask("o", over), Err(Rejection::OutgoingFull { .. })));
}

#[test]
fn g8_a_part_that_nothing_follows_goes_in_the_end() {
    let mut b = mesh(&["o", "d"]);
    b.send_large("o", "d");
    b.link("o", "d");
    b.until_parts("o", "d", 2);
    b.steps(2);
    b.cut("o", "d");
    assert!(b.pieces("d") > 0);
    b.kill("o");
    b.pass(8 * 24 * 3_600_000);
    assert_eq!(b.pieces("d"), 0);
    b.restart("o");
    b.meet("o", "d");
    assert_eq!(take(&mut b, "d", "q"), pattern(LARGE));
}
