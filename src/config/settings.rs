//! Settings from all their sources: a flag goes before a variable, a variable before the file, the
//! file before the default.

use super::file::{self, FILE_MAX};
use super::keys::{KEYS, Key, limit_fields};
use super::value::Value;
use super::{ConfigError, SYSTEM_DIR};
use crate::engine::limits::Limits;
use crate::os;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The variable that names the file, as `--config` does.
pub const FILE_VARIABLE: &str = "MESHMQ_CONFIG";
/// Name of the file in its directory.
const FILE_NAME: &str = "config.toml";

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nobody gave one.
    Default,
    /// The file, in this line.
    File(usize),
    /// This variable.
    Variable(String),
    /// The command line.
    Flag,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(line) => write!(f, "line {line} of the file"),
            Self::Variable(name) => f.write_str(name),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// A value that was given, by a flag or as `--set KEY=VALUE`.
pub type Flag = (&'static Key, Value);

/// All settings of a node, each with its source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    given: BTreeMap<&'static str, (Value, Source)>,
}

impl Settings {
    /// Reads the file, if there is one, and the variables, and puts the flags over them.
    ///
    /// # Errors
    /// A file that cannot be read or has mistakes, or a variable that does.
    pub fn load(
        file: Option<&Path>,
        variables: impl Fn(&str) -> Option<String>,
        flags: Vec<Flag>,
    ) -> Result<Self, ConfigError> {
        let mut given = BTreeMap::new();
        if let Some(path) = file {
            let text = read(path)?;
            let found = file::read(&text)
                .map_err(|mistakes| ConfigError::Mistakes { path: path.to_owned(), mistakes })?;
            for found in found {
                given.insert(found.key.name, (found.value, Source::File(found.line)));
            }
        }
        for key in KEYS {
            let variable = key.variable();
            let Some(text) = variables(&variable).filter(|text| !text.is_empty()) else { continue };
            let value = key.kind.read_text(&text);
            let value = value.ok_or_else(|| ConfigError::Variable {
                name: variable.clone(),
                text,
                wanted: key.kind.wanted(),
            })?;
            given.insert(key.name, (value, Source::Variable(variable)));
        }
        given.extend(flags.into_iter().map(|(key, value)| (key.name, (value, Source::Flag))));
        Ok(Self { given })
    }

    /// A setting's value, `None` if there is none and no default, and where it comes from.
    pub fn get(&self, key: &Key) -> (Option<Value>, Source) {
        match self.given.get(key.name) {
            Some((value, source)) => (Some(value.clone()), source.clone()),
            None => (key.default(), Source::Default),
        }
    }

    /// A text, if one was given or is the default.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.value(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A number or a size that has a default; zero without one.
    pub fn number(&self, name: &str) -> u64 {
        match self.value(name) {
            Some(Value::Number(number) | Value::Size(number)) => number,
            _ => 0,
        }
    }

    /// A list, empty by default.
    pub fn texts(&self, name: &str) -> Vec<String> {
        match self.value(name) {
            Some(Value::List(texts)) => texts,
            _ => Vec::new(),
        }
    }

    /// Whether a switch is on.
    pub fn is_on(&self, name: &str) -> bool {
        self.value(name) == Some(Value::Switch(true))
    }

    /// The bounds of the node.
    pub fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        for (name, field) in limit_fields(&mut limits) {
            if let Some((Value::Size(number) | Value::Number(number), _)) = self.given.get(name) {
                *field = *number;
            }
        }
        limits
    }

    fn value(&self, name: &str) -> Option<Value> {
        Key::named(name).and_then(|key| self.get(key).0)
    }
}

/// The file that is read: the one given; else `meshmq/config.toml` in the user's configuration
/// directory (XDG); else, for root only, that of the system service. The flag tells whether it is
/// there; one that was given must be.
///
/// # Errors
/// [`ConfigError::NoHome`] if nothing was given and the user has no home directory.
pub fn config_file(given: Option<&Path>) -> Result<(PathBuf, bool), ConfigError> {
    use etcetera::BaseStrategy;
    if let Some(path) = given {
        return Ok((path.to_owned(), true));
    }
    let base = etcetera::base_strategy::Xdg::new().map_err(|_| ConfigError::NoHome)?;
    let own = base.config_dir().join("meshmq").join(FILE_NAME);
    let system = Path::new(SYSTEM_DIR).join(FILE_NAME);
    if !own.exists() && os::user_id() == 0 && system.exists() {
        return Ok((system, true));
    }
    let is_there = own.exists();
    Ok((own, is_there))
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |why: String| ConfigError::Unreadable { path: path.to_owned(), why };
    let file = std::fs::File::open(path).map_err(|why| unreadable(why.to_string()))?;
    let mut bytes = Vec::new();
    let read = file.take(FILE_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|why| unreadable(why.to_string()))?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(unreadable(format!("it has more than {FILE_MAX} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".to_owned()))
}

#[cfg(test)]
mod tests;
