//! Messages as they are: the body of the request or answer is the message's body, and its properties
//! stand in headers whose names begin with `Meshmq-`.
//!
//! Values are UTF-8 with percent-encoding, as in URLs: `%` and whatever is not printable ASCII is
//! encoded, everything else may stand for itself. `Meshmq-Header` is a list: `name=value, name=value`,
//! in one line or several; `,` and, in names, `=` are encoded too.
//!
//! A body of more than 1 MiB is never held whole, on its way in or out.

use super::Session;
use super::error::Refusal;
use super::extract::{Pieces, json_number, too_large};
use super::view;
use crate::client::json::{NewMessage, code};
use crate::client::raw::{OCTETS, encode};
use crate::engine::message::Delivery;
use crate::service::{self, NewBody, Service, StoredBody};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// How the names of all these headers begin, as the HTTP library has them.
const PREFIX: &str = "meshmq-";

/// Whether the caller wants messages as they are.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        range.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(OCTETS)
    })
}

/// Refuses properties in headers beside a body that has its own.
pub(super) fn refuse_properties(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(name) = headers.keys().find(|name| name.as_str().starts_with(PREFIX)) else {
        return Ok(());
    };
    let property = match &name.as_str()[PREFIX.len()..] {
        "label" => "label",
        "priority" => "priority",
        "delivery" => "delivery",
        "ttl" => "ttl_s",
        "reach-within" => "reach_within_s",
        "correlation-id" => "correlation_id",
        "reply-to" => "reply_to",
        "content-type" => "content_type",
        "header" => "headers",
        _ => return Err(unknown(name)),
    };
    let detail = format!("`{name}` goes with raw bodies: in JSON it is the property `{property}`");
    Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, code::BAD_REQUEST, detail))
}

fn unknown(name: &HeaderName) -> Refusal {
    Refusal::bad_request(format!("`{name}` is no property of a message"))
}

/// The message of a request: its properties, and its body in memory or, if it is a large one, handed
/// in piece by piece as it comes.
pub(super) async fn read(
    service: &Service,
    session: Session,
    headers: &HeaderMap,
    body: Pieces,
) -> Result<service::NewMessage, Refusal> {
    let properties = properties(headers)?;
    let body = take(service, session, body).await?;
    super::messages::new_message(properties, Some(body))
}

async fn take(service: &Service, session: Session, mut pieces: Pieces) -> Result<NewBody, Refusal> {
    let limit = service.body_max();
    if pieces.lower() > limit {
        return Err(too_large(limit));
    }
    let mut upload = service.upload(session.0);
    while let Some(piece) = pieces.next().await? {
        upload.write(piece).await?;
    }
    Ok(upload.finish().await?)
}

/// The properties in headers; one that nobody knows is refused.
fn properties(headers: &HeaderMap) -> Result<NewMessage, Refusal> {
    let mut message = NewMessage::default();
    if let Some(value) = headers.get(header::CONTENT_TYPE) {
        let value = value.to_str().map_err(|_| {
            Refusal::bad_request("`content-type` has a byte that is not printable ASCII")
        })?;
        message.content_type = Some(value.to_owned());
    }
    for name in headers.keys() {
        let Some(property) = name.as_str().strip_prefix(PREFIX) else { continue };
        if property == "header" {
            message.headers = application_headers(headers.get_all(name).iter())?;
            continue;
        }
        let mut values = headers.get_all(name).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(Refusal::bad_request(format!("the request has `{name}` twice")));
        };
        let plain = text(name.as_str(), value)?;
        let value = || decode(name.as_str(), plain);
        match property {
            "label" => message.label = Some(value()?),
            "content-type" => message.content_type = Some(value()?),
            "priority" => message.priority = Some(priority(number(name, plain)?)?),
            "ttl" => message.ttl_s = Some(number(name, plain)?),
            "reach-within" => message.reach_within_s = Some(number(name, plain)?),
            "delivery" => message.delivery = Some(delivery(plain)?),
            "correlation-id" => message.correlation_id = Some(value()?),
            "reply-to" => message.reply_to = Some(value()?),
            _ => return Err(unknown(name)),
        }
    }
    Ok(message)
}

fn number<T: DeserializeOwned>(name: &HeaderName, value: &str) -> Result<T, Refusal> {
    json_number(value).ok_or_else(|| Refusal::bad_request(format!("`{name}` must be a number")))
}

/// Above the highest it stays so, and is refused with the other properties.
fn priority(number: f64) -> Result<u8, Refusal> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
    if number.fract() == 0.0 && (0.0..=255.0).contains(&number) {
        return Ok(number as u8);
    }
    Err(Refusal::out_of_bounds("`meshmq-priority` must be a whole number from 0 to 7"))
}

fn delivery(value: &str) -> Result<Delivery, Refusal> {
    let quoted = serde_json::Value::String(value.to_owned());
    serde_json::from_value(quoted).map_err(|_| {
        Refusal::bad_request("`meshmq-delivery` is express, recoverable or transactional")
    })
}

