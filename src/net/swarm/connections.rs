//! Connections from their making to their end, and what their sessions report.

use super::{Connection, Greeting, Links};
use crate::engine::address::NodeId;
use crate::net::ids::{node_of, socket_of};
use crate::net::session::{Ending, News, Purpose, Report, Session};
use crate::net::transport::Wire;
use crate::security::{Denial, PeerHello};
use libp2p::PeerId;
use libp2p::core::ConnectedPoint;
use libp2p::swarm::{ConnectionError, ConnectionId};
use std::net::SocketAddr;
use std::sync::Arc;

/// How long the dialed end waits for the dialer to close a connection that was made too early.
const AGAIN_MS: u64 = 5_000;
/// How long closing in good order may take.
const CLOSING_MS: u64 = 2_000;

impl Links {
    pub(super) fn on_established(
        &mut self,
        peer: PeerId,
        id: ConnectionId,
        endpoint: &ConnectedPoint,
    ) {
        let dialed = self.state.dialed.remove(&id);
        let Some(node) = node_of(&peer) else {
            // The gate lets no such key in.
            self.swarm.close_connection(id);
            return;
        };
        let now_ms = self.clock.now_ms();
        let mine = endpoint.is_dialer();
        let (dial, wire, purpose) = match dialed {
            Some(dialed) => (dialed.dial, Some(dialed.wire), dialed.purpose),
            None => (None, self.arrived(endpoint), Purpose::Listen),
        };
        let wire = wire.unwrap_or_else(|| Arc::new(Wire::new(self.clock)));
        let connection = Connection {
            node,
            peer,
            wire,
            address: endpoint.get_remote_address().clone(),
            mine,
            purpose,
            since_ms: now_ms,
            ready: false,
            close_at_ms: None,
            early: Vec::new(),
        };
        tracing::debug!(meshmq.peer = %node, server.address = %connection.address, mine, "connected");
        self.state.connections.insert(id, connection);
        self.keeper.established(node, id, dial, mine, now_ms);
    }

    fn arrived(&self, endpoint: &ConnectedPoint) -> Option<Arc<Wire>> {
        match endpoint {
            ConnectedPoint::Listener { local_addr, send_back_addr } => {
                self.wires.arrived(local_addr, send_back_addr)
            }
            ConnectedPoint::Dialer { .. } => None,
        }
    }

    /// The first stream of a connection is there: what is said on it gets a task of its own.
    pub(super) fn on_greeting(&mut self, greeting: Greeting) {
        let Greeting { connection: id, stream, peer } = greeting;
        let Some(connection) = self.state.connections.get(&id) else { return };
        let Ok(stream) = stream else {
            let (node, address) = (connection.node, connection.address.clone());
            tracing::debug!(meshmq.peer = %node, server.address = %address, "speaks no protocol of ours");
            self.give_up_stranger(id);
            self.join_attempt_over(id, None);
            self.close(id);
            return;
        };
        let greeting = Greeting { connection: id, stream: Ok(stream), peer };
        if matches!(connection.purpose, Purpose::Join(..)) {
            self.join_greeting(greeting);
        } else {
            self.start_session(greeting);
        }
    }

    pub(super) fn start_session(&mut self, greeting: Greeting) {
        let Greeting { connection: id, stream, peer } = greeting;
        let (Some(connection), Ok(stream)) = (self.state.connections.get(&id), stream) else {
            return;
        };
        let session = Session {
            connection: id,
            node: connection.node,
            stream,
            purpose: connection.purpose.clone(),
            full: self.swarm.behaviour().hop.has(&peer, id),
            wire: connection.wire.clone(),
        };
        tokio::spawn(session.run(self.around.clone()));
    }

    pub(super) fn on_report(&mut self, report: Report) {
        let Report { connection: id, node, news } = report;
        if !self.state.connections.contains_key(&id) {
            return;
        }
        match news {
            News::Ready(hello) => self.on_ready(id, node, &hello),
            News::Again(hello) => self.on_again(id, node, &hello),
            News::Joined => self.on_joined(id, node),
            News::Over(ending) => self.on_over(id, node, ending),
        }
    }

    fn on_ready(&mut self, id: ConnectionId, node: NodeId, hello: &PeerHello) {
        let now_ms = self.clock.now_ms();
        self.swarm.behaviour_mut().gate.proved(id);
        self.keeper.ready(node, id, hello.boot, now_ms);
        self.note_addresses(id, node, hello);
        if let Some(connection) = self.state.connections.get_mut(&id) {
            connection.ready = true;
            self.view.note_wire(node, connection.wire.clone());
            tracing::info!(
                meshmq.peer = %node, server.address = %connection.address, agent = %hello.agent, "link up"
            );
        }
        // A node that is killed now must find its neighbour again.
        self.keep_book();
        self.link_up(node, id, hello.boot);
    }

    fn on_again(&mut self, id: ConnectionId, node: NodeId, hello: &PeerHello) {
        let now_ms = self.clock.now_ms();
        self.swarm.behaviour_mut().gate.proved(id);
        self.note_addresses(id, node, hello);
        let Some(connection) = self.state.connections.get_mut(&id) else { return };
        if !connection.mine {
            connection.close_at_ms = Some(now_ms + AGAIN_MS);
            self.keeper.leave_it_to(node, now_ms);
            return;
        }
        let address = socket_of(&connection.address);
        self.close(id);
        self.keeper.again(node, address, now_ms);
    }

