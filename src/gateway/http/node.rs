//! The node itself: status, health, joining, leaving, stopping.

use super::api::Problems;
use super::error::Refusal;
use super::extract::{Json, Query};
use super::view;
use crate::client::json::{Check, Compacted, JoinRequest, Joined, Readiness, Status, code};
use crate::service::{self, Service};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

/// `GET /v1/status`
#[utoipa::path(
    get, path = "/v1/status", tag = "node", operation_id = "node_status",
    responses(
        (status = 200, description = "The node", body = Status),
        Problems
    )
)]
pub(super) async fn status(State(service): State<Service>) -> Result<axum::Json<Status>, Refusal> {
    Ok(axum::Json(view::status(service.status().await?)))
}

/// `POST /v1/join`
#[utoipa::path(
    post, path = "/v1/join", tag = "mesh", operation_id = "node_join",
    request_body(content = JoinRequest),
    responses(
        (status = 200, description = "A member", body = Joined),
        Problems
    )
)]
pub(super) async fn join(
    State(service): State<Service>,
    Json(asked): Json<JoinRequest>,
) -> Result<axum::Json<Joined>, Refusal> {
    service.join(&asked.token, asked.name.as_deref()).await?;
    let status = service.status().await?;
    let node_id = status.node.to_string();
    Ok(axum::Json(Joined { mesh: status.mesh, name: status.name, node_id }))
}

/// `POST /v1/leave`
#[utoipa::path(
    post, path = "/v1/leave", tag = "mesh", operation_id = "node_leave",
    responses(
        (status = 204, description = "Left"),
        Problems
    )
)]
pub(super) async fn leave(State(service): State<Service>) -> Result<StatusCode, Refusal> {
    service.leave().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/compact`: gives back room on the disk. It is done when it is answered, which may take
/// minutes; it goes on if nobody waits.
#[utoipa::path(
    post, path = "/v1/compact", tag = "node", operation_id = "node_compact",
    responses(
        (status = 200, description = "What it has come to", body = Compacted),
        Problems
    )
)]
pub(super) async fn compact(
    State(service): State<Service>,
) -> Result<axum::Json<Compacted>, Refusal> {
    let service::Compacted { before_bytes, after_bytes, live_bytes, refused } =
        service.compact().await?;
    Ok(axum::Json(Compacted { before_bytes, after_bytes, live_bytes, refused }))
}

/// `POST /v1/shutdown`: the node finishes what it has begun and ends.
#[utoipa::path(
    post, path = "/v1/shutdown", tag = "node", operation_id = "node_shutdown",
    responses(
        (status = 202, description = "Stopping"),
        Problems
    )
)]
pub(super) async fn shutdown(State(service): State<Service>) -> StatusCode {
    service.stop();
    StatusCode::ACCEPTED
}

/// `GET /livez`: the engine answers.
#[utoipa::path(
    get, path = "/livez", tag = "node", operation_id = "node_live", security(()),
    responses(
        (status = 204, description = "The engine answers"),
        Problems
    )
)]
pub(super) async fn live(State(service): State<Service>) -> Result<StatusCode, Refusal> {
    service.summary().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `?verbose` of `/readyz`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ReadyQuery {
    verbose: Option<String>,
}

impl ReadyQuery {
    fn is_verbose(&self) -> Result<bool, Refusal> {
        match self.verbose.as_deref() {
            Some("" | "true") => Ok(true),
            None | Some("false") => Ok(false),
            Some(_) => Err(Refusal::bad_request("`verbose` is `true` or `false`")),
        }
    }
}

/// `GET /readyz`: the node takes requests and is not stopping. Peers that are away do not make a
/// node unready.
#[utoipa::path(
    get, path = "/readyz", tag = "node", operation_id = "node_ready", security(()),
    params(
        ("verbose" = inline(Option<String>), Query, description = "Tell what it was judged by",
         pattern = "^(true|false)?$"),
    ),
    responses(
        (status = 200, description = "Ready, with what it was judged by", body = Readiness),
        (status = 204, description = "Ready"),
        Problems
    )
)]
pub(super) async fn ready(
    State(service): State<Service>,
    Query(query): Query<ReadyQuery>,
) -> Result<Response, Refusal> {
    let is_verbose = query.is_verbose()?;
    let checks: Vec<Check> = service.checks().await.into_iter().map(view::check).collect();
    let failed: Vec<&str> =
        checks.iter().filter(|check| !check.ok).map(|check| check.name.as_str()).collect();
    if !failed.is_empty() {
        let detail = format!("not ready: {}", failed.join(", "));
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, code::NOT_READY, detail));
    }
    if is_verbose {
        return Ok(axum::Json(Readiness { ready: true, checks }).into_response());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
