//! The numbers at `/metrics`, in a form that Prometheus reads.

use crate::common::{TestNode, until};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Rows by name and labels.
async fn rows(node: &TestNode) -> BTreeMap<String, f64> {
    let mut http = node.connect().await;
    let answer = http.get("/metrics").await;
    assert_eq!(answer.status.as_u16(), 200);
    assert!(answer.media_type.starts_with("text/plain; version=0.0.4"), "{answer:?}");
    let mut families = BTreeSet::new();
    let mut rows = BTreeMap::new();
    for line in std::str::from_utf8(&answer.bytes).expect("text").lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            let name = family.split(' ').next().expect("a name").to_owned();
            assert!(families.insert(name), "one block for each family: {line}");
        } else if !line.starts_with('#') {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            let family = name.split('{').next().expect("a name");
            let of = |family: &str| families.contains(family);
            let histogram = ["_bucket", "_sum", "_count"].map(|end| family.strip_suffix(end));
            let known = of(family) || histogram.into_iter().flatten().any(of);
            assert!(known, "a row without its family: {line}");
            let value = value.parse().expect("a number");
            assert_eq!(rows.insert(name.to_owned(), value), None, "each row once: {line}");
        }
    }
    rows
}

#[tokio::test]
async fn what_happens_is_counted() {
    let node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    http.put("/v1/queues/orders", json!({})).await.expect(201);
    for body in ["a", "b", "c"] {
        http.post("/v1/queues/orders/messages", json!({"body": body})).await.expect(201);
    }
    let got = http.post("/v1/queues/orders/receive", json!({"max": 2})).await.expect(200);
    let token = |at: usize| got["messages"][at]["lock"]["token"].as_str().expect("a token");
    http.post(&format!("/v1/locks/{}/ack", token(0)), json!({})).await.expect(204);
    http.post(&format!("/v1/locks/{}/nack", token(1)), json!({})).await.expect(204);
    http.post(&format!("/v1/locks/{}/ack", token(0)), json!({})).await.refused(409, "lock_gone");
    let short = json!({"body": "d", "ttl_s": 0.01});
    http.post("/v1/queues/orders/messages", short).await.expect(201);
    // Events are counted a moment after the answer.
    let rows = until(|| async {
        let rows = rows(&node).await;
        (rows.get("meshmq_messages_expired_total{queue=\"orders\"}") == Some(&1.0)).then_some(rows)
    })
    .await;
    let row = |name: &str| rows.get(name).copied();
    let counted =
        |what: &str| row(&format!("meshmq_{what}_total{{queue=\"orders\",via=\"http\"}}"));
    assert_eq!(counted("messages_stored"), Some(4.0));
    assert_eq!(counted("messages_received"), Some(2.0));
    assert_eq!(counted("messages_acked"), Some(1.0));
    assert_eq!(counted("messages_nacked"), Some(1.0));
    let dead = "meshmq_dead_lettered_total{queue=\"orders\",reason=\"receive_time_expired\"}";
    assert_eq!(row(dead), Some(1.0));
    let refused = "meshmq_gateway_errors_total{protocol=\"http\",code=\"lock_gone\"}";
    assert_eq!(row(refused), Some(1.0));
    // That of this test, and that of the question.
    assert!(row("meshmq_gateway_connections{protocol=\"http\"}") >= Some(2.0));
    assert!(row("meshmq_store_bytes") > Some(0.0));
    assert!(row("meshmq_store_free_bytes") > Some(0.0));
    assert_eq!(row("meshmq_queue_messages{queue=\"orders\",state=\"ready\"}"), Some(2.0));
    assert_eq!(row("meshmq_queue_messages{queue=\"orders\",state=\"locked\"}"), Some(0.0));
    let commits = row("meshmq_store_commit_seconds_count").expect("a histogram");
    assert!(commits >= 5.0, "{commits}");
    assert_eq!(row("meshmq_store_commit_seconds_bucket{le=\"+Inf\"}"), Some(commits));
    assert!(row("meshmq_store_commit_seconds_sum") > Some(0.0));
}

#[tokio::test]
async fn every_metric_is_documented_and_the_reverse() {
    let node = TestNode::start("pc-a").await;
    let mut http = node.connect().await;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/metrics.md");
    let document = std::fs::read_to_string(path).expect("the document is there");
    let metrics = document.split("\n## ").next().expect("the first part");
    let table = metrics.lines().filter(|line| line.starts_with("| `"));
    let named: BTreeSet<&str> = table
        .flat_map(|line| line.split('|').nth(1).expect("a cell").split('`').skip(1).step_by(2))
        .collect();
    let answer = http.get("/metrics").await;
    let shown: BTreeSet<&str> = std::str::from_utf8(&answer.bytes)
        .expect("text")
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    assert_eq!(shown, named);
}
