//! The world of one run: nodes, links, programs and the clock. Everything happens in the order of
//! (time, sequence), and everything that is drawn comes from the seed.
//!
//! Refuses to look at a clock or a file. Its time is in milliseconds from the start of the run.

mod faults;
mod life;
mod machine;
mod programs;
mod receivers;
mod script;
mod senders;
mod stores;
mod versions;
mod watch;
mod wire;

use crate::checkers::{Checkers, Violation};
use crate::ledger::Ledger;
use crate::network::Network;
use crate::rng::Rng;
use crate::scenario::{Deaths, Place, Scenario};
use crate::seals::Seals;
use crate::trace::Trace;
use machine::Machine;
use meshmq::engine::address::NodeId;
use meshmq::engine::ids::MessageId;
use meshmq::engine::record::SentState;
use meshmq::engine::time::Timestamp;
use meshmq::store::Snapshot;
use programs::Ask;
use receivers::{Receiver, Settling};
use script::{Attrition, Flap};
use senders::Sender;
use std::collections::{BTreeMap, BTreeSet};
use wire::Packet;

/// Node time at the start of every run.
const START: Timestamp = Timestamp::from_millis(1_750_000_000_000);
/// How long the nodes must have been silent at the end, in milliseconds.
const SILENCE_MS: u64 = 15_000;
/// How long they may take to come to rest once all is settled, in milliseconds.
const REST_MS: u64 = 300_000;

/// The world of one run.
pub(crate) struct World<'s> {
    scenario: &'s Scenario,
    now: u64,
    sequence: u64,
    events: u64,
    /// A run that has more events never ends.
    events_max: u64,
    agenda: BTreeMap<(u64, u64), Happening>,
    machines: Vec<Machine>,
    network: Network,
    /// Requests without an answer: who waits for whom, and on which connection it was sent.
    exchanges: BTreeMap<(Place, Place, u64), u64>,
    senders: Vec<Sender>,
    receivers: Vec<Receiver>,
    asks: BTreeMap<(Place, u64), Ask>,
    tickets: u64,
    /// Questions that were accepted, by their labels, and those whose answer was seen.
    asked: BTreeMap<String, MessageId>,
    answered: BTreeSet<String>,
    flaps: Vec<Flap>,
    attritions: Vec<Attrition>,
    /// Copies of stores: for which step, and of which node.
    backups: BTreeMap<(usize, Place), Snapshot>,
    /// Who asked, where two machines have one identity.
    askers: BTreeMap<(Place, NodeId, u64), Place>,
    draining: bool,
    ledger: Ledger,
    checkers: Checkers,
    rng: Rng,
    digest: blake3::Hasher,
    tally: Tally,
    last_packet: u64,
    seals: Seals,
    trace: Trace,
}

/// Something on the agenda.
enum Happening {
    Step(usize),
    Flap(usize),
    AttritionEnds(usize),
    /// A link of the contact trace comes or goes.
    Contact(usize),
    Backup(usize),
    Twin(usize),
    Restart(Place),
    Rouse(Place, u64),
    /// An ordered fault has waited long enough for a commit.
    Overdue(Place, u64),
    Turn(Place, u64),
    Release(Place, u64),
    Wake(Place, u64, u64),
    Connect(usize),
    Rise {
        link: usize,
        place: Place,
        connection: u64,
    },
    Suspect {
        link: usize,
        place: Place,
        connection: u64,
        cuts: Option<u64>,
    },
    Arrive(Packet),
    GiveUp {
        from: Place,
        peer: Place,
        exchange: u64,
    },
    Send(usize),
    Receive(usize),
    Settle(Settling),
}

/// Counts of a run, for the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Tally {
    /// Messages that programs were told are accepted, express ones included.
    pub(crate) sent: u64,
    /// Messages that programs were told are refused.
    pub(crate) refused: u64,
    /// Messages that entered their queues, express ones included.
    pub(crate) entered: u64,
    /// Messages that programs have received and acknowledged.
    pub(crate) received: u64,
    /// Durable messages that want an answer, and were accepted.
    pub(crate) asked: u64,
    /// Answers that the askers have seen, each question once.
    pub(crate) answered: u64,
    /// Dead messages.
    pub(crate) dead: u64,
    /// Copies that were dropped as duplicates.
    pub(crate) duplicates: u64,
    /// Processes that died.
    pub(crate) crashes: u64,
    /// Packets that were sent.
    pub(crate) packets: u64,
    /// Packets that did not arrive.
    pub(crate) lost_packets: u64,
    /// Milliseconds of virtual time from the healing until all was settled.
    pub(crate) drained_in_ms: u64,
}

