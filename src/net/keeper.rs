//! Keeps a link to every member that can be reached: whom to dial, when, and which connection goes.
//!
//! Pure: it is told the time and what happened, and answers with what to do. Signs of life begin
//! the pauses anew: discovery, an incoming connection, a new address of this machine.

mod action;
mod book;
mod pace;
mod strangers;
mod surplus;

pub(crate) use action::{Action, DialId, Moment, Target};
pub(crate) use book::Book;
pub(crate) use pace::{Jitter, LARGER_WAITS_MS, Pace, REDIAL_FIRST_MS};
pub(crate) use strangers::Strangers;
pub(crate) use surplus::Connection;

use super::config::PeerAddr;
use crate::engine::address::NodeId;
use libp2p::swarm::ConnectionId;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use strangers::KNOCKS_MAX;

/// Dials under way at once, knocks aside.
pub(crate) const DIALS_MAX: usize = 32;
/// Dials under way to one peer at once.
const DIALS_PER_PEER: usize = 3;
/// How long an unfinished connection keeps this node from dialing again.
const UNFINISHED_MS: u64 = 5_000;
/// Every so many tries one has much time, for links on which the others end too early.
const PATIENT_EVERY: u32 = 4;
/// Pause at a static address where a stranger answers: it may be about to join.
pub(crate) const STRANGER_AT_STATIC_MS: u64 = 5_000;

#[derive(Debug)]
struct Peer {
    connections: Vec<Connection>,
    pace: Pace,
}

struct Static {
    place: PeerAddr,
    found: Option<NodeId>,
    pace: Pace,
}

struct Dialing {
    whom: Whom,
    since_ms: u64,
    patient: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whom {
    Member(NodeId),
    Stranger(NodeId),
    Static(usize),
}

/// The keeper of the links.
pub(crate) struct Keeper {
    me: NodeId,
    jitter: Jitter,
    book: Book,
    strangers: Strangers,
    peers: BTreeMap<NodeId, Peer>,
    statics: Vec<Static>,
    dials: BTreeMap<DialId, Dialing>,
    next_dial: DialId,
}

impl Keeper {
    /// A keeper of `me`'s links that starts now.
    pub(crate) fn new(
        me: NodeId,
        book: Book,
        statics: Vec<PeerAddr>,
        seed: u64,
        now_ms: u64,
    ) -> Self {
        let statics = statics.into_iter().map(|place| Static {
            found: place.node,
            place,
            pace: Pace::new(now_ms, 0),
        });
        let mut keeper = Self {
            me,
            jitter: Jitter::new(seed),
            book,
            strangers: Strangers::default(),
            peers: BTreeMap::new(),
            statics: statics.collect(),
            dials: BTreeMap::new(),
            next_dial: 0,
        };
        let known: Vec<_> = keeper.book.nodes().copied().collect();
        for node in known {
            let delay = keeper.first_delay(node, 0);
            keeper
                .peers
                .insert(node, Peer { connections: Vec::new(), pace: Pace::new(now_ms, delay) });
        }
        keeper
    }

    /// The address book, for its changes.
    pub(crate) fn book(&mut self) -> &mut Book {
        &mut self.book
    }

    /// The strangers.
    pub(crate) fn strangers(&mut self) -> &mut Strangers {
        &mut self.strangers
    }

    /// The node with the smaller id dials at once, the other leaves it the first word.
    fn first_delay(&self, node: NodeId, at_once_ms: u64) -> u64 {
        if self.me < node { at_once_ms } else { LARGER_WAITS_MS }
    }

    fn peer(&mut self, node: NodeId, now_ms: u64) -> &mut Peer {
        let delay = self.first_delay(node, 0);
        self.peers
            .entry(node)
            .or_insert_with(|| Peer { connections: Vec::new(), pace: Pace::new(now_ms, delay) })
    }

    /// Discovery found a node.
    pub(crate) fn discovered(&mut self, node: NodeId, address: SocketAddr, moment: &Moment<'_>) {
        if node == self.me {
            return;
        }
        if !(moment.member)(node) {
            self.strangers.seen(node, address, moment.now_ms);
            return;
        }
        self.book.heard(node, address);
        self.revive(node, moment.now_ms);
    }

    /// A member is said to be at an address, by itself or by a token.
    pub(crate) fn heard_of(&mut self, node: NodeId, address: SocketAddr, now_ms: u64) {
        if node != self.me && self.book.heard(node, address) {
            self.revive(node, now_ms);
        }
    }

    fn revive(&mut self, node: NodeId, now_ms: u64) {
        let delay = self.first_delay(node, 0);
        self.peer(node, now_ms).pace.revive(now_ms, delay);
    }

