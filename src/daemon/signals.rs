//! What tells a node in the foreground to stop.

use super::DaemonError;
use std::io::Read;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// SIGINT and SIGTERM, caught from now on.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(super) fn catch() -> Result<Self, DaemonError> {
        let catch = |kind| {
            signal(kind)
                .map_err(|why| DaemonError::defect(format!("signals cannot be caught: {why}")))
        };
        let interrupt = catch(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: catch(SignalKind::terminate())? })
    }

    /// Waits for either.
    pub(super) async fn come(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Cancels when standard input ends. The thread lives as long as the process.
pub(super) fn stop_with_stdin(stop: CancellationToken) {
    let watch = move || {
        let mut sink = [0; 512];
        let mut input = std::io::stdin().lock();
        while matches!(input.read(&mut sink), Ok(read) if read > 0) {}
        stop.cancel();
    };
    if let Err(why) = std::thread::Builder::new().name("stdin".to_owned()).spawn(watch) {
        tracing::warn!(%why, "standard input is not watched");
    }
}
