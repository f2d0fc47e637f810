//! Sending, receipts, queues, errors.

use crate::common::{until, within};
use crate::{Bench, WAYS, node};
use bytes::Bytes;
use meshmq::engine::limits::Limits;
use meshmq::{Client, Error, Message, PeerState, QueueSpec, State};
use std::path::Path;
use std::time::Duration;

#[tokio::test]
async fn a_message_comes_out_as_it_went_in() {
    for way in WAYS {
        let bench = Bench::start(way).await;
        let queue = bench.client.create_queue("orders").await.expect("a new name");
        for body in [&b"text"[..], &[0, 159, 255], b""] {
            let message = Message::new(body.to_vec())
                .label("a label")
                .header("k", "v")
                .content_type("x/y")
                .priority(5)
                .correlation("1-2-3")
                .reply_to("answers@pc-a")
                .ttl(Duration::from_secs(3_600));
            let receipt = queue.send(message.clone()).await.expect("there is room");
            let page = queue.peek(None, 10).await.expect("it is here");
            assert!(page.is_last() && page.messages.len() == 1, "{way:?}");
            let taken = within(queue.receive(Duration::from_secs(5))).await;
            let taken = taken.expect("it is here").expect("one is there");
            assert_eq!(taken.message().id, *receipt.id());
            assert_eq!((&*taken.message().origin, &*taken.message().queue), ("pc-a", "orders"));
            assert_eq!(taken.message().delivery_count, 1);
            let mut wanted = message;
            // Limits of time are not told to who receives.
            wanted.ttl = None;
            assert_eq!(taken.message().message, wanted, "{way:?}");
            assert_eq!(receipt.state().await, Ok(State::Arrived));
            taken.ack().await.expect("the lock holds");
            within(receipt.received()).await.expect("it was received");
        }
        assert!(queue.receive(Duration::ZERO).await.expect("it is here").is_none());
    }
}

#[tokio::test]
async fn a_receipt_waits_until_it_is_so() {
    for way in WAYS {
        let bench = Bench::start(way).await;
        let queue = bench.client.create_queue("orders").await.expect("a new name");
        let receipt = queue.send("x").await.expect("there is room");
        within(receipt.arrived()).await.expect("it is in a queue of this node");
        let waiting = tokio::spawn({
            let receipt = receipt.clone();
            async move { receipt.received().await }
        });
        // A wait that is given up takes nothing along.
        drop(tokio::time::timeout(Duration::from_millis(20), receipt.received()).await);
        let delivery = queue.receive(Duration::ZERO).await.expect("it is here").expect("one");
        delivery.ack().await.expect("the lock holds");
        within(waiting).await.expect("no panic").expect("it was received");
    }
}

#[tokio::test]
async fn what_cannot_be_is_told_alike_on_both_ways() {
    let mut told = Vec::new();
    for way in WAYS {
        let bench = Bench::start(way).await;
        let client = &bench.client;
        client.create_queue(QueueSpec::new("small").max_messages(1)).await.expect("a new name");
        client.queue("small").send("x").await.expect("there is room");
        let errors = [
            client.create_queue("small").await.map(drop),
            client.queue("small").send("y").await.map(drop),
            client.queue("nowhere").receive(Duration::ZERO).await.map(drop),
            client.queue("q@nobody").send("x").await.map(drop),
            client.queue("no address!").send("x").await.map(drop),
            client.queue("small").send(Message::new("x").priority(9)).await.map(drop),
            client.queue("small").send_all(Vec::new()).await.map(drop),
        ];
        told.push(errors.map(|error| error.expect_err("it cannot be")));
    }
    let [direct, socket] = &told[..] else { panic!("two ways") };
    use std::mem::discriminant;
    for (one, other) in direct.iter().zip(socket) {
        assert_eq!(discriminant(one), discriminant(other), "{one:?} {other:?}");
        assert_eq!(one.cause().code, other.cause().code);
    }
    assert!(matches!(direct[0], Error::Conflict(_)), "{:?}", direct[0]);
    assert!(matches!(direct[1], Error::QuotaExceeded(_)) && direct[1].is_retryable());
    assert!(matches!(direct[2], Error::NoSuchQueue(_)), "{:?}", direct[2]);
    assert!(matches!(direct[3], Error::NoSuchNode(_)), "{:?}", direct[3]);
    assert!(matches!(direct[5], Error::Invalid(_)), "{:?}", direct[5]);
}

#[tokio::test]
async fn queues_are_described_emptied_and_removed() {
    for way in WAYS {
        let bench = Bench::start(way).await;
        let spec = QueueSpec::new("Ledger").transactional().max_bytes(1 << 20);
        let queue = bench.client.create_queue(spec).await.expect("a new name");
        let batch = (0..3).map(|n: u8| Message::new(vec![n]).transactional());
        queue.send_all(batch.collect()).await.expect("there is room");
        let info = queue.info().await.expect("it is here");
        assert_eq!((&*info.name, info.transactional, info.ready), ("Ledger", true, 3));
        assert_eq!((info.max_bytes, info.oldest_age.is_some()), (1 << 20, true));
        let mut bodies = Vec::new();
        let mut page = queue.peek(None, 2).await.expect("it is here");
        loop {
            bodies.extend(page.messages.iter().map(|message| message.body[0]));
            if page.is_last() {
                break;
            }
            page = queue.peek(Some(&page), 2).await.expect("it is here");
        }
        assert_eq!(bodies, [0, 1, 2], "{way:?}");
        assert_eq!(queue.purge().await, Ok(3));
        assert_eq!(bench.client.queues().await.expect("it runs").len(), 1);
        assert_eq!(queue.remove().await, Ok(0));
        assert_eq!(bench.client.queues().await, Ok(Vec::new()));
    }
}

