//! One node: its process, its disk, and the moments at which it can die.

use super::{Happening, Stop, World};
use crate::checkers::Violation;
use crate::disk::{Commit, Disk};
use crate::scenario::{Place, Side, Span};
use meshmq::codec::ContentHasher;
use meshmq::engine::address::NodeId;
use meshmq::engine::frame::Frame;
use meshmq::engine::limits::CHUNK_BYTES;
use meshmq::engine::message::ContentHash;
use meshmq::engine::record::{Key, Record};
use meshmq::engine::step::{Event, Input, Output};
use meshmq::engine::storage::{Storage as _, StorageError};
use meshmq::engine::time::Timestamp;
use meshmq::engine::{Engine, EngineError};
use std::collections::{BTreeSet, VecDeque};

/// Most inputs of one turn.
const BATCH: usize = 256;
/// Turns without input at one moment after which a node is said to spin.
const SPIN_MAX: u32 = 1_000;

/// A node.
pub(super) struct Machine {
    pub(super) node: NodeId,
    pub(super) disk: Disk,
    pub(super) engine: Option<Engine<Disk>>,
    /// Counts processes; a thing of an earlier one means nothing.
    pub(super) life: u64,
    pub(super) lost: bool,
    pub(super) inbox: VecDeque<Input>,
    pub(super) flushing: Option<Flushing>,
    pub(super) turn_planned: bool,
    pub(super) due: bool,
    pub(super) wake_at: Option<u64>,
    spins: (u64, u32),
    /// After which time it starts again once an ordered fault has struck.
    pub(super) down: Option<Span>,
    /// A second machine that is not there yet.
    pub(super) absent: bool,
    /// Whether it sleeps, and whether a commit was on its way down then.
    pub(super) nap: Option<Nap>,
    pub(super) clock: Clock,
    /// Whether its program is of a later version, and its openings with that.
    pub(super) later: bool,
    pub(super) later_openings: BTreeSet<u64>,
    /// Steps that want a backup at the next quiet moment of the disk.
    pub(super) backups_due: Vec<usize>,
}

/// A machine that sleeps.
#[derive(Clone, Copy, Default)]
pub(super) struct Nap {
    /// Whether a commit has come down in the meantime, so that what it allows leaves at waking.
    pub(super) released: bool,
}

/// What a node's clocks show.
#[derive(Clone, Copy, Default)]
pub(super) struct Clock {
    /// Node time at the opening, and when that was.
    pub(super) base: Timestamp,
    pub(super) opened_at: u64,
    /// How much the wall clock is ahead, in milliseconds. It is looked at when a process starts.
    pub(super) ahead_ms: i64,
}

/// A commit on its way down, and what it will make visible.
pub(super) struct Flushing {
    pub(super) commits: Vec<Commit>,
    outputs: Vec<Output>,
    amid: bool,
}

impl Machine {
    /// The hash of a content on its disk.
    fn hash_of(&self, content: u64, len: u64) -> Option<ContentHash> {
        let mut hasher = ContentHasher::default();
        for index in 0..len.div_ceil(CHUNK_BYTES as u64) {
            let key = Key::Chunk(content, u32::try_from(index).ok()?);
            match self.engine.as_ref()?.storage().get(&key) {
                Ok(Some(Record::Chunk(bytes))) => hasher.update(&bytes),
                _ => return None,
            }
        }
        Some(hasher.finish())
    }

    pub(super) fn new(node: NodeId) -> Self {
        Self {
            node,
            disk: Disk::default(),
            engine: None,
            life: 0,
            lost: false,
            inbox: VecDeque::new(),
            flushing: None,
            turn_planned: false,
            due: false,
            wake_at: None,
            spins: (0, 0),
            down: None,
            absent: false,
            nap: None,
            clock: Clock::default(),
            later: false,
            later_openings: BTreeSet::new(),
            backups_due: Vec::new(),
        }
    }

    pub(super) const fn is_alive(&self) -> bool {
        self.engine.is_some()
    }

    /// Whether its process runs, and its machine does not sleep.
    pub(super) const fn is_awake(&self) -> bool {
        self.engine.is_some() && self.nap.is_none()
    }

