//! Settling what was received under a lock.

use super::error::Refusal;
use super::extract::{Json, Name, millis};
use super::view;
use crate::client::json::{AckRequest, Acked, ExtendRequest, Lock, RECEIVE_MAX};
use crate::engine::command::Settlement;
use crate::engine::rejection::Rejection;
use crate::service::{Service, ServiceError};
use axum::extract::State;
use axum::http::StatusCode;

/// `POST /v1/locks/{token}/ack`
pub(super) async fn ack(
    State(service): State<Service>,
    Name(token): Name,
) -> Result<StatusCode, Refusal> {
    settle(&service, &token, Settlement::Ack).await
}

/// `POST /v1/locks/ack`
pub(super) async fn ack_all(
    State(service): State<Service>,
    Json(AckRequest { tokens }): Json<AckRequest>,
) -> Result<axum::Json<Acked>, Refusal> {
    if tokens.len() > RECEIVE_MAX {
        return Err(Refusal::bad_request(format!("`tokens` holds at most {RECEIVE_MAX} locks")));
    }
    // Asked for together, so that one commit can serve them all.
    let asked = tokens.iter().map(|token| service.settle(token, Settlement::Ack));
    let settled = futures::future::join_all(asked).await;
    let mut gone = Vec::new();
    for (token, settled) in tokens.iter().zip(settled) {
        match settled {
            Ok(()) => {}
            Err(ServiceError::Rejected(Rejection::LockGone)) => gone.push(token.clone()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(axum::Json(Acked { gone }))
}

/// `POST /v1/locks/{token}/nack`
pub(super) async fn nack(
    State(service): State<Service>,
    Name(token): Name,
) -> Result<StatusCode, Refusal> {
    settle(&service, &token, Settlement::Nack).await
}

/// `POST /v1/locks/{token}/return`
pub(super) async fn give_back(
    State(service): State<Service>,
    Name(token): Name,
) -> Result<StatusCode, Refusal> {
    settle(&service, &token, Settlement::Return).await
}

/// `POST /v1/locks/{token}/extend`
pub(super) async fn extend(
    State(service): State<Service>,
    Name(token): Name,
    Json(asked): Json<ExtendRequest>,
) -> Result<axum::Json<Lock>, Refusal> {
    let lock = service.extend(&token, millis("lease_s", asked.lease_s)?).await?;
    Ok(axum::Json(view::lock(&service, lock)))
}

async fn settle(service: &Service, token: &str, how: Settlement) -> Result<StatusCode, Refusal> {
    service.settle(token, how).await?;
    Ok(StatusCode::NO_CONTENT)
}
