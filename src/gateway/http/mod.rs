//! HTTP/JSON over the node's Unix socket.
//!
//! A session is a connection: what a connection received under locks returns to its queues the
//! moment the connection closes, however its program ended. A program that settles over another
//! connection keeps the receiving one open meanwhile. Every refusal, those of the router and the
//! readers of requests included, is `application/problem+json` with a stable code.
//!
//! Refuses to hold rules of queueing: each handler reads, calls the service once, and writes.

mod dead;
mod door;
mod error;
mod explain;
mod extract;
mod locks;
mod messages;
mod metrics;
mod node;
mod outgoing;
mod pace;
mod peers;
mod queues;
mod serve;
mod view;

pub use door::{Admission, Door, DoorError, protect};
pub use serve::{CONNECTIONS_MAX, HEAD_MAX, HEAD_TIME_MAX, serve};

use crate::service::Service;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use error::Refusal;
use std::time::Duration;

/// The largest body of a send, in bytes: one largest message whose every byte needs an escape, or
/// a batch.
pub const SEND_BODY_MAX: usize = 8 * 1024 * 1024;
/// The largest body of every other request, in bytes.
pub const BODY_MAX: usize = 64 * 1024;
/// How long the body of a request may take to come.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(30);
/// How long a request may take that does not wait for anybody else.
pub const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);
/// How long a request waits for the state that it asked for, unless it says so itself.
pub const WAIT_DEFAULT: Duration = Duration::from_secs(30);
/// Entries of a page unless the request says otherwise.
pub const PAGE_DEFAULT: usize = 100;
/// Entries of a page at most.
pub const PAGE_MAX: usize = 1_000;

/// The connection on which a request came: whose locks they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session(pub u64);

/// All paths of the door.
pub fn router(service: Service) -> Router {
    let waiting = Router::new()
        .route("/v1/queues/{queue}/messages", post(messages::send))
        .route("/v1/queues/{queue}/receive", post(messages::receive))
        .route("/v1/messages/{id}/wait", get(explain::wait))
        .route("/v1/join", post(node::join));
    let prompt = Router::new()
        .route("/v1/queues", get(queues::list))
        .route("/v1/queues/{queue}", get(queues::show).put(queues::create).delete(queues::remove))
        .route("/v1/queues/{queue}/messages", get(messages::peek))
        .route("/v1/queues/{queue}/purge", post(queues::purge))
        .route("/v1/messages/{id}", get(messages::state))
        .route("/v1/messages/{id}/why", get(explain::why_message))
        .route("/v1/messages/{id}/trace", get(explain::trace))
        .route("/v1/outgoing/{node}/why", get(explain::why_node))
        .route("/v1/locks/ack", post(locks::ack_all))
        .route("/v1/locks/{token}/ack", post(locks::ack))
        .route("/v1/locks/{token}/nack", post(locks::nack))
        .route("/v1/locks/{token}/return", post(locks::give_back))
        .route("/v1/locks/{token}/extend", post(locks::extend))
        .route("/v1/outgoing", get(outgoing::list))
        .route("/v1/dead", get(dead::list).delete(dead::purge_all))
        .route("/v1/dead/{id}", axum::routing::delete(dead::purge))
        .route("/v1/dead/{id}/retry", post(dead::retry))
        .route("/v1/peers", get(peers::list))
        .route("/v1/discovery", get(explain::discovery))
        .route("/v1/invites", post(peers::invite))
        .route("/v1/leave", post(node::leave))
        .route("/v1/status", get(node::status))
        .route("/v1/shutdown", post(node::shutdown))
        .route("/metrics", get(metrics::metrics))
        .route("/livez", get(node::live))
        .route("/readyz", get(node::ready))
        .layer(from_fn(in_time));
    waiting
        .merge(prompt)
        .fallback(|| async { Refusal::no_such_path(404, "there is no such path") })
        .method_not_allowed_fallback(|| async {
            Refusal::no_such_path(405, "the path is there, but not with this method")
        })
        .with_state(service)
}

/// Ends a request that takes too long, which a node that works never needs.
async fn in_time(request: Request, next: Next) -> Response {
    tokio::time::timeout(REQUEST_TIME_MAX, next.run(request))
        .await
        .unwrap_or_else(|_| Refusal::too_late().into_response())
}

#[cfg(test)]
mod tests;
