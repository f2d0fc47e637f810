//! A network that keeps every frame and gives any of them again, at any time, in any order, or
//! never; between restarts of every node. Never twice, never out of order, never lost.

use crate::bench::{Bench, Name, Packet, id, queue};
use crate::edge::body_of;
use meshmq::engine::address::LineId;
use meshmq::engine::command::{Command, MessageState, Outgoing, Reply, Settlement};
use meshmq::engine::frame::Frame;
use meshmq::engine::ids::MessageId;
use meshmq::engine::message::Delivery::{Recoverable, Transactional};
use meshmq::engine::message::Priority;
use meshmq::engine::step::{Event, Input};
use meshmq::engine::time::{DAY_MS, MINUTE_MS, SECOND_MS};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;

const NODES: [Name; 3] = ["o", "r", "d"];
const LINKS: [(Name, Name); 3] = [("o", "r"), ("r", "d"), ("o", "d")];

/// One thing that happens.
#[derive(Clone, Debug)]
enum Happening {
    /// The origin accepts a message, and perhaps for a minute only.
    Send { ordered: bool, urgent: bool, short: bool },
    /// A packet under way arrives: this one, wherever it is in the order of sending.
    Arrive(usize),
    /// A packet under way is lost, and whoever waits for an answer hears that none will come.
    Lose(usize),
    /// A frame that was ever said is said again by the same node to the same node, or, if it is
    /// a signed statement, by any node to any node.
    Again { frame: usize, link: usize, back: bool },
    /// A node dies and starts again.
    Restart(usize),
    /// A link breaks and comes up again: what was under way on it is lost.
    Flap(usize),
    /// Time passes.
    Wait(u64),
    /// A program receives a message and acknowledges it.
    Consume { ordered: bool },
}

fn happening() -> impl Strategy<Value = Happening> {
    let any_bool = any::<bool>;
    prop_oneof![
        4 => (any_bool(), prop::bool::weighted(0.2), prop::bool::weighted(0.3))
            .prop_map(|(ordered, urgent, short)| Happening::Send { ordered, urgent, short }),
        12 => any::<usize>().prop_map(Happening::Arrive),
        2 => any::<usize>().prop_map(Happening::Lose),
        8 => (any::<usize>(), 0..3_usize, any_bool())
            .prop_map(|(frame, link, back)| Happening::Again { frame, link, back }),
        1 => (0..3_usize).prop_map(Happening::Restart),
        1 => (0..3_usize).prop_map(Happening::Flap),
        2 => prop_oneof![Just(0), Just(300), Just(SECOND_MS), Just(MINUTE_MS + 1)]
            .prop_map(Happening::Wait),
        2 => any_bool().prop_map(|ordered| Happening::Consume { ordered }),
    ]
}

struct Soup {
    b: Bench,
    /// Bodies and ids of all messages, in the order of sending.
    sent: Vec<(String, MessageId)>,
    received: Vec<String>,
}

impl Soup {
    fn new() -> Self {
        let mut b = Bench::new(&NODES);
        b.create_with("d", "ordered", true, Some(3));
        b.create_with("d", "plain", false, Some(3));
        let mut soup = Self { b, sent: Vec::new(), received: Vec::new() };
        LINKS.into_iter().for_each(|(one, two)| soup.b.link(one, two));
        soup.b.settle();
        soup
    }

    fn happen(&mut self, happening: &Happening) {
        match *happening {
            Happening::Send { ordered, urgent, short } => self.send(ordered, urgent, short),
            Happening::Arrive(index) => {
                if let Some(packet) = self.take(index) {
                    self.b.deliver(packet);
                }
            }
            Happening::Lose(index) => self.lose(index),
            Happening::Again { frame, link, back } => self.again(frame, LINKS[link], back),
            Happening::Restart(node) => {
                let node = NODES[node];
                self.b.kill(node);
                self.b.restart(node);
                for (one, two) in LINKS.into_iter().filter(|ends| [ends.0, ends.1].contains(&node))
                {
                    self.b.link(one, two);
                }
            }
            Happening::Flap(link) => {
                self.b.cut(LINKS[link].0, LINKS[link].1);
                self.b.link(LINKS[link].0, LINKS[link].1);
            }
            Happening::Wait(ms) => self.b.tick(ms),
            Happening::Consume { ordered } => self.consume(ordered, 1),
        }
    }

