//! Messages from one node to the other, while both run and while one does not.

use crate::common::{Http, TestNode, until};
use crate::{pair, sees};
use serde_json::{Value, json};

async fn pair_with_queue(transactional: bool) -> (TestNode, TestNode) {
    let (a, b) = pair().await;
    let spec = json!({"transactional": transactional});
    b.connect().await.put("/v1/queues/orders", spec).await.expect(201);
    (a, b)
}

/// Receives and acknowledges until so many bodies have come.
async fn drain(http: &mut Http, count: usize) -> Vec<String> {
    let mut bodies = Vec::new();
    while bodies.len() < count {
        let asked = json!({"max": 256, "wait_s": 30});
        let received = http.post("/v1/queues/orders/receive", asked).await.expect(200);
        let messages = received["messages"].as_array().expect("a list").clone();
        assert!(!messages.is_empty(), "{} of {count} came", bodies.len());
        for message in messages {
            bodies.push(message["body"].as_str().expect("text").to_owned());
            let token = message["lock"]["token"].as_str().expect("a token");
            http.call("POST", &format!("/v1/locks/{token}/ack"), None).await.expect(204);
        }
    }
    bodies
}

fn batch(from: usize, to: usize, delivery: &str) -> Value {
    let messages: Vec<_> =
        (from..to).map(|n| json!({"body": n.to_string(), "delivery": delivery})).collect();
    json!({"messages": messages})
}

