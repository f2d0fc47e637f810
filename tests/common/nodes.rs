//! Nodes in one process: real gatekeepers and real links on loopback, and a stand-in for the
//! engine that notes what the links say.

use meshmq::codec::{Inner, encode_inner};
use meshmq::engine::address::{LineId, NodeId};
use meshmq::engine::frame::{Answer, Contact, Frame, Purpose, Transfer};
use meshmq::engine::ids::{Epoch, MessageId, StreamId};
use meshmq::engine::message::{Delivery, Floors, Outer, Priority, Short, Transit};
use meshmq::engine::step::{Input, Output};
use meshmq::net::{ListenAddr, NetConfig, NetEvent, NetHandle};
use meshmq::security::{
    Gatekeeper, Identity, InviteOptions, Keep, MeshId, NodeName, Token, Turn, Visitor,
};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout_at};

/// Long enough for anything on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const TTL_MS: u64 = 15 * 60_000;

/// What the links have said so far.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) inputs: Vec<Input>,
    pub(crate) kept: Vec<(String, Option<bytes::Bytes>)>,
    pub(crate) warnings: Vec<String>,
}

impl Heard {
    /// How often a link to `node` came up.
    pub(crate) fn ups(&self, node: NodeId) -> usize {
        self.inputs.iter().filter(|input| **input == Input::LinkUp(node)).count()
    }

    /// How often a link to `node` went down.
    pub(crate) fn downs(&self, node: NodeId) -> usize {
        self.inputs.iter().filter(|input| **input == Input::LinkDown(node)).count()
    }

    /// Both.
    pub(crate) fn turns(&self, node: NodeId) -> (usize, usize) {
        (self.ups(node), self.downs(node))
    }

    /// The outcome of an exchange of ours, if there is one.
    pub(crate) fn outcome(&self, number: u64) -> Option<Input> {
        let of = |input: &&Input| match input {
            Input::Answered { exchange, .. } | Input::Unanswered { exchange, .. } => {
                *exchange == number
            }
            _ => false,
        };
        self.inputs.iter().find(of).cloned()
    }

    /// Requests of neighbours.
    pub(crate) fn requests(&self) -> Vec<(NodeId, u64, Vec<Frame>)> {
        let of = |input: &Input| match input {
            Input::Request { peer, exchange, frames } => Some((*peer, *exchange, frames.clone())),
            _ => None,
        };
        self.inputs.iter().filter_map(of).collect()
    }
}

struct Seen {
    heard: Mutex<Heard>,
    changed: Notify,
}

/// A node without an engine.
pub(crate) struct TestNode {
    pub(crate) identity: Arc<Identity>,
    pub(crate) gatekeeper: Arc<Gatekeeper>,
    pub(crate) handle: NetHandle,
    seen: Arc<Seen>,
}

/// What a node is before its links start.
pub(crate) struct Member {
    pub(crate) identity: Arc<Identity>,
    pub(crate) gatekeeper: Arc<Gatekeeper>,
}

pub(crate) fn name(text: &str) -> NodeName {
    text.parse().expect("a node's name")
}

pub(crate) fn unix_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

pub(crate) fn settle(gatekeeper: &Gatekeeper, keep: &Keep) {
    keep.directory.iter().for_each(|record| gatekeeper.learned(record));
}

/// The first member of a mesh.
pub(crate) fn founder(text: &str) -> Member {
    let identity = Arc::new(Identity::ephemeral());
    let (gatekeeper, keep) =
        Gatekeeper::found(identity.clone(), &name(text), unix_ms()).expect("a mesh");
    settle(&gatekeeper, &keep);
    Member { identity, gatekeeper: Arc::new(gatekeeper) }
}

/// A node in no mesh.
pub(crate) fn unjoined() -> Member {
    let identity = Arc::new(Identity::ephemeral());
    let gatekeeper = Arc::new(Gatekeeper::unjoined(identity.clone()));
    Member { identity, gatekeeper }
}

pub(crate) fn invite(member: &Gatekeeper, addresses: Vec<SocketAddr>) -> Token {
    let options = InviteOptions { ttl_ms: TTL_MS, admin: false, addresses };
    member.invite(options, unix_ms()).expect("an admin").0
}

