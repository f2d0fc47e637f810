//! A scenario as a table that can be changed and written again, in the form of the files that people
//! write: one line for each queue, program and step.
//!
//! Refuses to know what a scenario means; reading it again says whether it is one.

use toml::{Table, Value};

/// The keys in the order in which they are written; others follow.
const ORDER: [&str; 15] = [
    "proves", "nodes", "groups", "link", "links", "contacts", "timing", "drain", "liveness",
    "expect", "limits", "queues", "send", "receive", "steps",
];

/// Reads a text.
pub(crate) fn read(text: &str) -> Option<Table> {
    text.parse().ok()
}

/// Writes a table.
pub(crate) fn write(table: &Table) -> String {
    let mut text = String::new();
    let (mut keys, place) = (table.keys().collect::<Vec<_>>(), |key: &str| {
        ORDER.iter().position(|known| *known == key).unwrap_or(ORDER.len())
    });
    keys.sort_by_key(|key| place(key));
    for key in keys {
        match &table[key] {
            Value::Array(list) if list.iter().any(Value::is_table) => {
                text.push_str(&format!("\n{key} = [\n"));
                list.iter().for_each(|value| text.push_str(&format!("  {value},\n")));
                text.push_str("]\n");
            }
            value => text.push_str(&format!("{key} = {value}\n")),
        }
    }
    text
}

/// How many entries a list has.
pub(crate) fn count(table: &Table, key: &str) -> usize {
    table.get(key).and_then(Value::as_array).map_or(0, Vec::len)
}

#[cfg(test)]
mod tests;
