use super::error::Refusal;
use super::extract::{millis, millis_up_to};
use crate::client::json::code;
use crate::engine::rejection::Rejection;
use crate::security::{Denial, ResolveError, TokenError};
use crate::service::ServiceError;
use axum::response::IntoResponse;

/// The names that programs know are one list, in `client`; the service must not drift from it.
#[test]
fn the_service_speaks_the_codes_of_the_clients() {
    let text = || "x".to_owned();
    for (error, expected) in [
        (ServiceError::BadAddress(text()), code::BAD_ADDRESS),
        (ServiceError::bad_value("x", "y"), code::BAD_REQUEST),
        (ResolveError::Unknown(text()).into(), code::NO_SUCH_NODE),
        (TokenError::NotAToken.into(), code::TOKEN_INVALID),
        (Denial::TokenExpired { ago_ms: 1 }.into(), code::TOKEN_EXPIRED),
        (Denial::OtherMesh.into(), code::OTHER_MESH),
        (ServiceError::InviterUnreachable(text()), code::INVITER_UNREACHABLE),
        (ServiceError::MeshInUse(text()), code::MESH_IN_USE),
        (ServiceError::Stopping, code::NOT_READY),
        (ServiceError::Internal(text()), code::INTERNAL),
        (Rejection::TooLarge { size: 2, limit: 1 }.into(), code::TOO_LARGE),
    ] {
        let verdict = error.verdict();
        assert_eq!(verdict.code, expected, "{error:?}");
        let answer = Refusal::from(error).into_response();
        assert_eq!(answer.status().as_u16(), verdict.status);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
}

#[test]
fn seconds_become_milliseconds_or_a_refusal() {
    assert_eq!(millis("x", 1.5), Ok(1_500));
    assert_eq!(millis("x", 0.0), Ok(0));
    for bad in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
        assert!(millis("x", bad).is_err(), "{bad}");
    }
}

#[test]
fn a_duration_ends_exactly_at_its_bound() {
    assert_eq!(millis_up_to("x", 43_200.0, 43_200.0), Ok(43_200_000));
    assert!(millis_up_to("x", 0.000_9, 43_200.0).is_err());
    assert!(millis_up_to("x", 43_200.0_f64.next_up(), 43_200.0).is_err());
}
