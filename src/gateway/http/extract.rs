//! Reading requests: paths, queries and JSON bodies, each with its bounds.

use super::error::Refusal;
use super::wanted;
use super::{BODY_MAX, DoorLimits, PAGE_DEFAULT, PAGE_MAX};
use crate::client::json::code;
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The one variable segment of a path, percent-decoded.
pub(super) struct Name(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let read = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        read.map(|path| Self(path.0)).map_err(|why| Refusal::bad_request(why.body_text()))
    }
}

/// The query of a request; unknown members are refused by the type.
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let read = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        read.map(|query| Self(query.0)).map_err(|why| wanted::of_query(&why.body_text()))
    }
}

/// Where a page begins and how long it is.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PageQuery {
    #[serde(deserialize_with = "number")]
    limit: Option<f64>,
    after: Option<String>,
}

impl PageQuery {
    /// Entries wanted, 1 to [`PAGE_MAX`].
    pub(super) fn limit(&self) -> Result<usize, Refusal> {
        self.limit.map_or(Ok(PAGE_DEFAULT), |limit| count_up_to("limit", limit, PAGE_MAX))
    }

    /// What `next` of the page before said, read by `parse`.
    pub(super) fn after<T>(
        &self,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let Some(text) = self.after.as_deref() else { return Ok(None) };
        let read = parse(text).ok_or_else(|| {
            Refusal::bad_request("`after` is not what `next` of an earlier page said")
        })?;
        Ok(Some(read))
    }
}

/// A JSON body of at most [`BODY_MAX`] bytes; none at all reads as `{}`.
pub(super) struct Json<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let bytes = read(request, BODY_MAX).await?;
        wanted::read(if bytes.is_empty() { b"{}" } else { &bytes }).map(Self)
    }
}

async fn read(request: Request, max: usize) -> Result<Bytes, Refusal> {
    let (parts, body) = request.into_parts();
    let limits: DoorLimits = parts.extensions.get().copied().unwrap_or_default();
    let bytes = collect(body, max, limits.body).await?;
    if bytes.is_empty() || is_json(&parts.headers) {
        return Ok(bytes);
    }
    let detail = "a body must be `application/json`";
    Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code::BAD_REQUEST, detail))
}

/// A body of at most `max` bytes, whole, within its time.
pub(super) async fn collect(body: Body, max: usize, within: Duration) -> Result<Bytes, Refusal> {
    if body.size_hint().lower() > max as u64 {
        return Err(too_large(max as u64));
    }
    let mut pieces = Pieces { until: Some(Instant::now() + within), within, body };
    let mut bytes = BytesMut::new();
    while let Some(piece) = pieces.next().await? {
        if bytes.len() + piece.len() > max {
            return Err(too_large(max as u64));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.freeze())
}

/// The refusal of a body that is larger than `max` bytes.
pub(super) fn too_large(max: u64) -> Refusal {
    let detail = format!("the body of this request may have {max} bytes");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, code::TOO_LARGE, detail)
}

/// The pieces of a body as they come.
pub(super) struct Pieces {
    body: Body,
    within: Duration,
    /// When all must have come; without it each has the time of its own.
    until: Option<Instant>,
}

impl Pieces {
    /// Those of a body that may take its time, as long as it comes.
    pub(super) const fn of(body: Body, within: Duration) -> Self {
        Self { body, within, until: None }
    }

    /// How many bytes there are at least, as far as is known before they come.
    pub(super) fn lower(&self) -> u64 {
        self.body.size_hint().lower()
    }

    /// The next piece, none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        let until = self.until.unwrap_or_else(|| Instant::now() + self.within);
        loop {
            let Ok(next) = timeout_at(until, self.body.frame()).await else {
                let detail = format!("the body did not come within {} s", self.within.as_secs());
                return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "timed_out", detail));
            };
            let Some(frame) = next else { return Ok(None) };
            let frame =
                frame.map_err(|why| Refusal::bad_request(format!("the body broke off: {why}")))?;
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
    }
}

/// Whether a request says that its body is JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = text.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/json")
}

/// The longest duration that is read, in seconds: above it not every millisecond has its own double.
pub(super) const SECONDS_MAX: f64 = 9_000_000_000_000.0;
/// The longest lease of a lock, in seconds.
pub(super) const LEASE_MAX_S: f64 = 43_200.0;

/// A number of a query, written as JSON has it: no sign before a positive one, no bare point.
pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let text = String::deserialize(from)?;
    let read = json_number(&text);
    read.map(Some).ok_or_else(|| D::Error::custom("a number is wanted"))
}

/// A number as JSON has it, and nothing around it.
pub(super) fn json_number<T: DeserializeOwned>(text: &str) -> Option<T> {
    let begins = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    let ends = text.ends_with(|c: char| c.is_ascii_digit());
    serde_json::from_str(text).ok().filter(|_| begins && ends)
}

/// The number of 1 to 19 decimal digits, none of them a sign.
pub(super) fn digits(text: &str) -> Option<u64> {
    let is = (1..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is)
}

/// A whole number from 1 to `max`.
pub(super) fn count_up_to(what: &str, number: f64, max: usize) -> Result<usize, Refusal> {
    #[expect(clippy::cast_precision_loss, reason = "bounds are small")]
    let is_within = (1.0..=max as f64).contains(&number);
    if !is_within || number.fract() != 0.0 {
        let detail = format!("`{what}` must be a whole number from 1 to {max}");
        return Err(Refusal::out_of_bounds(detail));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
    Ok(number as usize)
}

/// A duration in seconds as milliseconds.
pub(super) fn millis(what: &str, seconds: f64) -> Result<u64, Refusal> {
    millis_within(what, seconds, 0.0, SECONDS_MAX)
}

/// The same for what is at most `max_s` seconds, and not so short that it would be rounded to none.
pub(super) fn millis_up_to(what: &str, seconds: f64, max_s: f64) -> Result<u64, Refusal> {
    millis_within(what, seconds, 0.001, max_s)
}

/// A duration within bounds in seconds as milliseconds.
pub(super) fn millis_within(
    what: &str,
    seconds: f64,
    min_s: f64,
    max_s: f64,
) -> Result<u64, Refusal> {
    if (min_s..=max_s).contains(&seconds) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
        return Ok((seconds * 1_000.0).round() as u64);
    }
    let detail = format!("`{what}` must be from {min_s} to {max_s} seconds");
    Err(Refusal::out_of_bounds(detail))
}
