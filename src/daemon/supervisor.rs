//! What a supervisor such as systemd hears of a running node: ready, alive, stopping.
//!
//! A sign of life is given only if the engine has answered, so a node that hangs is restarted.

use crate::os;
use crate::service::Service;
use std::time::Duration;

/// Work before readiness may take so much longer from each sign of progress, in microseconds.
const MORE_TIME_US: u64 = 120_000_000;

/// The node takes requests.
pub(super) fn ready() {
    os::tell_supervisor("READY=1\nSTATUS=takes requests");
}

/// The node is ending.
pub(super) fn stopping() {
    os::tell_supervisor("STOPPING=1\nSTATUS=stopping");
}

/// The node is not ready yet, and works on it.
pub(super) fn busy(what: &str) {
    os::tell_supervisor(&format!("EXTEND_TIMEOUT_USEC={MORE_TIME_US}\nSTATUS={what}"));
}

/// Gives signs of life, for ever, if the supervisor wants any.
pub(super) async fn live(service: Service) {
    let Some(limit) = os::watchdog_limit() else { return std::future::pending().await };
    // Two signs may be late before the third is missed.
    let mut tick = tokio::time::interval((limit / 3).max(Duration::from_millis(1)));
    loop {
        tick.tick().await;
        if service.summary().await.is_ok() {
            os::tell_supervisor("WATCHDOG=1");
        }
    }
}
