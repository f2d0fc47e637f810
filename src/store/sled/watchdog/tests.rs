//! Tests of the module above: a stuck commit is reported once, a quick one never.

use super::*;
use std::sync::mpsc::{self, RecvTimeoutError};

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_stuck_commit_is_reported_once() {
    let (sender, reports) = mpsc::channel();
    let limit = Duration::from_millis(40);
    let watchdog = Watchdog::start(limit, move |after| sender.send(after).unwrap()).unwrap();
    for _ in 0..2 {
        let running = watchdog.begin();
        assert!(reports.recv_timeout(LONG).unwrap() > limit);
        assert_eq!(reports.recv_timeout(4 * limit), Err(RecvTimeoutError::Timeout));
        drop(running);
    }
}

#[test]
fn quick_commits_are_not_reported_and_the_thread_ends_with_its_owner() {
    let (sender, reports) = mpsc::channel();
    let watchdog =
        Watchdog::start(Duration::from_secs(5), move |after| sender.send(after).unwrap()).unwrap();
    for _ in 0..1_000 {
        drop(watchdog.begin());
    }
    drop(watchdog);
    assert_eq!(reports.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
}
