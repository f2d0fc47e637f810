//! Crashes before and after every commit of a few traces: healed and drained, nothing is missing,
//! nothing comes twice.

use crate::bench::{Bench, Name, Packet, body_of, edge, id, line_of, queue};
use meshmq::engine::EngineError;
use meshmq::engine::command::{Command, MessageState, Outgoing, QueueSpec, Reply, Settlement};
use meshmq::engine::message::Delivery::{self, Recoverable, Transactional};
use meshmq::engine::step::Input;
use meshmq::engine::storage::Storage;
use meshmq::engine::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use meshmq::store::FailMode;
use std::collections::BTreeSet;

/// One step of a trace. Messages go from `o` to the queue `q` of `d`.
#[derive(Clone, Copy)]
enum Op {
    Create(Delivery),
    Send(Delivery, &'static [&'static str]),
    /// Sends one message that has a minute to arrive.
    Short(Delivery, &'static str),
    Link(Name, Name),
    Cut(Name, Name),
    Settle,
    /// Delivers the next packets only.
    Packets(usize),
    Restart(Name),
    Drain,
    Pass(u64),
}

use Op::{Create, Cut, Drain, Link, Packets, Pass, Restart, Send, Settle, Short};

/// Where a run crashes: the input to an engine, counted from the start, and on which side of its
/// commit.
type Crash = Option<(usize, FailMode)>;

/// One run of a trace.
struct Run {
    b: Bench,
    crash: Crash,
    /// Inputs so far.
    inputs: usize,
    /// Those that ended in a commit.
    committed: Vec<usize>,
    links: BTreeSet<(Name, Name)>,
    sent: Vec<String>,
    consumed: Vec<String>,
}

impl Run {
    fn new(crash: Crash) -> Self {
        Self {
            b: Bench::new(&["o", "r", "d"]),
            crash,
            inputs: 0,
            committed: Vec::new(),
            links: BTreeSet::new(),
            sent: Vec::new(),
            consumed: Vec::new(),
        }
    }

    /// Counts one input. If this is where the run crashes, the engine dies of it, and starts again.
    fn crashes(&mut self, name: Name, input: impl FnOnce() -> Input) -> Option<FailMode> {
        self.inputs += 1;
        let (_, mode) = self.crash.filter(|(at, _)| *at == self.inputs)?;
        let now = self.b.now;
        let engine = self.b.engine(name);
        engine.storage().faults().fail_commit(1, mode);
        let said = engine.process(now, vec![input()]);
        assert!(matches!(said, Err(EngineError::Storage(_))), "nothing is said: {said:?}");
        self.restart(name);
        Some(mode)
    }

    fn restart(&mut self, name: Name) {
        self.b.kill(name);
        self.b.restart(name);
        let links: Vec<(Name, Name)> =
            self.links.iter().copied().filter(|&(a, b)| a == name || b == name).collect();
        links.into_iter().for_each(|(a, b)| self.b.link(a, b));
    }

    fn noting_commits<T>(&mut self, name: Name, act: impl FnOnce(&mut Bench) -> T) -> T {
        let before = self.b.engine(name).storage().stats().commits;
        let result = act(&mut self.b);
        if self.b.engine(name).storage().stats().commits > before {
            self.committed.push(self.inputs);
        }
        result
    }

    /// Delivers one packet. False if there is none.
    fn deliver(&mut self) -> bool {
        let Some(packet) = self.b.wire.pop_front() else { return false };
        let to = packet.ends().1;
        if self.crashes(to, || as_input(packet.clone())).is_none() {
            self.noting_commits(to, |b| b.deliver(packet));
        }
        true
    }

    /// Gives a command to a node. `None`: it died before its commit; `Some(None)`: after it, so
    /// that the command is obeyed and nobody has heard so.
    fn ask(&mut self, name: Name, command: Command) -> Option<Option<Reply>> {
        let input = || Input::Command { ticket: 1, command: command.clone() };
        match self.crashes(name, input) {
            Some(FailMode::Before) => None,
            Some(FailMode::After) => Some(None),
            None => Some(Some(self.noting_commits(name, |b| b.ask(name, command)).expect("done"))),
        }
    }