/// Why a run ends before its time.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A promise was broken.
    Safety(Violation),
    /// Something that should have happened has not.
    Liveness(Violation),
    /// The engine gave up without a fault.
    Broken(String),
}

impl From<Violation> for Stop {
    fn from(violation: Violation) -> Self {
        Self::Safety(violation)
    }
}

/// What a run was like.
pub(crate) struct Finished {
    /// How it ended.
    pub(crate) result: Result<(), Stop>,
    /// How much happened.
    pub(crate) events: u64,
    /// When it ended, in milliseconds of virtual time.
    pub(crate) at_ms: u64,
    /// A hash of all outputs of all nodes, in order.
    pub(crate) digest: String,
    /// Counts.
    pub(crate) tally: Tally,
}

impl<'s> World<'s> {
    /// The world of a scenario and a seed, before anything happens.
    pub(crate) fn new(
        scenario: &'s Scenario,
        seed: u64,
        signs: bool,
        trace: Trace,
        events_max: u64,
    ) -> Self {
        let rng = Rng::new(seed);
        let owner = |place| scenario.nodes[scenario.identity(place)].clone();
        let owners: Vec<String> = (0..scenario.nodes.len()).map(owner).collect();
        let seals = Seals::new(&owners, seed, signs);
        let nodes = seals.nodes().to_vec();
        Self {
            scenario,
            now: 0,
            sequence: 0,
            events: 0,
            events_max,
            agenda: BTreeMap::new(),
            machines: nodes.iter().map(|&node| Machine::new(node)).collect(),
            network: Network::new(&scenario.links, rng.fork("network")),
            exchanges: BTreeMap::new(),
            senders: scenario.senders.iter().map(|plan| Sender::new(plan.clone())).collect(),
            receivers: scenario.receivers.iter().map(|plan| Receiver::new(plan.clone())).collect(),
            asks: BTreeMap::new(),
            tickets: 0,
            asked: BTreeMap::new(),
            answered: BTreeSet::new(),
            flaps: Vec::new(),
            attritions: Vec::new(),
            backups: BTreeMap::new(),
            askers: BTreeMap::new(),
            draining: false,
            ledger: Ledger::new(nodes),
            checkers: Checkers::new(scenario.sets_clocks()),
            rng: rng.fork("world"),
            digest: blake3::Hasher::new(),
            tally: Tally::default(),
            last_packet: 0,
            seals,
            trace,
        }
    }

    /// Runs the script, heals everything, and lets it drain.
    pub(crate) fn run(mut self) -> Finished {
        let mut result = self.begin().and_then(|()| self.play());
        if self.scenario.liveness {
            result = result.and_then(|()| self.drain());
        }
        self.tally.dead = self.ledger.count(|state| matches!(state, SentState::Dead(_)));
        self.watch_end();
        Finished {
            result,
            events: self.events,
            at_ms: self.now,
            digest: self.digest.finalize().to_hex()[..32].to_owned(),
            tally: self.tally,
        }
    }

    fn begin(&mut self) -> Result<(), Stop> {
        self.watch_links();
        for place in 0..self.machines.len() {
            self.machines[place].absent = self.scenario.twins.contains_key(&place);
            self.start(place)?;
        }
        for (index, step) in self.scenario.steps.iter().enumerate() {
            let at = self.draw(step.at);
            self.at(at, Happening::Step(index));
            self.plan_backups(index, at);
        }
        self.plan_contact(0);
        self.begin_programs();
        Ok(())
    }

    /// The part with faults: whatever happens, nothing may be broken.
    fn play(&mut self) -> Result<(), Stop> {
        let end = self.scenario.script_ends_ms();
        while self.next_at().is_some_and(|at| at <= end) {
            self.step()?;
        }
        self.now = self.now.max(end);
        Ok(())
    }

    /// The part without faults: everything must come to its end, and then to rest.
    fn drain(&mut self) -> Result<(), Stop> {
        let healed_at = self.now;
        self.heal_everything()?;
        let deadline = healed_at + self.scenario.drain_ms;
        while !self.is_settled() {
            if self.next_at().is_none_or(|at| at > deadline) {
                return Err(Stop::Liveness(self.what_is_left()));
            }
            self.step()?;
        }
        let settled_at = self.now;
        self.tally.drained_in_ms = settled_at - healed_at;
        self.note_everything("settled");
        while !self.is_at_rest(settled_at) && self.next_at().is_some() {
            if self.now > settled_at + REST_MS {
                return Err(Stop::Liveness(self.what_is_restless()));
            }
            self.step()?;
        }
        self.judge_the_end()
    }

