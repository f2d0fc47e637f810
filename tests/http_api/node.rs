//! The node itself: status, health, peers, invitations, leaving, stopping.

use crate::common::{TestNode, within};
use serde_json::json;

#[tokio::test]
async fn the_status_has_its_fields() {
    let node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    let status = http.get("/v1/status").await.expect(200);
    assert_eq!(status["name"], "pc-a");
    assert_eq!(status["node_id"].as_str().map(str::len), Some(64));
    assert!(status["mesh"].as_str().is_some_and(|mesh| !mesh.is_empty()), "{status}");
    assert_eq!(status["listen"], json!(node.ready().listen));
    assert_eq!(status["socket"], json!(node.dir.path().join("node.sock")));
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert!(status["uptime_s"].as_f64().is_some_and(|uptime| uptime >= 0.0), "{status}");
    for count in ["peers_up", "peers_away", "messages", "outgoing"] {
        assert_eq!(status[count], 0, "{status}");
    }
    http.get("/livez").await.expect(204);
    http.get("/readyz").await.expect(204);
}

#[tokio::test]
async fn a_node_alone_has_no_peers_and_invites() {
    let node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    let peers = http.get("/v1/peers").await.expect(200);
    assert_eq!(peers, json!({"items": [], "strangers": []}));
    let invited = http.call("POST", "/v1/invites", None).await.expect(201);
    assert!(invited["token"].as_str().is_some_and(|token| token.len() > 20), "{invited}");
    assert!(invited["expires_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{invited}");
    assert_eq!(invited["mesh"], http.get("/v1/status").await.expect(200)["mesh"]);
}

#[tokio::test]
async fn a_shutdown_is_answered_and_then_done() {
    let mut node = TestNode::start("pc-a").await;
    let socket = node.ready().socket.clone();
    let mut http = node.connect().await;
    let mut waiting = node.connect().await;
    waiting.get("/livez").await.expect(204);
    http.put("/v1/queues/q", json!({})).await.expect(201);
    let poll =
        tokio::spawn(
            async move { waiting.post("/v1/queues/q/receive", json!({"wait_s": 3600})).await },
        );
    for _ in 0..20 {
        // Meanwhile the node has read the other connection's request.
        http.get("/livez").await.expect(204);
    }
    http.call("POST", "/v1/shutdown", None).await.expect(202);
    let running = node.running.take().expect("it runs");
    within(running.wait()).await.expect("a clean end");
    assert_eq!(poll.await.expect("no panic").expect(200)["messages"], json!([]));
    assert!(!std::path::Path::new(&socket).exists(), "the socket is gone");
    node.up().await.expect("the directory is free again");
}
