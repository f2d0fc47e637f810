//! Failures that are made shorter.

use super::{Play, shrink};
use crate::runner::{self, Outcome, Verdict};
use crate::scenario::Scenario;
use crate::trace::Trace;

/// Something is to die in it, and nothing has a reason to, whatever else happens.
const FAILS: &str = r#"
proves = "A failure is made shorter."
nodes = ["a", "b", "c", "d"]
link = { latency = ["1ms", "20ms"], loss = 0.05 }
queues = [{ name = "q@b" }, { name = "p@c", transactional = true }]
send = [
  { from = "a", to = "q@b", at = "10ms", count = [20, 40], every = "10ms", batch = [1, 4] },
  { from = "d", to = "p@c", at = "10ms", count = 30, every = "10ms", delivery = "transactional" },
]
receive = [{ from = "q@b", nack = 0.1 }, { from = "p@c" }]
steps = [
  { at = "100ms", cut = [["a"], ["b", "c"]] },
  { at = "300ms", crash = ["b", "d"], down = "1s" },
  { at = "1s", heal = "all" },
]
expect = { dead = "some" }
"#;

fn play(scenario: &Scenario, seed: u64, events_max: u64) -> Outcome {
    runner::run(scenario, seed, false, &Trace::off(), events_max)
}

fn failed(text: &str, seed: u64) -> Outcome {
    play(&Scenario::parse("fails.toml", text).expect("a scenario"), seed, u64::MAX)
}

#[test]
fn a_failure_is_made_shorter_and_fails_in_the_same_way() {
    let outcome = failed(FAILS, 3);
    assert_eq!(outcome.verdict, Verdict::Liveness);
    let shrunk = shrink("fails.toml", FAILS, &outcome, &play).expect("a shorter one");
    assert_eq!((shrunk.after.steps, shrunk.after.messages), (0, 0), "{}", shrunk.text);
    assert_eq!((shrunk.before.steps, shrunk.before.nodes), (3, 4));
    assert!(shrunk.after.nodes < 4, "{}", shrunk.text);
    let again = failed(&shrunk.text, shrunk.seed);
    let what = |outcome: &Outcome| outcome.failure.as_ref().map(|f| f.violation.what.clone());
    assert_eq!(what(&again), what(&outcome));
    let twice = shrink("fails.toml", FAILS, &outcome, &play).expect("a shorter one");
    assert_eq!((twice.text, twice.runs), (shrunk.text, shrunk.runs), "the same search");
}

#[test]
fn what_fails_in_another_way_is_not_taken() {
    let outcome = failed(FAILS, 3);
    let other: Play<'_> = &|_, seed, _| Outcome::broken(seed, "something else".to_owned());
    assert!(shrink("fails.toml", FAILS, &outcome, other).is_none());
}

#[test]
fn what_needs_two_things_keeps_both() {
    let needs_both: Play<'_> = &|scenario, seed, _| {
        let crashes = format!("{:?}", scenario.steps).contains("Crash");
        let sent = scenario.senders.iter().filter(|sender| sender.from == 0).count();
        let mut outcome = Outcome::broken(seed, "both are there".to_owned());
        if !crashes || sent == 0 {
            outcome.failure = None;
        }
        outcome
    };
    let outcome = Outcome::broken(1, "both are there".to_owned());
    let shrunk = shrink("fails.toml", FAILS, &outcome, needs_both).expect("a shorter one");
    assert_eq!((shrunk.after.steps, shrunk.after.programs), (1, 1), "{}", shrunk.text);
    assert!(shrunk.text.contains("crash = "), "{}", shrunk.text);
    assert_eq!(shrunk.after.messages, 1);
}
