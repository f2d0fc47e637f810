//! Settling what was received under a lock.

use super::api::{Octets, Problems};
use super::error::Refusal;
use super::extract::{Json, LEASE_MAX_S, Name, millis_up_to};
use super::{raw, view};
use crate::client::json::{
    AckRequest, Acked, ExtendRequest, Lock, RECEIVE_MAX, SettleRequest, SettleResult, Settled,
    rfc3339,
};
use crate::engine::command::Settlement;
use crate::engine::rejection::Rejection;
use crate::service::{Service, ServiceError};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

/// How long an extended lease lasts unless the request says so.
const LEASE_DEFAULT_MS: u64 = 30_000;

/// `POST /v1/locks/{token}/ack`
#[utoipa::path(
    post, path = "/v1/locks/{token}/ack", tag = "messages", operation_id = "locks_ack",
    params(
        ("token" = String, Path, description = "A lock, from `lock.token`"),
    ),
    responses(
        (status = 204, description = "Received"),
        Problems
    )
)]
pub(super) async fn ack(
    State(service): State<Service>,
    Name(token): Name,
) -> Result<StatusCode, Refusal> {
    settle(&service, &token, Settlement::Ack).await
}

/// `GET /v1/locks/{token}/body`: for bodies that are too large to stand in JSON.
#[utoipa::path(
    get, path = "/v1/locks/{token}/body", tag = "messages", operation_id = "locks_body",
    params(
        ("token" = String, Path, description = "A lock, from `lock.token`"),
    ),
    responses(
        (status = 200, description = "The body of the message as it is",
         content((Octets = "application/octet-stream"))),
        Problems
    )
)]
pub(super) async fn body(
    State(service): State<Service>,
    Name(token): Name,
) -> Result<Response, Refusal> {
    Ok(raw::body(&service, service.locked_body(&token).await?))
}

/// `POST /v1/locks/ack`
#[utoipa::path(
    post, path = "/v1/locks/ack", tag = "messages", operation_id = "locks_ack_all",
    request_body(content = AckRequest),
    responses(
        (status = 200, description = "All that were not gone are received", body = Acked),
        Problems
    )
)]
pub(super) async fn ack_all(
    State(service): State<Service>,
    Json(AckRequest { tokens }): Json<AckRequest>,
) -> Result<axum::Json<Acked>, Refusal> {
    if tokens.len() > RECEIVE_MAX {
        return Err(Refusal::out_of_bounds(format!("`tokens` holds at most {RECEIVE_MAX} locks")));
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

/// `POST /v1/locks/settle`: each lock in its own way, asked for together, so that one commit can
/// serve them all. A lock that is gone fails alone.
#[utoipa::path(
    post, path = "/v1/locks/settle", tag = "messages", operation_id = "locks_settle_all",
    request_body(content = SettleRequest),
    responses(
        (status = 200, description = "What became of each", body = Settled),
        Problems
    )
)]
pub(super) async fn settle_all(
    State(service): State<Service>,
    Json(asked): Json<SettleRequest>,
) -> Result<axum::Json<Settled>, Refusal> {
    let list = locks_of(asked)?;
    let service = &service;
    let asked = list.iter().map(async |(token, how)| match *how {
        Settlement::Extend(lease_ms) => service.extend(token, lease_ms).await.map(Some),
        how => service.settle(token, how).await.map(|()| None),
    });
    let settled = futures::future::join_all(asked).await;
    let mut results = Vec::with_capacity(list.len());
    for ((token, how), settled) in list.into_iter().zip(settled) {
        let (result, code, lock) = match settled {
            Ok(lock) => (past(how), None, lock),
            Err(error @ ServiceError::Rejected(_)) => ("failed", Some(error.verdict().code), None),
            Err(error) => return Err(error.into()),
        };
        results.push(SettleResult {
            token,
            result: result.to_owned(),
            code: code.map(str::to_owned),
            locked_until_at: lock.map(|lock| rfc3339(service.wall(lock.until))),
        });
    }
    Ok(axum::Json(Settled { results }))
}

/// The locks of a request and how each is to be settled, in its order.
fn locks_of(asked: SettleRequest) -> Result<Vec<(String, Settlement)>, Refusal> {
    let lease = match asked.lease_s {
        Some(seconds) => Settlement::Extend(lease_ms(seconds)?),
        None => Settlement::Extend(LEASE_DEFAULT_MS),
    };
    let with = |tokens: Vec<String>, how| tokens.into_iter().map(move |token| (token, how));
    let lists = [&asked.ack, &asked.nack, &asked.give_back, &asked.extend];
    if lists.iter().any(|list| list.len() > RECEIVE_MAX) {
        return Err(Refusal::out_of_bounds(format!("a list holds at most {RECEIVE_MAX} locks")));
    }
    Ok(with(asked.ack, Settlement::Ack)
        .chain(with(asked.nack, Settlement::Nack))
        .chain(with(asked.give_back, Settlement::Return))
        .chain(with(asked.extend, lease))
        .collect())
}

/// A lease of a lock.
pub(super) fn lease_ms(seconds: f64) -> Result<u64, Refusal> {
    millis_up_to("lease_s", seconds, LEASE_MAX_S)
}

const fn past(how: Settlement) -> &'static str {
    match how {
        Settlement::Ack => "acked",
        Settlement::Nack => "nacked",
        Settlement::Return => "returned",
        Settlement::Extend(_) => "extended",
    }
}

/// `POST /v1/locks/{token}/nack`
#[utoipa::path(
    post, path = "/v1/locks/{token}/nack", tag = "messages", operation_id = "locks_nack",
    params(
        ("token" = String, Path, description = "A lock, from `lock.token`"),
    ),
    responses(
        (status = 204, description = "It returns after a while"),
        Problems
    )
)]
pub(super) async fn nack(
    State(service): State<Service>,
    Name(token): Name,
) -> Result<StatusCode, Refusal> {
    settle(&service, &token, Settlement::Nack).await
}

/// `POST /v1/locks/{token}/return`
#[utoipa::path(
    post, path = "/v1/locks/{token}/return", tag = "messages", operation_id = "locks_give_back",
    params(
        ("token" = String, Path, description = "A lock, from `lock.token`"),
    ),
    responses(
        (status = 204, description = "It returns at once"),
        Problems
    )
)]
pub(super) async fn give_back(
    State(service): State<Service>,
    Name(token): Name,
) -> Result<StatusCode, Refusal> {
    settle(&service, &token, Settlement::Return).await
}

/// `POST /v1/locks/{token}/extend`
#[utoipa::path(
    post, path = "/v1/locks/{token}/extend", tag = "messages", operation_id = "locks_extend",
    params(
        ("token" = String, Path, description = "A lock, from `lock.token`"),
    ),
    request_body(content = ExtendRequest),
    responses(
        (status = 200, description = "The lock", body = Lock),
        Problems
    )
)]
pub(super) async fn extend(
    State(service): State<Service>,
    Name(token): Name,
    Json(asked): Json<ExtendRequest>,
) -> Result<axum::Json<Lock>, Refusal> {
    let lock = service.extend(&token, lease_ms(asked.lease_s)?).await?;
    Ok(axum::Json(view::lock(&service, lock)))
}

async fn settle(service: &Service, token: &str, how: Settlement) -> Result<StatusCode, Refusal> {
    service.settle(token, how).await?;
    Ok(StatusCode::NO_CONTENT)
}
