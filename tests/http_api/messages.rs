//! Sending, receiving, settling, peeking.

use crate::common::{TestNode, until};
use serde_json::{Value, json};

async fn with_queue() -> (TestNode, crate::common::Http) {
    let node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    http.put("/v1/queues/q", json!({})).await.expect(201);
    (node, http)
}

#[tokio::test]
async fn every_property_arrives_as_it_was_sent() {
    let (_node, mut http) = with_queue().await;
    let message = json!({
        "body": "hällo", "label": "sale", "headers": {"k": "v"}, "content_type": "text/plain",
        "priority": 5, "delivery": "express", "reach_within_s": 60, "ttl_s": 60.5,
        "correlation_id": "c-1", "reply_to": "answers"
    });
    let sent = http.post("/v1/queues/q@pc-a/messages", message).await.expect(201);
    let id = sent["id"].as_str().expect("an id").to_owned();
    assert!(id.len() <= 64 && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{id}");
    assert_eq!(sent["state"], "arrived");
    let received = http.post("/v1/queues/q/receive", json!({"max": 10})).await.expect(200);
    let got = &received["messages"][0];
    let expected = json!({
        "id": id, "queue": "q", "origin": "pc-a", "priority": 5, "delivery": "express",
        "label": "sale", "content_type": "text/plain", "headers": {"k": "v"},
        "correlation_id": "c-1", "reply_to": "answers@pc-a", "body": "hällo", "body_size": 6,
        "enqueued_at": got["enqueued_at"], "delivery_count": 1, "lock": got["lock"]
    });
    assert_eq!(*got, expected);
    assert!(got["lock"]["locked_until_at"].as_str() > got["enqueued_at"].as_str(), "{got}");
    let token = got["lock"]["token"].as_str().expect("a token");
    http.call("POST", &format!("/v1/locks/{token}/ack"), None).await.expect(204);
    http.call("POST", &format!("/v1/locks/{token}/ack"), None).await.refused(409, "lock_gone");
}

#[tokio::test]
async fn bytes_travel_in_base64_and_survive() {
    let (_node, mut http) = with_queue().await;
    http.post("/v1/queues/q/messages", json!({"body_base64": "/+8A"})).await.expect(201);
    let page = http.get("/v1/queues/q/messages").await.expect(200);
    assert_eq!(page["items"][0]["body_base64"], "/+8A");
    assert!(page["items"][0].get("body").is_none());
}

#[tokio::test]
async fn the_largest_body_is_taken_and_one_byte_more_is_not() {
    let (_node, mut http) = with_queue().await;
    // Every byte of this body needs six in JSON.
    let zeros = "\0".repeat(1024 * 1024);
    http.post("/v1/queues/q/messages", json!({"body": zeros})).await.expect(201);
    let received = http.post("/v1/queues/q/receive", json!({})).await.expect(200);
    assert_eq!(received["messages"][0]["body"].as_str().map(str::len), Some(1024 * 1024));
    let more = "x".repeat(1024 * 1024 + 1);
    http.post("/v1/queues/q/messages", json!({"body": more})).await.refused(413, "too_large");
    let flood = "x".repeat(9 * 1024 * 1024);
    let mut other = _node.connect().await;
    other.post("/v1/queues/q/messages", json!({"body": flood})).await.refused(413, "too_large");
}

#[tokio::test]
async fn a_batch_is_answered_in_its_order() {
    let (_node, mut http) = with_queue().await;
    let batch = json!({"messages": [{"body": "1"}, {"body": "2", "priority": 7}, {"body": "3"}]});
    let sent = http.post("/v1/queues/q/messages", batch).await.expect(201);
    assert_eq!(sent["messages"].as_array().map(Vec::len), Some(3));
    let received = http.post("/v1/queues/q/receive", json!({"max": 3})).await.expect(200);
    let bodies: Vec<_> = items(&received["messages"], "body");
    assert_eq!(bodies, ["2", "1", "3"], "priority, then arrival");
    let ids = items(&sent["messages"], "id");
    assert_eq!(items(&received["messages"], "id"), [ids[1].as_str(), &ids[0], &ids[2]]);
}

#[tokio::test]
async fn a_peek_disturbs_nothing_and_pages() {
    let (_node, mut http) = with_queue().await;
    let batch: Vec<_> = (0..5).map(|n| json!({"body": n.to_string()})).collect();
    http.post("/v1/queues/q/messages", json!({"messages": batch})).await.expect(201);
    http.post("/v1/queues/q/receive", json!({})).await.expect(200);
    let (mut seen, mut locked, mut after) = (Vec::new(), Vec::new(), String::new());
    loop {
        let page = http.get(&format!("/v1/queues/q/messages?limit=2{after}")).await.expect(200);
        seen.extend(items(&page["items"], "body"));
        let marks = page["items"].as_array().expect("a list").iter();
        locked.extend(marks.map(|item| item["locked"].as_bool().expect("a mark")));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(seen, ["0", "1", "2", "3", "4"]);
    assert_eq!(locked, [true, false, false, false, false]);
    let queue = http.get("/v1/queues/q").await.expect(200);
    assert_eq!((&queue["ready"], &queue["locked"]), (&json!(4), &json!(1)));
    http.get("/v1/queues/q/messages?after=x").await.refused(400, "bad_request");
}

#[tokio::test]
async fn a_long_poll_wakes_when_a_message_comes_and_ends_when_none_does() {
    let (node, mut http) = with_queue().await;
    let none = http.post("/v1/queues/q/receive", json!({"wait_s": 0.05})).await.expect(200);
    assert_eq!(none["messages"], json!([]));
    let mut waiting = node.connect().await;
    let poll = tokio::spawn(async move {
        waiting.post("/v1/queues/q/receive", json!({"wait_s": 60})).await.expect(200)
    });
    http.post("/v1/queues/q/messages", json!({"body": "now"})).await.expect(201);
    let received = poll.await.expect("no panic");
    assert_eq!(received["messages"][0]["body"], "now");
}

#[tokio::test]
async fn a_nack_returns_later_a_return_at_once_and_the_count_grows() {
    let (_node, mut http) = with_queue().await;
    http.post("/v1/queues/q/messages", json!({"body": "x"})).await.expect(201);
    let first = http.post("/v1/queues/q/receive", json!({})).await.expect(200);
    settle(&mut http, &first, "return").await;
    let second = http.post("/v1/queues/q/receive", json!({})).await.expect(200);
    settle(&mut http, &second, "nack").await;
    let none = http.post("/v1/queues/q/receive", json!({})).await.expect(200);
    assert_eq!(none["messages"], json!([]), "a nacked message waits for a second");
    let third = http.post("/v1/queues/q/receive", json!({"wait_s": 30})).await.expect(200);
    assert!(third["messages"][0]["delivery_count"].as_u64() >= Some(2), "{third}");
}

#[tokio::test]
async fn a_lease_runs_out_unless_it_is_extended() {
    let (_node, mut http) = with_queue().await;
    http.post("/v1/queues/q/messages", json!({"body": "x"})).await.expect(201);
    let first = http.post("/v1/queues/q/receive", json!({"lease_s": 0.2})).await.expect(200);
    let token = first["messages"][0]["lock"]["token"].as_str().expect("a token").to_owned();
    let path = format!("/v1/locks/{token}/extend");
    let longer = http.post(&path, json!({"lease_s": 0.4})).await.expect(200);
    assert_eq!(longer["token"], token.as_str());
    let again = http.post("/v1/queues/q/receive", json!({"wait_s": 30})).await.expect(200);
    assert_eq!(again["messages"][0]["body"], "x");
    http.post(&path, json!({"lease_s": 1})).await.refused(409, "lock_gone");
}

#[tokio::test]
async fn a_send_waits_for_its_receiver_or_for_the_end_of_its_time() {
    let (node, mut http) = with_queue().await;
    let mut sender = node.connect().await;
    let path = "/v1/queues/q/messages?wait=received&timeout_s=60";
    let sent = tokio::spawn(async move { sender.post(path, json!({"body": "x"})).await });
    let received = http.post("/v1/queues/q/receive", json!({"wait_s": 30})).await.expect(200);
    settle(&mut http, &received, "ack").await;
    assert_eq!(sent.await.expect("no panic").expect(201)["state"], "received");
    let path = "/v1/queues/q/messages?wait=received&timeout_s=0.05";
    let late = http.post(path, json!({"body": "x"})).await.expect(201);
    assert_eq!(late["state"], "arrived", "the answer says how far it came");
    let id = late["id"].as_str().expect("an id");
    let state = http.get(&format!("/v1/messages/{id}")).await.expect(200);
    assert_eq!((&state["id"], &state["state"]), (&json!(id), &json!("arrived")));
}

#[tokio::test]
async fn a_batch_waits_until_all_of_it_is_received() {
    let (node, mut http) = with_queue().await;
    let mut sender = node.connect().await;
    let path = "/v1/queues/q/messages?wait=received&timeout_s=60";
    let batch = json!({"messages": [{"body": "1"}, {"body": "2"}]});
    let sent = tokio::spawn(async move { sender.post(path, batch.clone()).await });
    for _ in 0..2 {
        let received = http.post("/v1/queues/q/receive", json!({"wait_s": 30})).await.expect(200);
        assert!(!sent.is_finished(), "one of them is not received yet");
        settle(&mut http, &received, "ack").await;
    }
    let sent = sent.await.expect("no panic").expect(201);
    assert_eq!([&sent["messages"][0]["state"], &sent["messages"][1]["state"]], ["received"; 2]);
    let path = "/v1/queues/q/messages?wait=received&timeout_s=0.05";
    let late = http.post(path, json!({"messages": [{}, {}]})).await.expect(201);
    assert_eq!([&late["messages"][0]["state"], &late["messages"][1]["state"]], ["arrived"; 2]);
}

#[tokio::test]
async fn what_nobody_receives_in_time_becomes_a_dead_letter() {
    let (_node, mut http) = with_queue().await;
    let message = json!({"body": "x", "label": "old", "ttl_s": 0.05});
    let sent = http.post("/v1/queues/q/messages?wait=received&timeout_s=30", message).await;
    let sent = sent.expect(201);
    assert_eq!(sent["state"], "dead");
    assert!(sent["reason"].is_string(), "{sent}");
    let id = sent["id"].as_str().expect("an id").to_owned();
    let page = http.get("/v1/dead").await.expect(200);
    let letter = &page["items"][0];
    assert_eq!(letter["id"], id.as_str());
    assert_eq!(letter["destination"], "q@pc-a");
    assert_eq!(letter["reason"], "receive_time_expired");
    assert_eq!(letter["unconfirmed"], false);
    assert!(letter["died_at"].is_string());
    assert_eq!(http.delete(&format!("/v1/dead/{id}")).await.expect(200)["count"], 1);
    http.delete(&format!("/v1/dead/{id}")).await.refused(404, "no_such_message");
    assert_eq!(http.delete("/v1/dead").await.expect(200)["count"], 0);
}

#[tokio::test]
async fn kinds_do_not_mix() {
    let (_node, mut http) = with_queue().await;
    http.put("/v1/queues/t", json!({"transactional": true})).await.expect(201);
    http.post("/v1/queues/t/messages", json!({})).await.refused(409, "wrong_kind");
    let transactional = json!({"delivery": "transactional"});
    http.post("/v1/queues/q/messages", transactional.clone()).await.refused(409, "wrong_kind");
    http.post("/v1/queues/t/messages", transactional).await.expect(201);
}

async fn settle(http: &mut crate::common::Http, received: &Value, verb: &str) {
    let token = received["messages"][0]["lock"]["token"].as_str().expect("a token");
    http.call("POST", &format!("/v1/locks/{token}/{verb}"), None).await.expect(204);
}

fn items(list: &Value, member: &str) -> Vec<String> {
    let list = list.as_array().expect("a list").iter();
    list.map(|item| item[member].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test]
async fn what_waits_for_nobody_is_not_outgoing() {
    let (node, mut http) = with_queue().await;
    http.post("/v1/queues/q/messages", json!({})).await.expect(201);
    let outgoing = http.get("/v1/outgoing").await.expect(200);
    assert_eq!(outgoing["items"], json!([]));
    let status = until(async || {
        let mut http = node.connect().await;
        let status = http.get("/v1/status").await.expect(200);
        (status["messages"] == 1).then_some(status)
    })
    .await;
    assert_eq!(status["outgoing"], 0);
}