#[tokio::test]
async fn a_node_is_joined_used_and_stopped() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let a = node(dir.path(), "pc-a").start().await.expect("it starts");
    let b = node(dir.path(), "pc-b");
    let token = a.invite(None).await.expect("the founder may");
    let b = b.join(&token).start().await.expect("it joins");
    let queue = b.client().create_queue("orders").await.expect("a new name");
    until(async || {
        let peers = b.peers().await.expect("it runs");
        (&*peers[0].name == "pc-a" && peers[0].state == PeerState::Up).then_some(())
    })
    .await;
    assert_eq!(b.client().node_name().await.as_deref(), Ok("pc-b"));

    let receipt = a.client().queue("orders@pc-b").send("x").await.expect("it is known");
    // What is outgoing is delivered before the node stops.
    within(a.shutdown(Duration::from_secs(30))).await.expect("a clean end");
    let taken = within(queue.receive(Duration::ZERO)).await.expect("it is here").expect("one");
    assert_eq!(taken.message().id, *receipt.id());
    taken.ack().await.expect("the lock holds");

    let gone = a.client().queues().await.expect_err("it has stopped");
    assert!(matches!(gone, Error::NotReachable(_)), "{gone:?}");
    let nobody = Client::connect(Some(Path::new(a.socket()))).await.expect_err("it has stopped");
    assert!(matches!(nobody, Error::NotReachable(_)) && nobody.is_retryable(), "{nobody:?}");
    within(a.shutdown(Duration::ZERO)).await.expect("a second time does nothing");
    within(b.shutdown(Duration::ZERO)).await.expect("a clean end");
}

#[tokio::test]
async fn a_message_that_died_is_told_with_its_reason() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let a = node(dir.path(), "pc-a").start().await.expect("it starts");
    let token = a.invite(None).await.expect("the founder may");
    let b = node(dir.path(), "pc-b").join(token).start().await.expect("it joins");
    for client in [a.client(), Client::connect(Some(Path::new(a.socket()))).await.expect("it runs")]
    {
        let receipt = client.queue("nowhere@pc-b").send("x").await.expect("it is known");
        let died = within(receipt.arrived()).await.expect_err("there is no such queue");
        assert!(matches!(died, Error::Dead(_)), "{died:?}");
        assert_eq!(died.cause().code, "no_such_queue");
    }
    drop(b);
}

#[tokio::test]
async fn a_directory_in_use_and_a_bad_name_are_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let _a = node(dir.path(), "pc-a").start().await.expect("it starts");
    let second = node(dir.path(), "pc-a").start().await.expect_err("one node per directory");
    assert!(matches!(second, Error::Conflict(_)), "{second:?}");
    let bad = node(dir.path(), "pc-c").name("Not A Name").start().await.expect_err("no name");
    assert!(matches!(bad, Error::Invalid(_)), "{bad:?}");
}

#[tokio::test]
async fn a_large_body_goes_in_and_comes_out_piece_by_piece() {
    let large: Vec<u8> = (0..3_000_000_u32).map(|at| (at / 13 % 251) as u8).collect();
    for way in WAYS {
        let bench = Bench::start(way).await;
        let queue = bench.client.create_queue("files").await.expect("a new name");
        for body in [&large[..], &large[..1_000], b""] {
            let pieces: Vec<_> =
                body.chunks(70_001).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
            let message = Message::new("").label("a label").content_type("x/y");
            let receipt = queue.send_stream(message, futures::stream::iter(pieces)).await;
            let receipt = receipt.expect("there is room");
            let taken = within(queue.receive(Duration::from_secs(5))).await;
            let taken = taken.expect("it is here").expect("one is there");
            assert_eq!(taken.message().id, *receipt.id());
            assert_eq!(taken.message().body_size, body.len() as u64, "{way:?}");
            assert_eq!(taken.message().is_body_apart(), body.len() > 1_048_576);
            assert_eq!(
                (&*taken.message().label, &*taken.message().content_type),
                ("a label", "x/y")
            );
            let mut pieces = taken.body().await.expect("the lock holds");
            let mut got = Vec::new();
            while let Some(piece) = pieces.next().await {
                got.extend_from_slice(&piece.expect("it is there"));
            }
            assert!(got == body, "{way:?}: {} bytes of {}", got.len(), body.len());
            taken.ack().await.expect("the lock holds");
        }
        let broken = futures::stream::iter([
            Ok(Bytes::from(large.clone())),
            Err(std::io::Error::other("the disk is gone")),
        ]);
        queue.send_stream("", broken).await.expect_err("it broke off");
        let twice = queue.send_stream("a body", futures::stream::empty()).await;
        assert!(matches!(twice, Err(Error::Invalid(_))), "{way:?}: {twice:?}");
        assert_eq!(queue.info().await.expect("it is here").ready, 0, "{way:?}: nothing was sent");
    }
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_alike_and_nothing_is_sent() {
    let limits = Limits { body_bytes: 100_000, ..Limits::default() };
    let dir = tempfile::tempdir().expect("a temporary directory");
    let node = node(dir.path(), "pc-a").limits(limits).start().await.expect("it starts");
    let socket = Client::connect(Some(Path::new(node.socket()))).await.expect("it listens");
    let queue = node.client().create_queue("orders").await.expect("a new name");
    for client in [node.client(), socket] {
        let there = client.queue("orders");
        let larger = there.send(vec![0; 100_001]).await.expect_err("it is too large");
        assert!(matches!(larger, Error::TooLarge(_)), "{larger:?}");
        let larger = there.send(Message::new("x").label("x".repeat(250))).await;
        assert!(larger.is_err(), "{larger:?}");
        there.send(vec![0; 100_000]).await.expect("it fits");
    }
    assert_eq!(queue.info().await.expect("it is here").ready, 2);
}
