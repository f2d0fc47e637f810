//! Reading requests: paths, queries and JSON bodies, each with its bounds.

use super::error::Refusal;
use super::{BODY_MAX, BODY_TIME_MAX, PAGE_DEFAULT, PAGE_MAX, SEND_BODY_MAX};
use crate::client::json::code;
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;
use serde::de::DeserializeOwned;

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
        read.map(|query| Self(query.0)).map_err(|why| Refusal::bad_request(why.body_text()))
    }
}

/// Where a page begins and how long it is.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PageQuery {
    limit: Option<usize>,
    after: Option<String>,
}

impl PageQuery {
    /// Entries wanted, 1 to [`PAGE_MAX`].
    pub(super) fn limit(&self) -> usize {
        self.limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX)
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
        parse(if bytes.is_empty() { b"{}" } else { &bytes }, serde_json::from_slice).map(Self)
    }
}

/// The unread JSON body of a send, at most [`SEND_BODY_MAX`] bytes.
pub(super) struct SendBytes(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for SendBytes {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        read(request, SEND_BODY_MAX).await.map(Self)
    }
}

/// Reads JSON, or says what is wrong with it.
pub(super) fn parse<'a, T>(
    bytes: &'a [u8],
    read: impl FnOnce(&'a [u8]) -> Result<T, serde_json::Error>,
) -> Result<T, Refusal> {
    read(bytes).map_err(|why| Refusal::bad_request(format!("the body cannot be read: {why}")))
}

async fn read(request: Request, max: usize) -> Result<Bytes, Refusal> {
    let (parts, body) = request.into_parts();
    let reading = tokio::time::timeout(BODY_TIME_MAX, collect(body, max));
    let bytes = reading.await.map_err(|_| {
        let detail = format!("the body did not come within {} s", BODY_TIME_MAX.as_secs());
        Refusal::new(StatusCode::REQUEST_TIMEOUT, "timed_out", detail)
    })??;
    if bytes.is_empty() || is_json(&parts.headers) {
        return Ok(bytes);
    }
    let detail = "a body must be `application/json`";
    Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code::BAD_REQUEST, detail))
}

async fn collect(body: Body, max: usize) -> Result<Bytes, Refusal> {
    let read = Limited::new(body, max).collect().await;
    read.map(http_body_util::Collected::to_bytes).map_err(|why| {
        if why.downcast_ref::<LengthLimitError>().is_some() {
            let detail = format!("the body of this request may have {max} bytes");
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, code::TOO_LARGE, detail)
        } else {
            Refusal::bad_request(format!("the body broke off: {why}"))
        }
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = text.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/json")
}

/// A duration in seconds as milliseconds.
pub(super) fn millis(what: &str, seconds: f64) -> Result<u64, Refusal> {
    let ms = (seconds * 1_000.0).round();
    // Above 2^53 not every number of milliseconds has its own double, and none makes sense.
    if (0.0..=9_007_199_254_740_992.0).contains(&ms) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
        return Ok(ms as u64);
    }
    Err(Refusal::bad_request(format!("`{what}` must be a number of seconds, zero or more")))
}
