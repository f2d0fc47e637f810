//! Scenarios that are read, and files that are not scenarios.

use super::{Action, BadFile, Deaths, Scenario, Side, Span};

const GOOD: &str = r#"
proves = "It can be read."
nodes = ["a", "b"]
link = { latency = ["20ms", "80ms"], loss = 0.01 }
queues = [{ name = "orders@b", transactional = true }]
send = [
  { from = "a", to = "orders@b", at = "1s", count = 10, every = "20ms", delivery = "transactional" },
]
receive = [{ from = "orders@b" }]
steps = [
  { at = "1s", cut = [["a"], ["b"]] },
  { at = ["2s", "3s"], heal = "all" },
  { at = "4s", power_loss = "b", down = ["1s", "2s"] },
]
"#;

fn wrong(text: &str) -> (usize, usize, String) {
    match Scenario::parse("dir/test.toml", text) {
        Err(BadFile::Wrong { line, column, what, .. }) => (line, column, what),
        other => panic!("it was taken: {other:?}"),
    }
}

#[test]
fn a_scenario_is_read_and_checked() {
    let scenario = Scenario::parse("dir/test.toml", GOOD).expect("a good scenario");
    assert_eq!(scenario.name, "test");
    assert_eq!(scenario.nodes, ["a", "b"]);
    assert_eq!(scenario.links.len(), 1);
    assert_eq!(scenario.links[0].latency, Span::ms(20, 80));
    assert!(matches!(&scenario.steps[0].action, Action::Cut(ways) if *ways == [(0, 1), (1, 0)]));
    assert!(matches!(&scenario.steps[2].action, Action::CrashAtCommit { side: Side::Before, .. }));
    assert_eq!(scenario.dead, Deaths::None);
    assert_eq!(scenario.script_ends_ms(), 4_000);
}

#[test]
fn unknown_keys_are_errors_with_their_place() {
    let text = GOOD.replace("loss = 0.01", "lost = 0.01");
    let (line, column, what) = wrong(&text);
    assert_eq!((line, column), (4, 38), "{what}");
    assert!(what.contains("lost"), "{what}");
}

#[test]
fn unknown_names_are_errors_with_their_place() {
    let (line, _, what) = wrong(&GOOD.replace("power_loss = \"b\"", "power_loss = \"c\""));
    assert_eq!((line, what.as_str()), (13, "there is no node `c`"));
    let (line, _, what) = wrong(&GOOD.replace("from = \"orders@b\"", "from = \"other@b\""));
    assert_eq!((line, what.as_str()), (9, "there is no queue `other@b`"));
}

#[test]
fn a_step_does_one_thing() {
    let (line, _, what) = wrong(&GOOD.replace("heal = \"all\"", "heal = \"all\", crash = \"a\""));
    assert_eq!(line, 12);
    assert!(what.contains("more than one thing"), "{what}");
    let (_, _, what) = wrong(&GOOD.replace(", heal = \"all\"", ""));
    assert!(what.contains("does nothing"), "{what}");
}

#[test]
fn numbers_keep_their_bounds() {
    let (_, _, what) = wrong(&GOOD.replace("loss = 0.01", "loss = 1.5"));
    assert!(what.contains("probability"), "{what}");
    let (_, _, what) = wrong(&GOOD.replace("\"20ms\", \"80ms\"", "\"80ms\", \"20ms\""));
    assert!(what.contains("the smaller first"), "{what}");
    let (_, _, what) = wrong(&GOOD.replace("proves = \"It can be read.\"", "proves = \" \""));
    assert!(what.contains("says what it proves"), "{what}");
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    let (line, _, _) = wrong("proves = \"x\"\nnodes = [\n");
    assert!(line >= 2);
}
