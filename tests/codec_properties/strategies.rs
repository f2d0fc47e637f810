//! Values of the vocabulary, small and large numbers mixed. Boxed, so that they stay small on the
//! stacks of test threads.

use bytes::Bytes;
use meshmq::codec::Inner;
use meshmq::engine::address::{LineId, NodeId, QueueName};
use meshmq::engine::frame::{
    Contact, DirectoryEntry, Frame, NotTaken, Outcome, Part, Purpose, Transfer,
};
use meshmq::engine::ids::{Epoch, MessageId, StreamId};
use meshmq::engine::message::{
    Content, ContentHash, Delivery, Earlier, Extensions, Floors, Outer, Priority, Short, Transit,
};
use meshmq::engine::ranges::RangeSet;
use meshmq::engine::record::{
    Copy, Dead, DeathReason, Inbox, Once, Partial, Queue, Queued, Record, Sent, SentState, Spot,
};
use meshmq::engine::statement::{
    Attested, DirectoryKey, DirectoryRecord, LinkState, Receipt, Refusal, Status, Version,
};
use meshmq::engine::time::Timestamp;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

fn number() -> BoxedStrategy<u64> {
    prop_oneof![0..300_u64, any::<u64>(), Just(u64::MAX), any::<u32>().prop_map(u64::from)].boxed()
}

fn bytes(most: usize) -> BoxedStrategy<Bytes> {
    vec(any::<u8>(), 0..most).prop_map(Bytes::from).boxed()
}

fn extensions() -> BoxedStrategy<Extensions> {
    btree_map(any::<u16>(), bytes(8), 0..3).boxed()
}

fn node() -> BoxedStrategy<NodeId> {
    any::<[u8; 32]>().prop_map(NodeId::from_bytes).boxed()
}

fn short() -> BoxedStrategy<Short> {
    any::<[u8; 16]>().prop_map(Short).boxed()
}

fn at() -> BoxedStrategy<Timestamp> {
    number().prop_map(Timestamp::from_millis).boxed()
}

fn queue_name() -> BoxedStrategy<QueueName> {
    vec(prop::sample::select(b"aZ09._-".to_vec()), 1..=124)
        .prop_map(|name| String::from_utf8(name).unwrap().parse().unwrap())
        .boxed()
}

fn epoch() -> BoxedStrategy<Epoch> {
    (number(), number()).prop_map(|(k, nonce)| Epoch { k, nonce }).boxed()
}

fn stream_id() -> BoxedStrategy<StreamId> {
    (node(), number(), epoch())
        .prop_map(|(origin, line, epoch)| StreamId { origin, line: LineId(line), epoch })
        .boxed()
}

pub(crate) fn message_id() -> BoxedStrategy<MessageId> {
    (stream_id(), number()).prop_map(|(stream, number)| MessageId { stream, number }).boxed()
}

fn delivery() -> BoxedStrategy<Delivery> {
    prop::sample::select(vec![Delivery::Express, Delivery::Recoverable, Delivery::Transactional])
        .boxed()
}

fn priority() -> BoxedStrategy<Priority> {
    (0..8_u8).prop_map(|value| Priority::new(value).unwrap()).boxed()
}

fn floors() -> BoxedStrategy<Floors> {
    (number(), number(), number())
        .prop_map(|(give_up, known, used_known)| Floors { give_up, known, used_known })
        .boxed()
}

fn roster() -> BoxedStrategy<Vec<Earlier>> {
    vec((epoch(), number()).prop_map(|(epoch, last)| Earlier { epoch, last }), 0..4).boxed()
}

fn ranges() -> BoxedStrategy<RangeSet> {
    vec((0..5_000_u64, 1..50_u64), 0..8)
        .prop_map(|list| list.into_iter().map(|(start, len)| start..start + len).collect())
        .boxed()
}

fn refusal() -> BoxedStrategy<Refusal> {
    prop::sample::select(vec![
        Refusal::NoSuchQueue,
        Refusal::WrongKind,
        Refusal::TooLarge,
        Refusal::QueueDeleted,
    ])
    .boxed()
}

pub(crate) fn outcome() -> BoxedStrategy<Outcome> {
    prop::sample::select(vec![
        Outcome::Accepted,
        Outcome::NotTaken(NotTaken::QueueFull),
        Outcome::NotTaken(NotTaken::OverAge),
        Outcome::NotTaken(NotTaken::Unreadable),
    ])
    .boxed()
}

fn outer() -> BoxedStrategy<Outer> {
    let head = (message_id(), node(), delivery(), priority(), number());
    let tail = (option::of(number()), floors(), roster(), short(), number(), extensions());
    (head, tail)
        .prop_map(|((id, destination, delivery, priority, reach_within_ms), tail)| {
            let (ttl_ms, floors, roster, salt, size, extensions) = tail;
            Outer {
                id,
                destination,
                delivery,
                priority,
                reach_within_ms,
                ttl_ms,
                floors,
                roster,
                salt,
                size,
                extensions,
            }
        })
        .boxed()
}

