//! The wire between nodes: connections that come and go, requests and answers as real bytes.
//!
//! Keeps the engine's contract: every request ends in exactly one answer or in word that none will
//! come, unless the link goes down first. Fills in what the edge fills in: digest and queue.

use super::{Happening, Stop, World};
use crate::checkers::{Violation, bounded};
use crate::network::End;
use crate::scenario::Place;
use crate::trace;
use meshmq::codec::{self, HopAnswer, HopRequest};
use meshmq::engine::address::NodeId;
use meshmq::engine::frame::{Answer, Frame};
use meshmq::engine::step::Input;
use std::rc::Rc;

/// Bytes on their way.
#[derive(Clone)]
pub(super) struct Packet {
    from: Place,
    to: Place,
    /// The receiving process: a packet does not outlive it.
    life: u64,
    /// Number of the exchange; the sender's own for a request, the receiver's for an answer.
    exchange: u64,
    is_answer: bool,
    bytes: Rc<[u8]>,
}

impl World<'_> {
    /// A node asks a neighbour.
    pub(super) fn request(
        &mut self,
        place: Place,
        peer: NodeId,
        exchange: u64,
        mut frames: Vec<Frame>,
    ) -> Result<(), Stop> {
        let name = self.name(place);
        self.mark(place, &mut frames);
        self.seals.sign(place, &mut frames);
        let request = HopRequest { exchange, frames };
        let bytes = codec::encode_request(&request);
        self.hash(place, &format_args!("{peer:?} {exchange} request"));
        self.digest.update(&bytes);
        let Some((to, link, connection)) = self.open_link(place, peer) else { return Ok(()) };
        let other = self.name(to);
        self.trace.note(self.now, || {
            format!("{name} asks {other} #{exchange}: {}", trace::frames(&request.frames))
        });
        self.exchanges.insert((place, to, exchange), connection);
        let waiting = self.exchanges.range((place, to, 0)..=(place, to, u64::MAX)).count();
        bounded::in_flight(waiting)?;
        let wire_ms = self.network.wire_ms(link, place, bytes.len(), self.now);
        let patience = self.scenario.timing.answer_within_ms + 4 * wire_ms;
        self.after(patience, Happening::GiveUp { from: place, peer: to, exchange });
        self.send_packet(link, place, to, exchange, false, bytes.into());
        Ok(())
    }

    /// A node answers a neighbour.
    pub(super) fn answer(
        &mut self,
        place: Place,
        peer: NodeId,
        exchange: u64,
        mut answer: Answer,
    ) -> Result<(), Stop> {
        let name = self.name(place);
        self.mark(place, &mut answer.frames);
        self.seals.sign(place, &mut answer.frames);
        let line = trace::answer(&answer);
        let bytes = codec::encode_answer(&HopAnswer { answer });
        self.hash(place, &format_args!("{peer:?} {exchange} answer"));
        self.digest.update(&bytes);
        let asker = self.askers.remove(&(place, peer, exchange));
        let Some((to, link, _)) = self.open_link(place, peer) else { return Ok(()) };
        if asker.is_some_and(|asker| asker != to) {
            return Ok(());
        }
        let other = self.name(to);
        self.trace.note(self.now, || format!("{name} answers {other} #{exchange}: {line}"));
        self.send_packet(link, place, to, exchange, true, bytes.into());
        Ok(())
    }

    /// The link to a neighbour, if this end believes that it is up.
    fn open_link(&mut self, place: Place, peer: NodeId) -> Option<(Place, usize, u64)> {
        let to = self.ledger.place(peer)?;
        let twins = self.scenario.twins.iter().filter(|(_, of)| **of == to);
        let open = |to: Place| {
            let link = self.network.between(place, to)?;
            match *self.network.link(link).end(place) {
                End::Up(connection) => Some((to, link, connection)),
                End::Down | End::Rising(..) => None,
            }
        };
        std::iter::once(to).chain(twins.map(|(twin, _)| *twin)).find_map(open)
    }

    fn send_packet(
        &mut self,
        link: usize,
        from: Place,
        to: Place,
        exchange: u64,
        is_answer: bool,
        bytes: Rc<[u8]>,
    ) {
        self.tally.packets += 1;
        self.last_packet = self.now;
        let arrivals = self.network.verdict(link, from, bytes.len(), self.now);
        if arrivals.is_empty() {
            self.lost_packet(from, to, exchange);
        }
        let life = self.machines[to].life;
        for at in arrivals {
            let bytes = Rc::clone(&bytes);
            let packet = Packet { from, to, life, exchange, is_answer, bytes };
            self.at(at, Happening::Arrive(packet));
        }
    }

    fn lost_packet(&mut self, from: Place, to: Place, exchange: u64) {
        self.tally.lost_packets += 1;
        let (name, other) = (self.name(from), self.name(to));
        self.trace.note(self.now, || format!("packet #{exchange} from {name} to {other} is lost"));
    }

    pub(super) fn arrive(&mut self, packet: Packet) -> Result<(), Stop> {
        let (from, to) = (packet.from, packet.to);
        let Some(index) = self.network.between(from, to) else { return Ok(()) };
        let link = self.network.link(index);
        let end = *link.end(to);
        let machine = &self.machines[to];
        let listens = machine.life == packet.life && machine.nap.is_none();
        let arrives = link.carries_from(from) && listens;
        match end {
            End::Rising(_, at) if arrives => {
                self.at(at, Happening::Arrive(packet));
                Ok(())
            }
            End::Up(_) if arrives => self.deliver(packet),
            _ => {
                self.lost_packet(from, to, packet.exchange);
                Ok(())
            }
        }
    }

    fn deliver(&mut self, packet: Packet) -> Result<(), Stop> {
        let Packet { from, to, exchange, .. } = packet;
        let peer = self.machines[from].node;
        let refused = |error| Stop::Safety(bounded::refused(&error));
        if packet.is_answer {
            if self.exchanges.remove(&(to, from, exchange)).is_some() {
                let answer = codec::decode_answer(&packet.bytes).map_err(refused)?.answer;
                self.check_seals(from, &answer.frames)?;
                self.input(to, Input::Answered { peer, exchange, answer });
            }
            return Ok(());
        }
        let mut request = codec::decode_request(&packet.bytes).map_err(refused)?;
        self.check_seals(from, &request.frames)?;
        let me = self.machines[to].node;
        request.frames.iter_mut().for_each(|frame| complete(frame, me));
        let (exchange, frames) = (request.exchange, request.frames);
        if !self.scenario.twins.is_empty() {
            self.askers.insert((to, peer, exchange), from);
        }
        self.input(to, Input::Request { peer, exchange, frames });
        Ok(())
    }

    fn check_seals(&self, from: Place, frames: &[Frame]) -> Result<(), Stop> {
        self.check_marks(from, frames)?;
        if self.seals.are_good(frames) {
            return Ok(());
        }
        let what = format!("{} passes on a statement with a bad signature", self.name(from));
        Err(Violation::general("G6 blind couriers", what).into())
    }

    /// No answer came in time.
    pub(super) fn give_up(&mut self, from: Place, to: Place, exchange: u64) -> Result<(), Stop> {
        if self.exchanges.remove(&(from, to, exchange)).is_some() {
            let peer = self.machines[to].node;
            let (name, other) = (self.name(from), self.name(to));
            self.trace.note(self.now, || format!("{name} has no answer from {other} #{exchange}"));
            self.input(from, Input::Unanswered { peer, exchange });
        }
        Ok(())
    }

    /// Directions are cut or heal: ends become suspicious, or dial.
    pub(super) fn set_cut(&mut self, directions: &[(Place, Place)], cut: bool) {
        for &(from, to) in directions {
            let Some(index) = self.network.between(from, to) else { continue };
            if !self.network.link(index).set_cut(from, cut) {
                continue;
            }
            self.trace.record(|record| record.cut(self.now, from, to, cut));
            if self.network.link(index).is_whole() {
                self.plan_connection(index);
            } else {
                let cuts = Some(self.network.link(index).cuts);
                self.plan_suspicion(index, from, cuts, self.scenario.timing.detect);
                self.plan_suspicion(index, to, cuts, self.scenario.timing.detect);
            }
        }
    }

    /// The process at one end is gone: the other end's system says so soon.
    pub(super) fn disconnected(&mut self, index: usize, gone: Place) {
        let link = self.network.link(index);
        link.stands = false;
        let other = link.other(gone);
        let soon = crate::scenario::Span::ms(1, 200);
        let detect = if link.is_whole() { soon } else { self.scenario.timing.detect };
        self.plan_suspicion(index, other, None, detect);
    }

    pub(super) fn plan_suspicion(
        &mut self,
        index: usize,
        place: Place,
        cuts: Option<u64>,
        after: crate::scenario::Span,
    ) {
        let (End::Up(connection) | End::Rising(connection, _)) =
            *self.network.link(index).end(place)
        else {
            return;
        };
        let ms = self.draw(after);
        self.after(ms, Happening::Suspect { link: index, place, connection, cuts });
    }

    /// An end notices that its connection is dead, unless it has healed in the meantime.
    pub(super) fn suspect(
        &mut self,
        index: usize,
        place: Place,
        connection: u64,
        cuts: Option<u64>,
    ) -> Result<(), Stop> {
        let link = self.network.link(index);
        let present = match *link.end(place) {
            End::Up(present) | End::Rising(present, _) => present == connection,
            End::Down => false,
        };
        let asleep = self.machines[place].nap.is_some();
        if !present || asleep || cuts.is_some_and(|cuts| cuts != link.cuts) {
            return Ok(());
        }
        let was_up = matches!(link.end(place), End::Up(_));
        *link.end(place) = End::Down;
        if link.connection == connection {
            link.stands = false;
        }
        let other = link.other(place);
        self.drop_exchanges(place, other);
        let (name, peer) = (self.name(place), self.name(other));
        self.trace.note(self.now, || format!("{name} finds its link to {peer} dead"));
        self.trace.record(|record| record.link(self.now, place, other, false));
        let node = self.machines[other].node;
        if was_up && self.open_link(place, node).is_none() {
            self.input(place, Input::LinkDown(node));
        }
        self.plan_connection(index);
        Ok(())
    }

    /// Requests of a node to another will have no answer any more.
    fn drop_exchanges(&mut self, place: Place, other: Place) {
        let to = (place, other, 0)..=(place, other, u64::MAX);
        let open: Vec<(Place, Place, u64)> =
            self.exchanges.range(to).map(|(&key, _)| key).collect();
        open.iter().for_each(|key| _ = self.exchanges.remove(key));
    }

    /// Dials, if a connection could be made.
    pub(super) fn plan_connection(&mut self, index: usize) {
        if self.could_connect(index) {
            let ms = self.draw(self.scenario.timing.redial);
            self.after(ms, Happening::Connect(index));
        }
    }

    fn could_connect(&mut self, index: usize) -> bool {
        let link = self.network.link(index);
        let (a, b) = link.plan.ends;
        let free = link.is_whole() && !link.stands;
        free && self.machines[a].is_awake() && self.machines[b].is_awake()
    }

    /// A connection is made; each end knows of it when its part of the handshake is over.
    pub(super) fn connect(&mut self, index: usize) -> Result<(), Stop> {
        if !self.could_connect(index) {
            return Ok(());
        }
        let link = self.network.link(index);
        link.stands = true;
        link.connection += 1;
        let (connection, ends) = (link.connection, link.plan.ends);
        let latencies = [link.from(ends.1).latency, link.from(ends.0).latency];
        for (place, latency) in [ends.0, ends.1].into_iter().zip(latencies) {
            let at = self.now + self.draw(latency);
            *self.network.link(index).end(place) = End::Rising(connection, at);
            self.at(at, Happening::Rise { link: index, place, connection });
        }
        Ok(())
    }

    /// The connection is there for one end. What it had sent on an earlier one is lost.
    pub(super) fn rise(&mut self, index: usize, place: Place, connection: u64) -> Result<(), Stop> {
        let link = self.network.link(index);
        if !matches!(*link.end(place), End::Rising(rising, _) if rising == connection) {
            return Ok(());
        }
        let other = link.other(place);
        self.make_way(place, other);
        *self.network.link(index).end(place) = End::Up(connection);
        self.drop_exchanges(place, other);
        let (name, peer) = (self.name(place), self.name(other));
        self.trace.note(self.now, || format!("{name} has a link to {peer}"));
        self.trace.record(|record| record.link(self.now, place, other, true));
        let node = self.machines[other].node;
        self.input(place, Input::LinkUp(node));
        Ok(())
    }
}

