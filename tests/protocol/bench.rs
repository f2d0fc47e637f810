//! A few engines in memory, joined by links that a test cuts, holds back and replays.

use crate::disk::Disk;
use crate::edge::{edge, hash_of};
use meshmq::codec::{Inner, encode_inner};
use meshmq::engine::address::{LineId, NodeId, QueueName};
use meshmq::engine::command::{Command, InnerPart, Outgoing, QueueSpec, Reply};
use meshmq::engine::frame::{Answer, Frame};
use meshmq::engine::ids::MessageId;
use meshmq::engine::limits::{Limits, REACH_WITHIN_DEFAULT_MS};
use meshmq::engine::message::{Delivery, Priority, Short};
use meshmq::engine::rejection::Rejection;
use meshmq::engine::step::{Event, Input, Output};
use meshmq::engine::time::Timestamp;
use meshmq::engine::{Engine, Setup};
use meshmq::store::Snapshot;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The name of a node in a test.
pub(crate) type Name = &'static str;

/// A packet under way.
#[derive(Clone, Debug)]
pub(crate) enum Packet {
    Request { from: Name, to: Name, exchange: u64, frames: Vec<Frame> },
    Answer { from: Name, to: Name, exchange: u64, answer: Answer },
}

/// A mesh of engines.
pub(crate) struct Bench {
    pub(crate) now: Timestamp,
    pub(crate) engines: BTreeMap<Name, Engine<Disk>>,
    pub(crate) down: BTreeMap<Name, Disk>,
    pub(crate) links: BTreeSet<(Name, Name)>,
    pub(crate) wire: VecDeque<Packet>,
    /// Every packet that was ever sent.
    pub(crate) history: Vec<Packet>,
    pub(crate) events: Vec<(Name, Event)>,
    /// What the edge of a node has found out and not told yet.
    checks: VecDeque<(Name, Input)>,
    pub(crate) replies: BTreeMap<u64, Result<Reply, Rejection>>,
    openings: u64,
    pub(crate) exchanges: u64,
    pub(crate) limits: Limits,
    /// Whether a node may die of a failed commit; see `mortal.rs`.
    pub(crate) mortal: bool,
    /// Nodes that died of one and are not up again.
    pub(crate) fallen: BTreeSet<Name>,
    /// Everything that every engine said, in words, if it is wanted.
    pub(crate) protocol: Option<String>,
}

/// The node id of a name.
pub(crate) fn id(name: Name) -> NodeId {
    let mut bytes = [0; 32];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    NodeId::from_bytes(bytes)
}

/// A queue name.
pub(crate) fn queue(name: &str) -> QueueName {
    name.parse().expect("a queue name")
}

impl Bench {
    pub(crate) fn new(names: &[Name]) -> Self {
        let mut bench = Self {
            now: Timestamp::from_millis(1_700_000_000_000),
            engines: BTreeMap::new(),
            down: BTreeMap::new(),
            links: BTreeSet::new(),
            wire: VecDeque::new(),
            history: Vec::new(),
            events: Vec::new(),
            checks: VecDeque::new(),
            replies: BTreeMap::new(),
            openings: 0,
            exchanges: 1 << 40,
            limits: Limits::default(),
            mortal: false,
            fallen: BTreeSet::new(),
            protocol: None,
        };
        for &name in names {
            bench.open(name, Disk::default());
        }
        bench
    }

    pub(crate) fn open(&mut self, name: Name, store: Disk) {
        self.openings += 1;
        let setup = Setup {
            node: id(name),
            nonce: 0xabc0 + self.openings,
            store_id: 0x5000 + self.openings,
            seed: 7,
            wall: self.now,
            limits: self.limits.clone(),
        };
        match Engine::open(store.clone(), setup) {
            Ok(engine) => {
                self.engines.insert(name, engine);
            }
            Err(error) => self.fall(name, store, &error),
        }
    }

    fn names(&self, node: NodeId) -> Name {
        let known = self.engines.keys().chain(self.down.keys());
        known.copied().find(|name| id(name) == node).expect("a known node")
    }

    /// Feeds inputs to a node and puts what it says on the wire.
    pub(crate) fn feed(&mut self, name: Name, inputs: Vec<Input>) {
        let Some(engine) = self.engines.get_mut(name) else { return };
        match engine.process(self.now, inputs) {
            Ok(outputs) => self.spread(name, outputs),
            Err(error) => {
                let disk = engine.storage().clone();
                self.fall(name, disk, &error);
            }
        }
    }

