//! The log of a running node, as a program reads it that collects logs.

use crate::mesh::token;
use crate::node::{Node, objects};
use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;

/// A node that writes its log, with this filter, into a file of the directory.
fn logging(dir: &TempDir, filter: &str) -> Node {
    let file = dir.path().join("log");
    let before = format!("exec 2>'{}' && export MESHMQ_LOG={filter}", file.display());
    Node::start_under(&before, "pc-a")
}

/// What it wrote: one object a line, each with when, how grave, from where and what.
fn lines(dir: &Path) -> Vec<Value> {
    let log = std::fs::read_to_string(dir.join("log")).expect("the log is there");
    let lines = objects(&log);
    for line in &lines {
        for field in ["timestamp", "level", "target", "message"] {
            assert!(line[field].is_string(), "no {field}: {line}");
        }
    }
    lines
}

/// The spans of this name in which something was said.
fn spans<'a>(lines: &'a [Value], name: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["span"]["name"] == name).map(|line| &line["span"]).collect()
}

/// Sends, receives and settles here, and sends to another node.
fn work(node: &Node) -> Node {
    let token = token(node);
    let other = Node::start_with("pc-b", &["--join", &token]);
    other.ok(&["queue", "create", "orders"]);
    node.ok(&["queue", "create", "inbox"]);
    node.ok(&["send", "inbox", "sesame", "--correlation", "c-1"]);
    assert_eq!(node.ok(&["recv", "inbox"]).trim(), "sesame");
    node.ok(&["send", "orders@pc-b", "sesame", "--wait", "arrived", "--timeout", "30s"]);
    assert_eq!(node.run(&["send", "orders@nowhere", "sesame"]).code, 66);
    other
}

#[test]
fn operations_and_hops_are_spans_with_the_names_of_the_conventions() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let node = logging(&dir, "meshmq=debug");
    let other = work(&node);
    node.ok(&["down"]);
    drop(node);
    let lines = lines(dir.path());
    assert!(lines.iter().all(|line| !line.to_string().contains("sesame")), "a body is in the log");

    let sends = spans(&lines, "send");
    let local = sends[0];
    assert_eq!(local["messaging.system"], "meshmq");
    assert_eq!(local["messaging.operation.name"], "send");
    assert_eq!(local["messaging.operation.type"], "send");
    assert_eq!(local["otel.kind"], "producer");
    assert_eq!(local["messaging.destination.name"], "inbox");
    assert_eq!(local["messaging.message.body.size"], 6);
    assert_eq!(local["messaging.message.conversation_id"], "c-1");
    let id = local["messaging.message.id"].as_str().expect("an id");
    let refused = sends.iter().find(|span| span["messaging.destination.name"] == "orders@nowhere");
    assert_eq!(refused.expect("it was tried")["error.type"], "no_such_node");

    let received = spans(&lines, "receive")[0];
    assert_eq!(received["messaging.operation.type"], "receive");
    assert_eq!(received["messaging.message.id"], id);
    assert_eq!(received["messaging.message.body.size"], 6);
    let acked = spans(&lines, "ack")[0];
    assert_eq!(acked["messaging.operation.type"], "settle");
    assert_eq!(acked["messaging.destination.name"], "inbox");

    let hop = lines.iter().find(|line| line["span"]["name"] == "forward").expect("a hop");
    assert_eq!(hop["span"]["otel.kind"], "client");
    assert_eq!(
        (&hop["span"]["meshmq.hop"], &hop["span"]["meshmq.path"]),
        (&1.into(), &"direct".into())
    );
    let peer = &hop["spans"][0];
    assert_eq!((&peer["name"], &peer["meshmq.peer"]), (&"peer".into(), &other.ready["node_id"]));
    assert!(
        peer["server.address"].as_str().is_some_and(|at| at.starts_with("127.0.0.1:")),
        "{peer}"
    );
    let within = lines.iter().find(|line| line["span"]["name"] == "send").expect("a send");
    assert_eq!(within["spans"][0]["name"], "connection", "{within}");
    assert_eq!(within["spans"][0]["network.transport"], "unix", "{within}");
}

#[test]
fn at_the_level_info_no_operation_is_logged() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let node = logging(&dir, "meshmq=info");
    let _other = work(&node);
    node.ok(&["down"]);
    drop(node);
    let lines = lines(dir.path());
    assert!(lines.iter().all(|line| line.get("span").is_none()), "{lines:?}");
    let link = lines.iter().find(|line| line["message"] == "link up").expect("it is told");
    assert!(link["meshmq.peer"].is_string() && link["server.address"].is_string(), "{link}");
}
