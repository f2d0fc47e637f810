//! Durations and ranges as people write them.

use super::{Count, Duration, Span};

#[derive(serde::Deserialize)]
struct Probe {
    d: Option<Duration>,
    s: Option<Span>,
    c: Option<Count>,
}

fn probe(text: &str) -> Result<Probe, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn durations_have_a_number_and_a_unit() {
    let ms = |text: &str| probe(&format!("d = \"{text}\"")).ok().and_then(|p| p.d).map(|d| d.0);
    assert_eq!(ms("250ms"), Some(250));
    assert_eq!(ms("3s"), Some(3_000));
    assert_eq!(ms("2m"), Some(120_000));
    assert_eq!(ms("1h"), Some(3_600_000));
    assert_eq!(ms("30d"), Some(2_592_000_000));
    for bad in ["", "3", "s", "-1s", "1.5s", "3 s", "99999999999999999999s", "9999999d"] {
        assert_eq!(ms(bad), None, "{bad}");
    }
}

#[test]
fn a_range_is_one_value_or_two_in_order() {
    let span = |text: &str| probe(&format!("s = {text}")).ok().and_then(|p| p.s);
    assert_eq!(span("\"1s\""), Some(Span::ms(1_000, 1_000)));
    assert_eq!(span("[\"20ms\", \"1s\"]"), Some(Span::ms(20, 1_000)));
    assert_eq!(span("[\"1s\", \"20ms\"]"), None);
    assert_eq!(span("[]"), None);
    let count = |text: &str| probe(&format!("c = {text}")).ok().and_then(|p| p.c);
    assert_eq!(count("[1, 4]"), Some(Count { least: 1, most: 4 }));
    assert_eq!(count("3"), Some(Count { least: 3, most: 3 }));
    assert_eq!(count("-3"), None);
}