    /// Whether nobody talks any more, and nobody carries what is settled.
    fn is_at_rest(&self, settled_at: u64) -> bool {
        let silent = self.now >= self.last_packet.max(settled_at) + SILENCE_MS;
        silent && self.ledger.carried().next().is_none()
    }

    fn what_is_restless(&self) -> Violation {
        match self.ledger.carried().next() {
            Some((place, id)) => {
                let name = self.name(place);
                let what = format!("{name} still carries a copy, long after all is settled");
                Violation::of("liveness", &id, what)
            }
            None => Violation::general("liveness", "all is settled, but the nodes go on talking"),
        }
    }

    fn judge_the_end(&self) -> Result<(), Stop> {
        let at_last = |what: String| Stop::Liveness(Violation::general("liveness", what));
        let dead = self.ledger.accounts().find(|(_, a)| matches!(a.state, SentState::Dead(_)));
        match (self.scenario.dead, dead) {
            (Deaths::None, Some((id, account))) => {
                let what = format!("it died ({:?}), though nothing was to die", account.state);
                return Err(Stop::Liveness(Violation::of("liveness", id, what)));
            }
            (Deaths::Some, None) => {
                return Err(at_last("nothing died: the scenario shows nothing".to_owned()));
            }
            _ => {}
        }
        if let Some(id) = self.unanswered() {
            let what = "it was received by a program that answers, but nobody has seen an answer";
            return Err(Stop::Liveness(Violation::of("liveness", &id, what)));
        }
        Ok(())
    }

    fn is_settled(&self) -> bool {
        self.ledger.open().is_empty()
            && self.ledger.held().is_none()
            && self.senders.iter().all(Sender::is_done)
            && !self.asks.values().any(Ask::is_send)
    }

    fn what_is_left(&self) -> Violation {
        let open = self.ledger.open();
        let (what, id) = if let Some(id) = open.first() {
            let state = self.ledger.account(id).map(|account| account.state);
            let what = format!("{} messages are not at their end; one: {state:?}", open.len());
            (what, Some(*id))
        } else if let Some((place, id)) = self.ledger.held() {
            let name = self.name(place);
            (format!("{name} still holds a message behind a gap"), Some(id))
        } else {
            ("a program has not come to its end".to_owned(), None)
        };
        Violation { promise: "liveness", what, message: id }
    }

    fn next_at(&self) -> Option<u64> {
        self.agenda.first_key_value().map(|(&(at, _), _)| at)
    }

    fn step(&mut self) -> Result<(), Stop> {
        let Some(((at, _), happening)) = self.agenda.pop_first() else { return Ok(()) };
        self.now = at;
        self.ledger.tick(at);
        self.watch();
        self.events += 1;
        if self.events > self.events_max {
            let what = "the run does not come to its end";
            return Err(Stop::Liveness(Violation::general("liveness", what)));
        }
        match happening {
            Happening::Step(index) => self.script_step(index),
            Happening::Flap(index) => self.flap(index),
            Happening::AttritionEnds(index) => self.attrition_ends(index),
            Happening::Contact(index) => self.contact(index),
            Happening::Backup(index) => self.backup(index),
            Happening::Twin(index) => self.twin(index),
            Happening::Restart(place) => self.start(place),
            Happening::Rouse(place, life) => self.rouse(place, life),
            Happening::Overdue(place, life) => self.overdue(place, life),
            Happening::Turn(place, life) => self.turn(place, life),
            Happening::Release(place, life) => self.release(place, life),
            Happening::Wake(place, life, at) => self.wake(place, life, at),
            Happening::Connect(link) => self.connect(link),
            Happening::Rise { link, place, connection } => self.rise(link, place, connection),
            Happening::Suspect { link, place, connection, cuts } => {
                self.suspect(link, place, connection, cuts)
            }
            Happening::Arrive(packet) => self.arrive(packet),
            Happening::GiveUp { from, peer, exchange } => self.give_up(from, peer, exchange),
            Happening::Send(sender) => self.send(sender),
            Happening::Receive(receiver) => self.receive(receiver),
            Happening::Settle(settling) => self.settle(settling),
        }
    }

    fn at(&mut self, at: u64, happening: Happening) {
        self.sequence += 1;
        self.agenda.insert((at.max(self.now), self.sequence), happening);
    }

    fn name(&self, place: Place) -> &'s str {
        &self.scenario.nodes[place]
    }
}
