//! Every commit of every trace fails once before and once after it is durable; the node is started
//! again, the mesh is healed, and everything must end well.

use crate::bench::{Bench, Name, line_of, queue};
use crate::edge::body_of;
use meshmq::engine::command::{Command, MessageState, Outgoing, QueueSpec, Reply, Settlement};
use meshmq::engine::ids::MessageId;
use meshmq::engine::message::Delivery::{self, Recoverable, Transactional};
use meshmq::engine::message::Short;
use meshmq::engine::rejection::Rejection;
use meshmq::engine::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};
use meshmq::store::FailMode;

/// The nodes of every trace: an origin, a relay, a destination.
const NODES: [Name; 3] = ["o", "r", "d"];

/// A trace under way, with what the programs at both ends know.
struct Trace {
    b: Bench,
    /// Bodies and ids of what was accepted, in the order of sending.
    accepted: Vec<(String, MessageId)>,
    /// Bodies of sends that were never answered.
    unknown: Vec<String>,
    /// Received for certain, in this order.
    received: Vec<String>,
    /// Acknowledged without an answer: they may come once more.
    perhaps: Vec<String>,
}

impl Trace {
    fn new(transactional: bool, max_messages: Option<u64>) -> Self {
        let mut b = Bench::new(&NODES);
        b.create_with("d", "q", transactional, max_messages);
        b.mortal = true;
        let (accepted, unknown) = (Vec::new(), Vec::new());
        Self { b, accepted, unknown, received: Vec::new(), perhaps: Vec::new() }
    }

    fn send(&mut self, delivery: Delivery, reach_within_ms: u64, bodies: &[&str]) {
        self.send_to("q", delivery, reach_within_ms, bodies);
    }

    fn send_to(&mut self, to: &str, delivery: Delivery, reach_within_ms: u64, bodies: &[&str]) {
        let of = |body: &&str| {
            let plain = self.b.message("d", to, body);
            let message = Outgoing { delivery, reach_within_ms, ..plain };
            Outgoing { line: line_of(&message), ..message }
        };
        let messages = bodies.iter().map(of).collect();
        self.accepted(bodies, Command::Send(messages));
    }

    fn accepted(&mut self, bodies: &[&str], command: Command) {
        let bodies = bodies.iter().map(ToString::to_string);
        match self.b.try_ask("o", command) {
            Some(Ok(Reply::Accepted(ids))) => self.accepted.extend(bodies.zip(ids)),
            None => self.unknown.extend(bodies),
            Some(other) => panic!("not accepted: {other:?}"),
        }
    }

    /// Receives and acknowledges at most so many.
    fn consume(&mut self, max: usize) {
        let command = Command::Receive { queue: queue("q"), max, lease_ms: SECOND_MS, session: 1 };
        let delivered = match self.b.try_ask("d", command) {
            Some(Ok(Reply::Deliveries(delivered))) => delivered,
            None | Some(Err(Rejection::NoSuchQueue(_))) => return,
            Some(other) => panic!("nothing delivered: {other:?}"),
        };
        for one in delivered {
            let body = body_of(&one.message.inner);
            let settle = Command::Settle { lock: one.lock, how: Settlement::Ack };
            match self.b.try_ask("d", settle) {
                Some(Ok(Reply::Settled(_))) => self.received.push(body),
                None => self.perhaps.push(body),
                Some(Err(Rejection::LockGone)) => {}
                Some(other) => panic!("not settled: {other:?}"),
            }
        }
    }

    fn link(&mut self, one: Name, two: Name) {
        self.b.link(one, two);
        self.b.settle();
    }

    fn meet(&mut self, one: Name, two: Name) {
        self.link(one, two);
        self.b.cut(one, two);
        self.b.settle();
    }

    fn bounce(&mut self, name: Name) {
        self.b.revive();
        self.b.kill(name);
        self.b.restart(name);
        self.b.settle();
    }

    /// Faults stop, everything is linked, and time passes.
    fn heal(&mut self) {
        self.b.settle();
        NODES.into_iter().for_each(|node| self.b.disk(node).faults().fail_next_commits(0));
        self.b.mortal = false;
        for (one, two) in [("o", "r"), ("r", "d"), ("o", "d")] {
            self.b.cut(one, two);
            self.b.link(one, two);
        }
        self.b.settle();
        for _ in 0..6 {
            self.consume(256);
            self.b.pass(5 * MINUTE_MS);
        }
    }

