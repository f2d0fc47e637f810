//! Every refusal is `application/problem+json` with its code, whoever makes it.

use crate::common::{Http, TestNode};
use serde_json::json;

#[tokio::test]
async fn paths_methods_and_media_types() {
    let node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    http.get("/").await.refused(404, "no_such_path");
    http.get("/v1/queues/q/nothing").await.refused(404, "no_such_path");
    http.call("PATCH", "/v1/queues", None).await.refused(405, "no_such_path");
    http.get("/v1/locks/1/ack").await.refused(405, "no_such_path");
    let body = || "{}".into();
    http.raw("PUT", "/v1/queues/q", Some("text/plain"), body()).await.refused(415, "bad_request");
    http.raw("PUT", "/v1/queues/q", None, body()).await.refused(415, "bad_request");
    let charset = Some("application/json; charset=utf-8");
    http.raw("PUT", "/v1/queues/q", charset, body()).await.expect(201);
}

#[tokio::test]
async fn bodies_and_queries() {
    let node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    http.put("/v1/queues/q", json!({})).await.expect(201);
    let json = Some("application/json");
    for body in ["{", "[]", "\"x\"", r#"{"bodi": "x"}"#, "5", r#"{"priority": "5"}"#]
        .into_iter()
        .chain([r#"{"delivery": "fast"}"#, r#"{"body": "x", "body_base64": "eA=="}"#])
        .chain([r#"{"body_base64": "?"}"#, r#"{"messages": [], "body": "x"}"#])
    {
        http.raw("POST", "/v1/queues/q/messages", json, body.into())
            .await
            .refused(400, "bad_request");
    }
    for query in ["wait=never", "wait=arrived&timeout_s=x", "wait=arrived&color=red"] {
        http.post(&format!("/v1/queues/q/messages?{query}"), json!({}))
            .await
            .refused(400, "bad_request");
    }
    for priority in [json!(8), json!(9), json!(-1), json!(300), json!(1.5), json!(1e300)] {
        let answer = http.post("/v1/queues/q/messages", json!({"priority": priority})).await;
        answer.refused(400, "out_of_bounds");
    }
    for body in [json!({"ttl_s": -1}), json!({"ttl_s": 1e300}), json!({"reach_within_s": 1e-4})] {
        http.post("/v1/queues/q/messages", body).await.refused(400, "out_of_bounds");
    }
    for limit in ["x", "%2B1", "01", "%201", ""] {
        http.get(&format!("/v1/queues?limit={limit}")).await.refused(400, "bad_request");
    }
    for limit in ["0", "-1", "1001", "1.5"] {
        http.get(&format!("/v1/queues?limit={limit}")).await.refused(400, "out_of_bounds");
    }
    for after in ["+3-+4", "8-1", "03-1", "3-", "3-18446744073709551615"] {
        let after = after.replace('+', "%2B");
        let answer = http.get(&format!("/v1/queues/q/messages?after={after}")).await;
        answer.refused(400, "bad_request");
    }
    http.get("/v1/queues?order=size").await.refused(400, "bad_request");
    http.get("/v1/dead?after=x").await.refused(400, "bad_request");
    let none = json!({"messages": []});
    http.post("/v1/queues/q/messages", none).await.refused(400, "out_of_bounds");
    let many: Vec<_> = (0..257).map(|_| json!({})).collect();
    let answer = http.post("/v1/queues/q/messages", json!({"messages": many})).await;
    answer.refused(400, "out_of_bounds");
    assert_eq!(http.get("/v1/queues/q").await.expect(200)["ready"], 0, "nothing was taken");
}

#[tokio::test]
async fn what_is_wrong_is_said_in_words_of_json() {
    let node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    http.put("/v1/queues/q", json!({})).await.expect(201);
    for (path, body, detail) in [
        ("/v1/queues/q/messages", r#"{"ttl_s": "x"}"#, "`ttl_s` must be a number"),
        (
            "/v1/queues/q/messages",
            r#"{"priority": 9}"#,
            "`priority` must be a whole number from 0 to 7",
        ),
        ("/v1/queues/q/messages", "5", "the body must be an object"),
        ("/v1/queues/q/receive", r#"{"maxx": 1}"#, "there is no field `maxx`; there are"),
        ("/v1/queues/q/receive?x=1", "{", "the body is no JSON: EOF"),
        ("/v1/locks/settle", r#"{"ack": [1]}"#, "`ack[0]` must be a text"),
    ] {
        let said = http.raw("POST", path, Some("application/json"), body.into()).await;
        let said = said.json["detail"].as_str().expect("text").to_owned();
        assert!(said.starts_with(detail), "{path} {body}: {said}");
    }
    let said = http.get("/v1/queues?order=size").await.json;
    assert_eq!(said["detail"], "there is no field `order`; there are `limit` or `after`");
    let none = http.raw("POST", "/v1/queues/q/messages", Some("application/json"), "".into());
    none.await.expect(201);
    let found = http.get("/v1/queues/q/messages").await.expect(200);
    assert_eq!(found["items"][0]["body"], "", "no JSON at all is a message without anything");
}

#[tokio::test]
async fn properties_out_of_bounds() {
    let node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    http.put("/v1/queues/q", json!({})).await.expect(201);
    let long = "x".repeat(40_000);
    let headers: serde_json::Map<_, _> = (0..65).map(|n| (n.to_string(), json!(""))).collect();
    for message in [
        json!({"label": "x".repeat(250)}),
        json!({"content_type": "ü".repeat(128)}),
        json!({"correlation_id": "x".repeat(256)}),
        json!({"headers": headers}),
        json!({"headers": {"x".repeat(257): "x"}}),
        json!({"headers": {"k": long}}),
    ] {
        http.post("/v1/queues/q/messages", message).await.refused(413, "too_large");
    }
    for message in [json!({"headers": {"": "x"}}), json!({"headers": {"a\nb": "x"}})] {
        http.post("/v1/queues/q/messages", message).await.refused(400, "bad_request");
    }
    for message in [
        json!({"reply_to": "a b"}),
        json!({"reply_to": "q@A B"}),
        json!({"reply_to": format!("q@{}", "AB".repeat(32))}),
    ] {
        http.post("/v1/queues/q/messages", message).await.refused(400, "bad_address");
    }
    for message in [json!({"reach_within_s": 0}), json!({"reach_within_s": 1e10})] {
        http.post("/v1/queues/q/messages", message).await.refused(400, "out_of_bounds");
    }
    for receive in [json!({"max": 0}), json!({"max": 257})] {
        http.post("/v1/queues/q/receive", receive).await.refused(400, "out_of_bounds");
    }
    http.post("/v1/queues/q/receive", json!({"wait_s": -1})).await.refused(400, "out_of_bounds");
    for lease_s in [0.0, 1e9] {
        http.post("/v1/queues/q/receive", json!({"lease_s": lease_s}))
            .await
            .refused(400, "out_of_bounds");
    }
}

#[tokio::test]
async fn what_is_not_there() {
    let node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    http.post("/v1/queues/none/messages", json!({})).await.refused(404, "no_such_queue");
    http.post("/v1/queues/none/receive", json!({})).await.refused(404, "no_such_queue");
    http.get("/v1/queues/none/messages").await.refused(404, "no_such_queue");
    http.post("/v1/queues/q@nobody/messages", json!({})).await.refused(404, "no_such_node");
    for address in ["q@", "@pc-a", "q@p@q", "%ff"] {
        let answer = http.post(&format!("/v1/queues/{address}/messages"), json!({})).await;
        let code = answer.json["code"].clone();
        answer.refused(400, if code == "bad_request" { "bad_request" } else { "bad_address" });
    }
    http.get("/v1/messages/not-an-id").await.refused(400, "bad_address");
    http.get("/v1/messages/1-2-3").await.refused(404, "no_such_message");
    http.post("/v1/dead/1-2-3/retry", json!({})).await.refused(404, "no_such_message");
    http.delete("/v1/dead/what").await.refused(400, "bad_address");
    http.call("POST", "/v1/locks/x/ack", None).await.refused(409, "lock_gone");
    http.call("POST", "/v1/locks/00000000-1/nack", None).await.refused(409, "lock_gone");
}

#[tokio::test]
async fn tokens() {
    let node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    for ttl_s in [0.9996, 1.0_f64.next_down(), 604_800.0_f64.next_up()] {
        http.post("/v1/invites", json!({"ttl_s": ttl_s})).await.refused(400, "out_of_bounds");
    }
    http.post("/v1/invites", json!({"uses": 2})).await.refused(400, "bad_request");
    http.post("/v1/join", json!({"token": "nonsense"})).await.refused(403, "token_invalid");
    http.post("/v1/join", json!({})).await.refused(400, "bad_request");
    let own = http.post("/v1/invites", json!({})).await.expect(201);
    join_own(&mut http, own["token"].as_str().expect("a token")).await;
}

/// A member of the token's mesh is done at once.
async fn join_own(http: &mut Http, token: &str) {
    let joined = http.post("/v1/join", json!({"token": token})).await.expect(200);
    assert_eq!(joined["name"], "pc-a");
}
