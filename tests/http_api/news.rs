//! News of the node, resumed.

use crate::common::{Events, Http, SentEvent, TestNode};
use serde_json::{Value, json};

const PATH: &str = "/v1/events";

async fn node() -> (TestNode, Http) {
    let node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    http.put("/v1/queues/q", json!({})).await.expect(201);
    (node, http)
}

async fn send(http: &mut Http) -> Value {
    http.post("/v1/queues/q/messages", json!({"body": "x"})).await.expect(201)["id"].clone()
}

/// The next event that a message came into a queue.
async fn entered(news: &mut Events) -> SentEvent {
    loop {
        let event = news.next().await.expect("an event");
        assert_ne!(event.name, "lagged", "{event:?}");
        if event.name == "entered" {
            return event;
        }
    }
}

#[tokio::test]
async fn a_reader_that_broke_off_goes_on_after_what_it_saw() {
    let (node, mut http) = node().await;
    let mut news = node.connect().await.events(PATH).await;
    let opened = news.expect("open").await;
    assert_eq!(opened.json["resumed"], false);
    let first = send(&mut http).await;
    let seen = entered(&mut news).await;
    assert_eq!(seen.json["id"], first);
    drop(news);
    let (second, third) = (send(&mut http).await, send(&mut http).await);
    for _ in 0..2 {
        let mut again = node.connect().await.with("last-event-id", &seen.id).events(PATH).await;
        assert_eq!(again.expect("open").await.json["resumed"], true);
        assert_eq!(entered(&mut again).await.json["id"], second);
        assert_eq!(entered(&mut again).await.json["id"], third);
    }
    // The id of `open` is one too: nothing between it and the first event is lost.
    let mut begun = node.connect().await.with("last-event-id", &opened.id).events(PATH).await;
    assert_eq!(begun.expect("open").await.json["resumed"], true);
    assert_eq!(entered(&mut begun).await.json["id"], first);
}

#[tokio::test]
async fn a_reader_of_an_earlier_start_is_told_that_it_missed_some() {
    let (mut node, http) = node().await;
    let mut news = node.connect().await.events(PATH).await;
    let seen = news.expect("open").await;
    drop((news, http));
    node.down().await;
    node.up().await.expect("it starts again");
    let mut again = node.connect().await.with("last-event-id", &seen.id).events(PATH).await;
    assert_eq!(again.expect("open").await.json["resumed"], false);
    assert_eq!(again.expect("lagged").await.json["missed"], Value::Null);
    let mut http = node.connect().await;
    let id = send(&mut http).await;
    let next = entered(&mut again).await;
    assert_eq!(next.json["id"], id);
    // An id that was never given out is of another start too.
    let (feed, number) = next.id.split_once('.').expect("two parts");
    let far = format!("{feed}.{}", number.parse::<u64>().expect("a number") + 1_000);
    let mut far = node.connect().await.with("last-event-id", &far).events(PATH).await;
    assert_eq!(far.expect("open").await.json["resumed"], false);
    far.expect("lagged").await;
    for bad in ["seven", "1.2", "00000001.x"] {
        let mut http = node.connect().await.with("last-event-id", bad);
        http.get(PATH).await.refused(400, "bad_request");
    }
}
