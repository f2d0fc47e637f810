//! Server-sent events: deliveries under locks, resumed after a break, and news of the node.

use crate::common::{Http, SentEvent, TestNode, within};
use crate::tcp;
use serde_json::{Value, json};

async fn with_messages(count: usize) -> (TestNode, Http) {
    let node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    http.put("/v1/queues/q", json!({})).await.expect(201);
    if count > 0 {
        let bodies: Vec<Value> = (0..count).map(|n| json!({"body": n.to_string()})).collect();
        http.post("/v1/queues/q/messages", json!({"messages": bodies})).await.expect(201);
    }
    (node, http)
}

fn body(event: &SentEvent) -> &str {
    event.json["body"].as_str().unwrap_or_else(|| panic!("{event:?}"))
}

fn ack(event: &SentEvent) -> String {
    format!("/v1/locks/{}/ack", event.json["lock"]["token"].as_str().expect("a token"))
}

#[tokio::test]
async fn deliveries_come_as_the_window_allows() {
    let (node, mut http) = with_messages(3).await;
    let mut stream = node.connect().await.events("/v1/queues/q/stream?window=2&lease_s=600").await;
    assert_eq!(stream.expect("open").await.json["resumed"], false);
    let first = stream.expect("message").await;
    let second = stream.expect("message").await;
    assert_eq!((body(&first), body(&second)), ("0", "1"));
    let queue = http.get("/v1/queues/q").await.expect(200);
    assert_eq!((&queue["locked"], &queue["ready"]), (&json!(2), &json!(1)), "the window is full");
    http.call("POST", &ack(&first), None).await.expect(204);
    let third = stream.expect("message").await;
    assert_eq!(body(&third), "2");
    http.call("POST", &ack(&second), None).await.expect(204);
    http.call("POST", &ack(&third), None).await.expect(204);
    http.post("/v1/queues/q/messages", json!({"body": "later"})).await.expect(201);
    assert_eq!(body(&stream.expect("message").await), "later");
}

#[tokio::test]
async fn a_nack_and_a_lease_that_ran_out_come_again() {
    let (node, mut http) = with_messages(1).await;
    let mut stream = node.connect().await.events("/v1/queues/q/stream?window=1&lease_s=0.3").await;
    stream.expect("open").await;
    stream.expect("message").await;
    let again = stream.expect("message").await;
    assert_eq!((body(&again), &again.json["delivery_count"]), ("0", &json!(2)));
    let token = again.json["lock"]["token"].as_str().expect("a token");
    let extend = json!({"lease_s": 600});
    http.post(&format!("/v1/locks/{token}/extend"), extend).await.expect(200);
    http.call("POST", &format!("/v1/locks/{token}/nack"), None).await.expect(204);
    let third = stream.expect("message").await;
    assert_eq!(third.json["delivery_count"], 3);
}

#[tokio::test]
async fn a_stream_that_broke_off_goes_on_where_it_was() {
    let (node, mut http) = with_messages(4).await;
    let path = "/v1/queues/q/stream?window=3&lease_s=600";
    let mut stream = node.connect().await.events(path).await;
    stream.expect("open").await;
    let seen = stream.expect("message").await;
    let unseen = stream.expect("message").await;
    stream.expect("message").await;
    drop(stream);
    let mut again = node.connect().await.with("last-event-id", &seen.id).events(path).await;
    assert_eq!(again.expect("open").await.json["resumed"], true);
    let second = again.expect("message").await;
    let third = again.expect("message").await;
    assert_eq!((body(&second), body(&third)), ("1", "2"), "what was not seen comes again");
    http.call("POST", &ack(&unseen), None).await.refused(409, "lock_gone");
    http.call("POST", &ack(&seen), None).await.expect(204);
    assert_eq!(body(&again.expect("message").await), "3");
    let queue = http.get("/v1/queues/q").await.expect(200);
    assert_eq!((&queue["locked"], &queue["ready"]), (&json!(3), &json!(0)));
}

#[tokio::test]
async fn a_stream_that_nobody_resumes_returns_what_it_had() {
    let (node, mut http) = with_messages(1).await;
    let mut stream = node.connect().await.events("/v1/queues/q/stream?lease_s=3600").await;
    stream.expect("open").await;
    let had = stream.expect("message").await;
    drop(stream);
    let again = http.post("/v1/queues/q/receive", json!({"wait_s": 60})).await.expect(200);
    assert_eq!(again["messages"][0]["body"], "0");
    let late = node.connect().await.with("last-event-id", &had.id);
    let mut late = late.events("/v1/queues/q/stream").await;
    assert_eq!(late.expect("open").await.json["resumed"], false);
}

