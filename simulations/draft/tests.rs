//! What is written is read again as the same.

use super::{count, read, write};
use crate::scenario::Scenario;

const TEXT: &str = r#"
proves = "It says \"what\" it proves."
nodes = ["a", "b"]
link = { latency = ["1ms", "20ms"], loss = 0.5 }
queues = [{ name = "q@b", transactional = true }]
send = [{ from = "a", to = "q@b", at = "1s", count = [1, 9], every = "1s", delivery = "transactional" }]
receive = [{ from = "q@b" }]
steps = [{ at = ["1s", "2s"], cut = [["a"], ["b"]] }, { at = "3s", heal = "all" }]
drain = "3m"
"#;

#[test]
fn what_is_written_is_the_same_scenario() {
    let table = read(TEXT).expect("a table");
    let written = write(&table);
    assert_eq!(read(&written).as_ref(), Some(&table), "{written}");
    assert!(written.starts_with("proves = "), "{written}");
    assert!(written.contains("\nsteps = [\n  { at = "), "{written}");
    Scenario::parse("written.toml", &written).expect("a scenario");
    assert_eq!((count(&table, "steps"), count(&table, "links")), (2, 0));
}

#[test]
fn the_scenarios_that_ship_are_written_the_same() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/simulations/scenarios");
    for entry in std::fs::read_dir(folder).expect("the scenarios are there") {
        let path = entry.expect("a readable folder").path();
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let table = read(&text).expect("a table");
        assert_eq!(read(&write(&table)), Some(table), "{}", path.display());
    }
}
