//! Real processes, ended by kill −9 in the middle of their work.

use crate::common::{Http, TestNode, options, until, within};
use crate::token_of;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A node in a process of its own.
struct Process {
    child: Child,
    socket: String,
}

async fn spawn(dir: &Path, extra: &[&str]) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshmq"));
    command.env("MESHMQ_CONFIG", "/dev/null");
    command.args(["up", "--json", "--no-discovery", "--listen", "127.0.0.1:0", "--data"]);
    command.arg(dir).args(extra).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let line = within(lines.next_line()).await.expect("readable").expect("a line once ready");
    let ready: Value = serde_json::from_str(&line).expect("one JSON object");
    assert_eq!(ready["event"], "ready");
    Process { child, socket: ready["socket"].as_str().expect("a path").to_owned() }
}

impl Process {
    async fn kill(mut self) {
        self.child.kill().await.expect("it can be killed");
    }

    async fn http(&self) -> Http {
        Http::connect(Path::new(&self.socket)).await
    }
}

/// The sender is killed right after its reply, the receiver twice while it takes: every message
/// that was acknowledged arrives once, and in order.
#[tokio::test]
async fn nothing_acknowledged_is_lost_and_nothing_comes_twice() {
    let b = TestNode::start("pc-b").await;
    let mut at_b = b.connect().await;
    at_b.put("/v1/queues/orders", json!({"transactional": true})).await.expect(201);
    let token = token_of(&b).await;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let extra = ["--name", "pc-a", "--join", &token];
    let mut expected = Vec::new();
    for round in 0..3 {
        let a = spawn(dir.path(), &extra).await;
        let mut http = a.http().await;
        for part in 0..10 {
            let bodies: Vec<_> = (0..20).map(|n| format!("{round}.{part}.{n}")).collect();
            let messages: Vec<_> = bodies
                .iter()
                .map(|body| json!({"body": body, "delivery": "transactional"}))
                .collect();
            let batch = json!({"messages": messages});
            http.post("/v1/queues/orders@pc-b/messages", batch).await.expect(201);
            expected.extend(bodies);
        }
        a.kill().await;
    }
    let a = spawn(dir.path(), &extra).await;
    let mut received = Vec::new();
    while received.len() < expected.len() {
        let asked = json!({"max": 256, "wait_s": 30});
        let answer = at_b.post("/v1/queues/orders/receive", asked).await.expect(200);
        let messages = answer["messages"].as_array().expect("a list").clone();
        assert!(!messages.is_empty(), "{} of {} came", received.len(), expected.len());
        for message in messages {
            received.push(message["body"].as_str().expect("text").to_owned());
            let token = message["lock"]["token"].as_str().expect("a token");
            at_b.call("POST", &format!("/v1/locks/{token}/ack"), None).await.expect(204);
        }
    }
    assert_eq!(received, expected);
    until(async || {
        let status = a.http().await.get("/v1/status").await.expect(200);
        (status["outgoing"] == 0).then_some(())
    })
    .await;
    assert_eq!(at_b.get("/v1/queues/orders").await.expect(200)["ready"], 0);
}

/// The receiving process is killed again and again while messages enter its queue.
#[tokio::test]
async fn a_receiver_that_is_killed_has_each_message_once() {
    let a = TestNode::start("pc-a").await;
    let token = token_of(&a).await;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let extra = ["--name", "pc-b", "--join", &token];
    let mut b = spawn(dir.path(), &extra).await;
    b.http().await.put("/v1/queues/orders", json!({})).await.expect(201);
    let mut sender = a.connect().await;
    for round in 0..3 {
        let messages: Vec<_> = (0..100).map(|n| json!({"body": format!("{round}.{n}")})).collect();
        let batch = json!({"messages": messages});
        sender.post("/v1/queues/orders@pc-b/messages", batch).await.expect(201);
        until(async || {
            let queue = b.http().await.get("/v1/queues/orders").await.expect(200);
            (queue["ready"].as_u64() > Some(round * 100)).then_some(())
        })
        .await;
        b.kill().await;
        b = spawn(dir.path(), &extra).await;
    }
    until(async || {
        let status = a.connect().await.get("/v1/status").await.expect(200);
        (status["outgoing"] == 0).then_some(())
    })
    .await;
    let mut http = b.http().await;
    let page = http.get("/v1/queues/orders/messages?limit=1000").await.expect(200);
    let mut bodies: Vec<_> = page["items"].as_array().expect("a list").clone();
    while let Some(next) = page_after(&mut http, &bodies).await {
        bodies.extend(next);
    }
    let unique: BTreeSet<_> = bodies.iter().map(|item| item["body"].to_string()).collect();
    assert_eq!((bodies.len(), unique.len()), (300, 300));
}

/// The rest of the queue after what was seen, if there is any.
async fn page_after(http: &mut Http, seen: &[Value]) -> Option<Vec<Value>> {
    let queue = http.get("/v1/queues/orders").await.expect(200);
    if queue["ready"].as_u64() <= Some(seen.len() as u64) {
        return None;
    }
    let page = http.get("/v1/queues/orders/messages?limit=256").await.expect(200);
    let next = page["next"].as_str().expect("there is more");
    let path = format!("/v1/queues/orders/messages?limit=256&after={next}");
    Some(http.get(&path).await.expect(200)["items"].as_array().expect("a list").clone())
}

/// What `up` says when its standard input ends, or it is told to stop.
#[tokio::test]
async fn a_child_ends_with_its_standard_input_and_at_a_signal() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let wanted = options(dir.path(), "pc-a");
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshmq"));
    command.env("MESHMQ_CONFIG", "/dev/null");
    command.args(["up", "--json", "--no-discovery", "--listen", "127.0.0.1:0", "--data"]);
    command.arg(&wanted.data).arg("--exit-with-stdin");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    within(lines.next_line()).await.expect("readable").expect("a line once ready");
    drop(child.stdin.take());
    let status = within(child.wait()).await.expect("it ends");
    assert_eq!(status.code(), Some(0));
    let mut node = spawn(dir.path(), &[]).await;
    let pid = node.child.id().expect("it runs").to_string();
    let sent = std::process::Command::new("kill").args(["-TERM", &pid]).status();
    assert!(sent.expect("the tool is there").success());
    let status = within(node.child.wait()).await.expect("it ends");
    assert_eq!(status.code(), Some(0));
    assert!(!Path::new(&node.socket).exists());
}
