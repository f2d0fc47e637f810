//! The links of a mesh: requests and answers as real bytes, each some milliseconds on its way.
//!
//! Keeps the engine's contract: a request ends in one answer or in word that none will come, unless
//! the link goes down first. Signs and checks at the edge as the product does. Everything happens in
//! the order of (time, sequence). Refuses to lose anything on a link that is not cut.

use super::rng::Rng;
use crate::codec::{self, HopAnswer, HopRequest};
use crate::engine::address::NodeId;
use crate::engine::step::{Input, Output};
use crate::runtime::Handle;
use crate::security::Gatekeeper;
use crate::service::{self, LinkNews};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, broadcast};
use tokio::time::{Instant, sleep_until, timeout_at};

/// Milliseconds that a packet is on its way.
const LATENCY_MS: (u64, u64) = (1, 20);
/// Milliseconds after which an end finds its link cut.
const NOTICE_CUT_MS: (u64, u64) = (3_000, 10_000);
/// Milliseconds after which it hears that the other process is gone.
const NOTICE_DEATH_MS: (u64, u64) = (1, 200);
/// Milliseconds after which a link is made that could be.
const DIAL_MS: (u64, u64) = (10, 1_000);
/// How long an answer is waited for.
const ANSWER_TIME: Duration = Duration::from_secs(20);
/// Between two looks at whether the other end knows of the link yet.
const AGAIN: Duration = Duration::from_millis(1);

/// The way into a node while its process runs.
#[derive(Clone)]
pub(super) struct Port {
    pub(super) handle: Handle,
    pub(super) gatekeeper: Arc<Gatekeeper>,
    pub(super) news: broadcast::Sender<LinkNews>,
}

/// All links; a clone is the same ones.
#[derive(Clone)]
pub(super) struct Wire(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    planned: Notify,
}

struct State {
    rng: Rng,
    nodes: Vec<NodeId>,
    ports: Vec<Option<Port>>,
    links: Vec<Link>,
    agenda: BTreeMap<(Instant, u64), Happening>,
    sequence: u64,
    /// Who waits for an answer of whom, and to which exchange.
    waiting: BTreeSet<(usize, usize, u64)>,
    spoke_at: Instant,
}

/// A link between two nodes.
struct Link {
    ends: [usize; 2],
    cut: bool,
    /// Counts connections: what was sent on an earlier one is lost.
    connection: u64,
    stands: bool,
    /// Whether each end believes that it is up.
    up: [bool; 2],
}

enum Happening {
    Connect(usize),
    Rise { link: usize, end: usize, connection: u64 },
    Fall { link: usize, end: usize, connection: u64 },
    Arrive(Packet),
    GiveUp { from: usize, to: usize, exchange: u64 },
}

struct Packet {
    link: usize,
    connection: u64,
    from: usize,
    to: usize,
    exchange: u64,
    is_answer: bool,
    bytes: Vec<u8>,
}

/// Something for a node's engine.
type Delivery = (Port, Input);