    /// This machine has a new address: everybody may be reachable now.
    pub(crate) fn moved(&mut self, now_ms: u64) {
        let nodes: Vec<_> = self.peers.keys().copied().collect();
        for node in nodes {
            self.revive(node, now_ms);
        }
        for it in &mut self.statics {
            it.pace.revive(now_ms, 0);
        }
    }

    /// This node is in another mesh now: all that was tried in vain is tried again.
    pub(crate) fn begin_anew(&mut self, now_ms: u64) {
        self.moved(now_ms);
        self.strangers.begin_anew(now_ms);
    }

    /// A connection was made, by a dial of this node or not.
    pub(crate) fn established(
        &mut self,
        node: NodeId,
        connection: ConnectionId,
        dial: Option<DialId>,
        mine: bool,
        now_ms: u64,
    ) {
        let dialing = dial.and_then(|dial| self.dials.remove(&dial));
        if let Some(Dialing { whom: Whom::Static(at), .. }) = dialing {
            self.statics[at].found = Some(node);
        }
        let it = Connection { id: connection, mine, since_ms: now_ms, ready: None };
        self.peer(node, now_ms).connections.push(it);
    }

    /// A dial came to nothing.
    pub(crate) fn failed(&mut self, dial: DialId) {
        self.dials.remove(&dial);
    }

    /// A connection is proven; `boot` names the start of the peer's process.
    pub(crate) fn ready(&mut self, node: NodeId, connection: ConnectionId, boot: u64, now_ms: u64) {
        let peer = self.peer(node, now_ms);
        if let Some(it) = peer.connections.iter_mut().find(|it| it.id == connection) {
            it.ready = Some((now_ms, boot));
        }
    }

    /// A node was reached at an address by a dial of this node.
    pub(crate) fn reached(&mut self, node: NodeId, address: SocketAddr) {
        self.book.reached(node, address);
    }

    /// A connection is gone. If it was a link and the last, dialing begins anew. One that was never
    /// proven changes nothing: whoever refuses this node is dialed at the pace of failures.
    pub(crate) fn closed(&mut self, node: NodeId, connection: ConnectionId, now_ms: u64) {
        let delay = self.first_delay(node, REDIAL_FIRST_MS);
        let Some(peer) = self.peers.get_mut(&node) else { return };
        let was_link = peer.connections.iter().any(|it| it.id == connection && it.ready.is_some());
        peer.connections.retain(|it| it.id != connection);
        if !was_link || !peer.connections.is_empty() {
            return;
        }
        peer.pace = Pace::new(now_ms, delay);
        let me = self.me;
        for it in self.statics.iter_mut().filter(|it| it.found == Some(node)) {
            let delay = if me < node { REDIAL_FIRST_MS } else { LARGER_WAITS_MS };
            it.pace = Pace::new(now_ms, delay);
        }
    }

    /// Both ends are proven, on a connection that was made too early: the dialer dials again.
    pub(crate) fn again(&mut self, node: NodeId, address: Option<SocketAddr>, now_ms: u64) {
        if let Some(address) = address {
            self.book.reached(node, address);
        }
        let peer = self.peer(node, now_ms);
        peer.pace = Pace::new(now_ms, 0);
    }

    /// The other end will dial again in a moment.
    pub(crate) fn leave_it_to(&mut self, node: NodeId, now_ms: u64) {
        self.peer(node, now_ms).pace.postpone(now_ms, LARGER_WAITS_MS);
    }

    /// A stranger failed on a connection.
    pub(crate) fn stranger_met(&mut self, node: NodeId, from: Option<IpAddr>, now_ms: u64) {
        self.strangers.met(node, from, now_ms);
        for it in self.statics.iter_mut().filter(|it| it.found == Some(node)) {
            it.found = it.place.node;
            it.pace.postpone(now_ms, STRANGER_AT_STATIC_MS);
        }
    }

    fn dials_to(&self, whom: Whom) -> impl Iterator<Item = &Dialing> {
        self.dials.values().filter(move |it| it.whom == whom && !it.patient)
    }

    /// Whether a peer is linked, or will be in a moment.
    fn busy(&self, node: NodeId, now_ms: u64) -> bool {
        let fresh = |since_ms: u64| now_ms.saturating_sub(since_ms) < UNFINISHED_MS;
        let connections = self.peers.get(&node).map_or(&[][..], |peer| &peer.connections);
        let static_of = |at: usize| self.statics[at].found == Some(node);
        connections.iter().any(|it| it.ready.is_some() || fresh(it.since_ms))
            || self.dials.values().any(|it| {
                let this = match it.whom {
                    Whom::Member(whom) | Whom::Stranger(whom) => whom == node,
                    Whom::Static(at) => static_of(at),
                };
                this && !it.patient && fresh(it.since_ms)
            })
    }

