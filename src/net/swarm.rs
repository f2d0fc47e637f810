//! The one task that owns the swarm. It never waits on a disk or on the engine: everything that
//! may wait has a task of its own and reports back.

mod connections;
mod dialing;
mod exchanges;
mod joining;
pub(super) mod listening;

use super::behaviour::{Node, NodeEvent};
use super::clock::Clock;
use super::door::Door;
use super::event::NetEvent;
use super::greeter::Greeting;
use super::handle::{Order, Spilled};
use super::ids::{node_of, socket_of};
use super::keeper::{DialId, Keeper, Moment};
use super::link::Link;
use super::liveness::doubtful;
use super::session::{Purpose, Report, Surroundings};
use super::transport::{Wire, Wires};
use super::view::{StrangerNote, View};
use crate::codec::{HopAnswer, HopRequest};
use crate::engine::address::NodeId;
use crate::engine::step::Output;
use crate::security::Keep;
use futures::StreamExt;
use libp2p::request_response::{InboundRequestId, OutboundRequestId, ResponseChannel};
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, mdns};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

/// Pause between two looks at what is due.
const TICK: Duration = Duration::from_millis(100);
/// Ticks between two looks at what changes slowly.
const SLOW_TICKS: u64 = 10;
/// How long closing in good order may take at the end.
const FAREWELL: Duration = Duration::from_millis(500);
/// How long links stay after this node has left its mesh, so that the news spreads.
const LEAVING_MS: u64 = 5_000;
/// News that waits for the daemon.
pub(super) const NEWS_MAX: usize = 64;

/// A connection, proven or not.
struct Connection {
    node: NodeId,
    peer: PeerId,
    wire: Arc<Wire>,
    address: Multiaddr,
    mine: bool,
    purpose: Purpose,
    since_ms: u64,
    ready: bool,
    /// When it is closed by this end, if the other does not do it first.
    close_at_ms: Option<u64>,
    /// Requests that came before this end knew the connection as proven.
    early: Vec<(InboundRequestId, HopRequest, ResponseChannel<HopAnswer>)>,
}

/// A connection that is being made.
struct Dialed {
    dial: Option<DialId>,
    wire: Arc<Wire>,
    purpose: Purpose,
}

/// What tasks of this one report.
pub(super) enum Inner {
    Resolved { dial: DialId, node: Option<NodeId>, patient: bool, found: Vec<SocketAddr> },
    BookKept,
}

/// What the task receives.
pub(super) struct Inbox {
    pub(super) outbox: mpsc::Receiver<Output>,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) reports: mpsc::Receiver<Report>,
    pub(super) inner: mpsc::Receiver<Inner>,
}

/// The links of a node.
pub(super) struct Links {
    pub(super) swarm: Swarm<Node>,
    pub(super) clock: Clock,
    pub(super) wires: Wires,
    pub(super) door: Arc<Door>,
    pub(super) view: Arc<View>,
    pub(super) keeper: Keeper,
    pub(super) around: Arc<Surroundings>,
    pub(super) spilled: Arc<Spilled>,
    pub(super) inner: mpsc::Sender<Inner>,
    pub(super) news: mpsc::Sender<NetEvent>,
    pub(super) unproven_age_ms: u64,
    pub(super) listening: listening::Listening,
    pub(super) state: State,
}

/// What changes from moment to moment.
#[derive(Default)]
pub(super) struct State {
    connections: HashMap<ConnectionId, Connection>,
    dialed: HashMap<ConnectionId, Dialed>,
    links: BTreeMap<NodeId, Link>,
    ending: HashMap<NodeId, JoinHandle<()>>,
    /// Connections that are being closed, and when they are cut.
    closing: Vec<(u64, Arc<Wire>)>,
    requests: HashMap<OutboundRequestId, (NodeId, u64)>,
    next_exchange: u64,
    joining: Option<joining::Joining>,
    keeping_book: bool,
    left_at_ms: Option<u64>,
    ticks: u64,
}