/// The list of the application's headers, over all lines.
fn application_headers<'a>(
    lines: impl Iterator<Item = &'a HeaderValue>,
) -> Result<BTreeMap<String, String>, Refusal> {
    const NAME: &str = "meshmq-header";
    let mut found = BTreeMap::new();
    for line in lines {
        for item in text(NAME, line)?.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            let (name, value) = item
                .split_once('=')
                .ok_or_else(|| Refusal::bad_request("`meshmq-header` is a list of `name=value`"))?;
            let (name, value) = (decode(NAME, name.trim())?, decode(NAME, value.trim())?);
            if found.insert(name, value).is_some() {
                return Err(Refusal::bad_request("`meshmq-header` has a name twice"));
            }
        }
    }
    Ok(found)
}

fn text<'a>(name: &str, value: &'a HeaderValue) -> Result<&'a str, Refusal> {
    printable(value).ok_or_else(|| {
        Refusal::bad_request(format!("`{name}` has a byte that must be percent-encoded"))
    })
}

/// The value, if it is printable ASCII.
pub(super) fn printable(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok().filter(|text| !text.contains('\t'))
}

/// The text that a header's value stands for.
fn decode(name: &str, value: &str) -> Result<String, Refusal> {
    let bad = || Refusal::bad_request(format!("`{name}` is not percent-encoded UTF-8"));
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2).ok_or_else(bad)?;
        bytes.extend(data_encoding::HEXLOWER_PERMISSIVE.decode(digits).map_err(|_| bad())?);
        rest = after;
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

/// What [`encode`] made, as a header's value.
fn value_of(encoded: &str) -> HeaderValue {
    HeaderValue::from_str(encoded).expect("it is printable ASCII")
}

/// A received message as it is, under its lock.
pub(super) fn received(service: &Service, received: service::Received) -> Response {
    let lock = view::lock(service, received.lock);
    let mut answer = message(service, received.message);
    let headers = answer.headers_mut();
    put(headers, "meshmq-lock-token", &lock.token);
    put(headers, "meshmq-locked-until", &lock.locked_until_at);
    answer
}

/// A message that was peeked at as it is; `next` is where the next one is asked for.
pub(super) fn peeked(service: &Service, found: service::Message, next: Option<String>) -> Response {
    let is_locked = found.locked;
    let mut answer = message(service, found);
    put(answer.headers_mut(), "meshmq-locked", if is_locked { "true" } else { "false" });
    if let Some(next) = next {
        put(answer.headers_mut(), "meshmq-next", &next);
    }
    answer
}

fn message(service: &Service, message: service::Message) -> Response {
    let mut headers = HeaderMap::new();
    // Bytes of others: nothing that shows them may take them for a page of this node.
    let media_type = Some(&message.content_type).filter(|text| text.contains('/'));
    let media_type = media_type.and_then(|text| HeaderValue::from_str(text).ok());
    let octets = HeaderValue::from_static(OCTETS);
    headers.insert(header::CONTENT_TYPE, media_type.unwrap_or(octets));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    put(&mut headers, "meshmq-id", &message.id.to_string());
    put(&mut headers, "meshmq-queue", &message.queue.to_string());
    put(&mut headers, "meshmq-origin", &service.node_text(message.id.stream.origin));
    put(&mut headers, "meshmq-priority", &message.priority.value().to_string());
    put(&mut headers, "meshmq-delivery", message.delivery.as_str());
    put(&mut headers, "meshmq-enqueued-at", &view::time(service, message.enqueued_at));
    put(&mut headers, "meshmq-delivery-count", &message.delivery_count.to_string());
    let texts = [
        ("meshmq-label", Some(&message.label)),
        ("meshmq-content-type", Some(&message.content_type)),
        ("meshmq-correlation-id", message.correlation_id.as_ref()),
        ("meshmq-reply-to", message.reply_to.as_ref()),
    ];
    for (name, value) in texts {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            put(&mut headers, name, value);
        }
    }
    for (name, value) in &message.headers {
        let item = format!("{}={}", encode(name, b",="), encode(value, b","));
        headers.append("meshmq-header", value_of(&item));
    }
    let mut answer = body(service, message.body);
    answer.headers_mut().extend(headers);
    answer
}

/// A body as that of an answer. If a stored one cannot be read to its end the connection breaks, so
/// that nobody takes a part for the whole.
pub(super) fn body(service: &Service, body: service::Body) -> Response {
    let (length, body) = match body {
        service::Body::Whole(bytes) => (bytes.len() as u64, Body::from(bytes)),
        service::Body::Stored(stored) => (stored.len(), stream(service, stored)),
    };
    let headers = [
        (header::CONTENT_LENGTH, HeaderValue::from(length)),
        (header::CONTENT_TYPE, HeaderValue::from_static(OCTETS)),
    ];
    (headers, body).into_response()
}

fn stream(service: &Service, body: StoredBody) -> Body {
    let pieces = futures::stream::try_unfold(service.read_body(body), |mut reader| async {
        Ok::<_, service::ServiceError>(reader.next().await?.map(|bytes| (bytes, reader)))
    });
    Body::from_stream(pieces)
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    headers.insert(name, value_of(&encode(value, b"")));
}

#[cfg(any(test, fuzzing))]
pub mod fuzzing;
#[cfg(test)]
mod tests;