    /// What is to be done now.
    pub(crate) fn poll(&mut self, moment: &Moment<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        self.sort_out(moment);
        self.close_surplus(moment, &mut actions);
        if moment.in_mesh {
            self.dial_statics(moment, &mut actions);
            self.dial_members(moment, &mut actions);
            self.knock(moment, &mut actions);
        }
        actions
    }

    /// Strangers that are members now become peers; peers that are none are forgotten.
    fn sort_out(&mut self, moment: &Moment<'_>) {
        for (node, addresses) in self.strangers.take(moment.member) {
            for address in addresses {
                self.heard_of(node, address, moment.now_ms);
            }
        }
        let gone: Vec<_> = self
            .peers
            .iter()
            .filter(|(node, peer)| peer.connections.is_empty() && !(moment.member)(**node))
            .map(|(node, _)| *node)
            .collect();
        for node in gone {
            self.peers.remove(&node);
            self.book.remove(&node);
        }
    }

    fn close_surplus(&self, moment: &Moment<'_>, actions: &mut Vec<Action>) {
        for (node, peer) in self.peers.iter().filter(|(_, peer)| peer.connections.len() > 1) {
            let smaller = self.me < *node;
            let found =
                surplus::surplus(&peer.connections, smaller, moment.now_ms, moment.doubtful);
            actions.extend(found.map(Action::Close));
        }
    }

    fn dial_statics(&mut self, moment: &Moment<'_>, actions: &mut Vec<Action>) {
        for at in 0..self.statics.len() {
            let it = &self.statics[at];
            let due = it.pace.due(moment.now_ms)
                && self.dials_to(Whom::Static(at)).next().is_none()
                && !it.found.is_some_and(|node| self.busy(node, moment.now_ms));
            if due && self.dials.len() < DIALS_MAX {
                let tries = self.statics[at].pace.tried(moment.now_ms, 0, &mut self.jitter);
                let target = Target::Place(self.statics[at].place.clone());
                actions.push(self.dial(Whom::Static(at), target, patient(tries), moment.now_ms));
            }
        }
    }

    fn dial_members(&mut self, moment: &Moment<'_>, actions: &mut Vec<Action>) {
        let mut due: Vec<_> = self
            .peers
            .iter()
            .filter(|(_, peer)| peer.pace.due(moment.now_ms))
            .map(|(node, peer)| (peer.pace.next_ms(), *node))
            .collect();
        due.sort_unstable();
        for (_, node) in due {
            let under_way = self.dials_to(Whom::Member(node)).count();
            let addresses = self.addresses_of(node);
            if self.dials.len() >= DIALS_MAX
                || under_way >= DIALS_PER_PEER
                || addresses.is_empty()
                || self.busy(node, moment.now_ms)
            {
                continue;
            }
            let least_ms = if self.me < node { 0 } else { LARGER_WAITS_MS };
            let Some(peer) = self.peers.get_mut(&node) else { continue };
            let tries = peer.pace.tried(moment.now_ms, least_ms, &mut self.jitter);
            let target = Target::Node(node, addresses);
            actions.push(self.dial(Whom::Member(node), target, patient(tries), moment.now_ms));
        }
    }

    /// The book's addresses of a node, but for those that are dialed as configured places.
    fn addresses_of(&self, node: NodeId) -> Vec<SocketAddr> {
        let is_static = |address: &SocketAddr| {
            self.statics.iter().any(|it| it.place.literal() == Some(*address))
        };
        self.book.of(&node).iter().filter(|address| !is_static(address)).copied().collect()
    }

    fn knock(&mut self, moment: &Moment<'_>, actions: &mut Vec<Action>) {
        let knocks = self.dials.values().filter(|it| matches!(it.whom, Whom::Stranger(_))).count();
        for _ in knocks..KNOCKS_MAX {
            let Some((node, addresses)) = self.strangers.knock(moment.now_ms) else { return };
            if !self.busy(node, moment.now_ms) {
                let target = Target::Node(node, addresses);
                actions.push(self.dial(Whom::Stranger(node), target, true, moment.now_ms));
            }
        }
    }

    fn dial(&mut self, whom: Whom, target: Target, patient: bool, now_ms: u64) -> Action {
        self.next_dial += 1;
        self.dials.insert(self.next_dial, Dialing { whom, since_ms: now_ms, patient });
        Action::Dial { dial: self.next_dial, target, patient }
    }
}

const fn patient(tries: u32) -> bool {
    tries % PATIENT_EVERY == PATIENT_EVERY - 1
}

#[cfg(test)]
mod tests;
