//! The other members, the strangers, and tokens for new members.

use super::api::Problems;
use super::error::Refusal;
use super::extract::{Json, millis_within};
use super::view;
use crate::client::json::{InviteRequest, Invited, Peers, rfc3339};
use crate::service::Service;
use axum::extract::State;
use axum::http::StatusCode;

/// The shortest time of an invitation, in seconds.
const TTL_MIN_S: f64 = 1.0;
/// The longest time of an invitation, in seconds.
const TTL_MAX_S: f64 = 604_800.0;

/// `GET /v1/peers`
#[utoipa::path(
    get, path = "/v1/peers", tag = "mesh", operation_id = "peers_list",
    responses(
        (status = 200, description = "Everyone known", body = Peers),
        Problems
    )
)]
pub(super) async fn list(State(service): State<Service>) -> Result<axum::Json<Peers>, Refusal> {
    Ok(axum::Json(view::peers(service.peers().await?)))
}

/// `POST /v1/invites`
#[utoipa::path(
    post, path = "/v1/invites", tag = "mesh", operation_id = "peers_invite",
    request_body(content = InviteRequest),
    responses(
        (status = 201, description = "A token", body = Invited),
        Problems
    )
)]
pub(super) async fn invite(
    State(service): State<Service>,
    Json(asked): Json<InviteRequest>,
) -> Result<(StatusCode, axum::Json<Invited>), Refusal> {
    let read = |seconds| millis_within("ttl_s", seconds, TTL_MIN_S, TTL_MAX_S);
    let ttl_ms = asked.ttl_s.map(read).transpose()?;
    let invited = service.invite(ttl_ms, asked.admin).await?;
    let answer = Invited {
        token: invited.token,
        expires_at: rfc3339(invited.expires_ms),
        mesh: invited.mesh,
    };
    Ok((StatusCode::CREATED, axum::Json(answer)))
}
