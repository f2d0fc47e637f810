//! Ctrl-C and SIGTERM, for commands that go on until then.

use super::error::{CliError, Exit};
use tokio::sync::watch;

/// Becomes true at Ctrl-C or SIGTERM: what was begun is finished, nothing more taken.
pub(super) fn stop_signal() -> Result<watch::Receiver<bool>, CliError> {
    use tokio::signal::unix::{SignalKind, signal};
    let no_signal = |why: std::io::Error| {
        CliError::new(Exit::Defect, "no_signal", format!("signals cannot be caught: {why}"))
    };
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signal)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signal)?;
    let (to, stop) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        to.send_replace(true);
        // Kept until nobody listens, so that `changed` never fails while the loop runs.
        to.closed().await;
    });
    Ok(stop)
}
