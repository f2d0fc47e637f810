//! Values of settings: read from TOML, from variables and flags, and printed so that they can be
//! read again.

use super::size::{exact_size, parse_size};
use std::fmt;
use toml::de::DeValue;

/// What a value of a setting looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// Texts; in a variable separated by commas.
    List,
    /// `true` or `false`.
    Switch,
    /// A whole number, not negative.
    Number,
    /// A whole number, at least 1.
    Count,
    /// Bytes: a whole number, or a text such as `"256MiB"`.
    Size,
    /// A form of the log: `auto`, `text` or `json`.
    Format,
}

/// Forms that the log can have.
const FORMATS: [&str; 3] = ["auto", "text", "json"];

impl Kind {
    /// What is wanted, for people.
    pub const fn wanted(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::List => "a list of texts",
            Self::Switch => "true or false",
            Self::Number => "a whole number, not negative",
            Self::Count => "a whole number, at least 1",
            Self::Size => "a size such as 4096, \"64KiB\" or \"256MiB\"",
            Self::Format => "auto, text or json",
        }
    }

    /// Reads a value of the file. `None` if it is not of this kind.
    pub(super) fn read_toml(self, value: &DeValue<'_>) -> Option<Value> {
        let text = value.as_str();
        let number = value
            .as_integer()
            .and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok());
        match self {
            Self::Text => text.map(|text| Value::Text(text.to_owned())),
            Self::List => {
                let texts = value.as_array()?.iter().map(|item| item.get_ref().as_str());
                texts.map(|text| text.map(str::to_owned)).collect::<Option<_>>().map(Value::List)
            }
            Self::Switch => value.as_bool().map(Value::Switch),
            Self::Number => number.map(Value::Number),
            Self::Count => number.filter(|number| *number > 0).map(Value::Number),
            Self::Size => {
                number.or_else(|| text.and_then(|text| parse_size(text).ok())).map(Value::Size)
            }
            Self::Format => text.and_then(format),
        }
    }

    /// Reads a value of a variable or a flag. `None` if it is not of this kind.
    pub fn read_text(self, text: &str) -> Option<Value> {
        match self {
            Self::Text => Some(Value::Text(text.to_owned())),
            Self::List => {
                let texts = text.split(',').map(str::trim).filter(|text| !text.is_empty());
                Some(Value::List(texts.map(str::to_owned).collect()))
            }
            Self::Switch => match text {
                "true" | "1" => Some(Value::Switch(true)),
                "false" | "0" => Some(Value::Switch(false)),
                _ => None,
            },
            Self::Number => text.parse().ok().map(Value::Number),
            Self::Count => text.parse().ok().filter(|number| *number > 0).map(Value::Number),
            Self::Size => parse_size(text).ok().map(Value::Size),
            Self::Format => format(text),
        }
    }
}

fn format(text: &str) -> Option<Value> {
    FORMATS.contains(&text).then(|| Value::Text(text.to_owned()))
}

/// A value of a setting. It is printed as the file would have it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A text.
    Text(String),
    /// Texts.
    List(Vec<String>),
    /// On or off.
    Switch(bool),
    /// A number.
    Number(u64),
    /// Bytes.
    Size(u64),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => quoted(f, text),
            Self::List(texts) => {
                f.write_str("[")?;
                for (at, text) in texts.iter().enumerate() {
                    f.write_str(if at == 0 { "" } else { ", " })?;
                    quoted(f, text)?;
                }
                f.write_str("]")
            }
            Self::Switch(on) => on.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Size(bytes) => quoted(f, &exact_size(*bytes)),
        }
    }
}

/// A text as TOML has it.
fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "{}", toml::Value::String(text.to_owned()))
}
