//! Contact traces: links that come and go as somebody has measured or made it.
//!
//! A line each, `time_s,event,a,b`: seconds from the start, `up` or `down`, and two nodes, by name
//! or by number from 0 in the order of the scenario.

use super::links::both_ways;
use super::names::{Names, Wrong};
use super::{Place, Way};
use std::collections::BTreeSet;

/// The first line of a trace.
const HEADER: &str = "time_s,event,a,b";

/// A link that comes or goes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Contact {
    /// When, in milliseconds after the start.
    pub(crate) at_ms: u64,
    /// Whether it comes.
    pub(crate) up: bool,
    /// Both its directions.
    pub(crate) ways: Vec<Way>,
}

/// Reads a trace as far as `until_ms`. Errors name the line.
pub(super) fn read(names: &Names, text: &str, until_ms: u64) -> Result<Vec<Contact>, Wrong> {
    let mut lines = text.lines().enumerate();
    if lines.next().map(|(_, line)| line.trim()) != Some(HEADER) {
        return Err(format!("line 1: `{HEADER}` is wanted"));
    }
    let (mut contacts, mut up): (Vec<Contact>, BTreeSet<Way>) = (Vec::new(), BTreeSet::new());
    for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |what: Wrong| format!("line {}: {what}", index + 1);
        let (at_ms, comes, pair) = contact(names, line).map_err(wrong)?;
        if contacts.last().is_some_and(|last| last.at_ms > at_ms) {
            return Err(wrong("it is earlier than the line before".to_owned()));
        }
        let changes = if comes { up.insert(pair) } else { up.remove(&pair) };
        if !changes {
            let state = if comes { "up" } else { "down" };
            return Err(wrong(format!("these two are {state} already")));
        }
        if at_ms > until_ms {
            break;
        }
        contacts.push(Contact { at_ms, up: comes, ways: both_ways([pair]) });
    }
    Ok(contacts)
}

fn contact(names: &Names, line: &str) -> Result<(u64, bool, Way), Wrong> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [time, event, a, b] = fields[..] else {
        return Err(format!("`{HEADER}` are four fields, and there are {}", fields.len()));
    };
    let seconds = time.parse::<u32>().map_err(|_| format!("`{time}` is no time in seconds"))?;
    let comes = match event {
        "up" => true,
        "down" => false,
        _ => return Err(format!("`{event}` is not `up` or `down`")),
    };
    let (a, b) = (node(names, a)?, node(names, b)?);
    if a == b {
        return Err("a contact is between two nodes".to_owned());
    }
    Ok((u64::from(seconds) * 1_000, comes, (a.min(b), a.max(b))))
}

fn node(names: &Names, text: &str) -> Result<Place, Wrong> {
    match text.parse::<usize>() {
        Ok(number) if number < names.count() => Ok(number),
        Ok(number) => Err(format!("there is no node number {number}: they count from 0")),
        Err(_) => names.find(text),
    }
}

#[cfg(test)]
mod tests;