impl Links {
    /// Runs until it is told to stop or nobody is left to tell it anything.
    pub(super) async fn run(mut self, mut inbox: Inbox) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let spilled = self.spilled.clone();
        let done = loop {
            let mut due = true;
            tokio::select! {
                event = self.swarm.select_next_some() => {
                    // What a session said before its connection closed is the better reason.
                    let mut reported = false;
                    while let Ok(report) = inbox.reports.try_recv() {
                        self.on_report(report);
                        reported = true;
                    }
                    due = self.on_swarm_event(event) || reported;
                }
                output = inbox.outbox.recv() => match output {
                    Some(output) => { self.on_output(output); due = false; }
                    None => break None,
                },
                Some(order) = inbox.orders.recv() => match order {
                    Order::Shutdown { done } => break Some(done),
                    order => self.on_order(order),
                },
                Some(report) = inbox.reports.recv() => self.on_report(report),
                Some(inner) = inbox.inner.recv() => self.on_inner(inner),
                () = spilled.notify.notified() => self.cut_spilled(),
                _ = ticks.tick() => self.on_tick(),
            }
            if due {
                self.keep_links();
            }
        };
        self.farewell(done).await;
    }

    /// Whether the keeper should look at things.
    fn on_swarm_event(&mut self, event: SwarmEvent<NodeEvent>) -> bool {
        match event {
            SwarmEvent::Behaviour(NodeEvent::Hop(event)) => {
                self.on_hop_event(event);
                return false;
            }
            SwarmEvent::Behaviour(NodeEvent::Greeter(greeting)) => self.on_greeting(greeting),
            SwarmEvent::Behaviour(NodeEvent::Mdns(event)) => self.on_mdns_event(event),
            SwarmEvent::Behaviour(NodeEvent::Gate(never)) => match never {},
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_established(peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { connection_id, cause, .. } => {
                self.on_closed(connection_id, cause.as_ref());
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                self.on_dial_failure(connection_id, &error);
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                tracing::debug!(server.address = %send_back_addr, %error, "an incoming connection failed");
            }
            SwarmEvent::NewListenAddr { listener_id, address } => {
                self.on_listening(listener_id, &address, true);
            }
            SwarmEvent::ExpiredListenAddr { listener_id, address } => {
                self.on_listening(listener_id, &address, false);
            }
            SwarmEvent::ListenerClosed { reason, addresses, .. } => {
                tracing::warn!(?reason, ?addresses, "a listener closed");
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "a listener failed"),
            _ => return false,
        }
        true
    }

    fn on_mdns_event(&mut self, event: mdns::Event) {
        // What expires is not gone: the link itself knows better, and the book is a hint.
        let mdns::Event::Discovered(found) = event else { return };
        let door = self.door.clone();
        let moment = Moment {
            now_ms: self.clock.now_ms(),
            in_mesh: door.in_mesh(),
            member: &|node| door.holds(node),
            doubtful: &|_| false,
        };
        for (peer, address) in found {
            if let (Some(node), Some(address)) = (node_of(&peer), socket_of(&address)) {
                self.keeper.discovered(node, address, &moment);
            }
        }
    }

    fn on_order(&mut self, order: Order) {
        match order {
            Order::Join { token, name, reply } => self.start_join(token, name, reply),
            Order::Reopen { gatekeeper, done } => {
                self.door.give_to(gatekeeper);
                self.tell_addresses();
                self.cut_everything();
                self.keeper.begin_anew(self.clock.now_ms());
                let _ = done.send(());
            }
            Order::Shutdown { .. } => unreachable!("the loop ends with it"),
        }
    }

    fn on_inner(&mut self, inner: Inner) {
        match inner {
            Inner::Resolved { dial, node, patient, found } => {
                self.dial_resolved(dial, node, patient, found);
            }
            Inner::BookKept => self.state.keeping_book = false,
        }
    }

    /// Asks the keeper what is due, and does it.
    fn keep_links(&mut self) {
        let door = self.door.clone();
        let clock = self.clock;
        let connections = &self.state.connections;
        let moment = Moment {
            now_ms: clock.now_ms(),
            in_mesh: door.in_mesh(),
            member: &|node| door.holds(node),
            doubtful: &|id| {
                connections.get(&id).is_some_and(|it| doubtful(it.wire.heard_ms(), &clock))
            },
        };
        for action in self.keeper.poll(&moment) {
            self.act(action);
        }
    }

    fn on_tick(&mut self) {
        self.state.ticks += 1;
        self.listening.tell_ready();
        if !self.state.ticks.is_multiple_of(SLOW_TICKS) {
            return;
        }
        let now_ms = self.clock.now_ms();
        self.end_overdue(now_ms);
        self.cut_slow_closers(now_ms);
        self.give_up_requests(now_ms);
        self.cut_former_members(now_ms);
        self.check_join(now_ms);
        self.keep_book();
        self.state.ending.retain(|_, worker| !worker.is_finished());
        let shown = self.keeper.strangers().shown(now_ms).map(|(node, stranger)| StrangerNote {
            node: *node,
            addresses: stranger.places(),
            seen: stranger.seen_ms,
        });
        self.view.note_strangers(shown.collect());
    }

    /// Links to those who were members and are none any more; all, some time after leaving.
    fn cut_former_members(&mut self, now_ms: u64) {
        if self.door.in_mesh() {
            self.state.left_at_ms = None;
        } else if !self.state.links.is_empty() {
            let left_at = *self.state.left_at_ms.get_or_insert(now_ms);
            if now_ms.saturating_sub(left_at) >= LEAVING_MS {
                self.cut_everything();
            }
            return;
        }
        let mut former = Vec::new();
        for (node, link) in &mut self.state.links {
            let member = self.door.is_member(*node);
            if link.was_member && !member {
                former.push(*node);
            }
            link.was_member |= member;
        }
        for node in former {
            tracing::info!(meshmq.peer = %node, "no member any more: its link is closed");
            self.door.forget();
            self.close_node(node);
        }
    }

    /// Makes the changes of the address book durable, one batch at a time.
    pub(super) fn keep_book(&mut self) {
        if self.state.keeping_book {
            return;
        }
        let private = self.keeper.book().changes();
        if private.is_empty() {
            return;
        }
        self.state.keeping_book = true;
        let (events, inner) = (self.around.events.clone(), self.inner.clone());
        tokio::spawn(async move {
            let (kept, result) = oneshot::channel();
            let records = Keep { private, ..Keep::default() };
            if events.send(NetEvent::Keep(records, kept)).await.is_ok() {
                // A book that was not kept is a hint lost, no more.
                let _ = result.await;
            }
            let _ = inner.send(Inner::BookKept).await;
        });
    }

    async fn farewell(mut self, done: Option<oneshot::Sender<()>>) {
        let private = self.keeper.book().changes();
        if !private.is_empty() {
            let (kept, result) = oneshot::channel();
            let records = Keep { private, ..Keep::default() };
            let events = self.around.events.clone();
            let keeping = async {
                if events.send(NetEvent::Keep(records, kept)).await.is_ok() {
                    let _ = result.await;
                }
            };
            let _ = tokio::time::timeout(FAREWELL, keeping).await;
        }
        let open: Vec<_> = self.state.connections.keys().copied().collect();
        for connection in open {
            self.swarm.close_connection(connection);
        }
        let closing = async {
            while self.swarm.network_info().num_peers() > 0 {
                self.swarm.select_next_some().await;
            }
        };
        let _ = tokio::time::timeout(FAREWELL, closing).await;
        drop(self);
        if let Some(done) = done {
            let _ = done.send(());
        }
    }
}
