//! The wall clock against node time, in the log: at the start, and when it is set meanwhile.

use crate::runtime::Handle;
use crate::service::{CLOCK_OFF_MS, clock_warning};
use std::time::Duration;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Looks at the wall clock from time to time, for ever, and logs what a person should know of it
/// when it has moved.
pub(super) async fn watch(handle: Handle) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    let mut last_ms = 0;
    loop {
        tick.tick().await;
        let stand = handle.wall_stand();
        if stand.now_ms.abs_diff(last_ms) <= CLOCK_OFF_MS {
            continue;
        }
        last_ms = stand.now_ms;
        match clock_warning(stand) {
            Some(warning) => tracing::warn!("{warning}"),
            None => tracing::info!("the wall clock and the node's time agree again"),
        }
    }
}
