//! One value of every kind of key and record.

use super::{
    DESTINATION, EARLIER, EPOCH, FLOORS, ORIGIN, attested, directory_record, extensions,
    message_id, outers, receipt, status, stream_id, transit,
};
use bytes::Bytes;
use meshmq::engine::address::LineId;
use meshmq::engine::message::{Content, ContentHash, Delivery, Floors, Priority, Short};
use meshmq::engine::ranges::RangeSet;
use meshmq::engine::record::{
    Copy, Dead, DeathReason, Inbox, InboxLine, Key, Line, Once, Partial, Queue, Queued, Record,
    Seat, Sent, SentState, Spot, StoreInfo, Stream, Target,
};
use meshmq::engine::statement::{DirectoryRecord, Refusal};
use meshmq::engine::time::Timestamp;

const SPOT: Spot = Spot { destination: DESTINATION, rank: 4, arrival: 1_000 };
const SEAT: Seat = Seat { queue: 3, rank: 4, arrival: 1_001 };
const AT: Timestamp = Timestamp::from_millis(1_780_000_111_222);

/// Keys by name, one for every table and every sort of timer.
pub(crate) fn keys() -> Vec<(&'static str, Key)> {
    let line = stream_id().line;
    let DirectoryRecord { key: directory, .. } = directory_record();
    vec![
        ("store", Key::Store),
        ("clock", Key::Clock),
        ("private", Key::Private("auth\0ority".to_owned())),
        ("directory", Key::Directory(directory)),
        ("line", Key::Line(line)),
        ("stream", Key::Stream(line, EPOCH)),
        ("sent", Key::Sent(line, EPOCH, 601)),
        ("copy", Key::Copy(SPOT)),
        ("copy_of", Key::CopyOf(message_id(601))),
        ("chunk", Key::Chunk(9, 10)),
        ("queue", Key::Queue(3)),
        ("queued", Key::Queued(SEAT)),
        ("inbox_line", Key::InboxLine(ORIGIN, line)),
        ("inbox", Key::Inbox(stream_id())),
        ("held", Key::Held(message_id(601))),
        ("receipt", Key::Receipt(stream_id(), DESTINATION)),
        ("status", Key::Status(stream_id())),
        ("dead", Key::Dead(12)),
        ("timer_sent", Key::Timer(AT, Target::Sent(line, EPOCH, 601))),
        ("timer_copy", Key::Timer(AT, Target::Copy(SPOT))),
        ("timer_queued", Key::Timer(AT, Target::Queued(SEAT))),
        ("timer_statement", Key::Timer(AT, Target::Statement(stream_id()))),
        ("once", Key::Once(Short([0x0e; 16]))),
        ("once_order", Key::OnceOrder(1_002)),
        ("partial", Key::Partial(message_id(601))),
        ("stage", Key::Stage(9)),
        ("shares", Key::Shares(9)),
    ]
}

fn inline() -> Content {
    Content::Inline(Bytes::from_static(b"inner bytes"))
}

const STORED: Content =
    Content::Stored { number: 9, len: 1_048_576, head: Bytes::new(), hash: None };

fn in_parts() -> Content {
    let hash = Some(ContentHash([0xc5; 32]));
    Content::Stored { number: 10, len: 268_435_456, head: Bytes::from_static(b"head"), hash }
}

fn partial(name: &str) -> Record {
    let (_, outer) = outers().into_iter().find(|(known, _)| *known == name).unwrap();
    let mut chunks = RangeSet::new();
    chunks.insert_range(0..4);
    chunks.insert(9);
    let queue = (name == "full").then(|| "orders".parse().unwrap());
    let (hash, checked) = (ContentHash([0xc5; 32]), name == "small");
    let partial = Partial { outer, hash, content: 11, chunks, queue, touched_at: AT, checked };
    Record::Partial(Box::new(partial))
}

fn sent(state: SentState) -> Record {
    Record::Sent(Sent {
        state,
        accepted_at: AT,
        expires_at: AT.after(1_000),
        timer_at: AT.after(500),
        copy: Some(SPOT),
        dead: Some(12),
    })
}

fn queued() -> Queued {
    Queued {
        id: message_id(601),
        delivery: Delivery::Recoverable,
        priority: Priority::default(),
        enqueued_at: AT,
        expires_at: Some(AT.after(60_000)),
        visible_at: AT.after(1_000),
        timer_at: Some(AT.after(1_000)),
        returned: 2,
        digest: Short([0xd1; 16]),
        content: inline(),
    }
}

fn dead(reason: DeathReason) -> Dead {
    Dead {
        id: message_id(601),
        destination: DESTINATION,
        queue: "orders".parse().unwrap(),
        delivery: Delivery::Transactional,
        priority: Priority::MAX,
        reach_within_ms: 2_592_000_000,
        ttl_ms: Some(60_000),
        reason,
        died_at: AT,
        unconfirmed: true,
        content: STORED,
        extensions: extensions(),
    }
}

fn once() -> Once {
    let line = stream_id().line;
    Once {
        digest: Short([0xd1; 16]),
        at: AT,
        order: 1_002,
        number: 0,
        epoch: EPOCH,
        lines: vec![(line, 601), (LineId(line.0 + 1), 20)],
        places: Bytes::from_static(&[0, 0, 1, 0]),
    }
}

