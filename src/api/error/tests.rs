use super::*;
use crate::client::json::Problem;

#[test]
fn a_refusal_is_the_same_error_whichever_way_it_came() {
    let of = |code: &str, status| {
        let problem = Problem::new(status, code, "words").hint("do");
        let over_http: Error = ClientError::Problem(Box::new(problem)).into();
        let direct = Error::of(code, status, "words".to_owned(), "do".to_owned());
        assert_eq!(over_http, direct, "{code}");
        direct
    };
    assert!(matches!(of("no_such_queue", 404), Error::NoSuchQueue(_)));
    assert!(matches!(of("node_left", 404), Error::NoSuchNode(_)));
    assert!(matches!(of("lock_gone", 409), Error::LockLost(_)));
    assert!(matches!(of("queue_exists", 409), Error::Conflict(_)));
    assert!(matches!(of("too_large", 413), Error::TooLarge(_)));
    assert!(matches!(of("a_code_of_a_later_version", 507), Error::QuotaExceeded(_)));
    assert!(matches!(of("internal", 500), Error::Other(_)));
}

#[test]
fn only_what_cannot_happen_twice_is_retryable() {
    let broken: Error = ClientError::Broken("x".to_owned()).into();
    assert!(!broken.is_retryable());
    let away: Error = ClientError::NotRunning("/x".into()).into();
    assert!(away.is_retryable());
    assert!(Error::of("queue_full", 507, String::new(), String::new()).is_retryable());
    assert!(!Error::of("bad_request", 400, String::new(), String::new()).is_retryable());
}
