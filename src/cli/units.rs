//! Durations, sizes and times, as people write and read them.

pub use crate::config::parse_size;

use crate::client::json::spoken;
use jiff::{Span, SpanRelativeTo, Timestamp};
use std::time::Duration;

/// Longest duration that a flag takes: 100 years.
const DURATION_MAX_S: f64 = 100.0 * 366.0 * 86_400.0;

/// Reads `30` (seconds), `1.5`, `250ms`, `10s`, `1h 30m`, `2d`, `PT5M`.
///
/// Days have 24 hours; months and years are refused because their length varies.
///
/// # Errors
/// What is wanted instead, in words.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wanted = || format!("`{text}` is not a duration: write 30s, 5m, 1h 30m or 2d");
    let seconds = match text.trim().parse::<f64>() {
        Ok(seconds) => seconds,
        Err(_) => text
            .parse::<Span>()
            .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
            .map_err(|_| wanted())?
            .as_secs_f64(),
    };
    if (0.0..=DURATION_MAX_S).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(wanted())
    }
}

/// Prints a size as `0 B`, `410 KiB`, `1.5 MiB`: one decimal below ten.
pub fn size(bytes: u64) -> String {
    const NAMES: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes.saturating_mul(10) / 1024;
    let mut name = 0;
    while tenths >= 10_240 && name + 1 < NAMES.len() {
        tenths /= 1024;
        name += 1;
    }
    if tenths < 100 && !tenths.is_multiple_of(10) {
        format!("{}.{} {}", tenths / 10, tenths % 10, NAMES[name])
    } else {
        format!("{} {}", tenths / 10, NAMES[name])
    }
}

/// Prints a number of things: `1 message`, `2 messages`.
pub fn count(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// Prints an age: as [`span`], but `now` below a second.
pub fn age(seconds: f64) -> String {
    if seconds < 1.0 { "now".to_owned() } else { span(seconds) }
}

/// Prints a duration in its largest unit: `0 s`, `12 s`, `41 m`, `3 h`, `3 d`.
pub fn span(seconds: f64) -> String {
    spoken((seconds.max(0.0) * 1_000.0) as u64)
}

/// Prints a time that was or will be, as its distance from `now`: `12 s ago`, `in 15 m`, `now`.
/// A time that cannot be read is printed as it is.
pub fn distance(at: &str, now: Timestamp) -> String {
    let Ok(time) = at.parse::<Timestamp>() else { return at.to_owned() };
    // Half a second is given to the way of the answer.
    let seconds = (time.as_millisecond() - now.as_millisecond()) as f64 / 1_000.0;
    if seconds.abs() < 1.0 {
        "now".to_owned()
    } else if seconds < 0.0 {
        format!("{} ago", age(-seconds))
    } else {
        format!("in {}", age(seconds + 0.5))
    }
}

#[cfg(test)]
mod tests;
