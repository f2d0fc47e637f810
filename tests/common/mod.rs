//! Real nodes within the test's process, on loopback, in temporary directories.
#![allow(dead_code, reason = "each test target uses its own part")]

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use meshmq::daemon::{self, DaemonError, Running, UpOptions};
use serde_json::Value;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// The longest wait for anything: a test that needs longer has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
/// Between two looks at a condition that tells nobody when it changes.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Options of a node that talks to loopback only.
pub(crate) fn options(dir: &Path, name: &str) -> UpOptions {
    UpOptions {
        data: dir.to_owned(),
        name: Some(name.to_owned()),
        listen: vec!["127.0.0.1:0".to_owned()],
        ..UpOptions::default()
    }
}

/// A running node and its directory.
pub(crate) struct TestNode {
    pub(crate) dir: TempDir,
    pub(crate) options: UpOptions,
    pub(crate) running: Option<Running>,
}

impl TestNode {
    /// Starts a node of that name in a new directory.
    pub(crate) async fn start(name: &str) -> Self {
        Self::start_with(name, |_| ()).await
    }

    /// The same with other options.
    pub(crate) async fn start_with(name: &str, change: impl FnOnce(&mut UpOptions)) -> Self {
        if std::env::var_os(meshmq::telemetry::FILTER_VARIABLE).is_some() {
            meshmq::telemetry::init();
        }
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut options = options(dir.path(), name);
        change(&mut options);
        let mut node = Self { dir, options, running: None };
        node.up().await.expect("the node starts");
        node
    }

    /// Starts the node again.
    pub(crate) async fn up(&mut self) -> Result<(), DaemonError> {
        self.running = Some(daemon::start(self.options.clone()).await?);
        Ok(())
    }

    /// Stops the node and waits until it has ended.
    pub(crate) async fn down(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await.expect("a clean end");
        }
    }

    /// What the node said when it was ready.
    pub(crate) fn ready(&self) -> &daemon::Ready {
        self.running.as_ref().expect("it runs").ready()
    }

    /// Where its HTTP door on TCP listens.
    pub(crate) fn tcp(&self) -> SocketAddr {
        let url = self.ready().http.as_deref().expect("it has a door on TCP");
        let (_, address) = url.split_once("://").expect("a URL");
        address.parse().expect("an address")
    }

    /// The access token in its directory.
    pub(crate) fn token(&self) -> String {
        let text = std::fs::read_to_string(self.dir.path().join("token")).expect("a token file");
        text.trim().to_owned()
    }

    /// A new connection to its HTTP door on TCP, as programs make it: with the token.
    pub(crate) async fn connect_tcp(&self) -> Http {
        let stream = TcpStream::connect(self.tcp()).await.expect("the node listens");
        let bearer = format!("Bearer {}", self.token());
        let host = self.tcp().to_string();
        Http::over(stream).await.with("host", &host).with("authorization", &bearer)
    }

    /// A new connection to the node.
    pub(crate) async fn connect(&self) -> Http {
        Http::connect(Path::new(&self.ready().socket)).await
    }
}

/// One HTTP connection, with nothing of the product's own client in it.
pub(crate) struct Http {
    sender: SendRequest<Full<Bytes>>,
    headers: Vec<(String, String)>,
}

/// An answer: status, media type and JSON body (null if there is none).
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) media_type: String,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
    pub(crate) json: Value,
}