    /// Judges the end: G2, G3, G4 and G10, and that nothing is left over.
    fn judge(&mut self, ordered: bool, case: &str) {
        self.heal();
        let position = |body: &String| self.accepted.iter().position(|(sent, _)| sent == body);
        let known = self.received.iter().filter_map(position);
        assert!(!ordered || known.is_sorted(), "{case}: out of order: {:?}", self.received);
        for body in &self.unknown {
            assert!(self.times(body) <= 1, "{case}: {body} came twice");
        }
        for (body, id) in self.accepted.clone() {
            let perhaps = self.perhaps.contains(&body);
            let state = self.b.ask("o", Command::State(id.reference()));
            let times = self.times(&body);
            match state {
                Ok(Reply::State(MessageState::Dead(reason))) => {
                    assert_eq!(times, 0, "{case}: {body} is dead of {reason:?}");
                }
                // The account is forgotten when it is settled and several openings old.
                Ok(Reply::State(MessageState::Received | MessageState::Arrived))
                | Err(Rejection::NoSuchMessage) => {
                    assert!(
                        times == 1 || perhaps && times == 0,
                        "{case}: {body} came {times} times"
                    );
                }
                other => panic!("{case}: {body} is {other:?} at the end"),
            }
        }
        self.b.assert_drained(&NODES);
    }

    fn times(&self, body: &str) -> usize {
        self.received.iter().filter(|received| *received == body).count()
    }
}

fn straight(t: &mut Trace) {
    t.link("o", "d");
    t.send(Transactional, DAY_MS, &["1", "2"]);
    t.b.settle();
    t.consume(1);
    t.send(Transactional, DAY_MS, &["3"]);
    t.b.settle();
    t.consume(9);
    t.b.settle();
}

fn plain(t: &mut Trace) {
    t.send(Recoverable, DAY_MS, &["1", "2", "3"]);
    t.link("o", "d");
    t.consume(2);
    t.b.settle();
}

fn restarts(t: &mut Trace) {
    t.send(Transactional, DAY_MS, &["1", "2"]);
    t.bounce("o");
    t.send(Transactional, DAY_MS, &["3"]);
    t.link("o", "d");
    t.bounce("d");
    t.link("o", "d");
    t.consume(9);
    t.b.settle();
    t.bounce("o");
    t.send(Transactional, DAY_MS, &["4"]);
    t.link("o", "d");
}

fn ferry(t: &mut Trace) {
    t.send(Transactional, DAY_MS, &["1", "2"]);
    t.meet("o", "r");
    t.send(Transactional, DAY_MS, &["3"]);
    t.meet("r", "d");
    t.meet("o", "r");
    t.consume(1);
    t.meet("r", "d");
    t.meet("o", "r");
}

fn live_path(t: &mut Trace) {
    t.link("o", "r");
    t.link("r", "d");
    t.send(Transactional, DAY_MS, &["1", "2"]);
    t.b.settle();
    t.consume(9);
    t.b.settle();
    t.bounce("r");
    t.link("o", "r");
    t.link("r", "d");
    t.send(Transactional, DAY_MS, &["3"]);
    t.b.settle();
}

fn expiry(t: &mut Trace) {
    t.send(Transactional, MINUTE_MS, &["1"]);
    t.send(Transactional, DAY_MS, &["2"]);
    t.b.link("o", "d");
    t.b.intercept("o", "d");
    t.b.cut("o", "d");
    t.meet("o", "r");
    t.b.pass(2 * MINUTE_MS);
    t.meet("r", "d");
    t.link("o", "d");
}

fn certain_death(t: &mut Trace) {
    t.send(Transactional, MINUTE_MS, &["1"]);
    t.send(Transactional, DAY_MS, &["2"]);
    t.b.pass(2 * MINUTE_MS);
    t.send(Transactional, DAY_MS, &["3"]);
    t.meet("o", "r");
    t.meet("r", "d");
}

fn narrow(t: &mut Trace) {
    t.send(Transactional, DAY_MS, &["1", "2", "3"]);
    t.b.link("o", "d");
    let mut caught = t.b.intercept("o", "d");
    t.b.cut("o", "d");
    t.link("r", "d");
    caught.reverse();
    for frame in &caught {
        t.b.say("r", "d", vec![frame.clone()]);
        t.b.settle();
    }
    t.link("o", "d");
    t.consume(1);
    t.b.pass(2 * SECOND_MS);
    t.consume(1);
    t.b.pass(2 * SECOND_MS);
}

