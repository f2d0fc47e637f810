//! `Idempotency-Key`: a request that is repeated sends nothing again.

use crate::common::{Http, TestNode};
use crate::tcp;
use serde_json::json;

const PATH: &str = "/v1/queues/q/messages";

async fn keyed(node: &TestNode, key: &str) -> Http {
    node.connect().await.with("idempotency-key", key)
}

async fn ready(node: &TestNode) -> u64 {
    let queue = node.connect().await.get("/v1/queues/q").await.expect(200);
    queue["ready"].as_u64().expect("a number")
}

#[tokio::test]
async fn a_repetition_is_answered_alike_also_after_a_restart() {
    let mut node = TestNode::start("pc-a").await;
    node.connect().await.put("/v1/queues/q", json!({})).await.expect(201);
    let one = json!({"body": "x", "priority": 5});
    let first = keyed(&node, "order-7").await.post(PATH, one.clone()).await;
    assert!(first.headers.get("idempotency-replayed").is_none());
    let first = first.expect(201);
    let again = keyed(&node, "\"order-7\"").await.post(PATH, one.clone()).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.expect(201), first);
    let batch = json!({"messages": [{"body": "1"}, {"body": "2", "delivery": "express"}]});
    let sent = keyed(&node, "batch").await.post(PATH, batch.clone()).await.expect(201);
    assert_eq!(keyed(&node, "batch").await.post(PATH, batch).await.expect(201), sent);
    assert_eq!(ready(&node).await, 3);
    node.down().await;
    node.up().await.expect("it starts again");
    let again = keyed(&node, "order-7").await.post(PATH, one).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.expect(201)["id"], first["id"]);
    let raw = Some("application/octet-stream");
    let sent = keyed(&node, "raw").await.raw("POST", PATH, raw, "x".into()).await.expect(201);
    let again = keyed(&node, "raw").await.raw("POST", PATH, raw, "x".into()).await.expect(201);
    assert_eq!(again, sent);
    assert_eq!(ready(&node).await, 3, "the express message is gone, the raw one is there");
}

#[tokio::test]
async fn a_key_is_for_one_request_of_one_caller() {
    let node = tcp::node().await;
    let mut local = node.connect().await;
    local.put("/v1/queues/q", json!({})).await.expect(201);
    local.put("/v1/queues/r", json!({})).await.expect(201);
    keyed(&node, "k").await.post(PATH, json!({"body": "x"})).await.expect(201);
    for other in [json!({"body": "y"}), json!({"body": "x", "priority": 1}), json!({"ttl_s": 9})] {
        keyed(&node, "k").await.post(PATH, other).await.refused(422, "idempotency_mismatch");
    }
    let elsewhere = "/v1/queues/r/messages";
    let answer = keyed(&node, "k").await.post(elsewhere, json!({"body": "x"})).await;
    answer.refused(422, "idempotency_mismatch");
    let own = node.connect_tcp().await.with("idempotency-key", "k");
    let mut own = own;
    let answer = own.post(PATH, json!({"body": "x"})).await;
    assert_eq!(answer.headers["idempotency-replayed"], "true", "the node's user is one caller");
    let made = local.post("/v1/tokens", json!({})).await.expect(201);
    let bearer = format!("Bearer {}", made["token"].as_str().expect("a token"));
    let named = node.connect_tcp().await.with("authorization", &bearer);
    let mut named = named.with("idempotency-key", "k");
    let answer = named.post(PATH, json!({"body": "z"})).await;
    assert!(answer.headers.get("idempotency-replayed").is_none());
    answer.expect(201);
    assert_eq!(ready(&node).await, 2);
}

#[tokio::test]
async fn a_key_has_bounds_and_a_refused_request_leaves_it_free() {
    let node = TestNode::start("pc-a").await;
    keyed(&node, "k").await.post(PATH, json!({})).await.refused(404, "no_such_queue");
    node.connect().await.put("/v1/queues/q", json!({})).await.expect(201);
    keyed(&node, "k").await.post(PATH, json!({})).await.expect(201);
    for bad in ["", "\"\"", "\"", "\"half", "a\tb", "\u{e9}", &"x".repeat(256)] {
        keyed(&node, bad).await.post(PATH, json!({})).await.refused(400, "bad_request");
    }
    let waited = format!("{PATH}?wait=received&timeout_s=0.05");
    let answer = keyed(&node, "k").await.post(&waited, json!({})).await;
    assert_eq!(answer.headers["idempotency-replayed"], "true");
    assert_eq!(answer.expect(201)["state"], "arrived", "a repetition waits too");
}

#[tokio::test]
async fn a_row_of_sends_remembers_its_last_number() {
    let node = TestNode::start("pc-a").await;
    node.connect().await.put("/v1/queues/q", json!({})).await.expect(201);
    let numbered =
        async |number: &str| keyed(&node, "row").await.with("idempotency-number", number);
    let body = json!({"body": "x"});
    for number in ["1", "2", "9"] {
        let sent = numbered(number).await.post(PATH, body.clone()).await.expect(201);
        let again = numbered(number).await.post(PATH, body.clone()).await;
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!(again.expect(201)["id"], sent["id"]);
    }
    assert_eq!(ready(&node).await, 3);
    numbered("8").await.post(PATH, body.clone()).await.refused(409, "idempotency_past");
    keyed(&node, "row").await.post(PATH, body.clone()).await.refused(409, "idempotency_past");
    numbered("9").await.post(PATH, json!({})).await.refused(422, "idempotency_mismatch");
    for bad in ["0", "-1", "1.5", "x", "", "9223372036854775808", "18446744073709551616"] {
        numbered(bad).await.post(PATH, body.clone()).await.refused(400, "bad_request");
    }
    let mut alone = node.connect().await.with("idempotency-number", "1");
    alone.post(PATH, body).await.refused(422, "bad_request");
    assert_eq!(ready(&node).await, 3);
}
