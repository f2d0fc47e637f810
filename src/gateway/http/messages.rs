//! Sending, receiving, peeking, and the state of a message.

use super::error::Refusal;
use super::extract::{Json, Name, PageQuery, Query, SendBytes, millis, parse};
use super::{Session, WAIT_DEFAULT, view};
use crate::client::json::{
    BatchSent, Message, NewMessage, Page, ReceiveRequest, Received, SendBody, Sent, Wait,
};
use crate::engine::command::Place;
use crate::engine::message::Priority;
use crate::service::{self, Service};
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::time::Duration;

/// Until when a send waits.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WaitQuery {
    wait: Wait,
    timeout_s: Option<f64>,
}

/// `POST /v1/queues/{queue}/messages`
pub(super) async fn send(
    State(service): State<Service>,
    Name(queue): Name,
    Query(query): Query<WaitQuery>,
    SendBytes(bytes): SendBytes,
) -> Result<Response, Refusal> {
    let (messages, is_batch) = match parse(&bytes, SendBody::parse)? {
        SendBody::Batch(batch) => (batch.messages, true),
        SendBody::One(message) => (vec![*message], false),
    };
    let messages = messages.into_iter().map(new_message).collect::<Result<Vec<_>, _>>()?;
    drop(bytes);
    let wait = match query.wait {
        Wait::Stored => service::Wait::Stored,
        Wait::Arrived => service::Wait::Arrived,
        Wait::Received => service::Wait::Received,
    };
    let timeout = match query.timeout_s {
        Some(seconds) => Duration::from_millis(millis("timeout_s", seconds)?),
        None => WAIT_DEFAULT,
    };
    let sent = service.send(&queue, messages, wait, timeout).await?;
    let mut sent: Vec<Sent> = sent.into_iter().map(|sent| view::sent(&service, sent)).collect();
    let answer = match sent.pop() {
        Some(only) if !is_batch => axum::Json(only).into_response(),
        last => {
            sent.extend(last);
            axum::Json(BatchSent { messages: sent }).into_response()
        }
    };
    Ok((StatusCode::CREATED, answer).into_response())
}

fn new_message(mut message: NewMessage) -> Result<service::NewMessage, Refusal> {
    let body = message.take_body().map_err(|why| Refusal::bad_request(why.to_string()))?;
    let priority = match message.priority {
        None => Priority::default(),
        Some(number) => Priority::new(number)
            .ok_or_else(|| Refusal::bad_request("`priority` must be a number from 0 to 7"))?,
    };
    let time = |what, seconds: Option<f64>| seconds.map(|given| millis(what, given)).transpose();
    Ok(service::NewMessage {
        body: body.into(),
        label: message.label.unwrap_or_default(),
        headers: message.headers,
        content_type: message.content_type.unwrap_or_default(),
        priority,
        delivery: message.delivery.unwrap_or_default(),
        reach_within_ms: time("reach_within_s", message.reach_within_s)?,
        ttl_ms: time("ttl_s", message.ttl_s)?,
        correlation_id: message.correlation_id,
        reply_to: message.reply_to,
    })
}

/// `POST /v1/queues/{queue}/receive`
pub(super) async fn receive(
    State(service): State<Service>,
    Extension(Session(session)): Extension<Session>,
    Name(queue): Name,
    Json(asked): Json<ReceiveRequest>,
) -> Result<axum::Json<Received>, Refusal> {
    let wait = Duration::from_millis(millis("wait_s", asked.wait_s)?);
    let lease_ms = millis("lease_s", asked.lease_s)?;
    let found = service.receive(&queue, asked.max, wait, lease_ms, session).await?;
    let messages = found.into_iter().map(|received| view::received(&service, received)).collect();
    Ok(axum::Json(Received { messages }))
}

/// `GET /v1/queues/{queue}/messages`
pub(super) async fn peek(
    State(service): State<Service>,
    Name(queue): Name,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<Page<Message>>, Refusal> {
    let after = page.after(parse_place)?;
    let (found, next) = service.peek(&queue, after, page.limit()).await?;
    let items = found.into_iter().map(|message| view::peeked(&service, message)).collect();
    let next = next.map(|place| format!("{}-{}", place.rank, place.arrival));
    Ok(axum::Json(Page { items, next }))
}

fn parse_place(text: &str) -> Option<Place> {
    let (rank, arrival) = text.split_once('-')?;
    Some(Place { rank: rank.parse().ok()?, arrival: arrival.parse().ok()? })
}

/// `GET /v1/messages/{id}`
pub(super) async fn state(
    State(service): State<Service>,
    Name(id): Name,
) -> Result<axum::Json<Sent>, Refusal> {
    let sent = service.state(&id).await?;
    Ok(axum::Json(view::sent(&service, sent)))
}
