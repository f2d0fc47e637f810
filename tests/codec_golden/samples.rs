//! One value of every kind, with every field filled, and some with none.

mod records;

use bytes::Bytes;
use meshmq::codec::{HopAnswer, HopRequest, Inner};
use meshmq::engine::address::{LineId, NodeId};
use meshmq::engine::frame::{
    Answer, Contact, DirectoryEntry, Frame, NotTaken, Outcome, Part, Purpose, Transfer,
};
use meshmq::engine::ids::{Epoch, MessageId, StreamId};
use meshmq::engine::message::{
    ContentHash, Delivery, Earlier, Extensions, Floors, Outer, Priority, Short, Transit,
};
use meshmq::engine::ranges::RangeSet;
use meshmq::engine::statement::{
    Attested, DirectoryKey, DirectoryRecord, LinkState, Receipt, Refusal, Status, Version,
};

pub(crate) use records::{keys, records};

const EPOCH: Epoch = Epoch { k: 1_780_000_000_123, nonce: 0x0123_4567_89ab_cdef };
const ORIGIN: NodeId = NodeId::from_bytes([0x0a; 32]);
const DESTINATION: NodeId = NodeId::from_bytes([0xd0; 32]);
const FLOORS: Floors = Floors { give_up: 300, known: 24, used_known: 23 };
const EARLIER: Earlier = Earlier { epoch: Epoch { k: 1_770_000_000_000, nonce: 7 }, last: 65_536 };
const VERSION: Version = Version { opening: EPOCH, count: 42 };

fn stream_id() -> StreamId {
    StreamId { origin: ORIGIN, line: LineId(0xfeed_beef_0000_0001), epoch: EPOCH }
}

fn message_id(number: u64) -> MessageId {
    MessageId { stream: stream_id(), number }
}

fn extensions() -> Extensions {
    [(1, Bytes::from_static(b"later")), (300, Bytes::new())].into()
}

fn ranges(list: &[(u64, u64)]) -> RangeSet {
    list.iter().map(|&(start, end)| start..end).collect()
}

fn attested<T>(statement: T) -> Attested<T> {
    Attested { statement, signature: Bytes::from(vec![0x51; 64]) }
}

/// A receipt with verdicts of every sort.
pub(crate) fn receipt() -> Receipt {
    let refusals =
        [Refusal::NoSuchQueue, Refusal::WrongKind, Refusal::TooLarge, Refusal::QueueDeleted];
    Receipt {
        destination: DESTINATION,
        stream: stream_id(),
        store: u64::MAX,
        version: VERSION,
        floors: FLOORS,
        watermark: 600,
        received: ranges(&[(24, 400), (410, 590)]),
        refused: refusals.into_iter().zip((400..).map(|n| ranges(&[(n, n + 1)]))).collect(),
        skipped: ranges(&[(404, 410), (590, 600)]),
        held: ranges(&[(700, 701)]),
        used: ranges(&[(24, 100)]),
        ended: ranges(&[(100, 102)]),
        room: 9_000,
        roster: 2,
        digest: Short([0xd1; 16]),
        lowest_key: 2,
        closed: Some(EPOCH),
        extensions: extensions(),
    }
}

/// A receipt about a stream of which nothing has come.
fn empty_receipt() -> Receipt {
    Receipt {
        watermark: 1,
        floors: Floors::START,
        received: RangeSet::new(),
        refused: [].into(),
        skipped: RangeSet::new(),
        held: RangeSet::new(),
        used: RangeSet::new(),
        ended: RangeSet::new(),
        closed: None,
        extensions: Extensions::new(),
        ..receipt()
    }
}

/// A status record with everything.
pub(crate) fn status() -> Status {
    Status {
        stream: stream_id(),
        destination: DESTINATION,
        version: VERSION,
        floors: FLOORS,
        roster: vec![EARLIER, EARLIER],
        ordered: true,
        express: true,
        extensions: extensions(),
    }
}

/// The links of a node with two neighbours.
pub(crate) fn link_state() -> LinkState {
    LinkState {
        node: ORIGIN,
        version: VERSION,
        neighbours: vec![NodeId::from_bytes([1; 32]), DESTINATION],
        extensions: extensions(),
    }
}

fn directory_record() -> DirectoryRecord {
    DirectoryRecord {
        key: DirectoryKey { kind: 2, subject: Bytes::from_static(b"subject") },
        rank: Bytes::from_static(&[0, 0, 0, 1]),
        bytes: Bytes::from_static(b"as its signer made it"),
    }
}

fn transit() -> Transit {
    Transit { age_ms: 86_400_000, tokens: 64, round: 2, hops: 3 }
}

