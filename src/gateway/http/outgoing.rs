//! What waits for other nodes.

use super::error::Refusal;
use super::extract::{PageQuery, Query};
use super::view;
use crate::client::json::{Outgoing, Page};
use crate::service::Service;
use axum::extract::State;

/// `GET /v1/outgoing`, by destination.
pub(super) async fn list(
    State(service): State<Service>,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Page<Outgoing>>, Refusal> {
    let after: Option<String> = page.after(|text| Some(text.to_owned()))?;
    let mut lines = service.outgoing().await?;
    lines.retain(|line| after.as_ref().is_none_or(|after| line.destination > *after));
    let more = lines.len() > page.limit();
    lines.truncate(page.limit());
    let next = lines.last().filter(|_| more).map(|last| last.destination.clone());
    Ok(axum::Json(Page { items: lines.into_iter().map(view::outgoing).collect(), next }))
}
