//! Requests and answers: between the engine's numbers and libp2p's.

use super::{Connection, Links};
use crate::codec::{HopAnswer, HopRequest};
use crate::engine::address::NodeId;
use crate::engine::frame::{Answer, Frame};
use crate::engine::step::Output;
use crate::net::forward::{Way, crosses};
use crate::net::ids::{peer_of, socket_of};
use crate::net::link::{HELD_MAX, Job, Link, OUTSTANDING_MAX, Outstanding, weight};
use crate::net::view::LinkNote;
use libp2p::request_response::{
    Event, InboundRequestId, Message, OutboundRequestId, ResponseChannel,
};
use libp2p::swarm::ConnectionId;

/// Requests on one connection that may come before this end knows it as proven.
const EARLY_MAX: usize = 8;

type HopEvent = Event<HopRequest, HopAnswer>;

/// Where the other end of a connection is.
fn place(connection: &Connection) -> String {
    let address = &connection.address;
    socket_of(address).map_or_else(|| address.to_string(), |address| address.to_string())
}

impl Links {
    /// The first proven connection makes the link; a further one only carries it too, unless it is of
    /// a later start of the peer: that one knows nothing of what was said before.
    pub(super) fn link_up(&mut self, node: NodeId, id: ConnectionId, boot: u64) {
        if self.state.links.get(&node).is_some_and(|link| link.boot != boot) {
            self.link_down(node);
        }
        if !self.state.links.contains_key(&node) {
            let former = self.state.ending.remove(&node);
            let events = self.around.events.clone();
            let address = self.state.connections.get(&id).map(place).unwrap_or_default();
            let (now_ms, door) = (self.clock.now_ms(), self.door.clone());
            let link = Link::start(node, (&address, boot), now_ms, door, events, former);
            self.state.links.insert(node, link);
            self.view.note_up(node);
        }
        self.show_link(node, id);
        let early = self.state.connections.get_mut(&id).map(|it| std::mem::take(&mut it.early));
        for (request, what, channel) in early.unwrap_or_default() {
            self.on_request(node, request, what, channel);
        }
    }

    pub(super) fn show_link(&self, node: NodeId, id: ConnectionId) {
        let (Some(link), Some(connection)) =
            (self.state.links.get(&node), self.state.connections.get(&id))
        else {
            return;
        };
        let note = LinkNote {
            address: place(connection),
            since: link.since_ms,
            wire: connection.wire.clone(),
            in_flight: link.outstanding.len(),
        };
        self.view.note_link(node, note);
    }

    /// Every exchange of the link ends with it: the engine is told by `LinkDown`.
    pub(super) fn link_down(&mut self, node: NodeId) {
        let Some(link) = self.state.links.remove(&node) else { return };
        tracing::info!(meshmq.peer = %node, "link down");
        for outstanding in link.outstanding.values() {
            self.state.requests.remove(&outstanding.request);
        }
        self.state.ending.insert(node, link.end());
        self.view.forget_link(node);
    }

    pub(super) fn on_output(&mut self, output: Output) {
        match output {
            Output::Request { peer, exchange, frames } => self.send(peer, exchange, frames),
            Output::Answer { peer, exchange, answer } => self.answer(peer, exchange, answer),
            Output::Reply { .. } | Output::Check { .. } | Output::Event(_) => {}
        }
    }

    fn send(&mut self, node: NodeId, exchange: u64, frames: Vec<Frame>) {
        // Without a link the engine has heard `LinkDown`, or will in a moment.
        let Some(link) = self.state.links.get_mut(&node) else { return };
        if link.outstanding.len() >= OUTSTANDING_MAX {
            self.spilled.add(node);
            return;
        }
        let hop = self.swarm.behaviour_mut().hop.inner();
        let connected = peer_of(&node).filter(|peer| hop.is_connected(peer));
        let Some(peer) = connected else {
            // The connection has just gone; libp2p would dial by itself.
            self.tell(node, Job::Unanswered(exchange));
            return;
        };
        let bytes = weight(&frames);
        crosses(&link.span, node, Way::Out, &frames);
        let request = hop.send_request(&peer, HopRequest { exchange, frames });
        let sent_ms = self.clock.now_ms();
        let rtt_ms = self.rtt_ms(node);
        let Some(link) = self.state.links.get_mut(&node) else { return };
        let limit_ms = link.patience.limit_ms(link.bytes_outstanding() + bytes, rtt_ms);
        let until_ms = sent_ms + limit_ms;
        link.outstanding.insert(exchange, Outstanding { request, bytes, sent_ms, until_ms });
        self.view.note_in_flight(node, link.outstanding.len());
        self.state.requests.insert(request, (node, exchange));
    }