/// Outer parts by name.
pub(crate) fn outers() -> Vec<(&'static str, Outer)> {
    let full = Outer {
        id: message_id(601),
        destination: DESTINATION,
        delivery: Delivery::Transactional,
        priority: Priority::MAX,
        reach_within_ms: 2_592_000_000,
        ttl_ms: Some(60_000),
        floors: FLOORS,
        roster: vec![EARLIER],
        salt: Short([0x5a; 16]),
        size: 1_048_576,
        extensions: extensions(),
    };
    let small = Outer {
        delivery: Delivery::Recoverable,
        priority: Priority::default(),
        ttl_ms: None,
        floors: Floors::START,
        roster: Vec::new(),
        size: 0,
        extensions: Extensions::new(),
        ..full.clone()
    };
    let express = Outer { delivery: Delivery::Express, ..small.clone() };
    vec![("full", full), ("small", small), ("express", express)]
}

/// Inner parts by name.
pub(crate) fn inners() -> Vec<(&'static str, Inner)> {
    let full = Inner {
        queue: "Orders.In_1-x".parse().unwrap(),
        label: "größer als 1".to_owned(),
        headers: [("b".to_owned(), "2".to_owned()), ("aa".to_owned(), String::new())].into(),
        content_type: "text/plain; charset=utf-8".to_owned(),
        correlation_id: Some("c-1".to_owned()),
        reply_to: Some("answers@pc-a".to_owned()),
        body: Bytes::from(vec![0xb0; 300]),
        extensions: extensions(),
    };
    let small = Inner {
        label: String::new(),
        headers: [].into(),
        content_type: String::new(),
        correlation_id: None,
        reply_to: None,
        body: Bytes::new(),
        extensions: Extensions::new(),
        ..full.clone()
    };
    vec![("full", full), ("small", small)]
}

fn transfer(name: &str, purpose: Purpose) -> Frame {
    let (_, outer) = outers().into_iter().find(|(known, _)| *known == name).unwrap();
    Frame::Transfer(Box::new(Transfer {
        outer,
        transit: transit(),
        purpose,
        transfer: 77,
        inner: Bytes::from_static(b"inner bytes"),
        digest: Short::default(),
        queue: None,
    }))
}

fn part() -> Frame {
    let Frame::Transfer(transfer) = transfer("full", Purpose::Move) else { unreachable!() };
    let transfer = Transfer { inner: Bytes::new(), ..*transfer };
    let bytes = Bytes::from_static(b"the end of it");
    Frame::Part(Box::new(Part { transfer, hash: ContentHash([0xc5; 32]), offset: 131_072, bytes }))
}

/// Requests by name: one for every frame, an empty one, and one of several frames.
pub(crate) fn requests() -> Vec<(&'static str, HopRequest)> {
    let contact = Contact {
        store: 0xa11c_e000_0000_0001,
        opening: EPOCH,
        yours: Some(EPOCH),
        directory: u64::MAX,
        room: 1 << 31,
        extensions: extensions(),
    };
    let first = Contact { yours: None, extensions: Extensions::new(), ..contact.clone() };
    let DirectoryRecord { key, rank, .. } = directory_record();
    let entry = DirectoryEntry { key, rank };
    let own = Attested::own(empty_receipt());
    let frames = vec![
        ("contact", vec![Frame::Contact(contact)]),
        ("contact_first", vec![Frame::Contact(first)]),
        ("receipt", vec![Frame::Receipt(attested(receipt()))]),
        ("receipt_empty", vec![Frame::Receipt(own)]),
        ("status", vec![Frame::Status(attested(status()))]),
        ("links", vec![Frame::LinkState(attested(link_state()))]),
        ("have", vec![Frame::Have(vec![entry.clone(), entry])]),
        ("record", vec![Frame::Record(directory_record())]),
        ("synced", vec![Frame::Synced]),
        ("move", vec![transfer("full", Purpose::Move)]),
        ("spray", vec![transfer("small", Purpose::Spray)]),
        ("part", vec![part()]),
        ("several", vec![Frame::Synced, transfer("express", Purpose::Move), Frame::Synced]),
        ("empty", Vec::new()),
    ];
    let request = |(name, frames)| (name, HopRequest { exchange: 258, frames });
    frames.into_iter().map(request).collect()
}

/// Answers by name; all outcomes are in `full`.
pub(crate) fn answers() -> Vec<(&'static str, HopAnswer)> {
    let reasons = [
        NotTaken::QueueFull,
        NotTaken::StoreFull,
        NotTaken::Busy,
        NotTaken::OverAge,
        NotTaken::Seen,
        NotTaken::HopLimit,
        NotTaken::Unreadable,
    ];
    let outcomes = std::iter::once(Outcome::Accepted).chain(reasons.map(Outcome::NotTaken));
    let full = Answer {
        outcomes: (1..).map(message_id).zip(outcomes).collect(),
        frames: vec![Frame::Receipt(attested(receipt())), Frame::Synced],
    };
    let answer = |answer| HopAnswer { answer };
    let holding = Answer {
        outcomes: vec![
            (message_id(1), Outcome::Holding(0)),
            (message_id(2), Outcome::Holding(1 << 28)),
        ],
        frames: Vec::new(),
    };
    let empty = Answer::default();
    vec![("full", answer(full)), ("holding", answer(holding)), ("empty", answer(empty))]
}
