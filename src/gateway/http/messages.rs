//! Sending, receiving, peeking, and the state of a message.

use super::api::{Octets, Problems};
use super::error::Refusal;
use super::extract::{
    Json, Name, PageQuery, Pieces, Query, SECONDS_MAX, collect, digits, is_json, millis,
    millis_up_to, number,
};
use super::locks::lease_ms;
use super::{Caller, DoorLimits, Session, WAIT_DEFAULT, raw, view, wanted};
use crate::client::json::{
    Batch, BatchSent, Message, NewMessage, Page, ReceiveRequest, Received, SendAnswer, SendBody,
    Sent, Wait, code,
};
use crate::engine::command::Place;
use crate::engine::message::Priority;
use crate::service::{self, NewBody, SEND_KEY_MAX, SendKey, Service};
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use std::time::Duration;

/// The longest time to reach a queue, in seconds.
const REACH_WITHIN_MAX_S: f64 = 315_360_000.0;

/// Until when a send waits.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WaitQuery {
    wait: Wait,
    #[serde(deserialize_with = "number")]
    timeout_s: Option<f64>,
}

/// `POST /v1/queues/{queue}/messages`: JSON, or with any other media type a message as it is.
#[utoipa::path(
    post, path = "/v1/queues/{queue}/messages", tag = "messages", operation_id = "messages_send",
    params(
        ("queue" = String, Path, description = "A queue, `queue@node`, or several joined by commas"),
        ("wait" = inline(Option<Wait>), Query, description = "Until when the answer waits"),
        ("timeout_s" = inline(Option<f64>), Query, description = "How long at most, in seconds",
         minimum = 0, maximum = 9_000_000_000_000.0),
        ("Idempotency-Key" = inline(Option<String>), Header,
         description = "Drawn for this request: repeated within a day, it sends nothing again",
         pattern = r#"^("[ -~]{1,255}"|[!#-~]([ -~]{0,253}[!-~])?)$"#),
        ("Idempotency-Number" = inline(Option<u64>), Header, minimum = 1,
         description = "With a key: the key is a row of sends, of which the last one is remembered, \
                        and this is the number of this one in it",
         maximum = 9_223_372_036_854_775_807_u64),
        ("Meshmq-Label" = inline(Option<String>), Header,
         description = "Raw bodies only: the label, at most 249 characters in percent-encoding"),
        ("Meshmq-Priority" = inline(Option<u8>), Header, description = "Raw bodies only: 0 to 7",
         minimum = 0, maximum = 7),
    ),
    request_body(
        description = "One message or several in JSON; with any other media type the body of one \
                       message, whose properties stand in `Meshmq-*` headers",
        content((SendBody = "application/json"), (Octets = "application/octet-stream"))
    ),
    responses(
        (status = 201, description = "Accepted; as far as was waited for", body = SendAnswer),
        Problems
    )
)]
pub(super) async fn send(
    State(service): State<Service>,
    Name(queue): Name,
    Query(query): Query<WaitQuery>,
    Extension(caller): Extension<Caller>,
    Extension(session): Extension<Session>,
    Extension(limits): Extension<DoorLimits>,
    request: Request,
) -> Result<Response, Refusal> {
    let (wait, timeout) = patience(query.wait, query.timeout_s)?;
    let (head, body) = request.into_parts();
    let key = idempotency_key(&head.headers)?;
    let number = number_in_row(&head.headers, key.is_some())?;
    let (messages, is_batch) = if is_json(&head.headers) {
        let body = collect(body, limits.json_bytes, limits.body).await?;
        raw::refuse_properties(&head.headers)?;
        read_json(body)?
    } else {
        let body = Pieces::of(body, limits.body);
        (vec![raw::read(&service, session, &head.headers, body).await?], false)
    };
    let scope = caller.token.as_deref().unwrap_or_default();
    let key = key.map(|key| SendKey { scope, key, number });
    let outcome = service.send(&queue, messages, key, wait, timeout).await?;
    let mut sent: Vec<Sent> =
        outcome.sent.into_iter().map(|sent| view::sent(&service, sent)).collect();
    let answer = match sent.pop() {
        Some(only) if !is_batch && sent.is_empty() => axum::Json(only).into_response(),
        last => {
            sent.extend(last);
            axum::Json(BatchSent { messages: sent }).into_response()
        }
    };
    let mut answer = (StatusCode::CREATED, answer).into_response();
    if outcome.is_repeated {
        answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(answer)
}

/// Says that the answer is that of an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The key of a send, with or without the quotation marks of a structured field.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = raw::printable(value).filter(|_| values.next().is_none());
    let key = text.and_then(|text| match text.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"'),
        None => Some(text),
    });
    let key = key.filter(|key| (1..=SEND_KEY_MAX).contains(&key.len()));
    Ok(Some(key.ok_or_else(|| {
        let detail = format!(
            "`Idempotency-Key` must be one value of 1 to {SEND_KEY_MAX} characters of printable ASCII"
        );
        Refusal::bad_request(detail)
    })?))
}

