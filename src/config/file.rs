//! The configuration file: TOML in, settings or mistakes with line and column out.
//!
//! Refuses unknown keys: a typing error must not be taken for a default.

use super::keys::{KEYS, Key};
use super::value::Value;
use std::fmt;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// Largest file that is read, in bytes.
pub const FILE_MAX: u64 = 1024 * 1024;

/// A setting that the file gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Given {
    /// Which.
    pub(super) key: &'static Key,
    /// What.
    pub(super) value: Value,
    /// Where, from 1.
    pub(super) line: usize,
}

/// Something in the file that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where, from 1.
    pub line: usize,
    /// Where in the line, in characters from 1.
    pub column: usize,
    /// What.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.what)
    }
}

/// Reads the text of a file; all mistakes are told, in the order of the file.
pub(super) fn read(text: &str) -> Result<Vec<Given>, Vec<Mistake>> {
    let table = DeTable::parse(text).map_err(|error| {
        let span = error.span().unwrap_or(text.len()..text.len());
        vec![mistake(text, &span, error.message().to_owned())]
    })?;
    let mut reader = Reader { text, given: Vec::new(), mistakes: Vec::new() };
    reader.table("", table.get_ref());
    if reader.mistakes.is_empty() {
        return Ok(reader.given);
    }
    reader.mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
    Err(reader.mistakes)
}

struct Reader<'a> {
    text: &'a str,
    given: Vec<Given>,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let full = format!("{prefix}{}", name.get_ref());
            let below = format!("{full}.");
            if let Some(key) = Key::named(&full) {
                match key.kind.read_toml(value.get_ref()) {
                    Some(value) => {
                        let (line, _) = place(self.text, name.span().start);
                        self.given.push(Given { key, value, line });
                    }
                    None => {
                        let what = format!("`{full}` must be {}", key.kind.wanted());
                        self.mistakes.push(mistake(self.text, &value.span(), what));
                    }
                }
            } else if let (DeValue::Table(inner), true) =
                (value.get_ref(), KEYS.iter().any(|key| key.name.starts_with(&below)))
            {
                self.table(&below, inner);
            } else {
                let what = format!("there is no key `{full}`");
                self.mistakes.push(mistake(self.text, &name.span(), what));
            }
        }
    }
}

fn mistake(text: &str, span: &Range<usize>, what: String) -> Mistake {
    let (line, column) = place(text, span.start);
    Mistake { line, column, what: what.replace('\n', ", ") }
}

/// Line and column of a byte, both from 1.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests;
