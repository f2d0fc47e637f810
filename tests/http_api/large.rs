//! Bodies that are too large to be held whole, through every door that has them.

use crate::common::{Http, TestNode};
use serde_json::{Value, json};

const PATH: &str = "/v1/queues/q/messages";
/// More than is held whole, and no multiple of anything.
const LARGE: usize = 3 * 1024 * 1024 + 4_321;

fn bytes(seed: usize) -> Vec<u8> {
    (0..LARGE).map(|at| ((at * 31 + seed) / 11 % 251) as u8).collect()
}

async fn with_queue() -> (TestNode, Http) {
    let node = TestNode::start_with("pc-a", |options| options.limits.body_bytes = 8 << 20).await;
    let mut http = node.connect().await;
    http.put("/v1/queues/q", json!({})).await.expect(201);
    (node, http)
}

async fn staged(node: &TestNode) -> Value {
    node.connect().await.get("/v1/queues/q").await.expect(200)["bytes"].clone()
}

#[tokio::test]
async fn a_large_body_comes_out_as_it_went_in() {
    let (node, mut http) = with_queue().await;
    let body = bytes(0);
    let mut sender = node.connect().await.with("meshmq-label", "large");
    sender.raw("POST", PATH, Some("image/x"), body.clone().into()).await.expect(201);
    let looked = &http.get(PATH).await.expect(200)["items"][0];
    assert_eq!((&looked["label"], &looked["body_size"]), (&json!("large"), &json!(LARGE)));
    assert!(looked.get("body").is_none() && looked.get("body_base64").is_none());
    let mut raw = node.connect().await.with("accept", "application/octet-stream");
    let shown = raw.get(PATH).await;
    assert!(shown.bytes == body, "a peek shows it");
    assert_eq!(shown.media_type, "image/x");
    let got = http.post("/v1/queues/q/receive", json!({"lease_s": 60})).await.expect(200);
    let message = &got["messages"][0];
    assert_eq!(message["body_size"], LARGE);
    let token = message["lock"]["token"].as_str().expect("a lock").to_owned();
    let body_path = format!("/v1/locks/{token}/body");
    let read = http.get(&body_path).await;
    assert!(read.status.is_success() && read.bytes == body, "{}", read.status);
    http.call("POST", &format!("/v1/locks/{token}/ack"), None).await.expect(204);
    http.get(&body_path).await.refused(409, "lock_gone");
    assert_eq!(staged(&node).await, 0);
}

#[tokio::test]
async fn a_large_body_is_received_as_it_is_and_survives_a_restart() {
    let (mut node, mut http) = with_queue().await;
    let body = bytes(1);
    http.raw("POST", PATH, None, body.clone().into()).await.expect(201);
    node.down().await;
    node.up().await.expect("it starts again");
    let mut raw = node.connect().await.with("accept", "application/octet-stream");
    let got = raw.post("/v1/queues/q/receive", json!({"lease_s": 60})).await;
    assert!(got.bytes == body);
}

#[tokio::test]
async fn a_large_send_under_a_key_happens_once() {
    let (node, _) = with_queue().await;
    for (turn, replayed) in [(0, false), (1, true)] {
        let mut sender = node.connect().await.with("idempotency-key", "one");
        let sent = sender.raw("POST", PATH, None, bytes(2).into()).await;
        assert_eq!(sent.headers.contains_key("idempotency-replayed"), replayed, "{turn}");
        sent.expect(201);
    }
    let mut sender = node.connect().await.with("idempotency-key", "one");
    sender.raw("POST", PATH, None, bytes(3).into()).await.refused(422, "idempotency_mismatch");
    let queue = node.connect().await.get("/v1/queues/q").await.expect(200);
    assert_eq!(queue["ready"], 1);
}

#[tokio::test]
async fn what_is_larger_than_the_limit_is_refused_early_and_late() {
    let (node, _) = with_queue().await;
    let larger = vec![b'x'; (8 << 20) + 1];
    node.connect().await.raw("POST", PATH, None, larger.into()).await.refused(413, "too_large");
    let mut express = node.connect().await.with("meshmq-delivery", "express");
    express.raw("POST", PATH, None, bytes(4).into()).await.refused(413, "too_large");
    let long = "x".repeat(1_300);
    let mut many = node.connect().await.with("meshmq-header", &format!("h={long}"));
    many.raw("POST", PATH, None, bytes(5).into()).await.refused(413, "too_large");
    node.connect()
        .await
        .raw("POST", "/v1/queues/none/messages", None, bytes(6).into())
        .await
        .refused(404, "no_such_queue");
}

#[tokio::test]
async fn one_send_to_several_queues_stores_one_body() {
    let (node, mut http) = with_queue().await;
    http.put("/v1/queues/q2", json!({})).await.expect(201);
    let body = bytes(7);
    let several = "/v1/queues/q,q2/messages";
    let sent = http.raw("POST", several, None, body.clone().into()).await.expect(201);
    let ids: Vec<&Value> = sent["messages"].as_array().expect("a list").iter().collect();
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0]["id"], ids[1]["id"]);
    let mut raw = node.connect().await.with("accept", "application/octet-stream");
    for queue in ["q", "q2"] {
        let path = format!("/v1/queues/{queue}/receive");
        let got = raw.post(&path, json!({"lease_s": 60})).await;
        assert!(got.bytes == body, "{queue}");
        let token = got.headers["meshmq-lock-token"].to_str().expect("text").to_owned();
        http.call("POST", &format!("/v1/locks/{token}/ack"), None).await.expect(204);
    }
    http.post("/v1/queues/q,none/messages", json!({"body": "x"}))
        .await
        .refused(404, "no_such_queue");
    let queue = http.get("/v1/queues/q").await.expect(200);
    assert_eq!(queue["ready"], 0, "all or none");
}
