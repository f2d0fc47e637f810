//! Local queues.

use crate::common::TestNode;
use serde_json::json;

#[tokio::test]
async fn a_queue_is_made_shown_listed_and_deleted() {
    let mut node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    let spec = json!({"transactional": true, "max_messages": 5, "max_bytes": 1000});
    let made = http.put("/v1/queues/Orders", spec).await.expect(201);
    assert_eq!(made["name"], "Orders");
    assert_eq!(made["transactional"], true);
    assert_eq!((&made["max_messages"], &made["max_bytes"]), (&json!(5), &json!(1000)));
    let shown = http.get("/v1/queues/orders").await.expect(200);
    for (name, value) in [("ready", 0), ("locked", 0), ("dead", 0), ("bytes", 0)] {
        assert_eq!(shown[name], value, "{shown}");
    }
    assert!(shown["oldest_age_s"].is_null());
    assert!(shown["created_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{shown}");
    http.put("/v1/queues/b", json!({})).await.expect(201);
    http.call("PUT", "/v1/queues/a", None).await.expect(201);
    let first = http.get("/v1/queues?limit=2").await.expect(200);
    assert_eq!(first["items"].as_array().map(Vec::len), Some(2), "{first}");
    let next = first["next"].as_str().expect("there is more");
    let second = http.get(&format!("/v1/queues?limit=2&after={next}")).await.expect(200);
    let names: Vec<_> = [&first, &second]
        .iter()
        .flat_map(|page| page["items"].as_array().expect("a list"))
        .map(|queue| queue["name"].as_str().expect("a name").to_owned())
        .collect();
    assert_eq!(names, ["a", "b", "Orders"]);
    assert!(second.get("next").is_none());
    assert_eq!(http.delete("/v1/queues/orders").await.expect(200)["count"], 0);
    http.get("/v1/queues/orders").await.refused(404, "no_such_queue");
    node.down().await;
}

#[tokio::test]
async fn a_queue_exists_once_and_has_a_name() {
    let node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    http.put("/v1/queues/q", json!({})).await.expect(201);
    http.put("/v1/queues/Q", json!({})).await.refused(409, "queue_exists");
    http.put("/v1/queues/a%20b", json!({})).await.refused(400, "bad_address");
    http.put(&format!("/v1/queues/{}", "q".repeat(125)), json!({}))
        .await
        .refused(400, "bad_address");
    http.put("/v1/queues/q@nobody", json!({})).await.refused(404, "no_such_node");
    http.put("/v1/queues/r", json!({"kind": "fast"})).await.refused(400, "bad_request");
    http.delete("/v1/queues/none").await.refused(404, "no_such_queue");
    http.post("/v1/queues/none/purge", json!({})).await.refused(404, "no_such_queue");
}

#[tokio::test]
async fn a_purge_spares_what_is_locked() {
    let node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    http.put("/v1/queues/q", json!({})).await.expect(201);
    let three = json!({"messages": [{"body": "1"}, {"body": "2"}, {"body": "3"}]});
    http.post("/v1/queues/q/messages", three).await.expect(201);
    http.post("/v1/queues/q/receive", json!({})).await.expect(200);
    assert_eq!(http.post("/v1/queues/q/purge", json!({})).await.expect(200)["count"], 2);
    let queue = http.get("/v1/queues/q").await.expect(200);
    assert_eq!((&queue["ready"], &queue["locked"]), (&json!(0), &json!(1)), "{queue}");
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_all_of_it() {
    let node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    http.put("/v1/queues/q", json!({"max_messages": 2})).await.expect(201);
    let three = json!({"messages": [{}, {}, {}]});
    http.post("/v1/queues/q/messages", three).await.refused(507, "queue_full");
    assert_eq!(http.get("/v1/queues/q").await.expect(200)["ready"], 0);
    http.post("/v1/queues/q/messages", json!({"messages": [{}, {}]})).await.expect(201);
    http.post("/v1/queues/q/messages", json!({})).await.refused(507, "queue_full");
}

#[tokio::test]
async fn queues_and_messages_survive_a_restart() {
    let mut node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    http.put("/v1/queues/q", json!({})).await.expect(201);
    http.post("/v1/queues/q/messages", json!({"body": "kept"})).await.expect(201);
    http.post("/v1/queues/q/messages", json!({"body": "gone", "delivery": "express"}))
        .await
        .expect(201);
    let port = node.ready().listen.clone();
    let id = node.ready().node_id.clone();
    node.down().await;
    node.up().await.expect("it starts again");
    assert_eq!(node.ready().listen, port, "a port chosen for `:0` is kept");
    assert_eq!(node.ready().node_id, id);
    let mut http = node.connect().await;
    let page = http.get("/v1/queues/q/messages").await.expect(200);
    let bodies: Vec<_> =
        page["items"].as_array().expect("a list").iter().map(|item| &item["body"]).collect();
    assert_eq!(bodies, [&json!("kept")]);
}