impl Wire {
    /// The links between nodes, none of which runs yet.
    pub(super) fn new(nodes: Vec<NodeId>, links: Vec<[usize; 2]>, rng: Rng) -> Self {
        let link = |ends| Link { ends, cut: false, connection: 0, stands: false, up: [false; 2] };
        let state = State {
            rng,
            ports: nodes.iter().map(|_| None).collect(),
            nodes,
            links: links.into_iter().map(link).collect(),
            agenda: BTreeMap::new(),
            sequence: 0,
            waiting: BTreeSet::new(),
            spoke_at: Instant::now(),
        };
        Self(Arc::new(Shared { state: Mutex::new(state), planned: Notify::new() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets happen what is planned, each at its time, for ever.
    pub(super) async fn run(self) {
        loop {
            let next = self.state().agenda.first_key_value().map(|((at, _), _)| *at);
            let planned = self.0.planned.notified();
            match next {
                None => planned.await,
                Some(at) if timeout_at(at, planned).await.is_ok() => continue,
                Some(at) => sleep_until(at).await,
            }
            loop {
                let Some(delivery) = self.state().step(Instant::now()) else { break };
                if let Some((port, input)) = delivery {
                    deliver(port, input).await;
                }
            }
        }
    }

    /// The process of a node runs.
    pub(super) fn starts(&self, place: usize, port: Port) {
        let mut state = self.state();
        state.ports[place] = Some(port);
        state.dial_all();
        self.0.planned.notify_one();
    }

    /// The process of a node is gone.
    pub(super) fn dies(&self, place: usize) {
        let mut state = self.state();
        state.ports[place] = None;
        state.waiting.retain(|(from, ..)| *from != place);
        for index in 0..state.links.len() {
            let link = &mut state.links[index];
            let Some(end) = link.ends.iter().position(|node| *node == place) else { continue };
            link.up[end] = false;
            let notice = if link.cut { NOTICE_CUT_MS } else { NOTICE_DEATH_MS };
            state.breaks(index, notice);
        }
        self.0.planned.notify_one();
    }

    /// Cuts or heals the links between nodes that `between` picks.
    pub(super) fn set_cut(&self, cut: bool, between: impl Fn(usize, usize) -> bool) {
        let mut state = self.state();
        for index in 0..state.links.len() {
            let link = &mut state.links[index];
            let [one, other] = link.ends;
            if link.cut == cut || !(between(one, other) || between(other, one)) {
                continue;
            }
            link.cut = cut;
            if cut {
                state.breaks(index, NOTICE_CUT_MS);
            }
        }
        state.dial_all();
        self.0.planned.notify_one();
    }

    /// When something was last said, if nothing is on its way and no link is changing.
    pub(super) fn silent_since(&self) -> Option<Instant> {
        let state = self.state();
        let moves = |it: &Happening| !matches!(it, Happening::GiveUp { .. });
        let busy = !state.waiting.is_empty() || state.agenda.values().any(moves);
        (!busy).then_some(state.spoke_at)
    }

    /// The nodes that a node believes to be linked with.
    pub(super) fn linked(&self, place: usize) -> Vec<NodeId> {
        let state = self.state();
        let links = state.links.iter().flat_map(|link| {
            let [one, other] = link.ends;
            [(one, other, link.up[0]), (other, one, link.up[1])]
        });
        let mine = links.filter(|(own, _, up)| *own == place && *up);
        mine.map(|(_, peer, _)| state.nodes[peer]).collect()
    }

    /// What a node's engine says to others; and what is to be checked beside it.
    pub(super) fn outbound(&self, place: usize, output: Output) {
        let mut state = self.state();
        match output {
            Output::Request { peer, exchange, frames } => {
                let request = HopRequest { exchange, frames };
                state.request(place, peer, request);
            }
            Output::Answer { peer, exchange, answer } => {
                state.answer(place, peer, exchange, HopAnswer { answer });
            }
            output @ Output::Check { .. } => {
                if let Some(port) = &state.ports[place] {
                    tokio::spawn(service::check(port.handle.clone(), output));
                }
            }
            Output::Reply { .. } | Output::Event(_) => {}
        }
        self.0.planned.notify_one();
    }
}

async fn deliver(port: Port, input: Input) {
    let turned = match input {
        Input::LinkUp(node) => Some(LinkNews { node, up: true }),
        Input::LinkDown(node) => Some(LinkNews { node, up: false }),
        _ => None,
    };
    port.handle.input(input).await;
    // Nobody may be listening.
    let _ = turned.map(|turned| port.news.send(turned));
}

impl State {
    /// Takes the next thing that is due, with what it means to a node; `None` when nothing is due.
    #[allow(clippy::option_option, reason = "not everything that happens is for a node")]
    fn step(&mut self, now: Instant) -> Option<Option<Delivery>> {
        let due = self.agenda.first_entry().filter(|next| next.key().0 <= now)?.remove();
        Some(match due {
            Happening::Connect(index) => {
                self.connect(index);
                None
            }
            Happening::Rise { link, end, connection } => self.rise(link, end, connection),
            Happening::Fall { link, end, connection } => self.fall(link, end, connection),
            Happening::Arrive(packet) => self.arrive(packet),
            Happening::GiveUp { from, to, exchange } => {
                let peer = self.nodes[to];
                let waits = self.waiting.remove(&(from, to, exchange));
                self.input(from, Input::Unanswered { peer, exchange }).filter(|_| waits)
            }
        })
    }

    fn input(&self, place: usize, input: Input) -> Option<Delivery> {
        self.ports[place].clone().map(|port| (port, input))
    }

    fn plan(&mut self, after: Duration, happening: Happening) {
        self.sequence += 1;
        self.agenda.insert((Instant::now() + after, self.sequence), happening);
    }

    fn draw(&mut self, (least, most): (u64, u64)) -> Duration {
        Duration::from_millis(self.rng.between(least, most))
    }

    /// Dials wherever a link could be.
    fn dial_all(&mut self) {
        for index in 0..self.links.len() {
            if self.could_connect(index) {
                let after = self.draw(DIAL_MS);
                self.plan(after, Happening::Connect(index));
            }
        }
    }

    fn could_connect(&self, index: usize) -> bool {
        let link = &self.links[index];
        let free = !link.cut && !link.stands && link.up == [false; 2];
        free && link.ends.iter().all(|place| self.ports[*place].is_some())
    }

    fn connect(&mut self, index: usize) {
        if !self.could_connect(index) {
            return;
        }
        let link = &mut self.links[index];
        link.stands = true;
        link.connection += 1;
        let connection = link.connection;
        for end in 0..2 {
            let after = self.draw(LATENCY_MS);
            self.plan(after, Happening::Rise { link: index, end, connection });
        }
    }

    /// The connection is gone; each end that has it finds out after a while.
    fn breaks(&mut self, index: usize, notice: (u64, u64)) {
        let link = &mut self.links[index];
        link.stands = false;
        let connection = link.connection;
        for end in 0..2 {
            let after = self.draw(notice);
            self.plan(after, Happening::Fall { link: index, end, connection });
        }
    }

    fn rise(&mut self, index: usize, end: usize, connection: u64) -> Option<Delivery> {
        let link = &mut self.links[index];
        if !link.stands || link.connection != connection {
            return None;
        }
        link.up[end] = true;
        self.spoke_at = Instant::now();
        let (place, peer) = (link.ends[end], link.ends[1 - end]);
        self.input(place, Input::LinkUp(self.nodes[peer]))
    }

    fn fall(&mut self, index: usize, end: usize, connection: u64) -> Option<Delivery> {
        let link = &mut self.links[index];
        let (place, peer) = (link.ends[end], link.ends[1 - end]);
        let fell = link.connection == connection && std::mem::take(&mut link.up[end]);
        if fell {
            self.spoke_at = Instant::now();
            self.waiting.retain(|(from, to, _)| (*from, *to) != (place, peer));
        }
        if self.could_connect(index) {
            let after = self.draw(DIAL_MS);
            self.plan(after, Happening::Connect(index));
        }
        self.input(place, Input::LinkDown(self.nodes[peer])).filter(|_| fell)
    }

    fn request(&mut self, from: usize, peer: NodeId, mut request: HopRequest) {
        let Some((link, to)) = self.open(from, peer) else { return };
        let Some(port) = &self.ports[from] else { return };
        port.gatekeeper.sign_frames(&mut request.frames);
        let (exchange, bytes) = (request.exchange, codec::encode_request(&request));
        self.waiting.insert((from, to, exchange));
        self.plan(ANSWER_TIME, Happening::GiveUp { from, to, exchange });
        self.send(link, from, to, exchange, false, bytes);
    }

    fn answer(&mut self, from: usize, peer: NodeId, exchange: u64, mut answer: HopAnswer) {
        let Some((link, to)) = self.open(from, peer) else { return };
        let Some(port) = &self.ports[from] else { return };
        port.gatekeeper.sign_frames(&mut answer.answer.frames);
        self.send(link, from, to, exchange, true, codec::encode_answer(&answer));
    }

    /// The link to a neighbour, if this end believes that it is up.
    fn open(&self, from: usize, peer: NodeId) -> Option<(usize, usize)> {
        let to = self.nodes.iter().position(|node| *node == peer)?;
        let is_it = |link: &Link| link.ends == [from, to] || link.ends == [to, from];
        let index = self.links.iter().position(is_it)?;
        let end = usize::from(self.links[index].ends[1] == from);
        self.links[index].up[end].then_some((index, to))
    }

    fn send(
        &mut self,
        link: usize,
        from: usize,
        to: usize,
        exchange: u64,
        is_answer: bool,
        bytes: Vec<u8>,
    ) {
        self.spoke_at = Instant::now();
        let connection = self.links[link].connection;
        let packet = Packet { link, connection, from, to, exchange, is_answer, bytes };
        let after = self.draw(LATENCY_MS);
        self.plan(after, Happening::Arrive(packet));
    }

    fn arrive(&mut self, packet: Packet) -> Option<Delivery> {
        let link = &self.links[packet.link];
        if !link.stands || link.connection != packet.connection {
            return None;
        }
        if !link.up[usize::from(link.ends[1] == packet.to)] {
            self.plan(AGAIN, Happening::Arrive(packet));
            return None;
        }
        let Packet { from, to, exchange, is_answer, bytes, .. } = packet;
        let (port, peer) = (self.ports[to].clone()?, self.nodes[from]);
        let input = if is_answer {
            let waits = self.waiting.remove(&(to, from, exchange));
            let mut answer = codec::decode_answer(&bytes).ok().filter(|_| waits)?.answer;
            port.gatekeeper.verify_frames(&mut answer.frames, peer);
            Input::Answered { peer, exchange, answer }
        } else {
            let HopRequest { exchange, mut frames } = codec::decode_request(&bytes).ok()?;
            port.gatekeeper.verify_frames(&mut frames, peer);
            Input::Request { peer, exchange, frames }
        };
        Some((port, input))
    }
}
