//! Receiving: streams, locks, and what returns when something is dropped.

use crate::common::{until, within};
use crate::{Bench, WAYS, Way, node};
use futures::StreamExt;
use meshmq::{Client, Error, Message, Queue};
use std::path::Path;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

async fn filled(bench: &Bench, messages: usize) -> Queue {
    let queue = bench.client.create_queue("orders").await.expect("a new name");
    let batch = (0..messages).map(|n| Message::new(n.to_string()));
    if messages > 0 {
        queue.send_all(batch.collect()).await.expect("there is room");
    }
    queue
}

/// Waits until nothing is locked and so many messages are ready.
async fn ready(queue: &Queue, messages: u64) {
    until(|| async {
        let info = queue.info().await.expect("it is here");
        ((info.ready, info.locked) == (messages, 0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_stream_hands_out_everything_and_ends_when_nothing_comes() {
    for way in WAYS {
        let bench = Bench::start(way).await;
        let queue = filled(&bench, 40).await;
        let receiver = queue.receiver().prefetch(16).wait(Duration::from_millis(200));
        let stream = receiver.start().await.expect("it runs");
        let bodies = stream.then(|delivery| async {
            let delivery = delivery.expect("it is here");
            let body = delivery.message().body.clone();
            delivery.ack().await.expect("the lock holds");
            body
        });
        let mut bodies: Vec<_> = within(bodies.collect::<Vec<_>>()).await;
        bodies.sort();
        bodies.dedup();
        assert_eq!(bodies.len(), 40, "{way:?}");
        ready(&queue, 0).await;
    }
}

#[tokio::test]
async fn what_is_dropped_returns_at_once() {
    for way in WAYS {
        let bench = Bench::start(way).await;
        let queue = filled(&bench, 5).await;
        let receiver = queue.receiver().prefetch(4).lock_for(Duration::from_secs(3_600));
        let mut stream = receiver.start().await.expect("it runs");
        let first = within(stream.next()).await.expect("one").expect("it is here");
        drop(first);
        let second = within(stream.next()).await.expect("one").expect("it is here");
        drop(stream);
        // What was kept ready returned, what is in hand did not.
        until(|| async {
            let info = queue.info().await.expect("it is here");
            ((info.ready, info.locked) == (4, 1)).then_some(())
        })
        .await;
        second.ack().await.expect("its lock outlives the stream");
        ready(&queue, 4).await;
    }
}

#[tokio::test]
async fn a_wait_that_is_given_up_takes_nothing_along() {
    for way in WAYS {
        let bench = Bench::start(way).await;
        let queue = filled(&bench, 0).await;
        let mut stream = queue.receiver().start().await.expect("it runs");
        for n in 0..20 {
            let none = tokio::time::timeout(Duration::from_millis(1), stream.next()).await;
            assert!(none.is_err(), "nothing is there");
            let one = tokio::time::timeout(Duration::from_millis(1), queue.receive(SOON)).await;
            assert!(one.is_err(), "nothing is there");
            queue.send(n.to_string()).await.expect("there is room");
            let got = within(stream.next()).await.expect("one").expect("it is here");
            assert_eq!(got.message().body, n.to_string(), "{way:?}");
            got.ack().await.expect("the lock holds");
        }
        drop(stream);
        ready(&queue, 0).await;
    }
}

#[tokio::test]
async fn a_lock_is_settled_extended_and_lost() {
    for way in WAYS {
        let bench = Bench::start(way).await;
        let queue = filled(&bench, 1).await;
        let short = queue.receiver().lock_for(Duration::from_millis(300));
        let mut stream = short.start().await.expect("it runs");
        let mut held = within(stream.next()).await.expect("one").expect("it is here");
        held.extend(Duration::from_secs(60)).await.expect("the lock holds");
        held.nack().await.expect("the lock holds");
        let again = within(stream.next()).await.expect("one").expect("it is here");
        assert_eq!(again.message().delivery_count, 2, "{way:?}");
        again.release().await.expect("the lock holds");
        let lost = within(stream.next()).await.expect("one").expect("it is here");
        until(|| async { lost.is_over().then_some(()) }).await;
        ready(&queue, 1).await;
        let gone = lost.ack().await.expect_err("it ran out");
        assert!(matches!(gone, Error::LockLost(_)), "{gone:?}");
    }
}

#[tokio::test]
async fn a_queue_that_is_not_there_ends_the_stream() {
    for way in WAYS {
        let bench = Bench::start(way).await;
        let mut stream = bench.client.queue("nowhere").receiver().start().await.expect("it runs");
        let told = within(stream.next()).await.expect("why").expect_err("it is not there");
        assert!(matches!(told, Error::NoSuchQueue(_)), "{told:?}");
        assert!(within(stream.next()).await.is_none());
    }
}

#[tokio::test]
async fn a_stream_ends_with_a_node_of_the_same_process() {
    let bench = Bench::start(Way::Within).await;
    let queue = filled(&bench, 0).await;
    let mut stream = queue.receiver().start().await.expect("it runs");
    let waiting = tokio::spawn(async move { stream.next().await.is_none() });
    within(bench.node.shutdown(Duration::ZERO)).await.expect("a clean end");
    assert!(within(waiting).await.expect("no panic"));
}

#[tokio::test]
async fn a_stream_over_the_socket_goes_on_when_the_node_is_back() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let first = node(dir.path(), "pc-a").start().await.expect("it starts");
    let client = Client::connect(Some(Path::new(first.socket()))).await.expect("it runs");
    let queue = client.create_queue("orders").await.expect("a new name");
    let mut stream = queue.receiver().start().await.expect("it runs");
    within(first.shutdown(Duration::ZERO)).await.expect("a clean end");
    drop(first);
    let told = within(stream.next()).await.expect("that it is away").expect_err("it is away");
    assert!(told.is_retryable(), "{told:?}");
    let _second = node(dir.path(), "pc-a").start().await.expect("it starts");
    queue.send("again").await.expect("the same client finds it");
    let got = loop {
        match within(stream.next()).await.expect("it goes on") {
            Ok(delivery) => break delivery,
            Err(why) => assert!(why.is_retryable(), "{why:?}"),
        }
    };
    assert_eq!(got.message().body, "again");
    got.ack().await.expect("the lock holds");
}
