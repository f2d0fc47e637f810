//! A refusal before the body was read leaves the connection, and the locks of its session, alone.

use crate::common::{Http, TestNode, within};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// How long nothing comes if nothing is to come.
const QUIET: Duration = Duration::from_millis(200);

/// A connection on which requests are written piece by piece.
struct Wire(UnixStream);

struct Said {
    status: u16,
    closes: bool,
    json: Value,
}

impl Wire {
    async fn open(node: &TestNode) -> Self {
        Self(UnixStream::connect(&node.ready().socket).await.expect("the node listens"))
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("the node reads");
    }

    async fn head(&mut self, line: &str, headers: &str) {
        let head = format!("{line} HTTP/1.1\r\nhost: meshmq\r\n{headers}\r\n");
        self.write(head.as_bytes()).await;
    }

    async fn is_quiet(&mut self) -> bool {
        tokio::time::timeout(QUIET, self.0.read_u8()).await.is_err()
    }

    /// One answer: its head, and as much as it says.
    async fn answer(&mut self) -> Said {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(within(self.0.read_u8()).await.expect("an answer"));
        }
        let head = String::from_utf8(head).expect("text").to_ascii_lowercase();
        let field = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name));
            line.map(|value| value.trim().to_owned())
        };
        let length = field("content-length:").map_or(0, |text| text.parse().expect("a number"));
        let mut body = vec![0; length];
        within(self.0.read_exact(&mut body)).await.expect("a body");
        Said {
            status: head[9..12].parse().expect("a status"),
            closes: field("connection:").as_deref() == Some("close"),
            json: serde_json::from_slice(&body).unwrap_or_default(),
        }
    }

    async fn ask(&mut self, line: &str, body: &Value) -> Said {
        let body = body.to_string();
        let length = body.len();
        self.head(line, &format!("content-type: application/json\r\ncontent-length: {length}\r\n"))
            .await;
        self.write(body.as_bytes()).await;
        self.answer().await
    }

    async fn is_closed(&mut self) -> bool {
        matches!(within(self.0.read(&mut [0; 1])).await, Ok(0) | Err(_))
    }
}

/// A connection with a lock, and the request that finds out whether it still holds.
async fn with_lock(node: &TestNode) -> (Wire, String) {
    let mut http: Http = node.connect().await;
    http.call("PUT", "/v1/queues/q", Some(json!({}))).await;
    http.post("/v1/queues/q/messages", json!({"body": "x"})).await.expect(201);
    let mut wire = Wire::open(node).await;
    let got = wire.ask("POST /v1/queues/q/receive", &json!({"lease_s": 3600})).await.json;
    let token = got["messages"][0]["lock"]["token"].as_str().expect("a lock");
    let look = format!("POST /v1/locks/{token}/extend");
    (wire, look)
}

#[tokio::test]
async fn a_refused_head_costs_neither_the_connection_nor_its_locks() {
    let node = TestNode::start("pc-a").await;
    let (mut wire, look) = with_lock(&node).await;
    let text = "content-type: text/plain\r\n";
    for (line, headers, status) in [
        ("POST /nothing", text, 404),
        ("PATCH /v1/queues/q", text, 405),
        ("GET /v1/queues?limit=0", "", 400),
        ("POST /v1/queues/q/messages?wait=never", text, 400),
        ("POST /v1/queues/q/messages", "meshmq-colour: red\r\n", 400),
        ("POST /v1/queues/q/messages", "idempotency-key: \"\r\n", 400),
        ("POST /v1/locks/x/ack", "content-type: application/json\r\n", 409),
    ] {
        wire.head(line, &format!("{headers}content-length: 70000\r\n")).await;
        assert!(wire.is_quiet().await, "{line} is answered when its body is there");
        wire.write(&[b'x'; 70_000]).await;
        let said = wire.answer().await;
        assert_eq!((said.status, said.closes), (status, false), "{line}: {}", said.json);
        wire.head(line, &format!("{headers}transfer-encoding: chunked\r\n")).await;
        assert!(wire.is_quiet().await, "{line} is answered when its body is there");
        wire.write(b"3\r\nabc\r\n0\r\n\r\n").await;
        assert_eq!(wire.answer().await.status, status, "{line}");
        let held = wire.ask(&look, &json!({"lease_s": 3600})).await;
        assert_eq!(held.status, 200, "after {line}: {}", held.json);
    }
}

#[tokio::test]
async fn a_body_above_its_bound_is_read_too() {
    let node = TestNode::start("pc-a").await;
    let (mut wire, look) = with_lock(&node).await;
    let large = vec![b'x'; meshmq::gateway::http::BODY_MAX + 1];
    let json = "content-type: application/json\r\n";
    let length = format!("{json}content-length: {}\r\n", large.len());
    wire.head("PUT /v1/queues/r", &length).await;
    assert!(wire.is_quiet().await);
    wire.write(&large).await;
    assert_eq!(wire.answer().await.status, 413);
    wire.head("PUT /v1/queues/r", &format!("{json}transfer-encoding: chunked\r\n")).await;
    for piece in [&large[..], b"more"] {
        wire.write(format!("{:x}\r\n", piece.len()).as_bytes()).await;
        wire.write(piece).await;
        wire.write(b"\r\n").await;
    }
    assert!(wire.is_quiet().await);
    wire.write(b"0\r\n\r\n").await;
    assert_eq!(wire.answer().await.status, 413);
    assert_eq!(wire.ask(&look, &json!({"lease_s": 3600})).await.status, 200);
}

#[tokio::test]
async fn a_body_that_nobody_would_read_ends_the_connection() {
    let node = TestNode::start("pc-a").await;
    for headers in ["", "content-type: application/json\r\n"] {
        let mut wire = Wire::open(&node).await;
        let length = meshmq::gateway::http::REST_MAX + 1;
        wire.head("POST /nothing", &format!("{headers}content-length: {length}\r\n")).await;
        let said = wire.answer().await;
        assert_eq!((said.status, said.closes), (404, true));
        assert!(wire.is_closed().await);
    }
}

#[tokio::test]
async fn whoever_waits_to_send_is_refused_without_its_body() {
    let node = TestNode::start("pc-a").await;
    let waits =
        "content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 70000\r\n";
    let mut wire = Wire::open(&node).await;
    wire.head("PUT /v1/queues/r", waits).await;
    let said = wire.answer().await;
    assert_eq!((said.status, said.closes), (413, true));
    assert!(wire.is_closed().await);
    let mut wire = Wire::open(&node).await;
    wire.head("PUT /v1/queues/r", &waits.replace("70000", "2")).await;
    assert_eq!(wire.answer().await.status, 100);
    wire.write(b"{}").await;
    let said = wire.answer().await;
    assert_eq!((said.status, said.closes), (201, false));
}
