use super::checks;
use super::*;
use crate::client::json::DiscoveryState;
use crate::os::Usage;
use std::path::Path;

fn status(listen: &[&str], peers_up: u64) -> Status {
    let mut status: Status = serde_json::from_value(serde_json::json!({
        "name": "pc-a", "node_id": "", "mesh": "", "listen": listen, "socket": "", "version": "",
        "uptime_s": 0.0, "peers_up": peers_up, "peers_away": 0, "messages": 0, "outgoing": 0,
    }))
    .expect("a status");
    status.ready.listen.sort();
    status
}

#[test]
fn a_node_that_only_this_machine_reaches_is_told() {
    let found = checks::firewall(&status(&["127.0.0.1:7670", "[::1]:7670"], 1), &None);
    assert_eq!(found.outcome, Outcome::Warn);
}

#[test]
fn what_the_node_warns_of_is_told_one_by_one() {
    let mut said = status(&[], 0);
    assert_eq!(checks::warnings(&said)[0].outcome, Outcome::Ok);
    said.warnings = vec!["clocks differ".to_owned(), "another".to_owned()];
    let found = checks::warnings(&said);
    assert_eq!((found.len(), found[0].outcome), (2, Outcome::Warn));
    assert_eq!(found[0].detail, "clocks differ");
}

#[test]
fn an_active_firewall_is_told_only_while_nobody_is_linked() {
    let alone = status(&["192.0.2.1:7670", "[2001:db8::1]:7670", "192.0.2.1:7777"], 0);
    let found = checks::firewall(&alone, &Some("ufw"));
    assert_eq!(found.outcome, Outcome::Warn);
    assert_eq!(found.hint, "ufw allow 7670/tcp && ufw allow 7777/tcp && ufw allow 5353/udp");
    let found = checks::firewall(&status(&["192.0.2.1:7670"], 2), &Some("ufw"));
    assert_eq!((found.outcome, found.detail.as_str()), (Outcome::Ok, "2 members linked"));
}

#[test]
fn discovery_that_failed_or_saw_nobody_is_told() {
    let discovery = |state| Discovery { state, why: None };
    let alone = Peers::default();
    for (state, outcome) in [
        (DiscoveryState::On, Outcome::Warn),
        (DiscoveryState::Off, Outcome::Warn),
        (DiscoveryState::Failed, Outcome::Fail),
    ] {
        let found = checks::discovery(&discovery(state), &alone);
        assert_eq!(found.outcome, outcome, "{state:?}");
        assert!(!found.hint.is_empty(), "{state:?}");
    }
    let seen = serde_json::from_value(serde_json::json!({
        "items": [], "strangers": [{"node_id": "", "addresses": [], "seen_s": 1.0}],
    }));
    let found = checks::discovery(&discovery(DiscoveryState::On), &seen.expect("peers"));
    assert_eq!(found.outcome, Outcome::Ok);
}

#[test]
fn descriptors_that_run_short_are_told() {
    for (open_files, open_files_max, outcome) in
        [(10, 65_536, Outcome::Ok), (10, 256, Outcome::Warn), (60_000, 65_536, Outcome::Warn)]
    {
        let usage = Usage { open_files, open_files_max, ..Usage::default() };
        assert_eq!(checks::descriptors(&usage).outcome, outcome);
    }
}

#[test]
fn the_cost_is_that_of_the_time_watched() {
    let before = Usage { cpu: Duration::from_secs(5), wakeups: 100, ..Usage::default() };
    let after = Usage {
        cpu: Duration::from_millis(5_010),
        wakeups: 150,
        resident_bytes: 20 << 20,
        ..Usage::default()
    };
    let found = checks::cost(&before, &after, Duration::from_secs(2));
    assert_eq!(found.detail, "20 MiB resident, 0.5 % of a core, 25 wake-ups a second");
}

#[test]
fn a_disk_below_the_reserve_fails_and_a_probe_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    assert_eq!(machine::space(dir.path(), u64::MAX).outcome, Outcome::Fail);
    assert_eq!(machine::space(&dir.path().join("not/made/yet"), 1).outcome, Outcome::Ok);
    assert_ne!(machine::sync(dir.path()).outcome, Outcome::Fail);
    assert_eq!(std::fs::read_dir(dir.path()).expect("readable").count(), 0);
    assert_eq!(machine::sync(Path::new("/nowhere")).outcome, Outcome::Ok);
}

#[test]
fn a_clock_behind_the_disk_is_told() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    assert_eq!(machine::clock(dir.path()).outcome, Outcome::Ok);
    let file = std::fs::File::create(dir.path().join("node.json")).expect("writable");
    let later = std::time::SystemTime::now() + Duration::from_secs(7_200);
    file.set_modified(later).expect("the system sets it");
    assert_eq!(machine::clock(dir.path()).outcome, Outcome::Warn);
}
