use super::*;
use crate::{Error, Event, Message, QueueSpec, State};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3_600);

#[tokio::test]
async fn a_message_waits_out_a_cut_of_days_and_arrives_within_seconds_of_its_end() {
    let begun = std::time::Instant::now();
    let mesh = Mesh::new(["a", "b"]);
    let inbox = mesh.client("b").create_queue("orders").await.unwrap();
    mesh.settle().await;
    mesh.cut(&["a"], &["b"]);
    let receipt = mesh.client("a").queue("orders@b").send("two boxes").await.unwrap();
    mesh.advance(20 * DAY).await;
    assert_eq!(receipt.state().await.unwrap(), State::Stored);
    assert_eq!(inbox.info().await.unwrap().ready, 0);
    let healed = mesh.elapsed();
    mesh.heal();
    receipt.arrived().await.unwrap();
    assert!(mesh.elapsed() - healed < 10 * SECOND, "{:?}", mesh.elapsed() - healed);
    let delivery = inbox.receive(SECOND).await.unwrap().expect("it is there");
    assert_eq!(delivery.message().body, "two boxes");
    delivery.ack().await.unwrap();
    receipt.received().await.unwrap();
    assert!(begun.elapsed() < DAY, "the days were virtual");
}

#[tokio::test]
async fn a_message_that_runs_out_of_time_is_dead() {
    let mesh = Mesh::new(["a", "b"]);
    mesh.client("b").create_queue("orders").await.unwrap();
    mesh.cut(&["a"], &["b"]);
    let order = Message::new("soon").reach_within(SECOND * 60);
    let receipt = mesh.client("a").queue("orders@b").send(order).await.unwrap();
    let why = receipt.arrived().await.unwrap_err();
    assert!(matches!(why, Error::Dead(_)), "{why:?}");
    assert!(mesh.elapsed() >= SECOND * 60 && mesh.elapsed() < SECOND * 120, "{mesh:?}");
}

#[tokio::test]
async fn a_relay_ferries_between_two_that_never_meet() {
    let links = [("a", "ferry"), ("ferry", "b")];
    let mesh = Mesh::builder(["a", "ferry", "b"]).links(&links).start();
    mesh.client("b").create_queue("orders").await.unwrap();
    mesh.cut(&["ferry"], &["b"]);
    let receipt = mesh.client("a").queue("orders@b").send("by boat").await.unwrap();
    mesh.settle().await;
    assert_eq!(receipt.state().await.unwrap(), State::InTransit { held_by: "ferry".to_owned() });
    mesh.cut(&["ferry"], &["a"]);
    mesh.heal();
    mesh.cut(&["ferry"], &["a"]);
    mesh.settle().await;
    assert_eq!(mesh.client("b").queue("orders").info().await.unwrap().ready, 1);
    mesh.heal();
    receipt.arrived().await.unwrap();
}

#[tokio::test]
async fn a_client_outlives_crashes_and_what_was_acknowledged_does_too() {
    let mut mesh = Mesh::new(["a", "b"]);
    let client = mesh.client("b");
    let spec = QueueSpec::new("orders").transactional();
    let mut inbox = client.create_queue(spec).await.unwrap().receiver().start().await.unwrap();
    let orders = mesh.client("a").queue("orders@b");
    let all = (0..20).map(|n: u32| Message::new(n.to_string()).transactional()).collect();
    let receipts = orders.send_all(all).await.unwrap();
    for n in 0..5 {
        let delivery = inbox.next().await.unwrap().unwrap();
        assert_eq!(delivery.message().body, n.to_string());
        delivery.ack().await.unwrap();
    }
    mesh.crash("b").await;
    assert!(matches!(client.queues().await, Err(Error::NotReachable(_))));
    assert!(matches!(client.create_queue("more").await, Err(Error::NotReachable(_))));
    mesh.advance(DAY).await;
    mesh.crash("a").await;
    mesh.crash("a").await;
    mesh.restart("a");
    mesh.restart("b");
    mesh.restart("b");
    let mut received = Vec::new();
    while received.last().is_none_or(|last| *last < 19) {
        // One that was ready in the earlier life is locked no more; that it ended is told once.
        let Ok(delivery) = inbox.next().await.unwrap() else { continue };
        let number: u32 = String::from_utf8_lossy(&delivery.message().body).parse().unwrap();
        if delivery.ack().await.is_ok() {
            received.push(number);
        }
    }
    assert_eq!(received, (5..20).collect::<Vec<_>>());
    receipts[19].received().await.unwrap();
}

