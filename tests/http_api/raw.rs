//! Messages as they are: bytes as the body, properties in headers; and settling in one request.

use crate::common::{Answer, Http, TestNode};
use serde_json::{Value, json};

async fn with_queue() -> (TestNode, Http) {
    let node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    http.put("/v1/queues/q", json!({})).await.expect(201);
    (node, http)
}

#[track_caller]
fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let value = answer.headers.get(name).unwrap_or_else(|| panic!("{name} in {answer:?}"));
    value.to_str().expect("text")
}

#[tokio::test]
async fn bytes_and_properties_go_both_ways_untouched() {
    let (node, _) = with_queue().await;
    let bytes: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let mut sender = node
        .connect()
        .await
        .with("meshmq-label", "Gr%C3%BC%C3%9Fe")
        .with("meshmq-priority", "6")
        .with("meshmq-ttl", "3600")
        .with("meshmq-reach-within", "60")
        .with("meshmq-correlation-id", "order 7")
        .with("meshmq-reply-to", "answers")
        .with("meshmq-header", "tenant=7, note=a%2Cb, gr%C3%B6%C3%9Fe=10 %25");
    let path = "/v1/queues/q/messages";
    let sent = sender.raw("POST", path, Some("image/png"), bytes.clone().into()).await.expect(201);
    assert_eq!(sent["state"], "arrived");
    let mut http = node.connect().await;
    let peeked = &http.get("/v1/queues/q/messages").await.expect(200)["items"][0];
    assert_eq!(peeked["label"], "Grüße");
    assert_eq!(peeked["priority"], 6);
    assert_eq!(peeked["content_type"], "image/png");
    assert_eq!(peeked["correlation_id"], "order 7");
    assert_eq!(peeked["reply_to"], "answers@pc-a");
    assert_eq!(peeked["headers"], json!({"tenant": "7", "note": "a,b", "größe": "10 %"}));
    let mut raw = node.connect().await.with("accept", "application/octet-stream");
    let looked = raw.get("/v1/queues/q/messages").await;
    assert_eq!(looked.bytes, bytes);
    assert_eq!(header(&looked, "meshmq-locked"), "false");
    let got = raw.post("/v1/queues/q/receive", json!({"lease_s": 60})).await;
    assert_eq!((got.status.as_u16(), &got.bytes[..]), (200, &bytes[..]));
    assert_eq!(got.media_type, "image/png");
    for (name, value) in [
        ("meshmq-label", "Gr%C3%BC%C3%9Fe"),
        ("meshmq-priority", "6"),
        ("meshmq-delivery", "recoverable"),
        ("meshmq-queue", "q"),
        ("meshmq-origin", "pc-a"),
        ("meshmq-correlation-id", "order 7"),
        ("meshmq-reply-to", "answers@pc-a"),
        ("meshmq-delivery-count", "1"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(header(&got, name), value, "{name}");
    }
    assert_eq!(header(&got, "meshmq-id"), sent["id"].as_str().expect("an id"));
    let headers: Vec<_> =
        got.headers.get_all("meshmq-header").iter().map(|v| v.to_str().expect("text")).collect();
    assert_eq!(headers, ["gr%C3%B6%C3%9Fe=10 %25", "note=a%2Cb", "tenant=7"]);
    let token = header(&got, "meshmq-lock-token");
    raw.call("POST", &format!("/v1/locks/{token}/ack"), None).await.expect(204);
    assert_eq!(raw.post("/v1/queues/q/receive", json!({})).await.status.as_u16(), 204);
    assert_eq!(raw.get("/v1/queues/q/messages").await.status.as_u16(), 204);
}

#[tokio::test]
async fn json_is_a_message_too_if_it_is_called_one() {
    let (node, mut http) = with_queue().await;
    let path = "/v1/queues/q/messages";
    let mut typed = node.connect().await.with("meshmq-content-type", "application/json");
    let octets = Some("application/octet-stream");
    typed.raw("POST", path, octets, r#"{"order": 7}"#.into()).await.expect(201);
    http.raw("POST", path, Some("text/plain; charset=utf-8"), "x".into()).await.expect(201);
    http.raw("POST", path, None, "y".into()).await.expect(201);
    http.call("POST", path, None).await.expect(201);
    let page = http.get(path).await.expect(200);
    let of =
        |n: usize| (page["items"][n]["content_type"].clone(), page["items"][n]["body"].clone());
    assert_eq!(of(0), (json!("application/json"), json!(r#"{"order": 7}"#)));
    assert_eq!(of(1), (json!("text/plain; charset=utf-8"), json!("x")));
    assert_eq!(of(2), (json!(""), json!("y")));
    assert_eq!(of(3), (json!(""), json!("")));
}

#[tokio::test]
async fn headers_of_raw_bodies_are_refused_beside_json() {
    let (node, mut http) = with_queue().await;
    for (name, value) in [("meshmq-label", "]Id[11.c"), ("meshmq-header", "a=b")] {
        let mut both = node.connect().await.with(name, value);
        let path = "/v1/queues/q/messages";
        let answer = both.post(path, json!({"body": "x"})).await;
        let detail = answer.json["detail"].as_str().expect("text").to_owned();
        assert!(detail.contains(name) && detail.contains("in JSON it is the property"), "{detail}");
        answer.refused(422, "bad_request");
        both.raw("POST", path, Some("text/plain"), "x".into()).await.expect(201);
    }
    let mut stranger = node.connect().await.with("meshmq-colour", "red");
    stranger.post("/v1/queues/q/messages", json!({})).await.refused(400, "bad_request");
    assert_eq!(http.get("/v1/queues/q").await.expect(200)["ready"], 2);
}

#[tokio::test]
async fn what_is_wrong_with_a_raw_message_is_said() {
    let (node, mut http) = with_queue().await;
    let path = "/v1/queues/q/messages";
    let octets = Some("application/octet-stream");
    for (name, value) in [
        ("meshmq-colour", "red"),
        ("meshmq-priority", "high"),
        ("meshmq-label", "%zz"),
        ("meshmq-header", "novalue"),
        ("meshmq-priority", "+5"),
        ("meshmq-priority", "%35"),
        ("meshmq-label", "a\tb"),
    ] {
        let mut wrong = node.connect().await.with(name, value);
        wrong.raw("POST", path, octets, "x".into()).await.refused(400, "bad_request");
    }
    for (name, value) in
        [("meshmq-ttl", "-1"), ("meshmq-priority", "8"), ("meshmq-priority", "300")]
    {
        let mut wrong = node.connect().await.with(name, value);
        wrong.raw("POST", path, octets, "x".into()).await.refused(400, "out_of_bounds");
    }
    let mut longest = node.connect().await.with("meshmq-label", &"%E2%9C%93".repeat(249));
    longest.raw("POST", path, octets, "x".into()).await.expect(201);
    let mut longer = node.connect().await.with("meshmq-label", &"x".repeat(250));
    longer.raw("POST", path, octets, "x".into()).await.refused(413, "too_large");
    let largest = vec![b'x'; meshmq::client::json::WHOLE_BODY_MAX];
    http.raw("POST", path, octets, largest.clone().into()).await.expect(201);
    let larger = [&largest[..], b"x"].concat();
    let mut express = node.connect().await.with("meshmq-delivery", "express");
    express.raw("POST", path, octets, larger.into()).await.refused(413, "too_large");
    let mut raw = node.connect().await.with("accept", "application/octet-stream");
    raw.post("/v1/queues/q/receive", json!({"max": 2})).await.refused(400, "bad_request");
}

#[tokio::test]
async fn many_locks_are_settled_each_in_its_own_way() {
    let (_node, mut http) = with_queue().await;
    let five: Vec<Value> = (0..5).map(|n| json!({"body": n.to_string()})).collect();
    http.post("/v1/queues/q/messages", json!({"messages": five})).await.expect(201);
    let got = http.post("/v1/queues/q/receive", json!({"max": 4})).await.expect(200);
    let token =
        |n: usize| got["messages"][n]["lock"]["token"].as_str().expect("a token").to_owned();
    let asked = json!({
        "ack": [token(0), "00000000-1"], "nack": [token(1)], "return": [token(2)],
        "extend": [token(3)], "lease_s": 3600,
    });
    let settled = http.post("/v1/locks/settle", asked).await.expect(200);
    let results: Vec<_> = settled["results"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["token"].as_str().expect("a token"), one["result"].as_str().expect("text")))
        .collect();
    let expected = [(token(0), "acked"), ("00000000-1".to_owned(), "failed")].into_iter().chain([
        (token(1), "nacked"),
        (token(2), "returned"),
        (token(3), "extended"),
    ]);
    assert_eq!(
        results,
        expected.collect::<Vec<_>>().iter().map(|(t, r)| (t.as_str(), *r)).collect::<Vec<_>>()
    );
    assert_eq!(settled["results"][1]["code"], "lock_gone");
    assert!(settled["results"][4]["locked_until_at"].is_string(), "{settled}");
    let again = http.post("/v1/queues/q/receive", json!({"max": 9})).await.expect(200);
    let bodies: Vec<_> = again["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|message| message["body"].as_str().expect("text"))
        .collect();
    assert_eq!(bodies, ["2", "4"], "0 is received, 1 waits after its nack, 3 is locked");
    let twice = json!({"extend": [token(3)], "ack": [token(3), token(3)]});
    let settled = http.post("/v1/locks/settle", twice).await.expect(200);
    let results: Vec<_> = (0..3).map(|n| settled["results"][n]["result"].clone()).collect();
    assert_eq!(results, ["acked", "failed", "failed"], "a lock is settled once");
    http.post("/v1/locks/settle", json!({"ack": "x-1"})).await.refused(400, "bad_request");
    let many = json!({"ack": vec!["x-1"; 257]});
    http.post("/v1/locks/settle", many).await.refused(400, "out_of_bounds");
}
