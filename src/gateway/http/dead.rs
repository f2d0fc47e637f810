//! Dead letters.

use super::error::Refusal;
use super::extract::{Json, Name, PageQuery, Query};
use super::view;
use crate::client::json::{Count, DeadLetter, Page, RetryRequest, Sent};
use crate::service::Service;
use axum::extract::State;
use axum::http::StatusCode;

/// `GET /v1/dead`, in the order of dying.
pub(super) async fn list(
    State(service): State<Service>,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Page<DeadLetter>>, Refusal> {
    let after: Option<u64> = page.after(|text| text.parse().ok())?;
    let (letters, next) = service.dead_letters(after, page.limit()).await?;
    let items = letters.into_iter().map(|letter| view::dead(&service, letter)).collect();
    Ok(axum::Json(Page { items, next: next.map(|letter| letter.to_string()) }))
}

/// `POST /v1/dead/{id}/retry`
pub(super) async fn retry(
    State(service): State<Service>,
    Name(id): Name,
    Json(asked): Json<RetryRequest>,
) -> Result<(StatusCode, axum::Json<Sent>), Refusal> {
    let sent = service.retry_dead(&id, asked.may_duplicate).await?;
    Ok((StatusCode::CREATED, axum::Json(view::sent(&service, sent))))
}

/// `DELETE /v1/dead/{id}`
pub(super) async fn purge(
    State(service): State<Service>,
    Name(id): Name,
) -> Result<axum::Json<Count>, Refusal> {
    Ok(axum::Json(Count { count: service.purge_dead(Some(&id)).await? }))
}

/// `DELETE /v1/dead`
pub(super) async fn purge_all(
    State(service): State<Service>,
) -> Result<axum::Json<Count>, Refusal> {
    Ok(axum::Json(Count { count: service.purge_dead(None).await? }))
}