/// Records by name; at least one of every kind.
pub(crate) fn records() -> Vec<(&'static str, Record)> {
    let mut all = states_and_deaths();
    let (_, outer) = outers().swap_remove(0);
    let copy = Copy {
        outer,
        transit: transit(),
        arrived_at: AT,
        content: STORED,
        digest: Short([0xd1; 16]),
    };
    let copy_in_parts = Copy { content: in_parts(), ..copy.clone() };
    let inline_copy = Copy { content: inline(), digest: Short::default(), ..copy.clone() };
    let plain_seat = Queued { expires_at: None, timer_at: None, content: STORED, ..queued() };
    all.extend([
        ("store", Record::Store(StoreInfo { id: 7, opening: EPOCH, node: ORIGIN })),
        ("clock", Record::Clock(AT)),
        ("private", Record::Private(Bytes::from_static(b"secret"))),
        ("directory", Record::Directory(directory_record())),
        ("copy", Record::Copy(Box::new(copy))),
        ("copy_inline", Record::Copy(Box::new(inline_copy))),
        ("copy_of", Record::CopyOf(SPOT)),
        ("chunk", Record::Chunk(Bytes::from(vec![0xc4; 100]))),
        ("queued", Record::Queued(Box::new(queued()))),
        ("queued_plain", Record::Queued(Box::new(plain_seat))),
        ("held", Record::Held(Box::new(queued()))),
        ("receipt", Record::Receipt(Box::new(attested(receipt())))),
        ("status", Record::Status(Box::new(attested(status())))),
        ("due", Record::Due),
        ("once", Record::Once(Box::new(once()))),
        ("once_key", Record::OnceKey(Short([0x0e; 16]))),
        ("copy_in_parts", Record::Copy(Box::new(copy_in_parts))),
        ("partial", partial("full")),
        ("partial_checked", partial("small")),
        ("stage", Record::Stage(262_144)),
        ("shares", Record::Shares(2)),
    ]);
    all.extend(queues_and_streams());
    all
}

fn states_and_deaths() -> Vec<(&'static str, Record)> {
    let bare = Sent {
        state: SentState::Waiting,
        accepted_at: AT,
        expires_at: AT,
        timer_at: AT,
        copy: None,
        dead: None,
    };
    let deaths = [
        ("dead_reach", DeathReason::ReachTimeExpired),
        ("dead_receive", DeathReason::ReceiveTimeExpired),
        ("dead_refused", DeathReason::Refused(Refusal::NoSuchQueue)),
        ("dead_skipped", DeathReason::Skipped),
        ("dead_unknown", DeathReason::OutcomeUnknown),
        ("dead_damaged", DeathReason::Damaged),
    ];
    let letter = |(name, reason)| (name, Record::Dead(Box::new(dead(reason))));
    let mut all: Vec<(&'static str, Record)> = deaths.into_iter().map(letter).collect();
    all.extend([
        ("sent_bare", Record::Sent(bare)),
        ("sent_waiting", sent(SentState::Waiting)),
        ("sent_arrived", sent(SentState::Arrived)),
        ("sent_received", sent(SentState::Received)),
        ("sent_ended", sent(SentState::Ended)),
        ("sent_dead", sent(SentState::Dead(DeathReason::Refused(Refusal::WrongKind)))),
        ("sent_unconfirmed", sent(SentState::Unconfirmed(DeathReason::ReachTimeExpired))),
    ]);
    all
}

fn queues_and_streams() -> Vec<(&'static str, Record)> {
    let queue = Queue {
        name: "Orders".parse().unwrap(),
        transactional: true,
        max_messages: Some(1_000),
        max_bytes: Some(1 << 20),
        created_at: AT,
        messages: 5,
        bytes: 5_000,
    };
    let line = InboxLine {
        current: EPOCH,
        roster: vec![EARLIER],
        queue: Some("orders".parse().unwrap()),
        ordered: true,
        express: true,
    };
    let receipt = receipt();
    let inbox = Inbox {
        floors: FLOORS,
        watermark: receipt.watermark,
        received: receipt.received,
        refused: receipt.refused,
        skipped: receipt.skipped,
        held: receipt.held,
        used: receipt.used,
        ended: receipt.ended,
        digest: receipt.digest,
        told: Some(EPOCH),
    };
    vec![
        (
            "line",
            Record::Line(Line {
                destination: DESTINATION,
                queue: "orders".parse().unwrap(),
                delivery: Delivery::Express,
                priority: Priority::default(),
            }),
        ),
        (
            "stream",
            Record::Stream(Stream {
                next: 602,
                floors: FLOORS,
                confirmed: Floors::START,
                base: 20,
                retired: true,
            }),
        ),
        ("queue", Record::Queue(queue.clone())),
        ("queue_plain", Record::Queue(Queue { max_messages: None, max_bytes: None, ..queue })),
        ("inbox_line", Record::InboxLine(line.clone())),
        ("inbox_line_new", Record::InboxLine(InboxLine { queue: None, roster: vec![], ..line })),
        ("inbox", Record::Inbox(Box::new(inbox))),
    ]
}
