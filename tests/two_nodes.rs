//! Two real nodes: joining, a message across, the loss of either end, exactly once and in order.

mod common;

#[path = "two_nodes/across.rs"]
mod across;
#[path = "two_nodes/joining.rs"]
mod joining;
#[path = "two_nodes/killed.rs"]
mod killed;
#[path = "two_nodes/measured.rs"]
mod measured;

use common::{TestNode, until};
use serde_json::{Value, json};

/// A token of a node.
pub(crate) async fn token_of(node: &TestNode) -> String {
    let invited = node.connect().await.post("/v1/invites", json!({})).await.expect(201);
    invited["token"].as_str().expect("a token").to_owned()
}

/// Two members of one mesh, `pc-a` and `pc-b`.
pub(crate) async fn pair() -> (TestNode, TestNode) {
    let a = TestNode::start("pc-a").await;
    let token = token_of(&a).await;
    let b = TestNode::start_with("pc-b", |options| options.join = Some(token)).await;
    (a, b)
}

/// Waits until a node sees another in a state, and returns what it sees.
pub(crate) async fn sees(node: &TestNode, name: &str, state: &str) -> Value {
    until(async || {
        let peers = node.connect().await.get("/v1/peers").await.expect(200);
        let mut items = peers["items"].as_array().expect("a list").iter();
        items.find(|peer| peer["name"] == name && peer["state"] == state).cloned()
    })
    .await
}
