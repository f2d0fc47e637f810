//! Tells the service manager how the node is: ready, alive, stopping.

use crate::os::Supervisor;
use crate::service::Service;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// So much more time work before readiness may take from each sign of progress, in microseconds.
const MORE_TIME_US: u64 = 120_000_000;

/// The service manager, if one started this process.
pub(super) struct Supervised(Option<Supervisor>);

impl Supervised {
    /// The one of the environment. One that is named and not there is as good as none.
    pub(super) fn find() -> Self {
        Self(Supervisor::of_environment().unwrap_or_else(|why| {
            tracing::warn!(%why, "the service manager named in NOTIFY_SOCKET cannot be reached");
            None
        }))
    }

    /// The node takes requests.
    pub(super) fn ready(&self, name: &str, mesh: &str) {
        self.tell(&format!("READY=1\nSTATUS=node {name} in mesh {mesh}"));
    }

    /// The node is not ready yet, and works on it: it wants more time than was set.
    pub(super) fn busy(&self, what: &str) {
        self.tell(&format!("EXTEND_TIMEOUT_USEC={MORE_TIME_US}\nSTATUS={what}"));
    }

    /// The node finishes what it has begun.
    pub(super) fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=stopping");
    }

    /// Tells that the node lives, for as long as its engine answers: three times within the time that
    /// is wanted. Never returns.
    pub(super) async fn watch(&self, service: &Service) {
        let Some((supervisor, within)) = self.0.as_ref().and_then(|it| Some((it, it.watchdog()?)))
        else {
            return std::future::pending().await;
        };
        let mut again = interval((within / 3).max(Duration::from_millis(1)));
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            again.tick().await;
            match timeout(within, service.summary()).await {
                Ok(Ok(_)) => supervisor.tell("WATCHDOG=1"),
                // An engine that does not answer is what the watchdog is for.
                Ok(Err(_)) | Err(_) => tracing::error!("the engine does not answer"),
            }
        }
    }

    fn tell(&self, state: &str) {
        if let Some(supervisor) = &self.0 {
            supervisor.tell(state);
        }
    }
}
