//! The steps of a scenario: what is done to links and nodes, and how it ends.

use super::{Happening, Stop, World};
use crate::scenario::{Action, LinkPlan, Place, Side, Span, Way};
use meshmq::store::MemoryStore;

/// How long an ordered fault waits for a commit before the process dies all the same.
const OVERDUE_MS: u64 = 1_000;

/// Directions of links that stop and work in turn.
pub(super) struct Flap {
    directions: Vec<Way>,
    up: Span,
    down: Span,
    ends_at: u64,
    is_cut: bool,
}

/// A time in which nodes die at commits, by chance.
#[derive(Clone)]
pub(super) struct Attrition {
    nodes: Vec<Place>,
    pub(super) chance: f64,
    pub(super) side: Side,
    pub(super) down: Span,
    over: bool,
}

impl World<'_> {
    /// Puts something on the agenda for a time from now.
    pub(super) fn after(&mut self, ms: u64, happening: Happening) {
        self.at(self.now.saturating_add(ms), happening);
    }

    /// Draws a duration, in milliseconds.
    pub(super) fn draw(&mut self, span: Span) -> u64 {
        self.rng.between(span.least, span.most)
    }

    pub(super) fn script_step(&mut self, index: usize) -> Result<(), Stop> {
        let action = self.scenario.steps[index].action.clone();
        self.trace.note(self.now, || format!("step {}: {action:?}", index + 1));
        self.trace.record(|record| {
            record.mark(self.now, Some(index + 1), self.scenario.action(&action));
        });
        match action {
            Action::Cut(directions) => self.set_cut(&directions, true),
            Action::Heal(directions) => self.set_cut(&directions, false),
            Action::Flap { directions, up, down, lasts_ms } => {
                let ends_at = self.now + lasts_ms;
                self.flaps.push(Flap { directions, up, down, ends_at, is_cut: false });
                return self.flap(self.flaps.len() - 1);
            }
            Action::Change(changes) => {
                for ((from, to), plan) in changes {
                    if let Some(index) = self.network.between(from, to) {
                        self.network.link(index).change(from, plan);
                    }
                }
            }
            Action::Move { leaves, joins } => {
                self.set_cut(&leaves, true);
                self.set_cut(&joins, false);
            }
            Action::Attrition { nodes, chance, side, lasts_ms, down } => {
                self.attritions.push(Attrition { nodes, chance, side, down, over: false });
                let index = self.attritions.len() - 1;
                self.after(lasts_ms, Happening::AttritionEnds(index));
            }
            Action::Clone { of, .. } => return self.want_backup(of, index),
            Action::DropQueue(place, name) => self.drop_queue(place, name),
            Action::CreateQueue(place, name) => {
                self.ledger.make_queue(place, &name);
                self.create_queue(place, &name);
            }
            on_nodes => return self.nodes_step(index, &on_nodes),
        }
        Ok(())
    }

    /// A step that does something to each of some nodes.
    fn nodes_step(&mut self, index: usize, action: &Action) -> Result<(), Stop> {
        for place in action.nodes().to_vec() {
            match action {
                Action::Crash { down, .. } => {
                    self.machines[place].down = *down;
                    self.crash(place, "it is killed")?;
                }
                Action::CrashAtCommit { nth, side, down, .. } => {
                    let nth = self.rng.between(nth.least, nth.most);
                    self.order_fault(place, nth, *side, *down);
                    if nth == 1 {
                        let life = self.machines[place].life;
                        self.after(OVERDUE_MS, Happening::Overdue(place, life));
                    }
                }
                Action::Restart(_) => self.start(place)?,
                Action::Lose(_) => self.lose(place)?,
                Action::Readdress(_) => self.readdress(place),
                Action::Suspend { down, .. } => self.suspend(place, *down),
                Action::DiskFull { left, .. } => self.machines[place].disk.set_room(Some(*left)),
                Action::DiskFree(_) => self.machines[place].disk.set_room(None),
                Action::ClockJump { by_ms, .. } => self.machines[place].clock.ahead_ms += by_ms,
                Action::Rollback { down, .. } => self.rollback(index, place, *down)?,
                Action::Wipe { down, .. } => {
                    let empty = MemoryStore::new().snapshot();
                    self.put_back(place, &empty, *down)?;
                }
                Action::Corrupt { bodies, .. } => self.corrupt(place, *bodies),
                Action::Upgrade { later, down, .. } => self.upgrade(place, *later, *down)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Plans the next link of the contact trace that comes or goes.
    pub(super) fn plan_contact(&mut self, index: usize) {
        if let Some(contact) = self.scenario.contacts.get(index) {
            self.at(contact.at_ms, Happening::Contact(index));
        }
    }

    pub(super) fn contact(&mut self, index: usize) -> Result<(), Stop> {
        let contact = &self.scenario.contacts[index];
        if !self.draining {
            self.set_cut(&contact.ways, !contact.up);
            self.plan_contact(index + 1);
        }
        Ok(())
    }

    pub(super) fn flap(&mut self, index: usize) -> Result<(), Stop> {
        let flap = &mut self.flaps[index];
        let over = self.now >= flap.ends_at || self.draining;
        flap.is_cut = !flap.is_cut && !over;
        let (cut, next) = (flap.is_cut, if flap.is_cut { flap.down } else { flap.up });
        let directions = flap.directions.clone();
        self.set_cut(&directions, cut);
        if !over {
            let ms = self.draw(next);
            self.after(ms, Happening::Flap(index));
        }
        Ok(())
    }

    pub(super) fn attrition_ends(&mut self, index: usize) -> Result<(), Stop> {
        self.attritions[index].over = true;
        Ok(())
    }

    /// The attrition that rules at a node.
    pub(super) fn attrition_of(&self, place: Place) -> Option<Attrition> {
        let rules = |a: &&Attrition| !a.over && !self.draining && a.nodes.contains(&place);
        self.attritions.iter().find(rules).cloned()
    }

    /// No commit came: the process dies without one.
    pub(super) fn overdue(&mut self, place: Place, life: u64) -> Result<(), Stop> {
        if self.machines[place].life == life && self.machines[place].has_orders() {
            self.crash(place, "the power goes")?;
        }
        Ok(())
    }

    /// The end of the script: no fault any more, and everything that can run runs.
    pub(super) fn heal_everything(&mut self) -> Result<(), Stop> {
        self.note_everything("healed");
        self.draining = true;
        for place in 0..self.machines.len() {
            self.machines[place].obey_no_more_orders();
            self.machines[place].disk.set_room(None);
            let life = self.machines[place].life;
            self.rouse(place, life)?;
            self.start(place)?;
        }
        let both = |link: &LinkPlan| [link.ends, (link.ends.1, link.ends.0)];
        let directions: Vec<Way> = self.scenario.links.iter().flat_map(both).collect();
        self.set_cut(&directions, false);
        self.ledger.set_islands(self.islands());
        Ok(())
    }

    /// Which nodes can meet without those that are lost: a number for each.
    fn islands(&self) -> Vec<usize> {
        let mut islands: Vec<usize> = (0..self.machines.len()).collect();
        let lost = |place: Place| self.machines[place].lost;
        let links = self.scenario.links.iter().map(|link| link.ends);
        for (a, b) in links.filter(|&(a, b)| !lost(a) && !lost(b)) {
            let (one, other) = (islands[a], islands[b]);
            islands.iter_mut().filter(|island| **island == other).for_each(|at| *at = one);
        }
        islands
    }
}