    fn rtt_ms(&self, node: NodeId) -> u64 {
        let id = self.ready_connection(node);
        let rtt_us = id.and_then(|id| self.state.connections[&id].wire.rtt_us());
        rtt_us.unwrap_or(0) / 1_000
    }

    fn answer(&mut self, node: NodeId, exchange: u64, answer: Answer) {
        let Some(link) = self.state.links.get_mut(&node) else { return };
        if let Some((_, channel)) = link.held.remove(&exchange) {
            let hop = self.swarm.behaviour_mut().hop.inner();
            // The neighbour gave up waiting: it will ask again.
            let _ = hop.send_response(channel, HopAnswer { answer });
        }
    }

    pub(super) fn on_hop_event(&mut self, event: HopEvent) {
        match event {
            Event::Message { connection_id, message, .. } => match message {
                Message::Request { request_id, request, channel } => {
                    self.on_asked(connection_id, request_id, request, channel);
                }
                Message::Response { request_id, response } => {
                    self.on_answered(request_id, response);
                }
            },
            Event::OutboundFailure { request_id, error, .. } => {
                tracing::debug!(%error, "a request was not answered");
                if let Some((node, exchange)) = self.settle(request_id) {
                    self.tell(node, Job::Unanswered(exchange));
                }
            }
            Event::InboundFailure { request_id, error, .. } => {
                tracing::debug!(%error, "a request could not be answered");
                for link in self.state.links.values_mut() {
                    link.held.retain(|_, (request, _)| *request != request_id);
                }
            }
            Event::ResponseSent { .. } => {}
        }
    }

    fn on_asked(
        &mut self,
        id: ConnectionId,
        request: InboundRequestId,
        what: HopRequest,
        channel: ResponseChannel<HopAnswer>,
    ) {
        let Some(connection) = self.state.connections.get_mut(&id) else { return };
        if connection.ready {
            let node = connection.node;
            self.on_request(node, request, what, channel);
        } else if connection.early.len() < EARLY_MAX {
            // The neighbour knows already that both are proven; this end hears it in a moment.
            connection.early.push((request, what, channel));
        }
    }

    fn on_request(
        &mut self,
        node: NodeId,
        request: InboundRequestId,
        what: HopRequest,
        channel: ResponseChannel<HopAnswer>,
    ) {
        let Some(link) = self.state.links.get_mut(&node) else { return };
        // Dropping the channel ends the exchange: the neighbour asks again later.
        if link.held.len() >= HELD_MAX {
            tracing::warn!(meshmq.peer = %node, "too many requests wait for the engine");
            return;
        }
        self.state.next_exchange += 1;
        let exchange = self.state.next_exchange;
        if link.tell(Job::Request(exchange, what.frames)).is_ok() {
            link.held.insert(exchange, (request, channel));
        }
    }

    fn on_answered(&mut self, request: OutboundRequestId, response: HopAnswer) {
        if let Some((node, exchange)) = self.settle(request) {
            self.tell(node, Job::Answered(exchange, response.answer));
        }
    }

    /// Takes out a request of ours; whose and which it was, unless it was given up before.
    fn settle(&mut self, request: OutboundRequestId) -> Option<(NodeId, u64)> {
        let (node, exchange) = self.state.requests.remove(&request)?;
        let link = self.state.links.get_mut(&node)?;
        let it = link.outstanding.remove(&exchange)?;
        link.patience.shown(it.bytes, self.clock.now_ms().saturating_sub(it.sent_ms));
        self.view.note_in_flight(node, link.outstanding.len());
        Some((node, exchange))
    }

    fn tell(&self, node: NodeId, job: Job) {
        let Some(link) = self.state.links.get(&node) else { return };
        if link.tell(job).is_err() {
            self.spilled.add(node);
        }
    }

    /// Requests of ours that have waited for too long on a link that lives.
    pub(super) fn give_up_requests(&mut self, now_ms: u64) {
        let mut over = Vec::new();
        for (node, link) in &self.state.links {
            let late = link.outstanding.values().filter(|it| now_ms >= it.until_ms);
            over.extend(late.map(|it| (*node, it.request)));
        }
        for (node, request) in over {
            tracing::warn!(meshmq.peer = %node, "a neighbour that is alive does not answer");
            if let Some((node, exchange)) = self.settle(request) {
                self.tell(node, Job::Unanswered(exchange));
            }
        }
    }
}