impl Http {
    pub(crate) async fn connect(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).await.expect("the node listens");
        Self::over(stream).await
    }

    pub(crate) async fn over<S>(stream: S) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection);
        Self { sender, headers: vec![("host".to_owned(), "meshmq".to_owned())] }
    }

    /// The same with a header on every request, in place of one of that name.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(present, _)| present != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends a JSON body, or none.
    pub(crate) async fn call(&mut self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let media_type = body.is_some().then_some("application/json");
        let body = body.map(|json| json.to_string()).unwrap_or_default();
        self.raw(method, path, media_type, body.into()).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.call("GET", path, None).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.call("POST", path, Some(body)).await
    }

    pub(crate) async fn put(&mut self, path: &str, body: Value) -> Answer {
        self.call("PUT", path, Some(body)).await
    }

    pub(crate) async fn delete(&mut self, path: &str) -> Answer {
        self.call("DELETE", path, None).await
    }

    pub(crate) async fn raw(
        &mut self,
        method: &str,
        path: &str,
        media_type: Option<&str>,
        body: Bytes,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(media_type) = media_type {
            request = request.header("content-type", media_type);
        }
        let request = request.body(Full::new(body)).expect("a request");
        let exchange = async {
            self.sender.ready().await.expect("the connection is open");
            let answer = self.sender.send_request(request).await.expect("an answer");
            let (head, body) = answer.into_parts();
            (head, body.collect().await.expect("a whole answer").to_bytes())
        };
        let (head, body) = within(exchange).await;
        let media_type = head.headers.get("content-type");
        Answer {
            status: head.status,
            media_type: media_type.map_or("", |value| value.to_str().expect("text")).to_owned(),
            json: serde_json::from_slice(&body).unwrap_or(Value::Null),
            headers: head.headers,
            bytes: body,
        }
    }
}

/// A stream of server-sent events, on a connection of its own.
pub(crate) struct Events {
    _sender: SendRequest<Full<Bytes>>,
    body: hyper::body::Incoming,
    text: String,
}

/// One event.
#[derive(Debug)]
pub(crate) struct SentEvent {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) json: Value,
}

impl Http {
    /// Turns the connection into a stream of events.
    pub(crate) async fn events(mut self, path: &str) -> Events {
        let mut request = Request::builder().method("GET").uri(path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::new())).expect("a request");
        let answer = within(self.sender.send_request(request)).await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 200, "{answer:?}");
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Events { _sender: self.sender, body: answer.into_body(), text: String::new() }
    }
}

impl Events {
    /// The next event, comments left out; none at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<SentEvent> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let lines = block.lines().filter_map(|line| line.split_once(": "));
                    lines.filter(|(found, _)| *found == name).map(|(_, text)| text).next()
                };
                let text = |name| field(name).unwrap_or_default().to_owned();
                let event = SentEvent {
                    name: text("event"),
                    id: text("id"),
                    json: field("data").map_or(Value::Null, |json| {
                        serde_json::from_str(json).expect("JSON in an event")
                    }),
                };
                self.text = rest.to_owned();
                if event.name.is_empty() {
                    continue;
                }
                return Some(event);
            }
            let frame = within(self.body.frame()).await?.ok()?;
            let data = frame.into_data().unwrap_or_default();
            self.text.push_str(std::str::from_utf8(&data).expect("events are text"));
        }
    }

    /// The next event, which must have this name.
    pub(crate) async fn expect(&mut self, name: &str) -> SentEvent {
        let event = self.next().await.unwrap_or_else(|| panic!("no event `{name}`"));
        assert_eq!(event.name, name, "{event:?}");
        event
    }
}

impl Answer {
    /// The JSON of an answer with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self.json
    }

    /// Checks that it is a refusal as the documentation has them.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) {
        assert_eq!(self.media_type, "application/problem+json", "{self:?}");
        assert_eq!(self.json["code"], code, "{self:?}");
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.json["status"], status, "{self:?}");
        assert_eq!(self.json["type"], "about:blank", "{self:?}");
        for text in ["title", "detail"] {
            assert!(self.json[text].as_str().is_some_and(|text| !text.is_empty()), "{self:?}");
        }
    }
}

/// Waits for a future, but not for ever.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("it ends in time")
}

/// Looks again and again until the answer is something.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(mut look: impl FnMut() -> F) -> T {
    within(async {
        let mut again = tokio::time::interval(LOOK_AGAIN);
        loop {
            again.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    })
    .await
}