    /// Gives a command, and once more if nothing came of it.
    fn insist(&mut self, name: Name, command: &Command) {
        if self.ask(name, command.clone()).is_none() {
            self.ask(name, command.clone());
        }
    }

    fn send(&mut self, delivery: Delivery, bodies: &[&str], reach_within_ms: u64) {
        let of = |body: &&str| {
            let message = self.b.message("d", "q", body);
            let message = Outgoing { delivery, reach_within_ms, ..message };
            Outgoing { line: line_of(&message), ..message }
        };
        let messages = bodies.iter().map(of).collect();
        self.insist("o", &Command::Send(messages));
        self.sent.extend(bodies.iter().map(|&body| body.to_owned()));
    }

    fn drain(&mut self) {
        let command =
            || Command::Receive { queue: queue("q"), max: 1, lease_ms: 1_000, session: 1 };
        loop {
            let Some(Some(Reply::Deliveries(one))) = self.ask("d", command()) else { continue };
            let Some(one) = one.into_iter().next() else { return };
            let settle = Command::Settle { lock: one.lock, how: Settlement::Ack };
            if self.ask("d", settle).is_some() {
                self.consumed.push(body_of(&one.message.inner));
            }
        }
    }

    fn obey(&mut self, op: Op) {
        match op {
            Create(delivery) => {
                let spec = QueueSpec {
                    name: queue("q"),
                    transactional: delivery == Transactional,
                    max_messages: None,
                    max_bytes: None,
                };
                self.insist("d", &Command::CreateQueue(spec));
            }
            Send(delivery, bodies) => self.send(delivery, bodies, DAY_MS),
            Short(delivery, body) => self.send(delivery, &[body], MINUTE_MS),
            Link(a, b) => {
                self.links.insert((a, b));
                self.b.link(a, b);
            }
            Cut(a, b) => {
                self.links.remove(&(a, b));
                self.b.cut(a, b);
            }
            Settle => while self.deliver() {},
            Packets(count) => (0..count).for_each(|_| {
                self.deliver();
            }),
            Restart(name) => self.restart(name),
            Drain => self.drain(),
            Pass(ms) => self.b.pass(ms),
        }
    }

    /// Heals the mesh and lets everything come to its end.
    fn heal(&mut self) {
        self.crash = None;
        for link in [("o", "r"), ("r", "d"), ("o", "d")] {
            self.obey(Link(link.0, link.1));
        }
        for _ in 0..3 {
            self.b.pass(HOUR_MS);
            self.drain();
        }
        self.b.settle();
    }
}

fn as_input(packet: Packet) -> Input {
    match packet {
        Packet::Request { from, to, exchange, mut frames } => {
            frames.iter_mut().for_each(|frame| edge(id(to), frame));
            Input::Request { peer: id(from), exchange, frames }
        }
        Packet::Answer { from, exchange, answer, .. } => {
            Input::Answered { peer: id(from), exchange, answer }
        }
    }
}

fn run(ops: &[Op], crash: Crash) -> Run {
    let mut run = Run::new(crash);
    ops.iter().for_each(|&op| run.obey(op));
    run.heal();
    run
}

/// What was sent was received once, in order if `ordered`; or died, for certain, and was not.
fn check(run: &mut Run, ordered: bool, what: &str) {
    let dead = run.b.dead("o");
    assert!(dead.iter().all(|letter| !letter.unconfirmed), "{what}: {dead:?}");
    let dead: Vec<String> = dead.iter().map(|letter| body_of(&letter.inner)).collect();
    let mut wanted = run.sent.clone();
    let mut consumed = run.consumed.clone();
    if ordered {
        wanted.retain(|body| !dead.contains(body));
    } else {
        consumed.extend(dead);
        wanted.sort();
        consumed.sort();
    }
    assert_eq!(consumed, wanted, "{what}");
    assert_eq!(run.b.ask("o", Command::Outgoing), Ok(Reply::Outgoing(vec![])), "{what}");
    let Ok(Reply::Summary(carried)) = run.b.ask("r", Command::Summary) else { panic!("{what}") };
    assert_eq!(carried.carried, 0, "{what}");
    let said = run.b.history.len();
    run.b.pass(HOUR_MS);
    assert_eq!(run.b.history.len(), said, "{what}: {:?}", run.b.history.last());
}

