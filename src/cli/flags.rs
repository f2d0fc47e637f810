//! The flags that say how a node is set, shared by `up` and `config show`.

use super::error::{CliError, Exit};
use crate::config::{Flag, Key, Settings, Value};
use crate::daemon::{BadWish, DoorLimits, HttpWish, TlsFiles, UpOptions};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

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
    /// Serve HTTP here too: IP:PORT or `off` [default: 127.0.0.1:7671, or a free port]
    #[arg(long, value_name = "ADDR", value_parser = read_wish)]
    http: Option<String>,
    /// Certificate chain in PEM for --http; an address that other machines reach needs one
    #[arg(long, value_name = "FILE", requires = "http_key")]
    http_cert: Option<String>,
    /// Key of the certificate in PEM
    #[arg(long, value_name = "FILE", requires = "http_cert")]
    http_key: Option<String>,
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
            ("http", self.http.clone().map(Value::Text)),
            ("http_cert", self.http_cert.clone().map(Value::Text)),
            ("http_key", self.http_key.clone().map(Value::Text)),
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

/// Checks where HTTP is to be served.
fn read_wish(text: &str) -> Result<String, BadWish> {
    text.parse::<HttpWish>().map(|_| text.to_owned())
}

/// What a node is started with.
///
/// # Errors
/// 78 if the door on TCP is set to what it cannot be.
pub(super) fn options(settings: &Settings, data: PathBuf) -> Result<UpOptions, CliError> {
    let bad = |message: String| CliError::new(Exit::Configuration, "configuration", message);
    let http = match settings.text("http") {
        Some(text) => text.parse().map_err(|why| bad(format!("`{text}` in `http`: {why}")))?,
        None => HttpWish::Usual,
    };
    let http_tls = match (settings.text("http_cert"), settings.text("http_key")) {
        (Some(certificate), Some(key)) => {
            Some(TlsFiles { certificate: certificate.into(), key: key.into() })
        }
        (None, None) => None,
        _ => return Err(bad("`http_cert` and `http_key` go together".to_owned())),
    };
    Ok(UpOptions {
        data,
        name: settings.text("name"),
        listen: settings.texts("listen"),
        peers: settings.texts("peers"),
        announce: settings.texts("announce"),
        discovery: settings.is_on("discovery"),
        socket_group: settings.text("socket_group"),
        limits: settings.limits(),
        doors: doors(settings),
        http,
        http_tls,
        join: None,
        exit_with_stdin: false,
    })
}

/// The bounds of the doors. Every key of them has a default.
fn doors(settings: &Settings) -> DoorLimits {
    let number = |name: &str| settings.number(name);
    let count = |name: &str| usize::try_from(number(name)).unwrap_or(usize::MAX);
    let time = |name: &str| Duration::from_secs(number(name));
    DoorLimits {
        connections: count("limits.http_connections"),
        streams: count("limits.http_streams"),
        head: time("limits.http_head_s"),
        body: time("limits.http_body_s"),
        write: time("limits.http_write_s"),
        json_bytes: count("limits.http_json_bytes"),
    }
}

#[cfg(test)]
mod tests;