#[tokio::test]
async fn a_message_arrives_and_its_sender_learns_that_it_was_received() {
    let (a, b) = pair_with_queue(false).await;
    let mut sender = a.connect().await;
    let path = "/v1/queues/orders@pc-b/messages?wait=arrived&timeout_s=30";
    let message = json!({"body": "hello", "label": "first", "reply_to": "answers"});
    let sent = sender.post(path, message).await.expect(201);
    assert_eq!(sent["state"], "arrived", "{sent}");
    let id = sent["id"].as_str().expect("an id").to_owned();
    let mut receiver = b.connect().await;
    let received = receiver.post("/v1/queues/orders/receive", json!({})).await.expect(200);
    let got = &received["messages"][0];
    assert_eq!((&got["id"], &got["origin"]), (&json!(id), &json!("pc-a")), "{got}");
    assert_eq!((&got["body"], &got["reply_to"]), (&json!("hello"), &json!("answers@pc-a")));
    let token = got["lock"]["token"].as_str().expect("a token");
    receiver.call("POST", &format!("/v1/locks/{token}/ack"), None).await.expect(204);
    until(async || {
        let state = a.connect().await.get(&format!("/v1/messages/{id}")).await.expect(200);
        (state["state"] == "received").then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_was_sent_to_a_node_that_is_off_waits_and_arrives_once_in_order() {
    let (mut a, mut b) = pair_with_queue(true).await;
    sees(&a, "pc-b", "up").await;
    b.down().await;
    let mut sender = a.connect().await;
    for part in 0..4 {
        let part = batch(part * 250, part * 250 + 250, "transactional");
        sender.post("/v1/queues/orders@pc-b/messages", part).await.expect(201);
    }
    let outgoing = sender.get("/v1/outgoing").await.expect(200);
    let line = &outgoing["items"][0];
    assert_eq!((&line["destination"], &line["messages"]), (&json!("pc-b"), &json!(1000)));
    assert_eq!(line["state"], "no_path", "{line}");
    assert!(line["oldest_age_s"].as_f64().is_some(), "{line}");
    drop(sender);
    a.down().await;
    a.up().await.expect("it starts again");
    b.up().await.expect("it starts again");
    let bodies = drain(&mut b.connect().await, 1_000).await;
    let expected: Vec<_> = (0..1_000).map(|n| n.to_string()).collect();
    assert_eq!(bodies, expected);
    let queue = b.connect().await.get("/v1/queues/orders").await.expect(200);
    assert_eq!((&queue["ready"], &queue["locked"]), (&json!(0), &json!(0)), "nothing came twice");
    until(async || {
        let status = a.connect().await.get("/v1/status").await.expect(200);
        (status["outgoing"] == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_megabyte_goes_across() {
    let (a, b) = pair_with_queue(false).await;
    let body = "m".repeat(1024 * 1024);
    let path = "/v1/queues/orders@pc-b/messages?wait=arrived&timeout_s=60";
    let sent = a.connect().await.post(path, json!({"body": body})).await.expect(201);
    assert_eq!(sent["state"], "arrived", "{sent}");
    assert_eq!(drain(&mut b.connect().await, 1).await, [body]);
}

#[tokio::test]
async fn what_the_destination_refuses_becomes_a_dead_letter_with_its_reason() {
    let (a, _b) = pair_with_queue(true).await;
    let mut http = a.connect().await;
    for (queue, reason) in [("nothing", "no_such_queue"), ("orders", "wrong_kind")] {
        let path = format!("/v1/queues/{queue}@pc-b/messages?wait=arrived&timeout_s=30");
        let sent = http.post(&path, json!({"body": "x"})).await.expect(201);
        assert_eq!((&sent["state"], &sent["reason"]), (&json!("dead"), &json!(reason)), "{sent}");
        let id = sent["id"].as_str().expect("an id");
        let page = http.get("/v1/dead").await.expect(200);
        let items = page["items"].as_array().expect("a list");
        let letter = items.iter().find(|letter| letter["id"] == id).expect("a dead letter");
        assert_eq!(letter["destination"], format!("{queue}@pc-b"));
        assert_eq!((&letter["reason"], &letter["unconfirmed"]), (&json!(reason), &json!(false)));
    }
}

#[tokio::test]
async fn an_unconfirmed_letter_is_not_retried_without_a_word() {
    let (a, mut b) = pair_with_queue(false).await;
    sees(&a, "pc-b", "up").await;
    b.down().await;
    let mut http = a.connect().await;
    let path = "/v1/queues/orders@pc-b/messages?wait=arrived&timeout_s=30";
    let message = json!({"body": "x", "reach_within_s": 0.05});
    let sent = http.post(path, message).await.expect(201);
    let id = sent["id"].as_str().expect("an id").to_owned();
    let page = http.get("/v1/dead").await.expect(200);
    assert_eq!(page["items"][0]["id"], id.as_str());
    let unconfirmed = page["items"][0]["unconfirmed"] == true;
    assert_eq!(sent["state"], if unconfirmed { "unconfirmed" } else { "dead" });
    let retry = format!("/v1/dead/{id}/retry");
    if unconfirmed {
        http.post(&retry, json!({})).await.refused(409, "may_duplicate");
    }
    let again = http.post(&retry, json!({"may_duplicate": true})).await.expect(201);
    assert_ne!(again["id"], id.as_str());
}

#[tokio::test]
async fn a_full_queue_makes_the_message_wait() {
    let (a, b) = pair().await;
    b.connect().await.put("/v1/queues/orders", json!({"max_messages": 1})).await.expect(201);
    let mut http = a.connect().await;
    let path = "/v1/queues/orders@pc-b/messages";
    let waiting = format!("{path}?wait=arrived&timeout_s=30");
    let first = http.post(&waiting, json!({"body": "1"})).await.expect(201);
    assert_eq!(first["state"], "arrived", "{first}");
    http.post(path, json!({"body": "2"})).await.expect(201);
    let line = until(async || {
        let outgoing = a.connect().await.get("/v1/outgoing").await.expect(200);
        let line = outgoing["items"][0].clone();
        (line["state"] == "refused").then_some(line)
    })
    .await;
    assert_eq!(line["reason"], "queue_full", "{line}");
    assert_eq!(drain(&mut b.connect().await, 2).await, ["1", "2"]);
}
