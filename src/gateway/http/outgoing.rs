//! What waits for other nodes.

use super::api::Problems;
use super::error::Refusal;
use super::extract::{PageQuery, Query};
use super::view;
use crate::client::json::{Outgoing, Page};
use crate::service::Service;
use axum::extract::State;

/// `GET /v1/outgoing`, by destination.
#[utoipa::path(
    get, path = "/v1/outgoing", tag = "outgoing", operation_id = "outgoing_list",
    params(
        ("limit" = inline(Option<usize>), Query, description = "Entries of the page: 100 unless said", minimum = 1, maximum = 1000),
        ("after" = inline(Option<String>), Query, description = "What `next` of the page before said"),
    ),
    responses(
        (status = 200, description = "A page", body = Page<Outgoing>),
        Problems
    )
)]
pub(super) async fn list(
    State(service): State<Service>,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Page<Outgoing>>, Refusal> {
    let limit = page.limit()?;
    let after: Option<String> = page.after(|text| Some(text.to_owned()))?;
    let mut lines = service.outgoing().await?;
    lines.retain(|line| after.as_ref().is_none_or(|after| line.destination > *after));
    let more = lines.len() > limit;
    lines.truncate(limit);
    let next = lines.last().filter(|_| more).map(|last| last.destination.clone());
    Ok(axum::Json(Page { items: lines.into_iter().map(view::outgoing).collect(), next }))
}
