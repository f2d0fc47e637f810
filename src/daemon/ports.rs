//! Where to listen, so that a port that was chosen once is kept.
//!
//! A port is chosen for `:0`, and instead of a default that is taken. It is written down under what
//! was asked for, and asked for again at the next start.

use super::DaemonError;
use crate::net::ListenAddr;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

/// What was asked for, and what that means at this start.
#[derive(Debug)]
pub(super) struct Wanted {
    /// As it is written down.
    text: String,
    /// For the links.
    pub(super) address: ListenAddr,
    /// Whether the port is to be written down.
    is_chosen: bool,
}

/// Reads what was asked for; nothing means the default. `kept` are the ports of earlier starts.
pub(super) fn wanted(
    listen: &[String],
    kept: &BTreeMap<String, u16>,
) -> Result<Vec<Wanted>, DaemonError> {
    if listen.is_empty() {
        return Ok(vec![with_kept(DEFAULT.to_owned(), ListenAddr::default(), kept)]);
    }
    listen
        .iter()
        .map(|text| {
            let address: ListenAddr = text.parse()?;
            Ok(if address.port == 0 {
                with_kept(text.clone(), address, kept)
            } else {
                Wanted { text: text.clone(), address, is_chosen: false }
            })
        })
        .collect()
}

/// The ports to be written down, given where the links listen in the end.
pub(super) fn chosen(wanted: &[Wanted], listening: &[SocketAddr]) -> BTreeMap<String, u16> {
    let fixed = wanted.iter().filter(|asked| !asked.is_chosen).map(|asked| asked.address.port);
    let mut taken: BTreeSet<u16> = fixed.collect();
    let mut ports = BTreeMap::new();
    for asked in wanted.iter().filter(|asked| asked.is_chosen) {
        let ip: Option<IpAddr> = asked.address.host.parse().ok();
        let fits = |found: &&SocketAddr| {
            !taken.contains(&found.port())
                && ip.is_none_or(|ip| ip.is_unspecified() || ip == found.ip())
        };
        let same = listening.iter().filter(fits).find(|at| at.port() == asked.address.port);
        if let Some(found) = same.or_else(|| listening.iter().find(fits)) {
            ports.insert(asked.text.clone(), found.port());
            taken.insert(found.port());
        }
    }
    ports
}

fn with_kept(text: String, address: ListenAddr, kept: &BTreeMap<String, u16>) -> Wanted {
    let port = kept.get(&text).copied().unwrap_or(address.port);
    Wanted { text, address: ListenAddr { port, moves: true, ..address }, is_chosen: true }
}

/// Under what the default's port is written down.
const DEFAULT: &str = "default";

#[cfg(test)]
mod tests;
