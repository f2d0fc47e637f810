//! A session in writing: commands and what they print, with everything that differs from run to
//! run taken out.

use super::node::Node;
use std::path::Path;

/// Commands and their output, as on a terminal.
pub(crate) struct Transcript<'a> {
    node: &'a Node,
    text: String,
}

impl<'a> Transcript<'a> {
    /// An empty session at this node.
    pub(crate) fn at(node: &'a Node) -> Self {
        Self { node, text: String::new() }
    }

    /// Runs a command and writes down what it prints; standard error is marked with `!`.
    pub(crate) fn run(&mut self, args: &[&str]) -> &mut Self {
        let ran = self.node.run(args);
        self.text.push_str(&format!("$ meshmq {}\n", args.join(" ")));
        for line in ran.stdout.lines() {
            self.text.push_str(&format!("{line}\n"));
        }
        for line in ran.stderr.lines() {
            self.text.push_str(&format!("! {line}\n"));
        }
        if ran.code != 0 {
            self.text.push_str(&format!("(exit {})\n", ran.code));
        }
        self
    }

    /// The session, comparable.
    pub(crate) fn clean(&self) -> String {
        clean(self.node.data(), &self.text)
    }
}

/// A text about the node of a directory, comparable.
pub(crate) fn clean(data: &Path, text: &str) -> String {
    let data = data.to_str().expect("a plain path");
    let text = text.replace(data, "[DATA]").replace(env!("CARGO_PKG_VERSION"), "[VERSION]");
    text.lines().map(|line| format!("{}\n", redact(line))).collect()
}

/// Takes out ids, ports, times and ages; runs of spaces become two.
fn redact(line: &str) -> String {
    if line.starts_with('{') {
        return redact_json(line);
    }
    let mut out: Vec<String> = Vec::new();
    for cell in line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()) {
        let words: Vec<String> = cell.split(' ').map(redact_word).collect();
        out.push(redact_ages(&words.join(" ")));
    }
    let indent = if line.starts_with("  ") { "  " } else { "" };
    format!("{indent}{}", out.join("  "))
}

fn redact_word(word: &str) -> String {
    let parts: Vec<&str> = word.split('-').collect();
    let base32 = |part: &&str| part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if parts.len() == 3 && parts.iter().all(base32) && parts[0].len() >= 9 {
        return "[ID]".to_owned();
    }
    match word.rsplit_once(':') {
        Some((host @ ("127.0.0.1" | "http://127.0.0.1"), _)) => format!("{host}:[PORT]"),
        _ => word.to_owned(),
    }
}

/// `now`, `12 s`, `12 s ago`: ages of what has just happened.
fn redact_ages(cell: &str) -> String {
    let bare = cell.trim_end_matches(" ago");
    let young = bare == "now"
        || bare.strip_suffix(" s").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    if young {
        return "[AGE]".to_owned();
    }
    match cell.split_once(" up for ") {
        Some((name, rest)) => {
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{name} up for [AGE]{}", rest.trim_start_matches(" s"))
        }
        None => cell.to_owned(),
    }
}

fn redact_json(line: &str) -> String {
    let mut object: serde_json::Value = serde_json::from_str(line).expect("an object");
    redact_value("", &mut object);
    object.to_string()
}

fn redact_value(name: &str, value: &mut serde_json::Value) {
    use serde_json::Value::{Array, Number, Object, String};
    match value {
        Object(fields) => fields.iter_mut().for_each(|(name, value)| redact_value(name, value)),
        Array(items) => items.iter_mut().for_each(|value| redact_value(name, value)),
        Number(_) if name.ends_with("_s") || name == "rtt_ms" => *value = "[SECONDS]".into(),
        String(_) if name.ends_with("_at") => *value = "[TIME]".into(),
        String(_) if name == "node_id" => *value = "[NODE]".into(),
        String(_) if name == "token" => *value = "[TOKEN]".into(),
        String(text) => {
            let words: Vec<std::string::String> = text.split(' ').map(redact_word).collect();
            *text = words.join(" ");
        }
        _ => {}
    }
}
