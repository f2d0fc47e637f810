//! What a node's links are told at the start: where to listen, whom to dial, what to look for.
//!
//! Refuses to read files or the environment; the daemon does.

use super::gate::GateLimits;
use crate::engine::address::NodeId;
use bytes::Bytes;
use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

/// The hop port, unless another is asked for.
pub const DEFAULT_PORT: u16 = 7670;
/// Prefix of the names under which the address book's records are kept.
pub const ADDRESS_RECORD_PREFIX: &str = "address.";

/// A clock in Unix milliseconds: the one by which invitations are made and judged.
pub type WallClock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Everything the links need to know at their start.
#[derive(Clone)]
pub struct NetConfig {
    /// Where to listen; nothing listed means [`ListenAddr::default`].
    pub listen: Vec<ListenAddr>,
    /// Whom to dial always, found by discovery or not.
    pub peers: Vec<PeerAddr>,
    /// What to tell others instead of the addresses listened on, if anything: where a forwarded
    /// port leads here.
    pub announce: Vec<SocketAddr>,
    /// Whether to look for neighbours by mDNS. If not, no multicast socket is opened.
    pub discovery: bool,
    /// The private records of the store; those whose name begins with
    /// [`ADDRESS_RECORD_PREFIX`] are the address book, the others are not looked at.
    pub addresses: Vec<(String, Bytes)>,
    /// Bounds of what strangers may take.
    pub gate: GateLimits,
    /// The clock by which tokens are judged.
    pub wall: WallClock,
}

impl Default for NetConfig {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            peers: Vec::new(),
            announce: Vec::new(),
            discovery: true,
            addresses: Vec::new(),
            gate: GateLimits::default(),
            wall: Arc::new(unix_ms),
        }
    }
}

impl fmt::Debug for NetConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetConfig")
            .field("listen", &self.listen)
            .field("peers", &self.peers)
            .field("discovery", &self.discovery)
            .finish_non_exhaustive()
    }
}

fn unix_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddr {
    /// An address or a name of this machine; `0.0.0.0` is every interface.
    pub host: String,
    /// The port; zero means any.
    pub port: u16,
    /// Whether a taken port is replaced by a free one. One that was asked for is not.
    pub moves: bool,
}

impl ListenAddr {
    /// The same place, with a free port instead if this one is taken.
    #[must_use]
    pub fn or_free_port(self) -> Self {
        Self { moves: true, ..self }
    }
}

impl Default for ListenAddr {
    /// Every interface, port [`DEFAULT_PORT`] or a free one.
    fn default() -> Self {
        Self { host: Ipv4Addr::UNSPECIFIED.to_string(), port: DEFAULT_PORT, moves: true }
    }
}

impl FromStr for ListenAddr {
    type Err = BadAddr;

    fn from_str(text: &str) -> Result<Self, BadAddr> {
        let PeerAddr { host, port, node } = parse(text)?;
        match node {
            Some(_) => Err(BadAddr(text.to_owned())),
            None => Ok(Self { host, port, moves: false }),
        }
    }
}

/// Whom to dial: a place, and who must answer there if that is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PeerAddr {
    /// An address or a name, resolved at every attempt.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Who must answer; any member if none.
    pub node: Option<NodeId>,
}

impl PeerAddr {
    /// The socket address, if the host is a plain IP address.
    pub fn literal(&self) -> Option<SocketAddr> {
        let ip: IpAddr = self.host.parse().ok()?;
        Some(SocketAddr::new(ip, self.port))
    }
}

impl FromStr for PeerAddr {
    type Err = BadAddr;

    fn from_str(text: &str) -> Result<Self, BadAddr> {
        let peer = parse(text)?;
        if peer.port == 0 { Err(BadAddr(text.to_owned())) } else { Ok(peer) }
    }
}

impl fmt::Display for PeerAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// The text is neither `host:port` nor a multiaddr of TCP.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an address: `host:port` is wanted, or a multiaddr such as /ip4/192.0.2.1/tcp/7670"
)]
pub struct BadAddr(pub String);

fn parse(text: &str) -> Result<PeerAddr, BadAddr> {
    let bad = || BadAddr(text.chars().take(160).collect());
    let found = if text.starts_with('/') { from_multiaddr(text) } else { from_host_port(text) };
    found.filter(|peer| !peer.host.is_empty() && peer.host.len() <= 253).ok_or_else(bad)
}

fn from_host_port(text: &str) -> Option<PeerAddr> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.strip_suffix(']').filter(|v6| v6.contains(':'))?,
        None if host.contains(':') => return None,
        None => host,
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    host.chars().all(allowed).then(|| PeerAddr { host: host.to_owned(), port, node: None })
}

fn from_multiaddr(text: &str) -> Option<PeerAddr> {
    let address: Multiaddr = text.parse().ok()?;
    let mut parts = address.iter();
    let host = match parts.next()? {
        Protocol::Ip4(ip) => ip.to_string(),
        Protocol::Ip6(ip) => ip.to_string(),
        Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name) => name.into_owned(),
        _ => return None,
    };
    let Protocol::Tcp(port) = parts.next()? else { return None };
    let node = match parts.next() {
        None => None,
        Some(Protocol::P2p(peer)) => Some(super::ids::node_of(&peer)?),
        Some(_) => return None,
    };
    parts.next().is_none().then_some(PeerAddr { host, port, node })
}

#[cfg(test)]
mod tests;
