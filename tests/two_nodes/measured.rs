//! What two nodes tell of each other in numbers.

use crate::common::{TestNode, until};
use crate::{pair, sees};
use serde_json::json;

/// The value of a row of `/metrics`, by its name and labels.
async fn row(node: &TestNode, row: &str) -> Option<f64> {
    let page = node.connect().await.get("/metrics").await;
    let page = std::str::from_utf8(&page.bytes).expect("text").to_owned();
    let value = page.lines().find_map(|line| line.strip_prefix(row)?.strip_prefix(' '));
    value.map(|value| value.parse().expect("a number"))
}

#[tokio::test]
async fn bytes_and_reconnects_are_counted_by_peer_and_messages_by_their_way() {
    let (a, mut b) = pair().await;
    b.connect().await.put("/v1/queues/orders", json!({})).await.expect(201);
    sees(&a, "pc-b", "up").await;
    b.down().await;
    sees(&a, "pc-b", "away").await;
    b.up().await.expect("it starts again");
    let path = "/v1/queues/orders@pc-b/messages?wait=arrived&timeout_s=30";
    let body = "x".repeat(10_000);
    a.connect().await.post(path, json!({"body": body})).await.expect(201);
    assert_eq!(row(&a, "meshmq_messages_sent_total{via=\"http\"}").await, Some(1.0));
    let stored = "meshmq_messages_stored_total{queue=\"orders\",via=\"mesh\"}";
    until(async || (row(&b, stored).await == Some(1.0)).then_some(())).await;
    assert!(row(&a, "meshmq_link_reconnects_total{peer=\"pc-b\"}").await >= Some(1.0));
    // One has sent what the other received; both go on to beat.
    let sent = row(&a, "meshmq_link_bytes_total{peer=\"pc-b\",direction=\"out\"}").await;
    let received = row(&b, "meshmq_link_bytes_total{peer=\"pc-a\",direction=\"in\"}").await;
    assert!(sent > Some(10_000.0) && sent < Some(100_000.0), "{sent:?}");
    assert!(received > Some(10_000.0) && received < Some(100_000.0), "{received:?}");
    assert!(row(&b, "meshmq_link_bytes_total{peer=\"pc-a\",direction=\"out\"}").await < sent);
}