#[tokio::test]
async fn a_second_listener_takes_the_stream_and_the_first_one_ends() {
    let (node, _http) = with_messages(1).await;
    let path = "/v1/queues/q/stream?lease_s=600";
    let mut first = node.connect().await.events(path).await;
    first.expect("open").await;
    let seen = first.expect("message").await;
    let mut second = node.connect().await.with("last-event-id", &seen.id).events(path).await;
    assert_eq!(second.expect("open").await.json["resumed"], true);
    assert!(first.next().await.is_none(), "it has ended");
}

#[tokio::test]
async fn streams_end_with_their_queue_their_node_and_their_token() {
    let mut node = tcp::node().await;
    let mut http = node.connect().await;
    http.put("/v1/queues/q", json!({})).await.expect(201);
    let mut stream = node.connect().await.events("/v1/queues/q/stream").await;
    stream.expect("open").await;
    let made = http.post("/v1/tokens", json!({})).await.expect(201);
    let bearer = format!("Bearer {}", made["token"].as_str().expect("a token"));
    let named = node.connect_tcp().await.with("authorization", &bearer);
    let mut of_token = named.events("/v1/events").await;
    let id = made["id"].as_str().expect("an id");
    http.delete(&format!("/v1/tokens/{id}")).await.expect(204);
    while of_token.next().await.is_some() {}
    http.delete("/v1/queues/q").await.expect(200);
    http.put("/v1/queues/other", json!({})).await.expect(201);
    let mut other = node.connect().await.events("/v1/queues/other/stream").await;
    other.expect("open").await;
    drop(http);
    within(node.down()).await;
    assert!(other.next().await.is_none(), "it has ended");
}

#[tokio::test]
async fn what_is_wrong_is_said_before_a_stream_begins() {
    let (node, mut http) = with_messages(0).await;
    http.get("/v1/queues/none/stream").await.refused(404, "no_such_queue");
    http.get("/v1/queues/q/stream?window=0").await.refused(400, "out_of_bounds");
    http.get("/v1/queues/q/stream?window=257").await.refused(400, "out_of_bounds");
    http.get("/v1/queues/q/stream?lease_s=-1").await.refused(400, "out_of_bounds");
    let mut http = node.connect().await.with("last-event-id", "seven");
    http.get("/v1/queues/q/stream").await.refused(400, "bad_request");
}

#[tokio::test]
async fn news_tell_what_becomes_of_messages() {
    let (node, mut http) = with_messages(0).await;
    let mut news = node.connect().await.events("/v1/events").await;
    let sent = http.post("/v1/queues/q/messages", json!({"body": "x"})).await.expect(201);
    let mut seen = Vec::new();
    while !seen.iter().any(|name| name == "entered") {
        let event = news.next().await.expect("an event");
        if event.name == "entered" {
            assert_eq!((&event.json["queue"], &event.json["id"]), (&json!("q"), &sent["id"]));
        }
        seen.push(event.name);
    }
    let got = http.post("/v1/queues/q/receive", json!({})).await.expect(200);
    let token = got["messages"][0]["lock"]["token"].as_str().expect("a token");
    http.call("POST", &format!("/v1/locks/{token}/ack"), None).await.expect(204);
    let mut left: Vec<(String, Value)> = [("consumed", json!("q")), ("state", json!("received"))]
        .map(|(n, v)| (n.to_owned(), v))
        .into();
    while !left.is_empty() {
        let event = news.next().await.expect("an event");
        let told = [&event.json["queue"], &event.json["state"]];
        left.retain(|(name, value)| *name != event.name || !told.contains(&value));
    }
}

#[tokio::test]
async fn a_reader_that_falls_behind_is_told_how_much_it_missed() {
    let (node, mut http) = with_messages(0).await;
    let mut news = node.connect().await.events("/v1/events").await;
    let batch: Vec<Value> = (0..256).map(|_| json!({"delivery": "express"})).collect();
    // More than the socket, its reader and the node's list of late news hold together.
    for _ in 0..160 {
        http.post("/v1/queues/q/messages", json!({"messages": batch})).await.expect(201);
    }
    let missed = loop {
        let event = news.next().await.expect("an event");
        if event.name == "lagged" {
            break event.json["missed"].as_u64().expect("a number");
        }
    };
    assert!(missed > 0);
}

#[tokio::test]
async fn a_link_that_comes_up_is_news() {
    let first = TestNode::start("pc-a").await;
    let mut http = first.connect().await;
    let mut news = first.connect().await.events("/v1/events").await;
    let invited = http.post("/v1/invites", json!({})).await.expect(201);
    let token = invited["token"].as_str().expect("a token").to_owned();
    let _second = TestNode::start_with("pc-b", |options| options.join = Some(token)).await;
    loop {
        let event = news.next().await.expect("an event");
        if event.name == "link" {
            assert_eq!(event.json, json!({"node": "pc-b", "up": true}));
            return;
        }
    }
}
