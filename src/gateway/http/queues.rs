//! Local queues.

use super::api::Problems;
use super::error::Refusal;
use super::extract::{Json, Name, PageQuery, Query};
use super::view;
use crate::client::json::{Count, Page, Queue, QueueSpec};
use crate::engine::address::QueueName;
use crate::service::Service;
use axum::extract::State;
use axum::http::StatusCode;

/// `GET /v1/queues`, by name.
#[utoipa::path(
    get, path = "/v1/queues", tag = "queues", operation_id = "queues_list",
    params(
        ("limit" = inline(Option<usize>), Query, description = "Entries of the page: 100 unless said", minimum = 1, maximum = 1000),
        ("after" = inline(Option<String>), Query, description = "What `next` of the page before said", pattern = "^[A-Za-z0-9._-]{1,124}$"),
    ),
    responses(
        (status = 200, description = "A page", body = Page<Queue>),
        Problems
    )
)]
pub(super) async fn list(
    State(service): State<Service>,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Page<Queue>>, Refusal> {
    let limit = page.limit()?;
    let after: Option<QueueName> = page.after(|text| text.parse().ok())?;
    let mut found = service.queues().await?;
    found.retain(|queue| after.as_ref().is_none_or(|after| queue.name > *after));
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| last.name.to_string());
    let items = found.into_iter().map(|queue| view::queue(&service, queue)).collect();
    Ok(axum::Json(Page { items, next }))
}

/// `GET /v1/queues/{queue}`
#[utoipa::path(
    get, path = "/v1/queues/{queue}", tag = "queues", operation_id = "queues_show",
    params(
        ("queue" = String, Path, description = "A local queue"),
    ),
    responses(
        (status = 200, description = "The queue", body = Queue),
        Problems
    )
)]
pub(super) async fn show(
    State(service): State<Service>,
    Name(name): Name,
) -> Result<axum::Json<Queue>, Refusal> {
    let queue = service.queue(&name).await?;
    Ok(axum::Json(view::queue(&service, queue)))
}

/// `PUT /v1/queues/{queue}`; a queue that exists is a conflict.
#[utoipa::path(
    put, path = "/v1/queues/{queue}", tag = "queues", operation_id = "queues_create",
    params(
        ("queue" = String, Path, description = "A local queue"),
    ),
    request_body(content = QueueSpec),
    responses(
        (status = 201, description = "Made", body = Queue),
        Problems
    )
)]
pub(super) async fn create(
    State(service): State<Service>,
    Name(name): Name,
    Json(spec): Json<QueueSpec>,
) -> Result<(StatusCode, axum::Json<Queue>), Refusal> {
    let QueueSpec { transactional, max_messages, max_bytes } = spec;
    let queue = service.create_queue(&name, transactional, max_messages, max_bytes).await?;
    Ok((StatusCode::CREATED, axum::Json(view::queue(&service, queue))))
}

/// `DELETE /v1/queues/{queue}`
#[utoipa::path(
    delete, path = "/v1/queues/{queue}", tag = "queues", operation_id = "queues_remove",
    params(
        ("queue" = String, Path, description = "A local queue"),
    ),
    responses(
        (status = 200, description = "Deleted with so many messages", body = Count),
        Problems
    )
)]
pub(super) async fn remove(
    State(service): State<Service>,
    Name(name): Name,
) -> Result<axum::Json<Count>, Refusal> {
    Ok(axum::Json(Count { count: service.drop_queue(&name).await? }))
}

/// `POST /v1/queues/{queue}/purge`
#[utoipa::path(
    post, path = "/v1/queues/{queue}/purge", tag = "queues", operation_id = "queues_purge",
    params(
        ("queue" = String, Path, description = "A local queue"),
    ),
    responses(
        (status = 200, description = "Deleted", body = Count),
        Problems
    )
)]
pub(super) async fn purge(
    State(service): State<Service>,
    Name(name): Name,
) -> Result<axum::Json<Count>, Refusal> {
    Ok(axum::Json(Count { count: service.purge_queue(&name).await? }))
}
