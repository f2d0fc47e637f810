//! Room on the disk: the engine refuses below the reserve, this says so in the log in time.

use std::path::PathBuf;
use std::time::Duration;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Looks at the room on the disk from time to time, for ever, and logs when it crosses twice the
/// reserve in either direction.
pub(super) async fn watch(dir: PathBuf, reserve: u64) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    let mut was_low = false;
    loop {
        tick.tick().await;
        let Ok(free) = fs4::available_space(&dir) else { continue };
        let is_low = free < reserve.saturating_mul(2);
        if is_low && !was_low {
            tracing::warn!(
                free,
                reserve,
                "the disk is getting full: at the reserve, sends are refused"
            );
        }
        if was_low && !is_low {
            tracing::info!(free, "the disk has room again");
        }
        was_low = is_low;
    }
}
