//! The accept loops and the life of one connection.

use super::door::Door;
use super::error::{Refusal, Refused};
use super::guard::{self, Guard};
use super::limits::DoorLimits;
use super::pace::{Answering, Pace, Paced};
use super::rest::Asked;
use super::tcp::TcpDoor;
use super::worded::Worded;
use super::{Caller, Session, router};
use crate::client::json::code;
use crate::service::{Service, Via};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service as _;
use tracing::Instrument;

/// Connections that are being refused at once; further ones are closed without a word.
const REFUSALS_MAX: usize = 16;
/// Largest head of a request, in bytes.
pub const HEAD_MAX: usize = 16 * 1024;
/// How long connections may finish what they are at when the node stops.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(5);
/// How long a refused connection may take to ask and read.
const REFUSAL_TIME_MAX: Duration = Duration::from_secs(5);

/// Serves the socket until `stop`, then lets open requests finish within a few seconds. The socket
/// is gone when this returns.
pub async fn serve(door: Door, service: Service, limits: DoorLimits, stop: CancellationToken) {
    let caller = Caller { token: None, is_local: true };
    let service = service.through(Via::Http);
    let router = router(service.clone()).layer(axum::Extension(caller));
    let hall = Hall::new(router, service, limits, stop, false);
    while let Some((stream, _)) = hall.next(|| door.listener.accept()).await {
        let admitted = admit(&door, &stream);
        hall.take(std::future::ready(Ok(stream)), admitted);
    }
    hall.close().await;
}

/// Serves the door on TCP until `stop`, as [`serve`] does. Every request is checked by the guard.
pub async fn serve_tcp(
    door: TcpDoor,
    service: Service,
    limits: DoorLimits,
    stop: CancellationToken,
) {
    let tls = door.tls();
    let service = service.through(Via::Http);
    let guard = Guard { service: service.clone(), tls: tls.is_some() };
    let router = router(service.clone()).layer(from_fn_with_state(guard, guard::check));
    let hall = Hall::new(router, service, limits, stop, true);
    while let Some((stream, from)) = hall.next(|| door.listener.accept()).await {
        tracing::debug!(client.address = %from, "connected");
        hall.take(opened(stream, tls.clone(), limits.head), Ok(()));
    }
    hall.close().await;
}

/// The stream of a connection on TCP, encrypted if the door has a certificate.
async fn opened(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    within: Duration,
) -> io::Result<impl AsyncRead + AsyncWrite + Unpin + Send + 'static> {
    stream.set_nodelay(true)?;
    match tls {
        None => Ok(Either::Left(stream)),
        Some(tls) => {
            let greeted = tokio::time::timeout(within, tls.accept(stream)).await;
            Ok(Either::Right(greeted.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??))
        }
    }
}

fn admit(door: &Door, stream: &UnixStream) -> Result<(), Refusal> {
    let denied = || {
        let detail = "this socket is for the user of the node and its group only";
        Refusal::new(StatusCode::FORBIDDEN, code::NOT_ALLOWED, detail)
            .hint("run as the node's user, or start it with `up --socket-group GROUP`")
    };
    let peer = stream.peer_cred().map_err(|_| denied())?;
    tracing::debug!(uid = peer.uid(), pid = peer.pid(), "connected");
    if door.admission.admits(peer.uid()) {
        return Ok(());
    }
    tracing::warn!(uid = peer.uid(), pid = peer.pid(), "a connection of another user was refused");
    Err(denied())
}

fn full(max: usize) -> Refusal {
    let detail = format!("{max} connections are open already, which is the limit");
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too_many", detail)
        .hint("close idle connections, or start the node with more `limits.http_connections`")
}

/// The connections of one door.
struct Hall {
    router: Router,
    service: Service,
    stop: CancellationToken,
    limits: DoorLimits,
    /// Whether the first head of a connection has its time from the start.
    is_prompt: bool,
    transport: &'static str,
    connections: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl Hall {
    fn new(
        router: Router,
        service: Service,
        limits: DoorLimits,
        stop: CancellationToken,
        is_prompt: bool,
    ) -> Self {
        let connections = limits.connections.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            router,
            service,
            stop,
            limits: DoorLimits { connections, ..limits },
            is_prompt,
            transport: if is_prompt { "tcp" } else { "unix" },
            connections: Arc::new(Semaphore::new(connections)),
            refusals: Arc::new(Semaphore::new(REFUSALS_MAX)),
            tasks: TaskTracker::new(),
        }
    }

