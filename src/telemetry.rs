//! Logging, fed from the edges; never from inside the engine.
//!
//! The library only emits `tracing` events; the program calls [`init`] once. Refuses to log bodies.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// The variable that holds the filter, in the syntax of `tracing_subscriber::EnvFilter`.
pub const FILTER_VARIABLE: &str = "MESHMQ_LOG";

/// What is logged unless the variable says otherwise.
const FILTER_DEFAULT: &str = "warn,meshmq=info";

/// Sends the program's log to standard error: text on a terminal, one JSON object a line otherwise.
///
/// A second call changes nothing. A filter that does not parse is reported and the default used.
pub fn init() {
    init_with(FILTER_DEFAULT);
}

/// The same with another default.
pub fn init_with(default: &str) {
    let asked = std::env::var(FILTER_VARIABLE).ok().filter(|text| !text.is_empty());
    let parsed = asked.as_deref().map(EnvFilter::try_new);
    let failed = matches!(parsed, Some(Err(_)));
    let filter = parsed.and_then(Result::ok).unwrap_or_else(|| EnvFilter::new(default));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let set = if std::io::stderr().is_terminal() {
        subscriber.with_target(false).try_init()
    } else {
        subscriber.json().flatten_event(true).try_init()
    };
    if failed && set.is_ok() {
        tracing::warn!("{FILTER_VARIABLE} does not parse; using `{default}`");
    }
}
