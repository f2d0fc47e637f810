//! The flags that say how a node is set, shared by `up` and `config show`.

use super::error::CliError;
use crate::config::{Flag, Key, Settings, Value};
use crate::daemon::UpOptions;
use clap::Args;
use std::path::PathBuf;

/// How the node is set. Each has a key in the configuration file too.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct NodeFlags {
    /// Name of the node in its mesh, 1 to 63 of a-z 0-9 - [default: the host's name]
    #[arg(long)]
    name: Option<String>,
    /// Listen here: host:port or a multiaddr [default: every interface, port 7670 or a free one]
    #[arg(long, value_name = "ADDR")]
    listen: Vec<String>,
    /// Keep a link with the node there: host:port or a multiaddr; may be given several times
    #[arg(long, value_name = "ADDR")]
    peer: Vec<String>,
    /// Neither look for nodes on the local network nor show this one
    #[arg(long)]
    no_discovery: bool,
    /// Let members of this group use the node too
    #[arg(long, value_name = "GROUP")]
    socket_group: Option<String>,
    /// Tell other nodes these addresses instead of those listened on: host:port
    #[arg(long, hide = true, value_name = "ADDR")]
    announce: Vec<String>,
    /// Set any key of the configuration, such as limits.relay_bytes=512MiB
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl NodeFlags {
    /// The flags that were given, as settings. A flag of its own goes before `--set`.
    ///
    /// # Errors
    /// A usage error if `--set` names no key, or gives a value that is none.
    pub(super) fn given(&self) -> Result<Vec<Flag>, CliError> {
        let mut flags = self.set.iter().map(|text| set(text)).collect::<Result<Vec<_>, _>>()?;
        let list = |texts: &Vec<String>| (!texts.is_empty()).then(|| Value::List(texts.clone()));
        let own = [
            ("name", self.name.clone().map(Value::Text)),
            ("listen", list(&self.listen)),
            ("peers", list(&self.peer)),
            ("announce", list(&self.announce)),
            ("discovery", self.no_discovery.then_some(Value::Switch(false))),
            ("socket_group", self.socket_group.clone().map(Value::Text)),
        ];
        for (name, value) in own {
            flags.extend(Key::named(name).zip(value));
        }
        Ok(flags)
    }
}

/// Reads `KEY=VALUE`.
fn set(text: &str) -> Result<Flag, CliError> {
    let hint = "`meshmq config show` lists the keys";
    let Some((name, value)) = text.split_once('=') else {
        let message = format!("`{text}` is not KEY=VALUE");
        return Err(CliError::usage(message).hint(hint));
    };
    let key = Key::named(name.trim())
        .ok_or_else(|| CliError::usage(format!("there is no key `{name}`")).hint(hint))?;
    let value = key.kind.read_text(value.trim()).ok_or_else(|| {
        CliError::usage(format!("`{name}` must be {}, not `{value}`", key.kind.wanted()))
    })?;
    Ok((key, value))
}

/// What a node is started with.
pub(super) fn options(settings: &Settings, data: PathBuf) -> UpOptions {
    UpOptions {
        data,
        name: settings.text("name"),
        listen: settings.texts("listen"),
        peers: settings.texts("peers"),
        announce: settings.texts("announce"),
        discovery: settings.is_on("discovery"),
        socket_group: settings.text("socket_group"),
        limits: settings.limits(),
        join: None,
        exit_with_stdin: false,
    }
}

#[cfg(test)]
mod tests;
