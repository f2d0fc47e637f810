//! A session is a connection: locks return when it closes.

use crate::common::{Http, TestNode};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;

async fn with_message() -> (TestNode, Http) {
    let node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    http.put("/v1/queues/q", json!({})).await.expect(201);
    http.post("/v1/queues/q/messages", json!({"body": "x"})).await.expect(201);
    (node, http)
}

#[tokio::test]
async fn what_a_dead_client_had_locked_returns_at_once() {
    let (node, mut http) = with_message().await;
    let mut dying = node.connect().await;
    let got = dying.post("/v1/queues/q/receive", json!({"lease_s": 3600})).await.expect(200);
    assert_eq!(got["messages"][0]["body"], "x");
    drop(dying);
    let again = http.post("/v1/queues/q/receive", json!({"wait_s": 30})).await.expect(200);
    assert_eq!(again["messages"][0]["body"], "x");
}

#[tokio::test]
async fn a_client_that_dies_while_it_waits_takes_nothing_along() {
    let (node, mut http) = with_message().await;
    let got = http.post("/v1/queues/q/receive", json!({"lease_s": 3600})).await.expect(200);
    let token = got["messages"][0]["lock"]["token"].as_str().expect("a token").to_owned();
    let mut dying = UnixStream::connect(&node.ready().socket).await.expect("the node listens");
    let body = json!({"wait_s": 3600, "lease_s": 3600}).to_string();
    let head = format!(
        "POST /v1/queues/q/receive HTTP/1.1\r\nhost: meshmq\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    dying.write_all(head.as_bytes()).await.expect("the node reads");
    drop(dying);
    http.call("POST", &format!("/v1/locks/{token}/return"), None).await.expect(204);
    let again = http.post("/v1/queues/q/receive", json!({"wait_s": 30})).await.expect(200);
    assert_eq!(again["messages"][0]["body"], "x");
}

#[tokio::test]
async fn a_lock_is_settled_over_another_connection_while_its_own_is_open() {
    let (node, mut http) = with_message().await;
    let got = http.post("/v1/queues/q/receive", json!({})).await.expect(200);
    let token = got["messages"][0]["lock"]["token"].as_str().expect("a token");
    let mut other = node.connect().await;
    other.call("POST", &format!("/v1/locks/{token}/ack"), None).await.expect(204);
    assert_eq!(http.get("/v1/queues/q").await.expect(200)["ready"], 0);
}

#[tokio::test]
async fn a_lock_of_an_earlier_run_is_gone() {
    let (mut node, mut http) = with_message().await;
    let got = http.post("/v1/queues/q/receive", json!({})).await.expect(200);
    let token = got["messages"][0]["lock"]["token"].as_str().expect("a token").to_owned();
    drop(http);
    node.down().await;
    node.up().await.expect("it starts again");
    let mut http = node.connect().await;
    let path = format!("/v1/locks/{token}/ack");
    http.call("POST", &path, None).await.refused(409, "lock_gone");
    let again = http.post("/v1/queues/q/receive", json!({})).await.expect(200);
    assert_eq!(again["messages"][0]["body"], "x");
    http.call("POST", &path, None).await.refused(409, "lock_gone");
}