impl World<'_> {
    /// A node has one connection with an identity: one to the other machine of it gives way.
    fn make_way(&mut self, place: Place, other: Place) {
        let identity = self.scenario.identity(other);
        let machines = self.scenario.twins.iter().filter(|(_, of)| **of == identity);
        let machines: Vec<Place> =
            machines.map(|(twin, _)| *twin).chain([identity]).filter(|m| *m != other).collect();
        for machine in machines {
            let Some(index) = self.network.between(place, machine) else { continue };
            if *self.network.link(index).end(place) != End::Down {
                *self.network.link(index).end(place) = End::Down;
                self.drop_exchanges(place, machine);
                self.disconnected(index, place);
            }
        }
    }
}

/// Fills in what is worked out at the edge of a node.
fn complete(frame: &mut Frame, me: NodeId) {
    match frame {
        Frame::Transfer(transfer) => {
            let hash = codec::content_hash(&transfer.inner);
            transfer.digest = codec::digest(&transfer.outer, &hash);
            if transfer.outer.destination == me {
                let inner = codec::decode_inner(&transfer.inner);
                transfer.queue = inner.ok().map(|inner| inner.queue);
            }
        }
        Frame::Part(part) => {
            let outer = &part.transfer.outer;
            part.transfer.digest = codec::digest(outer, &part.hash);
            if outer.destination == me && part.offset == 0 {
                let head = codec::decode_inner_head(&part.bytes, outer.size);
                part.transfer.queue = head.ok().map(|(inner, _)| inner.queue);
            }
        }
        _ => {}
    }
}