fn transit() -> BoxedStrategy<Transit> {
    (number(), any::<u16>(), any::<u16>(), any::<u8>())
        .prop_map(|(age_ms, tokens, round, hops)| Transit { age_ms, tokens, round, hops })
        .boxed()
}

fn version() -> BoxedStrategy<Version> {
    (epoch(), number()).prop_map(|(opening, count)| Version { opening, count }).boxed()
}

fn attested<T: std::fmt::Debug + Clone + 'static>(
    statement: BoxedStrategy<T>,
) -> BoxedStrategy<Attested<T>> {
    let signature = prop_oneof![Just(Bytes::new()), vec(any::<u8>(), 64).prop_map(Bytes::from)];
    (statement, signature)
        .prop_map(|(statement, signature)| Attested { statement, signature })
        .boxed()
}

fn receipt() -> BoxedStrategy<Receipt> {
    let head = (node(), stream_id(), number(), version(), floors(), number());
    let verdicts = (ranges(), btree_map(refusal(), ranges(), 0..4), ranges(), ranges());
    let tail = (ranges(), ranges(), (number(), number()), short(), any::<u32>());
    (head, verdicts, tail, option::of(epoch()), extensions())
        .prop_map(|(head, verdicts, tail, closed, extensions)| {
            let (destination, stream, store, version, floors, watermark) = head;
            let (received, refused, skipped, held) = verdicts;
            let (used, ended, (room, roster), digest, lowest_key) = tail;
            Receipt {
                destination,
                stream,
                store,
                version,
                floors,
                watermark,
                received,
                refused,
                skipped,
                held,
                used,
                ended,
                room,
                roster,
                digest,
                lowest_key,
                closed,
                extensions,
            }
        })
        .boxed()
}

fn status() -> BoxedStrategy<Status> {
    let flags = (any::<bool>(), any::<bool>());
    (stream_id(), node(), version(), floors(), roster(), flags, extensions())
        .prop_map(|(stream, destination, version, floors, roster, flags, extensions)| Status {
            stream,
            destination,
            version,
            floors,
            roster,
            ordered: flags.0,
            express: flags.1,
            extensions,
        })
        .boxed()
}

fn link_state() -> BoxedStrategy<LinkState> {
    (node(), version(), vec(node(), 0..5), extensions())
        .prop_map(|(node, version, neighbours, extensions)| LinkState {
            node,
            version,
            neighbours,
            extensions,
        })
        .boxed()
}

fn directory_key() -> BoxedStrategy<DirectoryKey> {
    (any::<u8>(), bytes(64)).prop_map(|(kind, subject)| DirectoryKey { kind, subject }).boxed()
}

fn directory_record() -> BoxedStrategy<DirectoryRecord> {
    (directory_key(), bytes(64), bytes(2_000))
        .prop_map(|(key, rank, bytes)| DirectoryRecord { key, rank, bytes })
        .boxed()
}

fn contact() -> BoxedStrategy<Contact> {
    (number(), epoch(), option::of(epoch()), number(), number(), extensions())
        .prop_map(|(store, opening, yours, directory, room, extensions)| Contact {
            store,
            opening,
            yours,
            directory,
            room,
            extensions,
        })
        .boxed()
}

pub(crate) fn frame() -> BoxedStrategy<Frame> {
    let entry = (directory_key(), bytes(64)).prop_map(|(key, rank)| DirectoryEntry { key, rank });
    let purpose = prop::sample::select(vec![Purpose::Move, Purpose::Spray]);
    let transfer = (outer(), transit(), purpose, number(), bytes(3_000));
    let transfer = transfer.prop_map(|(outer, transit, purpose, transfer, inner)| Transfer {
        outer,
        transit,
        purpose,
        transfer,
        inner,
        digest: Short::default(),
        queue: None,
    });
    let part = (transfer.clone(), any::<[u8; 32]>(), number(), bytes(3_000)).prop_map(
        |(transfer, hash, offset, bytes)| Part { transfer, hash: ContentHash(hash), offset, bytes },
    );
    prop_oneof![
        contact().prop_map(Frame::Contact),
        attested(receipt()).prop_map(Frame::Receipt),
        attested(status()).prop_map(Frame::Status),
        attested(link_state()).prop_map(Frame::LinkState),
        vec(entry, 0..4).prop_map(Frame::Have),
        directory_record().prop_map(Frame::Record),
        Just(Frame::Synced),
        transfer.prop_map(|transfer| Frame::Transfer(Box::new(transfer))),
        part.prop_map(|part| Frame::Part(Box::new(part))),
    ]
    .boxed()
}

pub(crate) fn inner() -> BoxedStrategy<Inner> {
    let text = || any::<String>().boxed();
    let head = (queue_name(), text(), btree_map(text(), text(), 0..4), text());
    (head, option::of(text()), option::of(text()), bytes(3_000), extensions())
        .prop_map(|(head, correlation_id, reply_to, body, extensions)| {
            let (queue, label, headers, content_type) = head;
            Inner {
                queue,
                label,
                headers,
                content_type,
                correlation_id,
                reply_to,
                body,
                extensions,
            }
        })
        .boxed()
}

#[path = "records.rs"]
mod records;
pub(crate) use records::record;