    /// Whether a fault is ordered and has not come.
    pub(super) fn has_orders(&self) -> bool {
        self.disk.has_orders()
    }

    /// Takes back a fault that is ordered and has not come.
    pub(super) fn obey_no_more_orders(&mut self) {
        self.disk.forget_orders();
        self.down = None;
    }
}

impl World<'_> {
    /// Gives a node an input, unless it is down.
    pub(super) fn input(&mut self, place: Place, input: Input) {
        let machine = &mut self.machines[place];
        if machine.is_alive() {
            machine.inbox.push_back(input);
            self.plan_turn(place);
        }
    }

    pub(super) fn plan_turn(&mut self, place: Place) {
        let machine = &mut self.machines[place];
        let wanted = machine.is_awake() && (machine.due || !machine.inbox.is_empty());
        if wanted && machine.flushing.is_none() && !machine.turn_planned {
            machine.turn_planned = true;
            let life = machine.life;
            self.after(0, Happening::Turn(place, life));
        }
    }

    pub(super) fn wake(&mut self, place: Place, life: u64, at: u64) -> Result<(), Stop> {
        let machine = &mut self.machines[place];
        if machine.life == life && machine.wake_at == Some(at) {
            machine.wake_at = None;
            machine.due = true;
            self.plan_turn(place);
        }
        Ok(())
    }

    /// One turn of a node: all that waits goes in, and what comes out waits for the disk.
    pub(super) fn turn(&mut self, place: Place, life: u64) -> Result<(), Stop> {
        let now = self.node_time(place);
        let machine = &mut self.machines[place];
        if machine.life != life || !machine.is_alive() {
            return Ok(());
        }
        machine.turn_planned = false;
        if machine.nap.is_some() {
            return Ok(());
        }
        machine.due = false;
        let count = machine.inbox.len().min(BATCH);
        let inputs: Vec<Input> = machine.inbox.drain(..count).collect();
        self.check_spin(place, &inputs)?;
        self.hear(place, &inputs);
        self.tempt_fate(place);
        let machine = &mut self.machines[place];
        let Some(engine) = machine.engine.as_mut() else { return Ok(()) };
        let result = engine.process(now, inputs);
        let deadline = engine.deadline();
        let (fired, commits) = (machine.disk.fired(), machine.disk.done());
        match (result, fired) {
            (Ok(outputs), Some(Side::Before | Side::After)) => {
                self.post(place, &commits)?;
                self.emit(place, outputs)?;
                self.crash(place, "a commit failed")
            }
            (Ok(outputs), fired) => {
                let amid = fired.is_some();
                machine.flushing = Some(Flushing { commits, outputs, amid });
                self.plan_wake(place, deadline.map(|at| self.now + at.since(now)));
                self.flush(place)
            }
            (Err(_), Some(side)) => {
                self.post(place, &commits)?;
                let what = match side {
                    Side::Before => "the power goes before a commit",
                    _ => "the power goes after a commit, before anything leaves",
                };
                self.crash(place, what)
            }
            (Err(EngineError::Storage(StorageError::Full)), None) => {
                self.post(place, &commits)?;
                self.stop_for_want_of_room(place)
            }
            (Err(error), None) => {
                let name = self.name(place);
                Err(Stop::Broken(format!("{name} gives up without a fault: {error}")))
            }
        }
    }

    fn flush(&mut self, place: Place) -> Result<(), Stop> {
        let machine = &self.machines[place];
        let life = machine.life;
        let writes = machine.flushing.as_ref().is_some_and(|f| !f.commits.is_empty());
        let ms = if writes { self.draw(self.scenario.timing.commit) } else { 0 };
        if ms == 0 {
            return self.release(place, life);
        }
        self.after(ms, Happening::Release(place, life));
        Ok(())
    }

    /// The commit is durable: what rests on it leaves the node.
    pub(super) fn release(&mut self, place: Place, life: u64) -> Result<(), Stop> {
        let machine = &mut self.machines[place];
        if machine.life != life {
            return Ok(());
        }
        if let Some(nap) = &mut machine.nap {
            nap.released = true;
            return Ok(());
        }
        let Some(mut flushing) = machine.flushing.take() else { return Ok(()) };
        self.post(place, &flushing.commits)?;
        self.make_backups(place)?;
        if flushing.amid {
            let some = self.rng.below(flushing.outputs.len() as u64 + 1);
            flushing.outputs.truncate(some as usize);
            self.emit(place, flushing.outputs)?;
            return self.crash(place, "it is killed while what a commit allowed leaves it");
        }
        self.emit(place, flushing.outputs)?;
        self.plan_turn(place);
        Ok(())
    }

    /// Everything that leaves a node comes by here, and is judged first.
    fn emit(&mut self, place: Place, outputs: Vec<Output>) -> Result<(), Stop> {
        for output in outputs {
            self.checkers.before_output(&self.ledger, place, &output)?;
            match output {
                Output::Reply { ticket, result } => self.reply(place, ticket, result)?,
                Output::Request { peer, exchange, frames } => {
                    self.request(place, peer, exchange, frames)?;
                }
                Output::Answer { peer, exchange, answer } => {
                    self.answer(place, peer, exchange, answer)?;
                }
                Output::Check { id, content, len, hash } => {
                    let good = self.machines[place].hash_of(content, len) == Some(hash);
                    self.input(place, Input::Checked { id, content, good });
                }
                Output::Event(event) => self.news(place, &event),
            }
        }
        Ok(())
    }

    fn news(&mut self, place: Place, event: &Event) {
        match event {
            Event::Entered { .. } => self.tally.entered += 1,
            Event::Duplicate { .. } => self.tally.duplicates += 1,
            _ => {}
        }
        let name = self.name(place);
        self.hash(place, &format_args!("{event:?}"));
        self.trace.note(self.now, || format!("{name} tells {}", crate::trace::event(event)));
    }

    /// Adds an output to the digest of the run.
    pub(super) fn hash(&mut self, place: Place, output: &std::fmt::Arguments<'_>) {
        struct Sink<'a>(&'a mut blake3::Hasher);
        impl std::fmt::Write for Sink<'_> {
            fn write_str(&mut self, text: &str) -> std::fmt::Result {
                self.0.update(text.as_bytes());
                Ok(())
            }
        }
        self.digest.update(&self.now.to_be_bytes()).update(&(place as u64).to_be_bytes());
        std::fmt::Write::write_fmt(&mut Sink(&mut self.digest), *output).expect("a hash has room");
    }

    /// Posts commits that are durable now, and judges what they changed.
    pub(super) fn post(&mut self, place: Place, commits: &[Commit]) -> Result<(), Stop> {
        for commit in commits {
            let changes = self.ledger.post(place, &commit.writes);
            let name = self.name(place);
            for (id, change) in &changes {
                self.trace.note(self.now, || format!("{name} has on its disk: {id} {change:?}"));
                self.trace.record(|record| record.message(self.now, id, change));
            }
            self.checkers.after_commit(&self.ledger, place, commit, &changes)?;
        }
        Ok(())
    }

    /// Notes which receipts an origin hears.
    fn hear(&mut self, place: Place, inputs: &[Input]) {
        for input in inputs {
            let frames = match input {
                Input::Request { frames, .. } => frames,
                Input::Answered { answer, .. } => &answer.frames,
                _ => continue,
            };
            for frame in frames {
                let Frame::Receipt(receipt) = frame else { continue };
                let statement = &receipt.statement;
                if statement.stream.origin == self.machines[place].node {
                    self.ledger.hears(statement.stream, &statement.received);
                }
            }
        }
    }

    fn plan_wake(&mut self, place: Place, at: Option<u64>) {
        let machine = &mut self.machines[place];
        if machine.wake_at != at {
            machine.wake_at = at;
            let life = machine.life;
            if let Some(at) = at {
                self.at(at, Happening::Wake(place, life, at));
            }
        }
    }

    fn check_spin(&mut self, place: Place, inputs: &[Input]) -> Result<(), Stop> {
        let machine = &mut self.machines[place];
        if !inputs.is_empty() || machine.spins.0 != self.now {
            machine.spins = (self.now, 0);
        }
        machine.spins.1 += 1;
        if machine.spins.1 > SPIN_MAX {
            let what =
                format!("{} wants to be called again and again at one moment", self.name(place));
            return Err(Stop::Liveness(Violation::general("liveness", what)));
        }
        Ok(())
    }
}