    fn spread(&mut self, name: Name, outputs: Vec<Output>) {
        for output in outputs {
            if let Some(protocol) = &mut self.protocol {
                protocol.push_str(&format!("{name} {output:?}\n"));
            }
            let packet = match output {
                Output::Reply { ticket, result } => {
                    self.replies.insert(ticket, result);
                    continue;
                }
                Output::Event(event) => {
                    self.events.push((name, event));
                    continue;
                }
                Output::Check { id, content, len, hash } => {
                    let found = hash_of(self.engine(name).storage(), content, len);
                    let good = found == Some(hash);
                    self.checks.push_back((name, Input::Checked { id, content, good }));
                    continue;
                }
                Output::Request { peer, exchange, frames } => {
                    Packet::Request { from: name, to: self.names(peer), exchange, frames }
                }
                Output::Answer { peer, exchange, answer } => {
                    Packet::Answer { from: name, to: self.names(peer), exchange, answer }
                }
            };
            self.history.push(packet.clone());
            self.wire.push_back(packet);
        }
    }

    /// Obeys a command.
    pub(crate) fn ask(&mut self, name: Name, command: Command) -> Result<Reply, Rejection> {
        self.exchanges += 1;
        let ticket = self.exchanges;
        self.feed(name, vec![Input::Command { ticket, command }]);
        self.replies.remove(&ticket).expect("a reply in the same turn")
    }

    pub(crate) fn create(&mut self, name: Name, queue_name: &str, transactional: bool) {
        self.create_with(name, queue_name, transactional, None);
    }

    pub(crate) fn create_with(
        &mut self,
        name: Name,
        queue_name: &str,
        transactional: bool,
        max_messages: Option<u64>,
    ) {
        let spec =
            QueueSpec { name: queue(queue_name), transactional, max_messages, max_bytes: None };
        assert_eq!(self.ask(name, Command::CreateQueue(spec)), Ok(Reply::Done));
    }

    /// A message to be sent, not sent yet.
    pub(crate) fn message(&self, to: Name, queue_name: &str, body: &str) -> Outgoing {
        let inner = Inner {
            queue: queue(queue_name),
            label: String::new(),
            headers: BTreeMap::new(),
            content_type: "text/plain".into(),
            correlation_id: None,
            reply_to: None,
            body: body.as_bytes().to_vec().into(),
            extensions: BTreeMap::new(),
        };
        Outgoing {
            destination: id(to),
            queue: queue(queue_name),
            line: LineId(0),
            delivery: Delivery::Recoverable,
            priority: Priority::default(),
            reach_within_ms: REACH_WITHIN_DEFAULT_MS,
            ttl_ms: None,
            salt: Short([9; 16]),
            inner: InnerPart::Whole(encode_inner(&inner), None),
        }
    }

    /// Sends messages in one commit.
    pub(crate) fn try_send(
        &mut self,
        from: Name,
        mut messages: Vec<Outgoing>,
    ) -> Result<Vec<MessageId>, Rejection> {
        for message in &mut messages {
            message.line = line_of(message);
        }
        match self.ask(from, Command::Send(messages))? {
            Reply::Accepted(ids) => Ok(ids),
            other => panic!("not accepted: {other:?}"),
        }
    }

    /// Sends one message per body to an ordered or a plain queue.
    pub(crate) fn send(
        &mut self,
        from: Name,
        to: Name,
        queue_name: &str,
        delivery: Delivery,
        bodies: &[&str],
    ) -> Vec<MessageId> {
        let messages = bodies
            .iter()
            .map(|body| Outgoing { delivery, ..self.message(to, queue_name, body) })
            .collect();
        self.try_send(from, messages).expect("the messages are accepted")
    }

    pub(crate) fn link(&mut self, a: Name, b: Name) {
        self.links.insert((a, b));
        self.links.insert((b, a));
        self.feed(a, vec![Input::LinkUp(id(b))]);
        self.feed(b, vec![Input::LinkUp(id(a))]);
    }

    /// Cuts a link: what is under way on it is lost.
    pub(crate) fn cut(&mut self, a: Name, b: Name) {
        self.links.remove(&(a, b));
        self.links.remove(&(b, a));
        self.wire.retain(|packet| {
            let ends = packet.ends();
            ends != (a, b) && ends != (b, a)
        });
        self.feed(a, vec![Input::LinkDown(id(b))]);
        self.feed(b, vec![Input::LinkDown(id(a))]);
    }