/// The number of a send in the row of its key; zero if it has none.
fn number_in_row(headers: &HeaderMap, has_key: bool) -> Result<u64, Refusal> {
    let mut values = headers.get_all("idempotency-number").iter();
    let Some(value) = values.next() else { return Ok(0) };
    if !has_key {
        let detail = "`Idempotency-Number` goes with an `Idempotency-Key`";
        return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, code::BAD_REQUEST, detail));
    }
    let number = raw::printable(value).filter(|_| values.next().is_none()).and_then(digits);
    number.filter(|number| (1..=i64::MAX.unsigned_abs()).contains(number)).ok_or_else(|| {
        Refusal::bad_request("`Idempotency-Number` must be one whole number from 1 to 2^63-1")
    })
}

/// Until when to wait and how long at most, as the service takes it.
pub(super) fn patience(
    wait: Wait,
    timeout_s: Option<f64>,
) -> Result<(service::Wait, Duration), Refusal> {
    let wait = match wait {
        Wait::Stored => service::Wait::Stored,
        Wait::Arrived => service::Wait::Arrived,
        Wait::Received => service::Wait::Received,
    };
    let timeout = match timeout_s {
        Some(seconds) => Duration::from_millis(millis("timeout_s", seconds)?),
        None => WAIT_DEFAULT,
    };
    Ok((wait, timeout))
}

/// The messages of a JSON body, and whether it is a batch.
fn read_json(bytes: Bytes) -> Result<(Vec<service::NewMessage>, bool), Refusal> {
    let bytes = if bytes.is_empty() { Bytes::from_static(b"{}") } else { bytes };
    let (messages, is_batch) = if SendBody::is_batch(&bytes) {
        (wanted::read::<Batch>(&bytes)?.messages, true)
    } else {
        (vec![wanted::read(&bytes)?], false)
    };
    let messages = messages.into_iter().map(|message| new_message(message, None));
    Ok((messages.collect::<Result<_, _>>()?, is_batch))
}

/// A message of these properties; its body is the one given, or the one among them.
pub(super) fn new_message(
    mut message: NewMessage,
    body: Option<NewBody>,
) -> Result<service::NewMessage, Refusal> {
    let body = match body {
        Some(body) => body,
        None => {
            let bytes = message.take_body();
            NewBody::Whole(bytes.map_err(|why| Refusal::bad_request(why.to_string()))?.into())
        }
    };
    let priority = match message.priority {
        None => Priority::default(),
        Some(number) => Priority::new(number).ok_or_else(|| {
            Refusal::out_of_bounds("`priority` must be a whole number from 0 to 7")
        })?,
    };
    let time = |what, seconds: Option<f64>, max| {
        seconds.map(|given| millis_up_to(what, given, max)).transpose()
    };
    Ok(service::NewMessage {
        body,
        label: message.label.unwrap_or_default(),
        headers: message.headers,
        content_type: message.content_type.unwrap_or_default(),
        priority,
        delivery: message.delivery.unwrap_or_default(),
        reach_within_ms: time("reach_within_s", message.reach_within_s, REACH_WITHIN_MAX_S)?,
        ttl_ms: time("ttl_s", message.ttl_s, SECONDS_MAX)?,
        correlation_id: message.correlation_id,
        reply_to: message.reply_to,
    })
}

