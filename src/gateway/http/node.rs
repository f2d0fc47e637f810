//! The node itself: status, health, joining, leaving, stopping.

use super::error::Refusal;
use super::extract::Json;
use super::view;
use crate::client::json::{JoinRequest, Joined, Status};
use crate::service::{Service, ServiceError};
use axum::extract::State;
use axum::http::StatusCode;

/// `GET /v1/status`
pub(super) async fn status(State(service): State<Service>) -> Result<axum::Json<Status>, Refusal> {
    Ok(axum::Json(view::status(service.status().await?)))
}

/// `POST /v1/join`
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
pub(super) async fn leave(State(service): State<Service>) -> Result<StatusCode, Refusal> {
    service.leave().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/shutdown`: the node finishes what it has begun and ends.
pub(super) async fn shutdown(State(service): State<Service>) -> StatusCode {
    service.stop();
    StatusCode::ACCEPTED
}

/// `GET /livez`: the engine answers.
pub(super) async fn live(State(service): State<Service>) -> Result<StatusCode, Refusal> {
    service.summary().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /readyz`: the engine answers and the node is not stopping. Peers that are away do not make
/// a node unready.
pub(super) async fn ready(State(service): State<Service>) -> Result<StatusCode, Refusal> {
    if service.is_stopping() {
        return Err(ServiceError::Stopping.into());
    }
    live(State(service)).await
}
