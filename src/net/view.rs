//! What the links show of themselves, shared between their task and the handles.

mod traffic;

use super::clock::Clock;
use super::event::{DiscoveryState, LinkView, StrangerView, TrafficView};
use super::transport::Wire;
use crate::engine::address::NodeId;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use traffic::Traffic;

/// A live link as the task notes it.
pub(crate) struct LinkNote {
    /// The other end.
    pub(crate) address: String,
    /// When it came up, by the clock of the links.
    pub(crate) since: u64,
    /// The connection in use.
    pub(crate) wire: Arc<Wire>,
    /// Requests of ours that wait.
    pub(crate) in_flight: usize,
}

/// A stranger as the task notes it.
pub(crate) struct StrangerNote {
    /// Who.
    pub(crate) node: NodeId,
    /// Where.
    pub(crate) addresses: Vec<String>,
    /// When it was seen last, by the clock of the links.
    pub(crate) seen: u64,
}

struct State {
    links: HashMap<NodeId, LinkNote>,
    heard: HashMap<NodeId, u64>,
    strangers: Vec<StrangerNote>,
    listening: Vec<SocketAddr>,
    discovery: DiscoveryState,
    traffic: Traffic,
}

/// The shared picture.
pub(crate) struct View {
    clock: Clock,
    state: RwLock<State>,
}

/// Nodes whose last contact is remembered; more than a mesh may have members.
const HEARD_MAX: usize = 16_384;

impl View {
    /// Nothing to show yet.
    pub(crate) fn new(clock: Clock) -> Self {
        let state = State {
            links: HashMap::new(),
            heard: HashMap::new(),
            strangers: Vec::new(),
            listening: Vec::new(),
            discovery: DiscoveryState::Off,
            traffic: Traffic::default(),
        };
        Self { clock, state: RwLock::new(state) }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a link, new or changed.
    pub(crate) fn note_link(&self, node: NodeId, note: LinkNote) {
        self.write().links.insert(node, note);
    }

    /// Notes how many requests wait on a link.
    pub(crate) fn note_in_flight(&self, node: NodeId, in_flight: usize) {
        if let Some(link) = self.write().links.get_mut(&node) {
            link.in_flight = in_flight;
        }
    }

    /// Notes that a link is gone.
    pub(crate) fn forget_link(&self, node: NodeId) {
        let mut state = self.write();
        if let Some(link) = state.links.remove(&node)
            && (state.heard.len() < HEARD_MAX || state.heard.contains_key(&node))
        {
            state.heard.insert(node, link.wire.heard_ms());
        }
    }

    /// Notes that the link with a neighbour, which was not there, is up.
    pub(crate) fn note_up(&self, node: NodeId) {
        self.write().traffic.link_up(node);
    }

    /// Notes a proven connection, whose bytes are its neighbour's from now on.
    pub(crate) fn note_wire(&self, node: NodeId, wire: Arc<Wire>) {
        self.write().traffic.opened(node, wire);
    }

    /// Notes that it is closed.
    pub(crate) fn forget_wire(&self, node: NodeId, wire: &Arc<Wire>) {
        self.write().traffic.closed(node, wire);
    }

    /// Notes the strangers.
    pub(crate) fn note_strangers(&self, strangers: Vec<StrangerNote>) {
        self.write().strangers = strangers;
    }

    /// Notes where this node listens.
    pub(crate) fn note_listening(&self, listening: Vec<SocketAddr>) {
        self.write().listening = listening;
    }

    /// Notes how discovery goes.
    pub(crate) fn note_discovery(&self, discovery: DiscoveryState) {
        self.write().discovery = discovery;
    }

    /// The live links.
    pub(crate) fn links(&self) -> Vec<LinkView> {
        let now = self.clock.now_ms();
        let state = self.read();
        let mut links: Vec<_> = state
            .links
            .iter()
            .map(|(node, link)| LinkView {
                node: *node,
                address: link.address.clone(),
                rtt_ms: link.wire.rtt_us().map(|us| us as f64 / 1_000.0),
                clock_skew_ms: link.wire.skew_ms(),
                since_ms: now.saturating_sub(link.since),
                last_heard_ms: now.saturating_sub(link.wire.heard_ms()),
                in_flight: link.in_flight,
            })
            .collect();
        links.sort_by_key(|link| link.node);
        links
    }

    /// What went over the links with each neighbour.
    pub(crate) fn traffic(&self) -> Vec<TrafficView> {
        self.read().traffic.shown()
    }

    /// How long ago a node was heard.
    pub(crate) fn heard_ms(&self, node: NodeId) -> Option<u64> {
        let state = self.read();
        let live = state.links.get(&node).map(|link| link.wire.heard_ms());
        let at = live.or_else(|| state.heard.get(&node).copied())?;
        Some(self.clock.now_ms().saturating_sub(at))
    }

    /// The strangers, the latest first.
    pub(crate) fn strangers(&self) -> Vec<StrangerView> {
        let now = self.clock.now_ms();
        let mut strangers: Vec<_> = self
            .read()
            .strangers
            .iter()
            .map(|note| StrangerView {
                node: note.node,
                addresses: note.addresses.clone(),
                seen_ms: now.saturating_sub(note.seen),
            })
            .collect();
        strangers.sort_by_key(|view| (view.seen_ms, view.node));
        strangers
    }

    /// Where this node listens.
    pub(crate) fn listening(&self) -> Vec<SocketAddr> {
        self.read().listening.clone()
    }

    /// How discovery goes.
    pub(crate) fn discovery(&self) -> DiscoveryState {
        self.read().discovery.clone()
    }
}
