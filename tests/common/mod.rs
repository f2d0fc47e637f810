//! Real nodes within the test's process, on loopback, in temporary directories.
#![allow(dead_code, reason = "each test target uses its own part")]

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use meshmq::daemon::{self, DaemonError, Running, UpOptions};
use serde_json::Value;
use std::future::Future;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::UnixStream;

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

    /// A new connection to the node.
    pub(crate) async fn connect(&self) -> Http {
        Http::connect(Path::new(&self.ready().socket)).await
    }
}

/// One HTTP connection, with nothing of the product's own client in it.
pub(crate) struct Http(SendRequest<Full<Bytes>>);

/// An answer: status, media type and JSON body (null if there is none).
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) media_type: String,
    pub(crate) json: Value,
    pub(crate) bytes: Bytes,
}

impl Http {
    pub(crate) async fn connect(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).await.expect("the node listens");
        Self::over(stream).await
    }

    pub(crate) async fn over(stream: UnixStream) -> Self {
        let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection);
        Self(sender)
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
        let mut request = Request::builder().method(method).uri(path).header("host", "meshmq");
        if let Some(media_type) = media_type {
            request = request.header("content-type", media_type);
        }
        let request = request.body(Full::new(body)).expect("a request");
        let exchange = async {
            self.0.ready().await.expect("the connection is open");
            let answer = self.0.send_request(request).await.expect("an answer");
            let (head, body) = answer.into_parts();
            (head, body.collect().await.expect("a whole answer").to_bytes())
        };
        let (head, body) = within(exchange).await;
        let media_type = head.headers.get("content-type");
        Answer {
            status: head.status,
            media_type: media_type.map_or("", |value| value.to_str().expect("text")).to_owned(),
            json: serde_json::from_slice(&body).unwrap_or(Value::Null),
            bytes: body,
        }
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