#[tokio::test]
async fn a_call_that_a_crash_cuts_short_says_that_nobody_knows() {
    let mut mesh = Mesh::new(["a", "b"]);
    mesh.client("b").create_queue("orders").await.unwrap();
    mesh.cut(&["a"], &["b"]);
    let receipt = mesh.client("a").queue("orders@b").send("one").await.unwrap();
    let again = receipt.clone();
    let waits = tokio::spawn(async move { again.arrived().await });
    mesh.advance(SECOND).await;
    mesh.crash("a").await;
    let why = waits.await.unwrap().unwrap_err();
    assert!(matches!(why, Error::Interrupted(_)), "{why:?}");
    mesh.restart("a");
    mesh.heal();
    receipt.arrived().await.unwrap();
}

#[tokio::test]
async fn locks_end_by_the_virtual_clock() {
    let mesh = Mesh::new(["a"]);
    let queue = mesh.client("a").create_queue("orders").await.unwrap();
    queue.send("one").await.unwrap();
    let delivery = queue.receive(SECOND).await.unwrap().expect("it is there");
    mesh.advance(SECOND * 40).await;
    assert!(matches!(delivery.ack().await, Err(Error::LockLost(_))));
    let again = queue.receive(SECOND).await.unwrap().expect("it is back");
    assert_eq!(again.message().body, "one");
    again.ack().await.unwrap();
}

#[tokio::test]
async fn a_body_in_parts_comes_whole() {
    let mesh = Mesh::new(["a", "b"]);
    let inbox = mesh.client("b").create_queue("films").await.unwrap();
    let film = bytes::Bytes::from(vec![7; 3_000_000]);
    let pieces = futures::stream::iter([Ok(film.clone())]);
    let films = mesh.client("a").queue("films@b");
    let receipt = films.send_stream(Message::new(""), pieces).await.unwrap();
    receipt.arrived().await.unwrap();
    let delivery = inbox.receive(SECOND).await.unwrap().expect("it is there");
    let body = delivery.body().await.unwrap();
    use futures::TryStreamExt as _;
    let pieces: Vec<bytes::Bytes> = body.try_collect().await.unwrap();
    assert_eq!(pieces.concat(), film);
}

/// What happens in a run with cuts and crashes: each event with its time.
async fn story(seed: u64) -> Vec<String> {
    let mut mesh = Mesh::builder(["a", "b", "c"]).seed(seed).start();
    mesh.client("b").create_queue("orders").await.unwrap();
    let started = Instant::now();
    let mut told = mesh.client("a").events().await.unwrap();
    let follow = tokio::spawn(async move {
        let mut lines = Vec::new();
        while let Some(Ok(event)) = told.next().await {
            lines.push(format!("{:?} {event:?}", started.elapsed()));
        }
        lines
    });
    let orders = mesh.client("a").queue("orders@b");
    for round in 0..4 {
        mesh.cut(&["a"], if round % 2 == 0 { &["b"] } else { &["b", "c"] });
        orders.send(format!("order {round}")).await.unwrap();
        mesh.crash("c").await;
        mesh.advance(SECOND * 30).await;
        mesh.restart("c");
        mesh.heal();
        mesh.settle().await;
    }
    drop(mesh);
    follow.await.unwrap()
}

#[tokio::test]
async fn a_seed_is_a_run() {
    let (one, again, other) = (story(7).await, story(7).await, story(8).await);
    assert!(one.len() > 20, "{one:#?}");
    assert_eq!(one, again);
    assert_ne!(one, other);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_stands_already_is_taken_as_it_is() {
    let mesh = Mesh::new(["a", "b"]);
    let mut events = mesh.client("a").events().await.unwrap();
    assert_eq!(
        events.next().await.unwrap().unwrap(),
        Event::Link { node: "b".to_owned(), up: true }
    );
    let peers = mesh.client("a").peers().await.unwrap();
    assert_eq!((peers.len(), peers[0].name.as_str()), (1, "b"));
    assert_eq!(peers[0].path, "direct");
    mesh.cut(&["b"], &["a"]);
    let down = Event::Link { node: "b".to_owned(), up: false };
    assert_eq!(events.next().await.unwrap().unwrap(), down);
    assert!(mesh.elapsed() >= SECOND * 3, "{mesh:?}");
}

#[tokio::test]
async fn whoever_waits_for_what_never_comes_is_told_in_the_end() {
    let mesh = Mesh::new(["a"]);
    let queue = mesh.client("a").create_queue("orders").await.unwrap();
    let receipt = queue.send("nobody is there to receive it").await.unwrap();
    let why = receipt.received().await.unwrap_err();
    assert!(matches!(why, Error::Interrupted(_)), "{why:?}");
    assert!(matches!(queue.info().await, Err(Error::NotReachable(_))));
    assert!(mesh.elapsed() >= TIME_MAX);
}

#[tokio::test]
#[should_panic(expected = "no node `c` among [\"a\", \"b\"]")]
async fn a_node_that_is_not_there_is_named() {
    drop(Mesh::new(["a", "b"]).client("c"));
}

#[tokio::test]
#[should_panic(expected = "there are two nodes `a`")]
async fn a_name_means_one_node() {
    drop(Mesh::new(["a", "a"]));
}