    fn send(&mut self, ordered: bool, urgent: bool, short: bool) {
        let body = self.sent.len().to_string();
        let message = Outgoing {
            delivery: if ordered { Transactional } else { Recoverable },
            priority: if urgent { Priority::MAX } else { Priority::default() },
            reach_within_ms: if short { MINUTE_MS } else { DAY_MS },
            ..self.b.message("d", if ordered { "ordered" } else { "plain" }, &body)
        };
        let ids = self.b.try_send("o", vec![message]).expect("the message is accepted");
        self.sent.push((body, ids[0]));
    }

    fn take(&mut self, index: usize) -> Option<Packet> {
        let count = self.b.wire.len();
        (count > 0).then(|| self.b.wire.remove(index % count)).flatten()
    }

    fn lose(&mut self, index: usize) {
        let (asker, peer, exchange) = match self.take(index) {
            Some(Packet::Request { from, to, exchange, .. }) => (from, to, exchange),
            Some(Packet::Answer { from, to, exchange, .. }) => (to, from, exchange),
            None => return,
        };
        self.b.feed(asker, vec![Input::Unanswered { peer: id(peer), exchange }]);
    }

    fn again(&mut self, index: usize, (one, two): (Name, Name), back: bool) {
        let all = &self.b.history;
        let packet = &all[index % all.len()];
        let frames = packet.frames();
        if frames.is_empty() {
            return;
        }
        let frame = frames[index / all.len() % frames.len()].clone();
        let (from, to) = match frame {
            Frame::Transfer(_) => packet.ends(),
            Frame::Receipt(_) | Frame::Status(_) if back => (two, one),
            Frame::Receipt(_) | Frame::Status(_) => (one, two),
            _ => return,
        };
        self.b.say(from, to, vec![frame]);
    }

    fn consume(&mut self, ordered: bool, max: usize) {
        let name = queue(if ordered { "ordered" } else { "plain" });
        let command = Command::Receive { queue: name, max, lease_ms: SECOND_MS, session: 1 };
        let Ok(Reply::Deliveries(delivered)) = self.b.ask("d", command) else {
            panic!("nothing delivered");
        };
        for one in delivered {
            self.received.push(body_of(&one.message.inner));
            let settle = Command::Settle { lock: one.lock, how: Settlement::Ack };
            assert!(matches!(self.b.ask("d", settle), Ok(Reply::Settled(_))));
        }
    }

    /// Nothing enters twice, and what is ordered enters in order, whatever happens later.
    fn check_entries(&self) -> Result<(), TestCaseError> {
        let mut last: BTreeMap<LineId, usize> = BTreeMap::new();
        let mut entered: Vec<MessageId> = Vec::new();
        for (_, event) in &self.b.events {
            let Event::Entered { id, ordered, .. } = event else { continue };
            prop_assert!(!entered.contains(id), "{id} entered twice");
            entered.push(*id);
            let place = self.sent.iter().position(|(_, sent)| sent == id);
            let Some(place) = place else { continue };
            if *ordered {
                let before = last.insert(id.stream.line, place);
                prop_assert!(before.is_none_or(|before| before < place), "{id} is out of order");
            }
        }
        Ok(())
    }

    /// The network forgets everything, all links come up anew, time passes, programs receive.
    fn heal(&mut self) {
        self.b.wire.clear();
        LINKS.into_iter().for_each(|(one, two)| self.b.cut(one, two));
        LINKS.into_iter().for_each(|(one, two)| self.b.link(one, two));
        for _ in 0..8 + self.sent.len() / 3 {
            self.b.pass(2 * MINUTE_MS);
            self.consume(true, 256);
            self.consume(false, 256);
        }
    }

    fn judge(&mut self) -> Result<(), TestCaseError> {
        for (body, id) in self.sent.clone() {
            let times = self.received.iter().filter(|received| **received == body).count();
            match self.b.state("o", &id) {
                MessageState::Received | MessageState::Arrived => {
                    prop_assert_eq!(times, 1, "{} is received", body);
                }
                MessageState::Dead(reason) => {
                    prop_assert_eq!(times, 0, "{} is dead of {:?}", body, reason);
                }
                other => prop_assert!(false, "{body} is {other:?} at the end"),
            }
        }
        self.b.assert_drained(&NODES);
        Ok(())
    }
}

/// 256 cases, or as many as `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn soup(happenings in vec(happening(), 0..160)) {
        let mut soup = Soup::new();
        for happening in &happenings {
            soup.happen(happening);
            soup.check_entries()?;
        }
        soup.heal();
        soup.check_entries()?;
        soup.judge()?;
    }
}