    /// Delivers everything on the wire, and what follows from it.
    pub(crate) fn settle(&mut self) {
        let mut steps = 0;
        self.revive();
        while let Some(packet) = self.wire.pop_front() {
            steps += 1;
            assert!(steps < 20_000, "the mesh never comes to rest: {packet:?}");
            self.deliver(packet);
            self.revive();
        }
    }

    /// Lets time pass, with everything that is due in it.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.now.after(ms);
        loop {
            self.settle();
            let next = self.engines.values().filter_map(Engine::deadline).min();
            let Some(next) = next.filter(|&at| at <= end) else { break };
            self.now = self.now.max(next);
            let names: Vec<Name> = self.engines.keys().copied().collect();
            names.into_iter().for_each(|name| self.feed(name, Vec::new()));
        }
        self.now = end;
        let names: Vec<Name> = self.engines.keys().copied().collect();
        names.into_iter().for_each(|name| self.feed(name, Vec::new()));
        self.settle();
    }

    /// Delivers one packet, with the work of the receiver's edge.
    pub(crate) fn deliver(&mut self, packet: Packet) {
        match packet {
            Packet::Request { from, to, exchange, mut frames } => {
                frames.iter_mut().for_each(|frame| edge(id(to), frame));
                let peer = id(from);
                self.feed(to, vec![Input::Request { peer, exchange, frames }]);
            }
            Packet::Answer { from, to, exchange, answer } => {
                let peer = id(from);
                self.feed(to, vec![Input::Answered { peer, exchange, answer }]);
            }
        }
        while let Some((name, input)) = self.checks.pop_front() {
            if self.engines.contains_key(name) {
                self.feed(name, vec![input]);
            }
        }
    }

    /// Says frames to a node once more, as a neighbour would.
    pub(crate) fn say(&mut self, from: Name, to: Name, frames: Vec<Frame>) {
        self.exchanges += 1;
        let exchange = self.exchanges;
        self.deliver(Packet::Request { from, to, exchange, frames });
    }

    /// Kills a node: memory is gone, the committed store stays.
    pub(crate) fn kill(&mut self, name: Name) {
        let engine = self.engines.remove(name).expect("a running node");
        let store = engine.into_storage();
        store.crash();
        self.down.insert(name, store);
        self.wire.retain(|packet| packet.ends().0 != name && packet.ends().1 != name);
        let peers: Vec<Name> =
            self.links.iter().filter(|(a, _)| *a == name).map(|&(_, b)| b).collect();
        for peer in peers {
            self.links.remove(&(name, peer));
            self.links.remove(&(peer, name));
            self.feed(peer, vec![Input::LinkDown(id(name))]);
        }
    }

    pub(crate) fn restart(&mut self, name: Name) {
        self.now = self.now.after(1);
        let store = self.down.remove(name).expect("a killed node");
        self.open(name, store);
    }

    /// Kills a node and starts it with an empty store.
    pub(crate) fn wipe(&mut self, name: Name) {
        self.kill(name);
        self.down.insert(name, Disk::default());
        self.restart(name);
    }

    pub(crate) fn snapshot(&self, name: Name) -> Snapshot {
        self.engines[name].storage().snapshot()
    }

    /// Kills a node and starts it with an old image of its store.
    pub(crate) fn restore(&mut self, name: Name, snapshot: &Snapshot) {
        self.kill(name);
        self.down[name].restore(snapshot);
        self.restart(name);
    }

    pub(crate) fn engine(&mut self, name: Name) -> &mut Engine<Disk> {
        self.engines.get_mut(name).expect("a running node")
    }
}

impl Packet {
    pub(crate) const fn ends(&self) -> (Name, Name) {
        match self {
            Self::Request { from, to, .. } | Self::Answer { from, to, .. } => (from, to),
        }
    }

    pub(crate) fn frames(&self) -> &[Frame] {
        match self {
            Self::Request { frames, .. } => frames,
            Self::Answer { answer, .. } => &answer.frames,
        }
    }
}

/// A line number of destination, queue, delivery and priority.
pub(crate) fn line_of(message: &Outgoing) -> LineId {
    let text = format!(
        "{}/{}/{:?}/{:?}",
        message.destination,
        message.queue.folded(),
        message.delivery,
        message.priority
    );
    LineId(text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    }))
}
