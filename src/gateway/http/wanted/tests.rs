use super::*;
use crate::client::json::{
    Batch, ExtendRequest, JoinRequest, NewMessage, QueueSpec, SettleRequest,
};

fn said<T: DeserializeOwned>(json: &str) -> (String, String) {
    let Err(refusal) = read::<T>(json.as_bytes()) else { panic!("{json} was read") };
    (refusal.problem().code.clone(), refusal.problem().detail.clone())
}

#[track_caller]
fn is<T: DeserializeOwned>(json: &str, code: &str, detail: &str) {
    assert_eq!(said::<T>(json), (code.to_owned(), detail.to_owned()), "{json}");
}

#[test]
fn the_field_and_what_is_wanted_are_named() {
    const BAD: &str = "bad_request";
    for no_object in ["[]", "\"x\"", "5", "-1", "null", "true", " [1]"] {
        is::<NewMessage>(
            no_object,
            BAD,
            if no_object == "null" || no_object == "true" {
                "the request must be an object"
            } else {
                "the body must be an object"
            },
        );
    }
    is::<NewMessage>(r#"{"ttl_s": "soon"}"#, BAD, "`ttl_s` must be a number");
    is::<NewMessage>(r#"{"body": 5}"#, BAD, "`body` must be a text");
    is::<NewMessage>(r#"{"headers": {"k": 5}}"#, BAD, "`headers.k` must be a text");
    is::<NewMessage>(r#"{"headers": []}"#, BAD, "`headers` must be an object");
    is::<Batch>(r#"{"messages": [{}, {"label": []}]}"#, BAD, "`messages[1].label` must be a text");
    is::<Batch>(r#"{"messages": 7}"#, BAD, "`messages` must be a list");
    is::<Batch>(r#"{"messages": [7]}"#, BAD, "`messages[0]` must be an object");
    is::<SettleRequest>(r#"{"ack": "x"}"#, BAD, "`ack` must be a list");
    is::<QueueSpec>(r#"{"transactional": 1}"#, BAD, "`transactional` must be true or false");
    is::<ExtendRequest>("{}", BAD, "`lease_s` is missing");
    is::<JoinRequest>(r#"{"token": "a", "token": "b"}"#, BAD, "`token` is there twice");
    is::<JoinRequest>(
        r#"{"tokn": "a"}"#,
        BAD,
        "there is no field `tokn`; there are `token` or `name`",
    );
    is::<NewMessage>(
        r#"{"delivery": "fast"}"#,
        BAD,
        "`delivery` must be one of `express`, `recoverable`, `transactional`",
    );
}

#[test]
fn numbers_out_of_bounds_are_called_so() {
    const OUT: &str = "out_of_bounds";
    let whole = "`priority` must be a whole number that fits";
    for number in ["-1", "1.5", "256", "1e300"] {
        is::<NewMessage>(&format!("{{\"priority\": {number}}}"), OUT, whole);
    }
    let huge = "a number is larger than any that can be read";
    is::<NewMessage>(r#"{"ttl_s": 1e999}"#, OUT, huge);
    is::<NewMessage>(r#"{"priority": "5"}"#, "bad_request", whole);
}

#[test]
fn what_is_no_json_is_told_with_its_place() {
    for text in ["{", r#"{"body": "x"} trailing"#, "{'a': 1}", "\u{1}"] {
        let (code, detail) = said::<NewMessage>(text);
        assert_eq!(code, "bad_request");
        assert!(
            detail.starts_with("the body is no JSON: ") && detail.contains("line 1"),
            "{detail}"
        );
    }
}

#[test]
fn queries_are_told_alike() {
    let said = |words| of_query(words).problem().detail.clone();
    let of_wait = "Failed to deserialize query string: wait: unknown variant `never`, expected one \
                   of `stored`, `arrived`, `received`";
    assert_eq!(said(of_wait), "`wait` must be one of `stored`, `arrived`, `received`");
    let of_limit = "Failed to deserialize query string: limit: a number is wanted";
    assert_eq!(said(of_limit), "`limit`: a number is wanted");
    let unknown =
        "Failed to deserialize query string: unknown field `x`, expected `limit` or `after`";
    assert_eq!(said(unknown), "there is no field `x`; there are `limit` or `after`");
}
