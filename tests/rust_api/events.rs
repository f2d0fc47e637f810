//! News of the node, either way.

use crate::common::within;
use crate::{Bench, WAYS, node};
use meshmq::{Client, Event, Message, State};
use std::path::Path;
use std::time::Duration;

#[tokio::test]
async fn what_happens_to_messages_is_told() {
    for way in WAYS {
        let bench = Bench::start(way).await;
        let queue = bench.client.create_queue("orders").await.expect("a new name");
        let mut events = bench.client.events().await.expect("the node runs");
        let receipt = queue.send(Message::new("x")).await.expect("there is room");
        let taken = within(queue.receive(Duration::from_secs(5))).await.expect("it is here");
        taken.expect("one is there").ack().await.expect("the lock holds");
        let (mut has_entered, mut has_gone) = (false, false);
        while !has_gone {
            match within(events.next()).await.expect("more").expect("an event") {
                Event::Entered { queue, id } => {
                    assert_eq!((&*queue, &id), ("orders", receipt.id()), "{way:?}");
                    has_entered = true;
                }
                Event::Consumed { queue, id } => {
                    assert_eq!((&*queue, &id), ("orders", receipt.id()), "{way:?}");
                    has_gone = true;
                }
                Event::State { id, state } => {
                    assert_eq!(&id, receipt.id(), "{way:?}");
                    assert!(matches!(state, State::Arrived | State::Received), "{state:?}");
                }
                other => panic!("{way:?}: {other:?}"),
            }
        }
        assert!(has_entered, "{way:?}: it came before it went");
        let client = bench.client.clone();
        bench.node.shutdown(Duration::from_secs(10)).await.expect("a clean end");
        while let Some(event) = within(events.next()).await {
            if event.is_err() {
                break;
            }
        }
        assert!(client.events().await.is_err(), "{way:?}");
    }
}

#[tokio::test]
async fn events_go_on_when_the_node_is_back_and_what_is_missing_is_told() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let first = node(dir.path(), "pc-a").start().await.expect("it starts");
    first.client().create_queue("orders").await.expect("a new name");
    let client = Client::connect(Some(Path::new(first.socket()))).await.expect("it listens");
    let mut events = client.events().await.expect("the node runs");
    first.shutdown(Duration::ZERO).await.expect("a clean end");
    let second = node(dir.path(), "pc-a").start().await.expect("it starts again");
    let gap = within(events.next()).await.expect("more").expect("the node is back");
    assert_eq!(gap, Event::Lagged { missed: None });
    let receipt = second.client().queue("orders").send("x").await.expect("there is room");
    loop {
        let event = within(events.next()).await.expect("more").expect("an event");
        if let Event::Entered { id, .. } = event {
            assert_eq!(&id, receipt.id());
            return;
        }
    }
}
