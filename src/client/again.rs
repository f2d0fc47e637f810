//! How long, and how often, a node that has gone is asked again: it may have to be started first.

use std::time::Duration;
use tokio::time::{Instant, sleep};

/// For how long in all.
const TIME: Duration = Duration::from_secs(10);
/// The first wait; doubles.
const FIRST: Duration = Duration::from_millis(20);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(1);

/// Waits between two questions.
pub(crate) struct Again {
    until: Instant,
    pause: Duration,
}

impl Again {
    /// The time begins now.
    pub(crate) fn begin() -> Self {
        Self { until: Instant::now() + TIME, pause: FIRST }
    }

    /// Waits for the next question; false, at once, if there is no time for it.
    pub(crate) async fn wait(&mut self) -> bool {
        if Instant::now() + self.pause > self.until {
            return false;
        }
        sleep(self.pause).await;
        self.pause = LONGEST.min(self.pause * 2);
        true
    }
}