/// Runs a trace once whole and once for each side of each of its commits.
fn every_crash_point(name: &str, ops: &[Op], ordered: bool) {
    let mut whole = run(ops, None);
    check(&mut whole, ordered, name);
    let points = whole.committed.clone();
    assert!(points.len() > 4, "{name} commits {} times", points.len());
    for at in points {
        for mode in [FailMode::Before, FailMode::After] {
            let mut crashed = run(ops, Some((at, mode)));
            check(&mut crashed, ordered, &format!("{name}, {mode:?} input {at}"));
        }
    }
}

const DIRECT: &[Op] = &[
    Create(Transactional),
    Send(Transactional, &["1", "2"]),
    Link("o", "d"),
    Settle,
    Drain,
    Send(Transactional, &["3"]),
    Settle,
    Drain,
    Settle,
];

const FERRY: &[Op] = &[
    Create(Transactional),
    Send(Transactional, &["1", "2"]),
    Link("o", "r"),
    Settle,
    Cut("o", "r"),
    Link("r", "d"),
    Settle,
    Drain,
    Settle,
    Cut("r", "d"),
    Link("o", "r"),
    Settle,
];

const RESTARTS: &[Op] = &[
    Create(Transactional),
    Send(Transactional, &["1"]),
    Link("o", "d"),
    Packets(5),
    Restart("o"),
    Send(Transactional, &["2"]),
    Packets(7),
    Restart("d"),
    Send(Transactional, &["3"]),
    Settle,
    Drain,
    Settle,
];

const NO_QUEUE: &[Op] = &[
    Send(Recoverable, &["1"]),
    Link("o", "d"),
    Settle,
    Create(Recoverable),
    Send(Recoverable, &["2"]),
    Settle,
    Drain,
    Settle,
];

const EXPIRY: &[Op] = &[
    Create(Transactional),
    Short(Transactional, "1"),
    Send(Transactional, &["2"]),
    Link("o", "r"),
    Settle,
    Cut("o", "r"),
    Pass(2 * MINUTE_MS),
    Link("r", "d"),
    Settle,
    Link("o", "d"),
    Settle,
    Drain,
    Settle,
];

#[test]
fn every_crash_point_drains() {
    every_crash_point("direct", DIRECT, true);
    every_crash_point("ferry", FERRY, true);
    every_crash_point("restarts", RESTARTS, true);
    every_crash_point("no queue", NO_QUEUE, false);
    every_crash_point("expiry", EXPIRY, true);
}

#[test]
fn a_failed_commit_shows_nothing_and_poisons() {
    for mode in [FailMode::Before, FailMode::After] {
        let mut b = Bench::new(&["o", "d"]);
        b.create("d", "q", false);
        b.link("o", "d");
        b.settle();
        let before = b.snapshot("o");
        b.engine("o").storage().faults().fail_commit(1, mode);
        let message = b.message("d", "q", "1");
        let message = Outgoing { line: line_of(&message), ..message };
        let send = Input::Command { ticket: 1, command: Command::Send(vec![message]) };
        let now = b.now;
        let said = b.engine("o").process(now, vec![send]);
        assert!(matches!(said, Err(EngineError::Storage(_))), "{mode:?}: {said:?}");
        for inputs in [vec![], vec![Input::LinkDown(id("d"))]] {
            assert_eq!(b.engine("o").process(now, inputs), Err(EngineError::Poisoned));
        }
        let kept = mode == FailMode::After;
        assert_eq!(b.snapshot("o") != before, kept, "{mode:?}");
        b.kill("o");
        b.restart("o");
        b.link("o", "d");
        b.settle();
        let wanted: &[&str] = if kept { &["1"] } else { &[] };
        assert_eq!(b.drain("d", "q"), wanted, "{mode:?}");
        b.settle();
        let again = b.send("o", "d", "q", Recoverable, &["2"]);
        b.settle();
        assert_eq!(b.state("o", &again[0]), MessageState::Arrived);
        assert_eq!(b.drain("d", "q"), ["2"]);
    }
}
