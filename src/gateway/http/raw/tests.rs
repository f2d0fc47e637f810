use super::*;
use axum::http::HeaderName;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for &(name, value) in pairs {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
}

#[test]
fn texts_survive_the_way_through_a_header() {
    for text in ["", "plain", "50 % off, a=b", " edges ", "Grüße ✓", "a\nb\0", "%41"] {
        let encoded = encode(text, b",=");
        assert!(encoded.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{encoded}");
        assert!(!encoded.contains([',', '=']), "{encoded}");
        assert_eq!(decode("x", &encoded), Ok(text.to_owned()));
    }
    for bad in ["%", "%4", "%zz", "%ff", "a%"] {
        assert!(decode("x", bad).is_err(), "{bad}");
    }
}

#[test]
fn properties_are_read_and_strangers_refused() {
    let read = properties(&headers(&[
        ("content-type", "text/csv"),
        ("meshmq-label", "Gr%C3%BC%C3%9Fe"),
        ("meshmq-priority", "5"),
        ("meshmq-ttl", "1.5"),
        ("meshmq-reach-within", "60"),
        ("meshmq-delivery", "express"),
        ("meshmq-correlation-id", "42"),
        ("meshmq-reply-to", "answers@pc-a"),
        ("meshmq-header", "tenant=7, note=a%2Cb"),
        ("meshmq-header", "x%3Dy=z"),
    ]))
    .expect("good properties");
    assert_eq!(read.label.as_deref(), Some("Grüße"));
    assert_eq!(read.content_type.as_deref(), Some("text/csv"));
    assert_eq!((read.priority, read.ttl_s, read.reach_within_s), (Some(5), Some(1.5), Some(60.0)));
    assert_eq!(read.delivery, Some(Delivery::Express));
    let expected = [("note", "a,b"), ("tenant", "7"), ("x=y", "z")];
    assert_eq!(read.headers, expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    for bad in [
        ("meshmq-color", "red"),
        ("meshmq-priority", "high"),
        ("meshmq-ttl", "soon"),
        ("meshmq-delivery", "fast"),
        ("meshmq-label", "%"),
        ("meshmq-header", "novalue"),
        ("meshmq-header", "a=1, a=2"),
    ] {
        assert!(properties(&headers(&[bad])).is_err(), "{bad:?}");
    }
    let twice = [("meshmq-label", "a"), ("meshmq-label", "b")];
    assert!(properties(&headers(&twice)).is_err());
}

#[test]
fn raw_is_asked_for_by_name() {
    for (accept, wanted) in [
        ("application/octet-stream", true),
        ("text/plain, Application/Octet-Stream;q=0.9", true),
        ("*/*", false),
        ("application/json", false),
    ] {
        assert_eq!(is_wanted(&headers(&[("accept", accept)])), wanted, "{accept}");
    }
    assert!(!is_wanted(&HeaderMap::new()));
}

#[test]
fn lines_of_headers_are_properties_or_not() {
    assert_eq!(fuzzing::decoded(&fuzzing::encoded(" a%ü\n ")).as_deref(), Some(" a%ü\n "));
    assert!(fuzzing::properties_in(b"Meshmq-Label: a%20b\nMeshmq-Header: x=1,y=2"));
    assert!(!fuzzing::properties_in(b"Meshmq-Priority: much"));
}
