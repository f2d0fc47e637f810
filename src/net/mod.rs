//! libp2p: links, discovery, admission at the door. Decides nothing.
#![allow(missing_docs, clippy::all)]
// Stand-in with the agreed names until the real one is merged.
use crate::engine::address::NodeId;
use crate::engine::step::{Input, Output};
use crate::security::{Denial, Gatekeeper, Keep, NodeName, Token};
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
pub const DEFAULT_PORT: u16 = 7670;
pub const ADDRESS_RECORD_PREFIX: &str = "address.";
pub type WallClock = Arc<dyn Fn() -> u64 + Send + Sync>;
#[derive(Clone)]
pub struct NetConfig {
    pub listen: Vec<ListenAddr>,
    pub peers: Vec<PeerAddr>,
    pub discovery: bool,
    pub addresses: Vec<(String, Bytes)>,
    pub wall: WallClock,
}
impl Default for NetConfig {
    fn default() -> Self {
        Self {
            listen: vec![],
            peers: vec![],
            discovery: true,
            addresses: vec![],
            wall: Arc::new(|| 0),
        }
    }
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddr {
    pub host: String,
    pub port: u16,
    pub moves: bool,
}
impl Default for ListenAddr {
    fn default() -> Self {
        Self { host: "0.0.0.0".into(), port: 7670, moves: true }
    }
}
impl std::str::FromStr for ListenAddr {
    type Err = BadAddr;
    fn from_str(t: &str) -> Result<Self, BadAddr> {
        let (h, p) = t.rsplit_once(':').ok_or(BadAddr(t.into()))?;
        Ok(Self { host: h.into(), port: p.parse().map_err(|_| BadAddr(t.into()))?, moves: false })
    }
}
#[derive(Clone, Debug)]
pub struct PeerAddr(String);
impl std::str::FromStr for PeerAddr {
    type Err = BadAddr;
    fn from_str(t: &str) -> Result<Self, BadAddr> {
        Ok(Self(t.into()))
    }
}
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{0}` is not an address")]
pub struct BadAddr(pub String);
#[derive(Debug)]
pub enum NetEvent {
    Input(Input),
    Keep(Keep, oneshot::Sender<bool>),
    Listening(Vec<String>),
    Warning(String),
}
pub struct LinkView {
    pub node: NodeId,
    pub address: String,
    pub rtt_ms: Option<f64>,
    pub since_ms: u64,
    pub last_heard_ms: u64,
    pub in_flight: usize,
}
pub struct StrangerView {
    pub node: NodeId,
    pub addresses: Vec<SocketAddr>,
    pub seen_ms: u64,
}
pub struct Joined {
    pub inviter: NodeId,
    pub mesh: String,
}
#[derive(Debug, Clone, thiserror::Error)]
pub enum JoinError {
    #[error("unreachable {0}")]
    Unreachable(String),
    #[error(transparent)]
    Refused(#[from] Denial),
    #[error("x")]
    NotKept,
    #[error("y")]
    Busy,
    #[error("z")]
    Stopped,
}
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    #[error("cannot listen on {address}: {reason}")]
    Listen { address: String, reason: String },
    #[error("key")]
    Key,
    #[error("transport {0}")]
    Transport(String),
}
#[derive(Clone)]
pub struct NetHandle {
    listening: Vec<SocketAddr>,
    _events: mpsc::Sender<NetEvent>,
}
impl NetHandle {
    pub fn try_send(&self, _: Output) {}
    pub fn links(&self) -> Vec<LinkView> {
        vec![]
    }
    pub fn heard_ms(&self, _: NodeId) -> Option<u64> {
        None
    }
    pub fn strangers(&self) -> Vec<StrangerView> {
        vec![]
    }
    pub fn listening(&self) -> Vec<SocketAddr> {
        self.listening.clone()
    }
    pub async fn join(&self, _: Token, _: NodeName) -> Result<Joined, JoinError> {
        Err(JoinError::Busy)
    }
    pub async fn shutdown(&self) {}
}
pub async fn start(
    config: NetConfig,
    _secret: zeroize::Zeroizing<[u8; 32]>,
    _: Arc<Gatekeeper>,
    events: mpsc::Sender<NetEvent>,
) -> Result<NetHandle, NetError> {
    let mut listening = vec![];
    for l in &config.listen {
        let s = std::net::TcpListener::bind((l.host.as_str(), l.port))
            .map_err(|e| NetError::Listen { address: l.host.clone(), reason: e.to_string() })?;
        listening.push(s.local_addr().unwrap());
    }
    Ok(NetHandle { listening, _events: events })
}
