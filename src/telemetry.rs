//! Logging, fed from the edges; never from inside the engine.
//!
//! The library only emits `tracing` events; the program calls [`start`] once. Refuses to log bodies.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// The variable that holds the filter, in the syntax of `tracing_subscriber::EnvFilter`.
pub const FILTER_VARIABLE: &str = "MESHMQ_LOG";

/// What is logged unless somebody says otherwise.
const FILTER_DEFAULT: &str = "warn,meshmq=info";

/// Sends the program's log to standard error as the variable says; for programs that have no
/// settings.
pub fn init() {
    let asked = std::env::var(FILTER_VARIABLE).ok().filter(|text| !text.is_empty());
    start(asked.as_deref().unwrap_or(FILTER_DEFAULT), "auto");
}

/// Sends the program's log to standard error, in the format `text` or `json`; any other means text
/// on a terminal, else one JSON object a line.
///
/// A second call changes nothing. A filter that does not parse is reported and the default used.
pub fn start(filter: &str, format: &str) {
    let parsed = EnvFilter::try_new(filter);
    let failed = parsed.is_err();
    let chosen = parsed.unwrap_or_else(|_| EnvFilter::new(FILTER_DEFAULT));
    let is_text = match format {
        "text" => true,
        "json" => false,
        _ => std::io::stderr().is_terminal(),
    };
    let subscriber = tracing_subscriber::fmt().with_env_filter(chosen).with_writer(std::io::stderr);
    let set = if is_text {
        subscriber.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init()
    } else {
        subscriber.json().flatten_event(true).try_init()
    };
    if failed && set.is_ok() {
        tracing::warn!(filter, "the log's filter does not parse; using `{FILTER_DEFAULT}`");
    }
}