    /// Addresses that a peer tells. Loopback is meant only for those who live on the same machine.
    fn note_addresses(&mut self, id: ConnectionId, node: NodeId, hello: &PeerHello) {
        let Some(connection) = self.state.connections.get(&id) else { return };
        let remote = socket_of(&connection.address);
        let near = remote.is_some_and(|it| it.ip().is_loopback());
        let now_ms = self.clock.now_ms();
        if let Some(address) = remote.filter(|_| connection.mine) {
            self.keeper.reached(node, address);
        }
        let told = hello.addresses.iter().filter_map(|text| text.parse::<SocketAddr>().ok());
        for address in told.filter(|it| near || !it.ip().is_loopback()) {
            self.keeper.heard_of(node, address, now_ms);
        }
    }

    fn on_over(&mut self, id: ConnectionId, node: NodeId, ending: Ending) {
        let Some(connection) = self.state.connections.get(&id) else { return };
        let (peer, address) = (connection.peer, connection.address.clone());
        let stranger = !connection.ready;
        let listening = matches!(connection.purpose, Purpose::Listen);
        tracing::debug!(meshmq.peer = %node, server.address = %address, ?ending, "a session is over");
        let failed = match &ending {
            Ending::Silent(ms) => {
                tracing::info!(meshmq.peer = %node, server.address = %address, silent_ms = ms, "link dead: nothing came");
                connection.wire.cut();
                false
            }
            // That this node has nothing to prove is not the visitor's fault.
            Ending::Denied(Denial::NotInMesh) | Ending::NotKept => false,
            Ending::Denied(_) | Ending::TooLong => true,
            Ending::Closed { admitted } => !admitted,
        };
        if failed && stranger {
            if listening {
                self.swarm.behaviour_mut().gate.failed(peer, &address);
            }
            self.give_up_stranger(id);
        }
        self.join_attempt_over(id, Some(ending));
        self.close(id);
    }

    fn give_up_stranger(&mut self, id: ConnectionId) {
        let Some(connection) = self.state.connections.get(&id) else { return };
        let from = socket_of(&connection.address).map(|address| address.ip());
        if !self.door.holds(connection.node) {
            self.keeper.stranger_met(connection.node, from, self.clock.now_ms());
        }
    }

    /// Closes a connection; what depended on it ends now, not when libp2p is done.
    pub(super) fn close(&mut self, id: ConnectionId) {
        if let Some(connection) = self.state.connections.get(&id) {
            let at_ms = self.clock.now_ms() + CLOSING_MS;
            self.state.closing.push((at_ms, connection.wire.clone()));
        }
        self.swarm.close_connection(id);
        self.forget(id);
    }

    /// Cuts what did not close in good order: a dead link never does.
    pub(super) fn cut_slow_closers(&mut self, now_ms: u64) {
        self.state.closing.retain(|(at_ms, wire)| {
            let over = now_ms >= *at_ms;
            if over {
                wire.cut();
            }
            !over
        });
    }

    pub(super) fn close_node(&mut self, node: NodeId) {
        let ids: Vec<_> = self.connections_of(node).collect();
        for id in ids {
            self.close(id);
        }
    }

    pub(super) fn cut_everything(&mut self) {
        let ids: Vec<_> = self.state.connections.keys().copied().collect();
        for id in ids {
            self.close(id);
        }
    }

    pub(super) fn cut_spilled(&mut self) {
        for node in self.spilled.take() {
            tracing::warn!(meshmq.peer = %node, "too much waits to be sent: its link is cut");
            self.close_node(node);
        }
    }

    pub(super) fn on_closed(&mut self, id: ConnectionId, cause: Option<&ConnectionError>) {
        if let Some(connection) = self.state.connections.get(&id) {
            let (node, peer) = (connection.node, connection.peer);
            tracing::debug!(meshmq.peer = %node, ?cause, "connection closed");
            // It ended without a proof; its session will not be listened to any more.
            let unproven = !connection.ready && connection.close_at_ms.is_none();
            if unproven && !self.door.holds(node) {
                if !connection.mine {
                    let address = connection.address.clone();
                    self.swarm.behaviour_mut().gate.failed(peer, &address);
                }
                self.give_up_stranger(id);
            }
        }
        self.join_attempt_over(id, None);
        self.forget(id);
    }

    fn forget(&mut self, id: ConnectionId) {
        let Some(connection) = self.state.connections.remove(&id) else { return };
        let node = connection.node;
        if connection.ready {
            self.view.forget_wire(node, &connection.wire);
        }
        self.keeper.closed(node, id, self.clock.now_ms());
        match self.ready_connection(node) {
            Some(other) if connection.ready => self.show_link(node, other),
            Some(_) => {}
            None => self.link_down(node),
        }
    }

    fn connections_of(&self, node: NodeId) -> impl Iterator<Item = ConnectionId> {
        self.state.connections.iter().filter(move |(_, it)| it.node == node).map(|(id, _)| *id)
    }

    pub(super) fn ready_connection(&self, node: NodeId) -> Option<ConnectionId> {
        self.connections_of(node).find(|id| self.state.connections[id].ready)
    }

    /// Connections that took too long to prove themselves or to close.
    pub(super) fn end_overdue(&mut self, now_ms: u64) {
        let age_ms = self.unproven_age_ms;
        let overdue = |it: &Connection| match it.close_at_ms {
            Some(at_ms) => now_ms >= at_ms,
            None => !it.ready && now_ms.saturating_sub(it.since_ms) >= age_ms,
        };
        let ids: Vec<_> = self
            .state
            .connections
            .iter()
            .filter(|(_, it)| overdue(it))
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            let connection = &self.state.connections[&id];
            let (peer, address) = (connection.peer, connection.address.clone());
            if connection.close_at_ms.is_none() {
                if !connection.mine {
                    self.swarm.behaviour_mut().gate.failed(peer, &address);
                }
                self.give_up_stranger(id);
            }
            self.join_attempt_over(id, Some(Ending::TooLong));
            self.close(id);
        }
    }
}
