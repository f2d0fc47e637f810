use super::*;
use std::collections::BTreeSet;

#[test]
fn every_limit_of_the_node_has_a_key() {
    let mut limits = Limits::default();
    let fields: BTreeSet<_> = limit_fields(&mut limits).into_iter().map(|(name, _)| name).collect();
    let of_node = |name: &&str| name.starts_with("limits.") && !name.starts_with("limits.http_");
    let keys = KEYS.iter().map(|key| key.name).filter(of_node);
    assert_eq!(keys.collect::<BTreeSet<_>>(), fields);
}

#[test]
fn a_default_is_that_of_the_node_and_can_be_read_again() {
    for key in KEYS {
        match key.default() {
            Some(value) => {
                let text = format!("x = {value}");
                let table = toml::de::DeTable::parse(&text).expect("it is TOML");
                let read = table.get_ref().values().next().expect("one value");
                assert_eq!(key.kind.read_toml(read.get_ref()), Some(value), "{}", key.name);
            }
            None => assert!(!key.unset.is_empty(), "{} says nothing about its absence", key.name),
        }
    }
    let relay = Key::named("limits.relay_bytes").and_then(Key::default);
    assert_eq!(relay, Some(Value::Size(Limits::default().relay_bytes)));
}

#[test]
fn names_are_unique_and_tables_come_last() {
    let names: BTreeSet<_> = KEYS.iter().map(|key| key.name).collect();
    assert_eq!(names.len(), KEYS.len());
    assert!(KEYS.is_sorted_by_key(|key| key.name.contains('.')));
}

#[test]
fn a_variable_is_the_name_in_capitals() {
    let variable = |name| Key::named(name).expect("a key").variable();
    assert_eq!(variable("log"), "MESHMQ_LOG");
    assert_eq!(variable("limits.queue_bytes"), "MESHMQ_LIMITS_QUEUE_BYTES");
}

#[test]
fn the_document_has_a_row_for_every_key_with_its_default() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/configuration.md");
    let document = std::fs::read_to_string(path).expect("the document is there");
    // The other table is of commands.
    let is_key = |line: &&str| line.starts_with("| `") && !line.starts_with("| `meshmq ");
    let rows: Vec<&str> = document.lines().filter(is_key).collect();
    for key in KEYS {
        let is_row = |row: &&&str| row.starts_with(&format!("| `{}` |", key.name));
        let row = rows.iter().find(is_row).unwrap_or_else(|| panic!("no row for `{}`", key.name));
        let default = match key.default() {
            Some(value) if value != Value::List(Vec::new()) => format!("`{value}`"),
            _ => key.unset.to_owned(),
        };
        assert!(row.contains(&default), "{row} lacks {default}");
    }
    assert_eq!(rows.len(), KEYS.len(), "a row is of no key");
}
