//! Inviting and joining, and everything that can be wrong with it.

use crate::common::{DEADLINE, TestNode, options, within};
use crate::{pair, sees, token_of};
use meshmq::daemon;
use serde_json::json;

#[tokio::test]
async fn two_members_see_each_other() {
    let (a, b) = pair().await;
    assert_eq!(a.ready().mesh, b.ready().mesh);
    assert_eq!(b.ready().name, "pc-b");
    for (node, other, id) in [(&a, "pc-b", &b.ready().node_id), (&b, "pc-a", &a.ready().node_id)] {
        let peer = sees(node, other, "up").await;
        assert_eq!(peer["node_id"], id.as_str());
        assert_eq!((&peer["path"], &peer["outgoing"]), (&json!("direct"), &json!(0)), "{peer}");
        assert_eq!(peer["seen_s"], 0.0);
    }
    let status = a.connect().await.get("/v1/status").await.expect(200);
    assert_eq!((&status["peers_up"], &status["peers_away"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn a_member_that_stops_is_away_and_comes_back() {
    let (a, mut b) = pair().await;
    sees(&a, "pc-b", "up").await;
    b.down().await;
    let away = sees(&a, "pc-b", "away").await;
    assert_eq!((&away["path"], &away["rtt_ms"]), (&json!("none"), &json!(null)), "{away}");
    assert!(away["seen_s"].as_f64().is_some(), "{away}");
    b.up().await.expect("a restart with the same token just starts");
    assert_eq!(b.ready().name, "pc-b");
    sees(&a, "pc-b", "up").await;
}

#[tokio::test]
async fn a_running_node_that_is_alone_moves() {
    let a = TestNode::start("pc-a").await;
    let b = TestNode::start("pc-b").await;
    let token = token_of(&a).await;
    let mut http = b.connect().await;
    let joined = http.post("/v1/join", json!({"token": token, "name": "till-7"})).await.expect(200);
    assert_eq!(joined["name"], "till-7");
    assert_eq!(joined["mesh"], a.ready().mesh.as_str());
    assert_eq!(joined["node_id"], b.ready().node_id.as_str());
    sees(&a, "till-7", "up").await;
    sees(&b, "pc-a", "up").await;
    let again = http.post("/v1/join", json!({"token": token})).await.expect(200);
    assert_eq!(again["name"], "till-7", "a member of that mesh is done at once");
}

#[tokio::test]
async fn a_node_with_messages_or_members_stays_where_it_is() {
    let (a, b) = pair().await;
    let c = TestNode::start("pc-c").await;
    let token = token_of(&c).await;
    let mut http = b.connect().await;
    http.post("/v1/join", json!({"token": token})).await.refused(409, "mesh_in_use");
    let token = token_of(&a).await;
    let mut http = c.connect().await;
    http.put("/v1/queues/q", json!({})).await.expect(201);
    http.post("/v1/queues/q/messages", json!({})).await.expect(201);
    let refused = http.post("/v1/join", json!({"token": token})).await;
    assert!(refused.json["hint"].as_str().is_some_and(|hint| hint.contains("--join")));
    refused.refused(409, "mesh_in_use");
    http.post("/v1/queues/q/purge", json!({})).await.expect(200);
    http.post("/v1/join", json!({"token": token})).await.expect(200);
    sees(&c, "pc-b", "up").await;
}

#[tokio::test]
async fn a_token_is_good_for_one_node_and_one_name() {
    let (a, b) = pair().await;
    let used = b.options.join.clone().expect("it joined with a token");
    let c = TestNode::start("pc-c").await;
    let mut http = c.connect().await;
    http.post("/v1/join", json!({"token": used})).await.refused(403, "token_used");
    let token = token_of(&a).await;
    http.post("/v1/join", json!({"token": token, "name": "pc-b"})).await.refused(409, "name_taken");
    http.post("/v1/join", json!({"token": token, "name": "A B"})).await.refused(400, "bad_request");
    http.post("/v1/join", json!({"token": token})).await.expect(200);
}

#[tokio::test]
async fn up_with_a_token_ends_with_the_right_exit_code() {
    let (mut a, b) = pair().await;
    let used = b.options.join.clone().expect("it joined with a token");
    let fresh = token_of(&a).await;
    let root = tempfile::tempdir().expect("a temporary directory");
    let start = async |token: &str| {
        let mut wanted = options(root.path(), "pc-c");
        wanted.join = Some(token.to_owned());
        let started = tokio::time::timeout(DEADLINE, daemon::start(wanted)).await;
        started.expect("it ends in time")
    };
    let exit = async |token: &str| {
        let refused = start(token).await.map(drop).expect_err("it must not start");
        (refused.code, refused.exit)
    };
    assert_eq!(exit(&used).await, ("token_used", 77));
    assert_eq!(exit(&used.replace("mq1", "mq2")).await, ("token_invalid", 77));
    a.down().await;
    assert_eq!(exit(&fresh).await, ("inviter_unreachable", 69));
    a.up().await.expect("it starts again");
    let running = within(start(&fresh)).await.expect("the token is still good");
    assert_eq!(running.ready().name, "pc-c");
    running.stop().await.expect("a clean end");
}

#[tokio::test]
async fn who_leaves_is_gone_and_may_come_back() {
    let (a, b) = pair().await;
    sees(&a, "pc-b", "up").await;
    let mut http = b.connect().await;
    http.call("POST", "/v1/leave", None).await.expect(204);
    sees(&a, "pc-b", "left").await;
    a.connect().await.post("/v1/queues/q@pc-b/messages", json!({})).await.refused(404, "node_left");
    let token = token_of(&a).await;
    http.post("/v1/join", json!({"token": token})).await.expect(200);
    sees(&a, "pc-b", "up").await;
}
