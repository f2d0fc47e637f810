//! The accept loop and the life of one connection.

use super::door::Door;
use super::error::Refusal;
use super::pace::{Answering, Paced};
use super::{Session, router};
use crate::client::json::code;
use crate::service::Service;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;

/// Connections at once; further ones are told so and closed.
pub const CONNECTIONS_MAX: usize = 64;
/// Connections that are being refused at once; further ones are closed without a word.
const REFUSALS_MAX: usize = 16;
/// Largest head of a request, in bytes.
pub const HEAD_MAX: usize = 16 * 1024;
/// How long the head of a request may take from its first byte.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(5);
/// How long connections may finish what they are at when the node stops.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(5);
/// How long a refused connection may take to ask and read.
const REFUSAL_TIME_MAX: Duration = Duration::from_secs(5);

/// Serves the door until `stop`, then lets open requests finish within a few seconds. The socket is
/// gone when this returns.
pub async fn serve(door: Door, service: Service, stop: CancellationToken) {
    let router = router(service.clone());
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let refusals = Arc::new(Semaphore::new(REFUSALS_MAX));
    let tasks = TaskTracker::new();
    let mut next_session = 1;
    loop {
        let stream = tokio::select! {
            accepted = door.listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(why) => {
                    // Out of descriptors, most likely: others must close first.
                    tracing::warn!(%why, "a connection cannot be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = stop.cancelled() => break,
        };
        let permit = Arc::clone(&connections).try_acquire_owned();
        match admit(&door, &stream).and_then(|()| permit.map_err(|_| full())) {
            Ok(permit) => {
                let session = Session(next_session);
                next_session += 1;
                let connection = Connection { session, router: router.clone(), stop: stop.clone() };
                let service = service.clone();
                tasks.spawn(async move {
                    // A handler that panics must not keep the locks of its session.
                    let run = AssertUnwindSafe(connection.run(stream, permit)).catch_unwind();
                    if run.await.is_err() {
                        tracing::error!(session = session.0, "a connection panicked");
                    }
                    service.end_session(session.0).await;
                });
            }
            Err(refusal) => {
                if let Ok(permit) = Arc::clone(&refusals).try_acquire_owned() {
                    tasks.spawn(refuse(stream, refusal, permit));
                }
            }
        }
    }
    tasks.close();
    if tokio::time::timeout(DRAIN_TIME_MAX, tasks.wait()).await.is_err() {
        tracing::warn!(open = tasks.len(), "connections were still busy when the node stopped");
    }
}

fn admit(door: &Door, stream: &UnixStream) -> Result<(), Refusal> {
    let denied = || {
        let detail = "this socket is for the user of the node and its group only";
        Refusal::new(StatusCode::FORBIDDEN, code::NOT_ALLOWED, detail)
            .hint("run as the node's user, or start it with `up --socket-group GROUP`")
    };
    let peer = stream.peer_cred().map_err(|_| denied())?;
    tracing::debug!(uid = peer.uid(), pid = peer.pid(), "connection");
    if door.admission.admits(peer.uid()) {
        return Ok(());
    }
    tracing::warn!(uid = peer.uid(), pid = peer.pid(), "a connection of another user was refused");
    Err(denied())
}

fn full() -> Refusal {
    let detail = format!("{CONNECTIONS_MAX} connections are open already, which is the limit");
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too_many", detail).hint("close idle connections")
}

struct Connection {
    session: Session,
    router: Router,
    stop: CancellationToken,
}

impl Connection {
    /// Serves requests until the other side closes, something fails, or the node stops. When the
    /// other side closes, a request that is being answered is dropped.
    async fn run(self, stream: UnixStream, _permit: OwnedSemaphorePermit) {
        let answering = Answering::default();
        let paced = Paced::new(stream, HEAD_TIME_MAX, answering.clone());
        let session = self.session;
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            answering.begin();
            request.extensions_mut().insert(session);
            let answer = self.router.clone().call(request.map(Body::new));
            let answering = answering.clone();
            async move {
                let answer = answer.await;
                answering.end();
                answer
            }
        });
        let mut connection =
            std::pin::pin!(builder().serve_connection(TokioIo::new(paced), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(why) = ended {
            tracing::debug!(%why, session = session.0, "a connection broke");
        }
    }
}

/// Answers one request with the refusal and closes.
async fn refuse(stream: UnixStream, refusal: Refusal, _permit: OwnedSemaphorePermit) {
    let service = service_fn(move |_: hyper::Request<Incoming>| {
        let mut answer: Response = refusal.clone().into_response();
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        std::future::ready(Ok::<_, Infallible>(answer))
    });
    let connection = builder().serve_connection(TokioIo::new(stream), service);
    // Whether it was read is of no importance.
    let _ = tokio::time::timeout(REFUSAL_TIME_MAX, connection).await;
}

fn builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    // The head's own limit is `Paced`'s; see there.
    builder.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(HEAD_MAX);
    builder
}