/// A further member of `founder`'s mesh, admitted in memory.
pub(crate) fn admitted(founder: &Member, text: &str) -> Member {
    let joiner = unjoined();
    let (inviter, me) = (founder.gatekeeper.node(), joiner.gatekeeper.node());
    let token = invite(&founder.gatekeeper, Vec::new());
    let (mut dialogue, mut saying) =
        joiner.gatekeeper.join(inviter, &token, &name(text)).expect("the right inviter");
    let mut memory = Visitor::default();
    loop {
        let reaction = founder
            .gatekeeper
            .asked(me, &mut memory, &saying, unix_ms())
            .expect("the dialogue goes on");
        if let Some(keep) = &reaction.keep {
            settle(&founder.gatekeeper, keep);
        }
        match joiner.gatekeeper.heard(&mut dialogue, &reaction.reply).expect("no denial") {
            Turn::Say(next) => saying = next,
            Turn::Joined(keep) => {
                joiner.gatekeeper.joined(&keep);
                return joiner;
            }
            Turn::Proven(_) => panic!("a join ends with a membership"),
        }
    }
}

/// A configuration for loopback: no discovery, any port.
pub(crate) fn quiet(peers: &[SocketAddr]) -> NetConfig {
    NetConfig {
        listen: vec!["127.0.0.1:0".parse::<ListenAddr>().expect("an address")],
        peers: peers.iter().map(|at| at.to_string().parse().expect("an address")).collect(),
        discovery: false,
        ..NetConfig::default()
    }
}

impl Member {
    pub(crate) fn id(&self) -> NodeId {
        self.gatekeeper.node()
    }

    /// Starts the links; requests of neighbours are answered at once if `answers`.
    pub(crate) async fn start(self, config: NetConfig, answers: bool) -> TestNode {
        let (events, queue) = mpsc::channel(64);
        let secret = self.identity.to_bytes();
        let handle = meshmq::net::start(config, secret, self.gatekeeper.clone(), events)
            .await
            .expect("links start");
        let seen = Arc::new(Seen { heard: Mutex::default(), changed: Notify::new() });
        let answering = answers.then(|| handle.clone());
        tokio::spawn(listen(queue, seen.clone(), self.gatekeeper.clone(), answering));
        TestNode { identity: self.identity, gatekeeper: self.gatekeeper, handle, seen }
    }
}

async fn listen(
    mut queue: mpsc::Receiver<NetEvent>,
    seen: Arc<Seen>,
    gatekeeper: Arc<Gatekeeper>,
    answering: Option<NetHandle>,
) {
    while let Some(event) = queue.recv().await {
        match event {
            NetEvent::Input(input) => {
                if let (Some(handle), Input::Request { peer, exchange, .. }) = (&answering, &input)
                {
                    let (peer, exchange, answer) = (*peer, *exchange, Answer::default());
                    handle.try_send(Output::Answer { peer, exchange, answer });
                }
                lock(&seen).inputs.push(input);
            }
            NetEvent::Keep(keep, kept) => {
                settle(&gatekeeper, &keep);
                lock(&seen).kept.extend(keep.private);
                let _ = kept.send(true);
            }
            NetEvent::Warning(text) => lock(&seen).warnings.push(text),
            NetEvent::Listening(_) => {}
        }
        seen.changed.notify_waiters();
    }
}

fn lock(seen: &Seen) -> MutexGuard<'_, Heard> {
    seen.heard.lock().expect("nobody panics with it")
}

impl TestNode {
    pub(crate) fn id(&self) -> NodeId {
        self.gatekeeper.node()
    }

    pub(crate) fn mesh(&self) -> Option<MeshId> {
        self.gatekeeper.mesh()
    }

