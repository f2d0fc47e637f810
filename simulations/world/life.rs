//! How a process starts, which version it is of, and how its machine sleeps and wakes.

use super::faults::WATCHED;
use super::{Happening, START, Stop, World};
use crate::network::End;
use crate::record::Life;
use crate::scenario::{Place, Side, Span};
use meshmq::engine::limits::Limits;
use meshmq::engine::storage::StorageError;
use meshmq::engine::time::Timestamp;
use meshmq::engine::{Engine, EngineError, Setup};

/// How soon a machine that wakes finds out that a connection is dead.
const SOON: Span = Span::ms(1, 200);

impl World<'_> {
    /// Starts a node's process, unless it runs, is lost, or is not there yet.
    pub(super) fn start(&mut self, place: Place) -> Result<(), Stop> {
        let machine = &self.machines[place];
        if machine.lost || machine.absent || machine.is_alive() {
            return Ok(());
        }
        let setup = Setup {
            node: machine.node,
            nonce: self.rng.draw(),
            store_id: self.rng.draw(),
            seed: self.rng.draw(),
            wall: self.wall(place),
            limits: Limits::default(),
        };
        let disk = self.machines[place].disk.clone();
        disk.start_again();
        self.tempt_fate(place);
        let opened = Engine::open(disk.clone(), setup);
        let fired = disk.fired();
        self.machines[place].life += 1;
        self.post(place, &disk.done())?;
        let name = self.name(place);
        match (opened, fired) {
            (Ok(engine), None | Some(Side::Amid)) => {
                self.trace.note(self.now, || format!("{name} starts"));
                self.trace.record(|record| record.node(self.now, place, Life::Up));
                let machine = &mut self.machines[place];
                machine.clock.base = engine.now();
                machine.clock.opened_at = self.now;
                if machine.later {
                    machine.later_openings.insert(engine.opening().k);
                }
                machine.engine = Some(engine);
                self.create_queues(place);
                for link in self.network.of(place) {
                    self.plan_connection(link);
                }
                Ok(())
            }
            (_, Some(side)) => {
                self.trace.note(self.now, || format!("{name} dies {side:?} a commit of its start"));
                self.die(place, None);
                Ok(())
            }
            (Err(EngineError::Storage(StorageError::Full)), None) => {
                self.trace.note(self.now, || format!("{name} does not start: its disk is full"));
                self.die(place, Some(WATCHED));
                Ok(())
            }
            (Err(error), None) => Err(Stop::Broken(format!("{name} does not open: {error}"))),
        }
    }

    /// What a node's wall clock shows.
    fn wall(&self, place: Place) -> Timestamp {
        let true_time = START.after(self.now).as_millis();
        Timestamp::from_millis(true_time.saturating_add_signed(self.machines[place].clock.ahead_ms))
    }

    /// Node time: what was found at the opening, and then what a clock says that counts sleep.
    pub(super) fn node_time(&self, place: Place) -> Timestamp {
        let clock = &self.machines[place].clock;
        clock.base.after(self.now - clock.opened_at)
    }

    /// A node becomes another version.
    pub(super) fn upgrade(&mut self, place: Place, later: bool, down: Span) -> Result<(), Stop> {
        self.machines[place].later = later;
        if self.machines[place].is_alive() {
            self.machines[place].down = Some(down);
            self.crash(place, if later { "it is upgraded" } else { "it is downgraded" })?;
        }
        Ok(())
    }

    /// A machine falls asleep: nothing of it runs, and nothing reaches it.
    pub(super) fn suspend(&mut self, place: Place, down: Span) {
        if !self.machines[place].is_awake() {
            return;
        }
        let name = self.name(place);
        self.trace.note(self.now, || format!("{name} falls asleep"));
        self.machines[place].nap = Some(super::machine::Nap::default());
        for index in self.network.of(place) {
            let link = self.network.link(index);
            if let End::Rising(connection, _) = *link.end(place) {
                *link.end(place) = End::Down;
                link.stands &= link.connection != connection;
            }
            let other = link.other(place);
            self.cuts_anew(index, other);
        }
        let (ms, life) = (self.draw(down), self.machines[place].life);
        self.after(ms, Happening::Rouse(place, life));
    }

    /// A machine wakes: what was due is late, and its connections may be gone.
    pub(super) fn rouse(&mut self, place: Place, life: u64) -> Result<(), Stop> {
        let machine = &mut self.machines[place];
        let Some(nap) = machine.nap.take_if(|_| machine.life == life) else { return Ok(()) };
        let name = self.name(place);
        self.trace.note(self.now, || format!("{name} wakes"));
        for index in self.network.of(place) {
            let link = self.network.link(index);
            link.cuts += 1;
            if !link.stands {
                self.plan_suspicion(index, place, None, SOON);
                self.plan_connection(index);
            } else if !link.is_whole() {
                self.cuts_anew(index, place);
            }
        }
        if nap.released {
            self.after(0, Happening::Release(place, life));
        }
        self.plan_turn(place);
        Ok(())
    }

    /// An end will find its connection dead, unless all is well again before.
    fn cuts_anew(&mut self, index: usize, place: Place) {
        let link = self.network.link(index);
        link.cuts += 1;
        let cuts = Some(link.cuts);
        self.plan_suspicion(index, place, cuts, self.scenario.timing.detect);
    }

    /// A node has another address: nothing comes by its connections any more, and nobody is told.
    pub(super) fn readdress(&mut self, place: Place) {
        for index in self.network.of(place) {
            let link = self.network.link(index);
            link.sever();
            let ends = link.plan.ends;
            for end in [ends.0, ends.1] {
                self.plan_suspicion(index, end, None, self.scenario.timing.detect);
            }
            self.plan_connection(index);
        }
    }
}
