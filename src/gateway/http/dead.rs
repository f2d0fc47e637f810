//! Dead letters.

use super::api::Problems;
use super::error::Refusal;
use super::extract::{Json, Name, PageQuery, Query, digits};
use super::view;
use crate::client::json::{Count, DeadLetter, Page, RetryRequest, Sent};
use crate::service::Service;
use axum::extract::State;
use axum::http::StatusCode;

/// `GET /v1/dead`, in the order of dying.
#[utoipa::path(
    get, path = "/v1/dead", tag = "outgoing", operation_id = "dead_list",
    params(
        ("limit" = inline(Option<usize>), Query, description = "Entries of the page: 100 unless said", minimum = 1, maximum = 1000),
        ("after" = inline(Option<String>), Query, description = "What `next` of the page before said", pattern = "^[0-9]{1,19}$"),
    ),
    responses(
        (status = 200, description = "A page", body = Page<DeadLetter>),
        Problems
    )
)]
pub(super) async fn list(
    State(service): State<Service>,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Page<DeadLetter>>, Refusal> {
    let after: Option<u64> = page.after(digits)?;
    let (letters, next) = service.dead_letters(after, page.limit()?).await?;
    let items = letters.into_iter().map(|letter| view::dead(&service, letter)).collect();
    Ok(axum::Json(Page { items, next: next.map(|letter| letter.to_string()) }))
}

/// `POST /v1/dead/{id}/retry`
#[utoipa::path(
    post, path = "/v1/dead/{id}/retry", tag = "outgoing", operation_id = "dead_retry",
    params(
        ("id" = String, Path, description = "A message id"),
    ),
    request_body(content = RetryRequest),
    responses(
        (status = 201, description = "Sent under a new id", body = Sent),
        Problems
    )
)]
pub(super) async fn retry(
    State(service): State<Service>,
    Name(id): Name,
    Json(asked): Json<RetryRequest>,
) -> Result<(StatusCode, axum::Json<Sent>), Refusal> {
    let sent = service.retry_dead(&id, asked.may_duplicate).await?;
    Ok((StatusCode::CREATED, axum::Json(view::sent(&service, sent))))
}

/// `DELETE /v1/dead/{id}`
#[utoipa::path(
    delete, path = "/v1/dead/{id}", tag = "outgoing", operation_id = "dead_purge",
    params(
        ("id" = String, Path, description = "A message id"),
    ),
    responses(
        (status = 200, description = "Deleted", body = Count),
        Problems
    )
)]
pub(super) async fn purge(
    State(service): State<Service>,
    Name(id): Name,
) -> Result<axum::Json<Count>, Refusal> {
    Ok(axum::Json(Count { count: service.purge_dead(Some(&id)).await? }))
}

/// `DELETE /v1/dead`
#[utoipa::path(
    delete, path = "/v1/dead", tag = "outgoing", operation_id = "dead_purge_all",
    responses(
        (status = 200, description = "Deleted", body = Count),
        Problems
    )
)]
pub(super) async fn purge_all(
    State(service): State<Service>,
) -> Result<axum::Json<Count>, Refusal> {
    Ok(axum::Json(Count { count: service.purge_dead(None).await? }))
}
