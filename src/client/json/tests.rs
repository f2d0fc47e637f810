use super::{NewMessage, SendBody, join_body, rfc3339, split_body};

#[test]
fn times_are_rfc_3339_in_utc_with_milliseconds() {
    assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
    assert_eq!(rfc3339(1_764_044_135_042), "2025-11-25T04:15:35.042Z");
    assert!(rfc3339(u64::MAX).starts_with("9999-12-30"));
}

#[test]
fn bodies_survive_both_forms() {
    for body in [&b""[..], b"hello", b"\0\n", b"\xff\xfe"] {
        let (text, base64) = split_body(body);
        assert_ne!(text.is_some(), base64.is_some());
        assert_eq!(join_body(text, base64.as_deref()).expect("a body"), body);
    }
    assert!(join_body(Some(String::new()), Some("")).is_err());
    assert!(join_body(None, Some("=")).is_err());
}

#[test]
fn a_send_is_one_message_or_a_batch_and_unknown_fields_are_refused() {
    let one = SendBody::parse(br#"{"body":"x","priority":5}"#).expect("one");
    let expected = NewMessage { priority: Some(5), ..NewMessage::with_body(b"x") };
    assert_eq!(one, SendBody::One(Box::new(expected)));
    let batch = SendBody::parse(br#"{"messages":[{"body":"x"},{}]}"#).expect("a batch");
    let SendBody::Batch(batch) = batch else { panic!("{batch:?}") };
    assert_eq!(batch.messages.len(), 2);
    assert!(SendBody::parse(br#"{"bodi":"x"}"#).is_err());
    assert!(SendBody::parse(br#"{"messages":[],"body":"x"}"#).is_err());
}
