//! HTTP/JSON over the node's Unix socket, and over TCP for those who show an access token.
//!
//! A session is a connection: what a connection received under locks returns to its queues the
//! moment the connection closes, however its program ended. A program that settles over another
//! connection keeps the receiving one open meanwhile. Every refusal, those of the router and the
//! readers of requests included, is `application/problem+json` with a stable code.
//!
//! Refuses to hold rules of queueing: each handler reads, calls the service once, and writes.

mod api;
mod dead;
mod door;
mod error;
mod explain;
mod extract;
mod guard;
mod limits;
mod locks;
mod messages;
mod metrics;
mod node;
mod outgoing;
mod pace;
mod peers;
mod queues;
mod raw;
mod rest;
mod serve;
mod sse;
mod tcp;
mod tokens;
mod view;
mod wanted;
mod worded;

pub use door::{Admission, Door, DoorError, protect};
pub use limits::DoorLimits;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub use raw::fuzzing;
pub use rest::{REST_MAX, REST_TIME_MAX};
pub use serve::{HEAD_MAX, serve, serve_tcp};
pub use sse::KEEP_ALIVE;
pub use tcp::{TcpDoor, TcpError, Tls, check_exposure};

use crate::service::Service;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use error::Refusal;
use std::time::Duration;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The largest body of a request that is no send, in bytes.
pub const BODY_MAX: usize = 64 * 1024;
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

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Caller {
    /// Id of the named access token that was shown; none for the node's user.
    token: Option<String>,
    /// Whether the request came over the socket, whose user the kernel has checked.
    is_local: bool,
}

/// Paths that tell nothing worth a token: whoever watches the node may ask.
fn is_open_path(path: &str) -> bool {
    matches!(path, "/livez" | "/readyz" | "/openapi.json")
}

/// All paths of the door, and what OpenAPI says of them: each handler brings its own path along.
fn paths() -> OpenApiRouter<Service> {
    let waiting = OpenApiRouter::new()
        .routes(routes!(messages::send))
        .routes(routes!(messages::receive))
        .routes(routes!(sse::deliveries))
        .routes(routes!(sse::news))
        .routes(routes!(explain::wait))
        .routes(routes!(node::compact))
        .routes(routes!(node::join));
    let prompt = OpenApiRouter::new()
        .routes(routes!(queues::list))
        .routes(routes!(queues::show, queues::create, queues::remove))
        .routes(routes!(messages::peek))
        .routes(routes!(queues::purge))
        .routes(routes!(messages::state))
        .routes(routes!(explain::why_message))
        .routes(routes!(explain::trace))
        .routes(routes!(explain::why_node))
        .routes(routes!(explain::discovery))
        .routes(routes!(locks::ack_all))
        .routes(routes!(locks::settle_all))
        .routes(routes!(locks::ack))
        .routes(routes!(locks::nack))
        .routes(routes!(locks::give_back))
        .routes(routes!(locks::extend))
        .routes(routes!(locks::body))
        .routes(routes!(outgoing::list))
        .routes(routes!(dead::list, dead::purge_all))
        .routes(routes!(dead::purge))
        .routes(routes!(dead::retry))
        .routes(routes!(peers::list))
        .routes(routes!(peers::invite))
        .routes(routes!(node::leave))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(node::status))
        .routes(routes!(node::shutdown))
        .routes(routes!(metrics::metrics))
        .routes(routes!(node::live))
        .routes(routes!(node::ready))
        .routes(routes!(api::document))
        .layer(from_fn(in_time));
    OpenApiRouter::with_openapi(api::Description::openapi()).merge(waiting).merge(prompt)
}

/// The door: its paths, and a refusal for every other.
pub fn router(service: Service) -> Router {
    let (router, _) = paths().split_for_parts();
    router
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