/// `POST /v1/queues/{queue}/receive`
#[utoipa::path(
    post, path = "/v1/queues/{queue}/receive", tag = "messages", operation_id = "messages_receive",
    params(
        ("queue" = String, Path, description = "A local queue"),
    ),
    request_body(content = ReceiveRequest),
    responses(
        (status = 200, description = "Messages under locks; one as it is for \
                                      `Accept: application/octet-stream`",
         content((Received = "application/json"), (Octets = "*/*"))),
        (status = 204, description = "`Accept: application/octet-stream`: there is none"),
        Problems
    )
)]
pub(super) async fn receive(
    State(service): State<Service>,
    Extension(Session(session)): Extension<Session>,
    Name(queue): Name,
    headers: HeaderMap,
    Json(asked): Json<ReceiveRequest>,
) -> Result<Response, Refusal> {
    let is_raw = raw::is_wanted(&headers);
    if is_raw && asked.max != 1 {
        return Err(Refusal::bad_request("as they are, messages come one at a time: `max` is 1"));
    }
    let wait = Duration::from_millis(millis("wait_s", asked.wait_s)?);
    let lease_ms = lease_ms(asked.lease_s)?;
    let found = service.receive(&queue, asked.max, wait, lease_ms, session).await?;
    if is_raw {
        let one = found.into_iter().next();
        return Ok(one.map_or_else(
            || StatusCode::NO_CONTENT.into_response(),
            |one| raw::received(&service, one),
        ));
    }
    let messages = found.into_iter().map(|received| view::received(&service, received)).collect();
    Ok(axum::Json(Received { messages }).into_response())
}

/// `GET /v1/queues/{queue}/messages`
#[utoipa::path(
    get, path = "/v1/queues/{queue}/messages", tag = "messages", operation_id = "messages_peek",
    params(
        ("queue" = String, Path, description = "A local queue"),
        ("limit" = inline(Option<usize>), Query, description = "Entries of the page: 100 unless said",
         minimum = 1, maximum = 1000),
        ("after" = inline(Option<String>), Query, description = "What `next` of the page before said",
         pattern = "^[0-7]-[0-9]{1,19}$"),
    ),
    responses(
        (status = 200, description = "A page; one message as it is for \
                                      `Accept: application/octet-stream`",
         content((Page<Message> = "application/json"), (Octets = "*/*"))),
        (status = 204, description = "`Accept: application/octet-stream`: there is none"),
        Problems
    )
)]
pub(super) async fn peek(
    State(service): State<Service>,
    Name(queue): Name,
    Query(page): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let after = page.after(parse_place)?;
    let is_raw = raw::is_wanted(&headers);
    let limit = page.limit()?;
    let limit = if is_raw { 1 } else { limit };
    let (found, next) = service.peek(&queue, after, limit).await?;
    let next = next.map(|place| format!("{}-{}", place.rank, place.arrival));
    if is_raw {
        let one = found.into_iter().next();
        return Ok(one.map_or_else(
            || StatusCode::NO_CONTENT.into_response(),
            |one| raw::peeked(&service, one, next),
        ));
    }
    let items = found.into_iter().map(|message| view::peeked(&service, message)).collect();
    Ok(axum::Json(Page { items, next }).into_response())
}

fn parse_place(text: &str) -> Option<Place> {
    let (rank, arrival) = text.split_once('-')?;
    let rank = Priority::new(digits(rank)?.try_into().ok()?).filter(|_| rank.len() == 1)?;
    Some(Place { rank: rank.value(), arrival: digits(arrival)? })
}

/// `GET /v1/messages/{id}`
#[utoipa::path(
    get, path = "/v1/messages/{id}", tag = "messages", operation_id = "messages_state",
    params(
        ("id" = String, Path, description = "The id of a message that was sent here"),
    ),
    responses((status = 200, description = "What is known of it", body = Sent), Problems)
)]
pub(super) async fn state(
    State(service): State<Service>,
    Name(id): Name,
) -> Result<axum::Json<Sent>, Refusal> {
    let sent = service.state(&id).await?;
    Ok(axum::Json(view::sent(&service, sent)))
}
