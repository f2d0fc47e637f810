//! The bounds of the doors are those that the node was given.

use crate::common::{TestNode, within};
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// What the node answers to these bytes, until it closes.
async fn said(node: &TestNode, bytes: &[u8]) -> String {
    let mut wire = UnixStream::connect(&node.ready().socket).await.expect("the node listens");
    wire.write_all(bytes).await.expect("the node reads");
    let mut said = String::new();
    within(wire.read_to_string(&mut said)).await.expect("text");
    said
}

#[tokio::test]
async fn json_and_streams_are_bounded_as_configured() {
    let node = TestNode::start_with("pc-a", |options| {
        options.doors.json_bytes = 1_000;
        options.doors.streams = 1;
    })
    .await;
    let mut http = node.connect().await;
    http.put("/v1/queues/q", json!({})).await.expect(201);
    let path = "/v1/queues/q/messages";
    http.post(path, json!({"body": "x".repeat(900)})).await.expect(201);
    http.post(path, json!({"body": "x".repeat(1_000)})).await.refused(413, "too_large");
    // A raw one is bounded as a body is.
    http.raw("POST", path, None, vec![b'x'; 2_000].into()).await.expect(201);
    let mut first = node.connect().await.events("/v1/queues/q/stream").await;
    first.expect("open").await;
    node.connect().await.get("/v1/queues/q/stream").await.refused(507, "too_many");
}

#[tokio::test]
async fn heads_and_bodies_have_the_time_that_was_configured() {
    let node = TestNode::start_with("pc-a", |options| {
        options.doors.head = Duration::from_millis(50);
        options.doors.body = Duration::from_millis(50);
    })
    .await;
    assert_eq!(said(&node, b"GET /livez HTT").await, "", "it is cut");
    for kind in ["application/json", "text/plain"] {
        let head = format!(
            "POST /v1/queues/q/messages HTTP/1.1\r\nhost: meshmq\r\ncontent-type: {kind}\r\n\
             content-length: 9\r\n\r\n{{"
        );
        let answer = said(&node, head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("timed_out") && answer.contains("connection: close"), "{answer}");
    }
}

#[tokio::test]
async fn whoever_reads_nothing_is_let_go() {
    let node = TestNode::start_with("pc-a", |options| {
        options.doors.write = Duration::from_millis(50);
    })
    .await;
    let mut http = node.connect().await;
    http.put("/v1/queues/q", json!({})).await.expect(201);
    let large = vec![b'x'; 8 << 20];
    http.raw("POST", "/v1/queues/q/messages", None, large.into()).await.expect(201);
    let ask = "POST /v1/queues/q/receive HTTP/1.1\r\nhost: meshmq\r\naccept: application/octet-stream\r\n\
               content-type: application/json\r\ncontent-length: 17\r\n\r\n{\"lease_s\": 43200}";
    let mut silent = UnixStream::connect(&node.ready().socket).await.expect("the node listens");
    silent.write_all(ask.as_bytes()).await.expect("the node reads");
    // The answer has begun, and is more than the socket holds.
    within(silent.read_u8()).await.expect("an answer");
    // Its connection ends, and so its lock returns.
    let again = http.post("/v1/queues/q/receive", json!({"wait_s": 60})).await.expect(200);
    assert_eq!(again["messages"][0]["delivery_count"], 2, "{again}");
}
