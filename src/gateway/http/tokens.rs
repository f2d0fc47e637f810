//! Access tokens for the door on TCP. Only who comes over the socket may make, see or end them, so
//! that a token that leaked cannot renew itself.

use super::Caller;
use super::api::Problems;
use super::error::Refusal;
use super::extract::{Json, Name};
use crate::client::json::{AccessRequest, AccessToken, Page, code, rfc3339};
use crate::service::{Access, Service};
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;

/// `GET /v1/tokens`, the oldest first.
#[utoipa::path(
    get, path = "/v1/tokens", tag = "node", operation_id = "tokens_list",
    responses(
        (status = 200, description = "A page", body = Page<AccessToken>),
        Problems
    )
)]
pub(super) async fn list(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
) -> Result<axum::Json<Page<AccessToken>>, Refusal> {
    check(&caller)?;
    let items = service.accesses().into_iter().map(|access| view(access, None)).collect();
    Ok(axum::Json(Page { items, next: None }))
}

/// `POST /v1/tokens`
#[utoipa::path(
    post, path = "/v1/tokens", tag = "node", operation_id = "tokens_create",
    request_body(content = AccessRequest),
    responses(
        (status = 201, description = "A token, told once", body = AccessToken),
        Problems
    )
)]
pub(super) async fn create(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Json(asked): Json<AccessRequest>,
) -> Result<(StatusCode, axum::Json<AccessToken>), Refusal> {
    check(&caller)?;
    let (access, token) = service.create_access(&asked.label).await?;
    let answer = view(access, Some(token.reveal().to_owned()));
    Ok((StatusCode::CREATED, axum::Json(answer)))
}

/// `DELETE /v1/tokens/{id}`
#[utoipa::path(
    delete, path = "/v1/tokens/{id}", tag = "node", operation_id = "tokens_revoke",
    params(
        ("id" = String, Path, description = "The id of a token"),
    ),
    responses(
        (status = 204, description = "Revoked"),
        Problems
    )
)]
pub(super) async fn revoke(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Name(id): Name,
) -> Result<StatusCode, Refusal> {
    check(&caller)?;
    service.revoke_access(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn check(caller: &Caller) -> Result<(), Refusal> {
    if caller.is_local {
        return Ok(());
    }
    let detail = "access tokens are made, listed and revoked over the node's socket only";
    Err(Refusal::new(StatusCode::FORBIDDEN, code::NOT_ALLOWED, detail)
        .hint("run `meshmq token` as the node's user on its machine"))
}

fn view(access: Access, token: Option<String>) -> AccessToken {
    AccessToken {
        id: access.id,
        label: access.label,
        created_at: rfc3339(access.created_ms),
        token,
    }
}
