//! A store that was last written when the wall clock stood somewhere else.

use super::damage::{Background, home, up};
use meshmq::engine::record::{Key, Record};
use meshmq::engine::storage::{Storage, Write};
use meshmq::engine::time::Timestamp;
use meshmq::store::{SledOptions, SledStore};
use std::path::Path;

const DAY_MS: u64 = 24 * 3_600_000;

/// Sets when the last run of a node on this directory ended, by the wall clock of that time.
fn last_written(dir: &Path, wall: impl FnOnce(u64) -> u64) {
    let mut store = SledStore::open(&dir.join("store"), SledOptions::default()).expect("it opens");
    let Some(Record::Clock(last)) = store.get(&Key::Clock).expect("it is read") else {
        panic!("a store says when it was written");
    };
    let moved = Timestamp::from_millis(wall(last.as_millis()));
    store.commit(&[Write::Put(Key::Clock, Record::Clock(moved))]).expect("it is written");
}

/// What `status`, `doctor` and the log say of the clock.
fn told(dir: &Path) -> String {
    let node = Background::start(dir);
    let status: serde_json::Value =
        serde_json::from_str(&node.ok(&["status", "--json"])).expect("an object");
    let warnings: Vec<&str> = status["warnings"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|it| it.as_str())
        .collect();
    let [said] = warnings[..] else { panic!("one warning: {warnings:?}") };
    let doctor = super::node::run(dir, &["doctor", "--json"], b"").stdout;
    let doctor = super::node::objects(&doctor);
    assert!(doctor.iter().any(|it| it["check"] == "node" && it["detail"] == said), "{doctor:?}");
    // Nothing is lost by it, and what is sent now arrives and does not expire at once.
    node.ok(&["send", "orders", "later", "--ttl", "1h"]);
    let got = node.ok(&["recv", "orders", "-n", "3"]);
    assert!(got.lines().any(|line| line == "later"), "{got:?}");
    let said = said.to_owned();
    drop(node);
    let mut logging = super::node::command(dir);
    logging.env("MESHMQ_LOG", "warn").args(super::damage::UP).arg("off");
    let log = super::node::output(logging, b"").stderr;
    assert!(log.contains(&said), "{said}: {log}");
    said
}

#[test]
fn a_clock_behind_the_store_is_told_with_what_follows() {
    let home = home();
    // An hour more, for time goes on.
    last_written(home.path(), |last| last + 3 * DAY_MS + 3_600_000);
    let said = told(home.path());
    assert!(said.contains("3 d behind what the store has seen"), "{said}");
}

#[test]
fn a_clock_long_after_the_last_run_is_not_believed_and_that_is_told() {
    let home = home();
    last_written(home.path(), |last| last - 400 * DAY_MS);
    let said = told(home.path());
    assert!(said.contains("400 d after the last run"), "{said}");
}

#[test]
fn a_clock_that_is_right_is_worth_no_word() {
    let home = home();
    last_written(home.path(), |last| last - 20 * DAY_MS);
    let ran = up(home.path());
    assert_eq!((ran.code, ran.stderr.contains("clock")), (0, false), "{}", ran.stderr);
}