    /// The first address at which it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.handle.listening()[0]
    }

    /// What was heard so far. One look at a time: it is locked meanwhile.
    pub(crate) fn heard(&self) -> MutexGuard<'_, Heard> {
        lock(&self.seen)
    }

    /// How often a link to `node` came up, and went down.
    pub(crate) fn turns(&self, node: NodeId) -> (usize, usize) {
        self.heard().turns(node)
    }

    /// Stops the links; what it was as a member remains.
    pub(crate) async fn stop(self) -> Member {
        self.handle.shutdown().await;
        Member { identity: self.identity, gatekeeper: self.gatekeeper }
    }

    /// Waits until `found` finds what it looks for in what was heard.
    pub(crate) async fn until<T>(&self, what: &str, found: impl FnMut(&Heard) -> Option<T>) -> T {
        self.until_within(PATIENCE, what, found).await
    }

    pub(crate) async fn until_within<T>(
        &self,
        limit: Duration,
        what: &str,
        mut found: impl FnMut(&Heard) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + limit;
        loop {
            let changed = self.seen.changed.notified();
            if let Some(it) = found(&self.heard()) {
                return it;
            }
            if timeout_at(deadline, changed).await.is_err() {
                panic!("{what} did not come within {limit:?}; heard: {:?}", brief(&self.heard()));
            }
        }
    }

    pub(crate) async fn link_up(&self, node: NodeId) {
        self.until("a link", |heard| (heard.ups(node) > heard.downs(node)).then_some(())).await;
    }

    pub(crate) async fn link_down(&self, node: NodeId, times: usize) {
        self.until("the end of a link", |heard| (heard.downs(node) >= times).then_some(())).await;
    }

    pub(crate) fn ask(&self, peer: NodeId, exchange: u64, frames: Vec<Frame>) {
        self.handle.try_send(Output::Request { peer, exchange, frames });
    }

    /// Asks and waits for the outcome.
    pub(crate) async fn exchange(&self, peer: NodeId, exchange: u64, frames: Vec<Frame>) -> Input {
        self.ask(peer, exchange, frames);
        self.until("an outcome", |heard| heard.outcome(exchange)).await
    }
}

fn brief(heard: &Heard) -> Vec<String> {
    let brief = |input: &Input| match input {
        Input::Request { peer, exchange, frames } => {
            format!("Request {exchange} of {peer:?}: {} frames", frames.len())
        }
        other => format!("{other:?}").chars().take(100).collect(),
    };
    heard.inputs.iter().map(brief).collect()
}

/// Waits until `holds` returns something, looking again every few milliseconds.
pub(crate) async fn until<T>(
    limit: Duration,
    what: &str,
    mut holds: impl FnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + limit;
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    loop {
        if let Some(it) = holds() {
            return it;
        }
        assert!(Instant::now() < deadline, "{what} did not come about within {limit:?}");
        looks.tick().await;
    }
}

/// A small frame.
pub(crate) fn hail() -> Frame {
    Frame::Contact(Contact {
        store: 7,
        opening: Epoch { k: 1, nonce: 2 },
        yours: None,
        directory: 3,
        room: 4,
        extensions: std::collections::BTreeMap::new(),
    })
}

/// A transfer of a message with a body of `bytes` bytes.
pub(crate) fn transfer(origin: NodeId, destination: NodeId, number: u64, bytes: usize) -> Frame {
    let inner = encode_inner(&Inner {
        queue: "q".parse().expect("a queue's name"),
        label: String::new(),
        headers: std::collections::BTreeMap::new(),
        content_type: "application/octet-stream".to_owned(),
        correlation_id: None,
        reply_to: None,
        body: noise(bytes).into(),
        extensions: std::collections::BTreeMap::new(),
    });
    let epoch = Epoch { k: 1, nonce: 2 };
    let stream = StreamId { origin, line: LineId(9), epoch };
    let outer = Outer {
        id: MessageId { stream, number },
        destination,
        delivery: Delivery::Recoverable,
        priority: Priority::default(),
        reach_within_ms: 60_000,
        ttl_ms: None,
        floors: Floors::START,
        roster: Vec::new(),
        salt: Short([5; 16]),
        size: inner.len() as u64,
        extensions: std::collections::BTreeMap::new(),
    };
    Frame::Transfer(Box::new(Transfer {
        outer,
        transit: Transit::default(),
        purpose: Purpose::Move,
        transfer: number,
        inner,
        digest: Short::default(),
        queue: None,
    }))
}

/// Bytes that no compression on the way could shorten.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    })
    .take(bytes)
    .collect()
}
