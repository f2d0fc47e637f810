//! Where this node listens, and what it tells others about that.

use super::Links;
use crate::net::behaviour::Node;
use crate::net::config::ListenAddr;
use crate::net::event::{NetError, NetEvent};
use crate::net::ids::{dialable, multiaddr_of, socket_of};
use crate::security::ADDRESSES_MAX;
use libp2p::core::transport::ListenerId;
use libp2p::{Multiaddr, Swarm};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{SocketAddr, TcpListener};
use tokio::sync::oneshot;

/// The listeners and their addresses.
pub(crate) struct Listening {
    listeners: BTreeMap<ListenerKey, BTreeSet<SocketAddr>>,
    ids: Vec<ListenerId>,
    /// Told once every listener has an address.
    ready: Option<oneshot::Sender<()>>,
    /// Told to others instead, if there are any.
    pub(crate) announce: Vec<SocketAddr>,
}

/// Place of a listener in the list.
type ListenerKey = usize;

/// Opens the listeners.
///
/// # Errors
/// [`NetError::Listen`] if an address that was asked for cannot be had.
pub(crate) async fn open(
    swarm: &mut Swarm<Node>,
    wanted: &[ListenAddr],
    ready: oneshot::Sender<()>,
) -> Result<Listening, NetError> {
    let default = [ListenAddr::default()];
    let wanted = if wanted.is_empty() { &default[..] } else { wanted };
    let mut listening = Listening {
        listeners: BTreeMap::new(),
        ids: Vec::new(),
        ready: Some(ready),
        announce: Vec::new(),
    };
    for it in wanted {
        let refuse = |error: io::Error| NetError::Listen {
            address: format!("{}:{}", it.host, it.port),
            reason: error.to_string(),
            taken: error.kind() == io::ErrorKind::AddrInUse,
        };
        let mut address = resolve(it).await.map_err(refuse)?;
        match free(address) {
            Ok(()) => {}
            Err(error) if it.moves && error.kind() == io::ErrorKind::AddrInUse => {
                address.set_port(0);
            }
            Err(error) => return Err(refuse(error)),
        }
        let id = swarm
            .listen_on(multiaddr_of(address))
            .map_err(|error| refuse(io::Error::other(error.to_string())))?;
        listening.listeners.insert(listening.ids.len(), BTreeSet::new());
        listening.ids.push(id);
    }
    Ok(listening)
}

async fn resolve(wanted: &ListenAddr) -> io::Result<SocketAddr> {
    let mut found = tokio::net::lookup_host((wanted.host.as_str(), wanted.port)).await?;
    found.next().ok_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable))
}

/// Whether nobody listens there. libp2p shares the ports that it listens on, so that it would not
/// notice another node.
fn free(address: SocketAddr) -> io::Result<()> {
    TcpListener::bind(address).map(drop)
}

impl Listening {
    fn note(&mut self, id: ListenerId, address: SocketAddr, added: bool) -> bool {
        let Some(at) = self.ids.iter().position(|known| *known == id) else { return false };
        let addresses = self.listeners.entry(at).or_default();
        if added { addresses.insert(address) } else { addresses.remove(&address) }
    }

    /// Tells once, when every listener has an address. Called some time after the first one, as
    /// those of the other interfaces come right behind it.
    pub(super) fn tell_ready(&mut self) {
        if self.listeners.values().all(|addresses| !addresses.is_empty())
            && let Some(ready) = self.ready.take()
        {
            let _ = ready.send(());
        }
    }

    /// All addresses, those that only this machine can use last.
    fn all(&self) -> Vec<SocketAddr> {
        let mut all: Vec<_> = self.listeners.values().flatten().copied().filter(dialable).collect();
        all.sort_by_key(|address| (address.ip().is_loopback(), address.is_ipv6(), *address));
        all.dedup();
        all
    }
}

impl Links {
    pub(super) fn on_listening(&mut self, id: ListenerId, address: &Multiaddr, added: bool) {
        let Some(address) = socket_of(address) else { return };
        let started = self.listening.ready.is_none();
        if !self.listening.note(id, address, added) {
            return;
        }
        self.tell_addresses();
        if added && started {
            // A new address: what was out of reach may not be any more.
            self.keeper.moved(self.clock.now_ms());
        }
    }

    /// Tells the handles, the daemon and, by HELLO, the neighbours.
    pub(super) fn tell_addresses(&self) {
        let all = self.listening.all();
        let texts: Vec<_> = all.iter().map(ToString::to_string).collect();
        let announced = self.listening.announce.iter().map(ToString::to_string);
        let mut told: Vec<_> = announced.collect();
        if told.is_empty() {
            told.clone_from(&texts);
        }
        told.truncate(ADDRESSES_MAX);
        self.door.gatekeeper().set_addresses(told);
        self.view.note_listening(all);
        if self.news.try_send(NetEvent::Listening(texts)).is_err() {
            tracing::warn!("the daemon does not hear where this node listens");
        }
    }
}