fn refused(t: &mut Trace) {
    t.link("o", "d");
    t.send_to("missing", Recoverable, DAY_MS, &["1", "2"]);
    t.b.settle();
    let letters = t.b.try_ask("o", Command::DeadLetters { after: None, max: 9 });
    let Some(Ok(Reply::DeadLetters(letters))) = letters else { return };
    let name = queue("missing");
    let spec = QueueSpec { name, transactional: false, max_messages: None, max_bytes: None };
    t.b.try_ask("d", Command::CreateQueue(spec));
    for letter in letters {
        let retry = |may_duplicate| Command::RetryDead {
            letter: letter.letter,
            may_duplicate,
            salt: Short([7; 16]),
        };
        t.b.try_ask("o", retry(false));
        t.b.settle();
    }
}

fn dropped_queue(t: &mut Trace) {
    t.send(Transactional, DAY_MS, &["1", "2", "3"]);
    t.b.link("o", "d");
    let caught = t.b.intercept("o", "d");
    t.b.cut("o", "d");
    t.link("r", "d");
    for frame in &caught[caught.len().min(1)..] {
        t.b.say("r", "d", vec![frame.clone()]);
        t.b.settle();
    }
    t.b.try_ask("d", Command::DropQueue(queue("q")));
    t.link("o", "d");
}

type Play = fn(&mut Trace);

/// Trace, whether its queue is transactional, the queue's quota.
const TRACES: [(&str, Play, bool, Option<u64>); 10] = [
    ("straight", straight, true, None),
    ("plain", plain, false, None),
    ("restarts", restarts, true, None),
    ("ferry", ferry, true, None),
    ("live path", live_path, true, None),
    ("expiry", expiry, true, None),
    ("certain death", certain_death, true, None),
    ("narrow", narrow, true, Some(1)),
    ("refused", refused, false, None),
    ("dropped queue", dropped_queue, true, None),
];

#[test]
fn every_crash_point_drains() {
    let mut crashes = 0;
    for (name, play, transactional, quota) in TRACES {
        let mut whole = Trace::new(transactional, quota);
        let before = NODES.map(|node| whole.b.disk(node).commits());
        play(&mut whole);
        let commits = NODES.map(|node| whole.b.disk(node).commits());
        whole.judge(transactional, name);
        for ((node, from), to) in NODES.into_iter().zip(before).zip(commits) {
            for nth in 1..=to - from {
                for mode in [FailMode::Before, FailMode::After] {
                    let mut t = Trace::new(transactional, quota);
                    t.b.disk(node).faults().fail_commit(nth, mode);
                    play(&mut t);
                    t.judge(transactional, &format!("{name}, commit {nth} of {node}, {mode:?}"));
                    crashes += 1;
                }
            }
        }
    }
    assert!(crashes > 300, "only {crashes} crashes");
}

#[test]
fn every_crash_point_of_a_long_day_drains() {
    let mut t = Trace::new(true, Some(2));
    for n in 0..40_u64 {
        for (place, node) in NODES.into_iter().enumerate() {
            let mode = if n % 2 == 0 { FailMode::Before } else { FailMode::After };
            t.b.disk(node).faults().fail_commit(1 + (n + place as u64 * 3) % 7, mode);
        }
        let (one, two) = (format!("{n}a"), format!("{n}b"));
        t.send(Transactional, DAY_MS, &[&one, &two]);
        [ferry_step, path_step, direct_step][n as usize % 3](&mut t);
        t.consume(2);
        t.b.pass(HOUR_MS / 4);
    }
    t.judge(true, "a long day");
    assert!(t.accepted.len() > 20, "too little was accepted: {}", t.accepted.len());
}

fn ferry_step(t: &mut Trace) {
    t.meet("o", "r");
    t.meet("r", "d");
    t.meet("o", "r");
}

fn path_step(t: &mut Trace) {
    t.link("o", "r");
    t.link("r", "d");
    t.b.cut("o", "r");
    t.b.cut("r", "d");
}

fn direct_step(t: &mut Trace) {
    t.meet("o", "d");
}
