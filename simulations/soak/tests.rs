//! Schedules that are drawn.

use super::{draw::schedule, run};
use crate::draft;
use crate::runner::Verdict;
use crate::scenario::Scenario;

#[test]
fn every_schedule_is_a_scenario_and_a_seed_is_one_schedule() {
    for seed in 0..500 {
        let text = schedule(seed);
        assert_eq!(text, schedule(seed));
        let scenario = Scenario::parse("soak.toml", &text)
            .unwrap_or_else(|error| panic!("seed {seed}: {error}\n{text}"));
        assert!(!scenario.senders.is_empty() && !scenario.steps.is_empty());
        let table = draft::read(&text).expect("a table");
        assert_eq!(draft::read(&draft::write(&table)), Some(table));
    }
}

#[test]
fn all_faults_are_drawn() {
    let all: String = (0..300).map(schedule).collect();
    let faults =
        ["cut =", "cut_one_way", "heal", "flap", "crash =", "power_loss", "crash_at_commit"];
    let later =
        ["suspend", "readdress", "change =", "disk_full", "upgrade", "drop_queue", "clock_jump"];
    let rare = ["rollback", "wipe", "corrupt", "back = {"];
    let others = ["attrition", "restart", "lose", "up = false", "ttl", "max_messages", "express"];
    for word in faults.iter().chain(&others).chain(&later).chain(&rare) {
        assert!(all.contains(word), "{word} is never drawn");
    }
}

#[test]
fn schedules_hold() {
    for seed in 1..=3 {
        let outcome = run(seed, &schedule(seed));
        assert_eq!(outcome.verdict, Verdict::Ok, "seed {seed}: {:?}", outcome.failure);
    }
}
