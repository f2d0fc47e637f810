//! Refusals as `application/problem+json` (RFC 9457).

use crate::client::json::{Problem, code};
use crate::service::ServiceError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The media type of every refusal.
pub(super) const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// An answer that says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal(Box<Problem>);

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        let mut problem = Problem::new(status.as_u16(), code, detail);
        problem.title = status.canonical_reason().unwrap_or("Error").to_owned();
        Self(Box::new(problem))
    }

    /// Something in the request cannot be read.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code::BAD_REQUEST, detail)
    }

    /// A number is out of its bounds.
    pub(super) fn out_of_bounds(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code::OUT_OF_BOUNDS, detail)
    }

    /// The path or method is unknown.
    pub(super) fn no_such_path(status: u16, detail: &str) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_FOUND);
        Self::new(status, code::NO_SUCH_PATH, detail)
    }

    /// The node took too long.
    pub(super) fn too_late() -> Self {
        let detail = "the node did not answer in time; the request may still be carried out";
        Self::new(StatusCode::GATEWAY_TIMEOUT, "timed_out", detail)
            .hint("`meshmq status` (`GET /v1/status`) tells whether the node works")
    }

    /// What is wrong, for events.
    pub(super) const fn problem(&self) -> &Problem {
        &self.0
    }

    /// The body of the answer.
    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.0).expect("a problem has string keys only")
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into()).filter(|hint: &String| !hint.is_empty());
        self
    }
}

/// The code of a refusal, beside the answer that says it, for whoever counts.
#[derive(Clone, Debug)]
pub(super) struct Refused(pub(super) String);

impl From<ServiceError> for Refusal {
    fn from(error: ServiceError) -> Self {
        let verdict = error.verdict();
        let status =
            StatusCode::from_u16(verdict.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status.is_server_error() && status != StatusCode::INSUFFICIENT_STORAGE {
            tracing::warn!(error.type = verdict.code, %error, "a request failed");
        }
        Self::new(status, verdict.code, error.to_string()).hint(error.hint())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let json = self.to_json();
        let mut answer = (status, [(header::CONTENT_TYPE, PROBLEM_JSON)], json).into_response();
        answer.extensions_mut().insert(Refused(self.0.code));
        answer
    }
}
