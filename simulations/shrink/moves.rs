//! Ways to make a scenario smaller. Each gives another table, which may be no scenario any more.

use std::ops::Range;
use toml::{Table, Value};

/// Lists whose entries are tables.
const LISTS: [&str; 5] = ["links", "queues", "send", "receive", "steps"];

/// A key of an entry of a list, or of a table at the top if there is no entry.
pub(super) type Choice = (&'static str, Option<usize>, String);

/// Leaves entries of a list out.
pub(super) fn without(table: &Table, key: &str, range: Range<usize>) -> Option<Table> {
    let mut table = table.clone();
    let list = list_mut(&mut table, key)?;
    let end = range.end.min(list.len());
    list.drain(range.start.min(end)..end);
    if list.is_empty() {
        // No list of links would stand for all of them.
        if key == "links" {
            return None;
        }
        table.remove(key);
    }
    Some(table)
}

/// The names of the nodes.
pub(super) fn nodes(table: &Table) -> Vec<String> {
    let names = table.get("nodes").and_then(Value::as_array).into_iter().flatten();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Leaves a node out, and whatever is about it alone.
pub(super) fn without_node(table: &Table, name: &str) -> Option<Table> {
    let mut table = table.clone();
    list_mut(&mut table, "nodes")?.retain(|node| node.as_str() != Some(name));
    if let Some(Value::Table(groups)) = table.get_mut("groups") {
        groups.iter_mut().for_each(|(_, members)| strip(members, name));
    }
    for key in LISTS {
        let Some(list) = list_mut(&mut table, key) else { continue };
        if key != "links" {
            list.iter_mut().for_each(|entry| strip(entry, name));
        }
        list.retain(|entry| !names(entry, name));
        if list.is_empty() {
            table.remove(key);
        }
    }
    Some(table)
}

/// Lets a program send a half of its messages; `None` if it sends one.
pub(super) fn fewer_messages(table: &Table, index: usize) -> Option<Table> {
    let mut table = table.clone();
    let sender = list_mut(&mut table, "send")?.get_mut(index)?.as_table_mut()?;
    let count = most(sender.get("count")?)?;
    if count <= 1 {
        return None;
    }
    sender.insert("count".to_owned(), Value::Integer(count / 2));
    Some(table)
}

/// Messages that all programs send at most, as far as they say it.
pub(super) fn messages(table: &Table) -> u64 {
    let senders = table.get("send").and_then(Value::as_array).into_iter().flatten();
    let counts = senders.filter_map(|sender| most(sender.get("count")?));
    counts.map(i64::unsigned_abs).sum()
}

/// The keys that could be left out. Limits in time stay where lateness is what failed.
pub(super) fn options(table: &Table, keeps_limits: bool) -> Vec<Choice> {
    let mut all = Vec::new();
    for key in ["link", "timing"] {
        let of = table.get(key).and_then(Value::as_table).into_iter().flatten();
        all.extend(of.map(|(option, _)| (key, None, option.clone())));
    }
    for key in LISTS {
        let entries = table.get(key).and_then(Value::as_array).into_iter().flatten();
        for (index, entry) in entries.enumerate() {
            let of = entry.as_table().into_iter().flatten();
            all.extend(of.map(|(option, _)| (key, Some(index), option.clone())));
        }
    }
    let limit = |option: &str| ["reach_within", "ttl", "up"].contains(&option);
    all.retain(|(_, _, option)| !(keeps_limits && limit(option)));
    all
}

/// Leaves a key out.
pub(super) fn without_option(table: &Table, (key, index, option): &Choice) -> Option<Table> {
    let mut table = table.clone();
    let of = match index {
        Some(index) => list_mut(&mut table, key)?.get_mut(*index)?.as_table_mut()?,
        None => table.get_mut(*key)?.as_table_mut()?,
    };
    of.remove(option)?;
    Some(table)
}

fn list_mut<'t>(table: &'t mut Table, key: &str) -> Option<&'t mut Vec<Value>> {
    table.get_mut(key)?.as_array_mut()
}

/// The number, or the greater of two.
fn most(value: &Value) -> Option<i64> {
    match value {
        Value::Array(list) => list.last()?.as_integer(),
        value => value.as_integer(),
    }
}

/// Takes a name out of all lists.
fn strip(value: &mut Value, name: &str) {
    match value {
        Value::Array(list) => {
            list.retain(|entry| entry.as_str() != Some(name));
            list.iter_mut().for_each(|entry| strip(entry, name));
        }
        Value::Table(table) => table.iter_mut().for_each(|(_, entry)| strip(entry, name)),
        _ => {}
    }
}

/// Whether a name stands in it, alone or as the place of a queue.
fn names(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => {
            text == name || text.split_once('@').is_some_and(|(_, node)| node == name)
        }
        Value::Array(list) => list.iter().any(|entry| names(entry, name)),
        Value::Table(table) => table.iter().any(|(_, entry)| names(entry, name)),
        _ => false,
    }
}
