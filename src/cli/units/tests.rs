use super::{age, count, distance, parse_duration, parse_size, size, span};
use std::time::Duration;

#[test]
fn durations_are_read_as_people_write_them() {
    let table = [
        ("0", 0),
        ("30", 30_000),
        ("1.5", 1_500),
        ("250ms", 250),
        ("10s", 10_000),
        ("1h 30m", 5_400_000),
        ("2d", 172_800_000),
        ("1w", 604_800_000),
        ("PT5M", 300_000),
    ];
    for (text, ms) in table {
        assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
    }
    for text in ["", "1y", "1mo", "-5s", "soon", "NaN", "inf", "1e30"] {
        assert!(parse_duration(text).is_err(), "{text}");
    }
}

#[test]
fn sizes_are_read_and_printed() {
    let table = [("0", 0), ("4096", 4096), ("64KiB", 65_536), ("256 mib", 268_435_456)];
    for (text, bytes) in table {
        assert_eq!(parse_size(text), Ok(bytes), "{text}");
    }
    assert_eq!(parse_size("10GB"), Ok(10_000_000_000));
    for text in ["", "KiB", "-1", "1.5MiB", "4 parsecs", "99999999999TiB"] {
        assert!(parse_size(text).is_err(), "{text}");
    }
    let table = [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (419_840, "410 KiB"),
        (1_572_864, "1.5 MiB"),
        (8 << 30, "8 GiB"),
        (u64::MAX, "1638 PiB"),
    ];
    for (bytes, text) in table {
        assert_eq!(size(bytes), text);
    }
}

#[test]
fn ages_are_printed_in_their_largest_unit() {
    let table = [
        (-3.0, "now"),
        (0.4, "now"),
        (12.9, "12 s"),
        (119.0, "119 s"),
        (2_460.0, "41 m"),
        (10_800.0, "3 h"),
        (259_200.0, "3 d"),
    ];
    for (seconds, text) in table {
        assert_eq!(age(seconds), text);
    }
    assert_eq!(span(0.4), "0 s");
}

#[test]
fn things_are_counted_in_words() {
    assert_eq!(count(0, "message"), "0 messages");
    assert_eq!(count(1, "message"), "1 message");
    assert_eq!(count(2, "message"), "2 messages");
}

#[test]
fn times_are_told_from_now() {
    let now = "2026-01-01T12:00:00Z".parse().expect("a time");
    assert_eq!(distance("2026-01-01T11:59:48Z", now), "12 s ago");
    assert_eq!(distance("2026-01-01T12:15:00Z", now), "in 15 m");
    assert_eq!(distance("2026-01-01T12:14:59.900Z", now), "in 15 m");
    assert_eq!(distance("2026-01-01T12:00:00.300Z", now), "now");
    assert_eq!(distance("whenever", now), "whenever");
}