    /// The next connection; none when the node stops.
    async fn next<T, F: Future<Output = io::Result<T>>>(
        &self,
        mut accept: impl FnMut() -> F,
    ) -> Option<T> {
        loop {
            tokio::select! {
                accepted = accept() => match accepted {
                    Ok(accepted) => return Some(accepted),
                    Err(why) => {
                        // Out of descriptors, most likely: others must close first.
                        tracing::warn!(%why, "a connection cannot be accepted");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                () = self.stop.cancelled() => return None,
            }
        }
    }

    /// Serves a connection once its stream is open, or tells it why not.
    fn take<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        &self,
        opening: impl Future<Output = io::Result<S>> + Send + 'static,
        admitted: Result<(), Refusal>,
    ) {
        let permit = Arc::clone(&self.connections).try_acquire_owned();
        match admitted.and_then(|()| permit.map_err(|_| full(self.limits.connections))) {
            Ok(permit) => {
                let session = Session(self.service.new_session());
                let (router, stop, limits) = (self.router.clone(), self.stop.clone(), self.limits);
                let is_prompt = self.is_prompt;
                let service = self.service.clone();
                let connection = Connection {
                    session,
                    router,
                    service: service.clone(),
                    stop,
                    limits,
                    is_prompt,
                };
                let span = tracing::debug_span!(
                    "connection",
                    messaging.client.id = session.0,
                    network.transport = self.transport,
                );
                let serving = async move {
                    let _connected = service.connected();
                    let Ok(stream) = opening.await else { return };
                    // A handler that panics must not keep the locks of its session.
                    let run = AssertUnwindSafe(connection.run(stream, permit)).catch_unwind();
                    if run.await.is_err() {
                        tracing::error!(messaging.client.id = session.0, "a connection panicked");
                    }
                    service.end_session(session.0).await;
                };
                self.tasks.spawn(serving.instrument(span));
            }
            Err(refusal) => {
                self.service.refused(&refusal.problem().code);
                if let Ok(permit) = Arc::clone(&self.refusals).try_acquire_owned() {
                    self.tasks.spawn(async move {
                        if let Ok(stream) = opening.await {
                            refuse(stream, refusal, permit).await;
                        }
                    });
                }
            }
        }
    }

    /// Lets connections finish what they are at, but not for ever.
    async fn close(self) {
        self.tasks.close();
        if tokio::time::timeout(DRAIN_TIME_MAX, self.tasks.wait()).await.is_err() {
            tracing::warn!(
                open = self.tasks.len(),
                "connections were still busy when the node stopped"
            );
        }
    }
}

struct Connection {
    session: Session,
    router: Router,
    service: Service,
    stop: CancellationToken,
    limits: DoorLimits,
    is_prompt: bool,
}

impl Connection {
    /// Serves requests until the other side closes, something fails, or the node stops. When the
    /// other side closes, a request that is being answered is dropped.
    async fn run<S: AsyncRead + AsyncWrite + Unpin>(
        self,
        stream: S,
        _permit: OwnedSemaphorePermit,
    ) {
        let answering = Answering::default();
        let limits = self.limits;
        let pace = Pace { head: limits.head, is_prompt: self.is_prompt, write: limits.write };
        let paced = Paced::new(stream, pace, answering.clone());
        let worded = Worded::new(paced, answering.clone());
        let (session, counted) = (self.session, self.service.clone());
        let all_answers = answering.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            answering.begin();
            request.extensions_mut().insert(session);
            request.extensions_mut().insert(limits);
            let (head, body) = request.into_parts();
            let (body, rest) = Asked::new(&head.headers, body);
            let request = hyper::Request::from_parts(head, Body::new(body));
            let answer = self.router.clone().call(request);
            let (answering, counted) = (answering.clone(), counted.clone());
            async move {
                let mut answer = answer.await?;
                if let Some(Refused(code)) = answer.extensions().get() {
                    counted.refused(code);
                }
                rest.settle(&mut answer).await;
                Ok::<_, Infallible>(answer.map(|body| Answer { body, answering }))
            }
        });
        let mut connection =
            std::pin::pin!(builder().serve_connection(TokioIo::new(worded), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Some(code) = all_answers.refused() {
            self.service.refused(code);
        }
        if let Err(why) = ended {
            tracing::debug!(%why, "a connection broke");
        }
    }
}

/// The body of an answer; the request is answered when it is dropped.
struct Answer {
    body: Body,
    answering: Answering,
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.answering.end();
    }
}

/// Answers one request with the refusal and closes.
async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    refusal: Refusal,
    _permit: OwnedSemaphorePermit,
) {
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
