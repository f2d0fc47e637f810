//! The steps of a scenario: what is done to links and nodes, and how it ends.

use super::{Happening, Stop, World};
use crate::page::words;
use crate::scenario::{Action, Place, Side, Span};

/// How long an ordered fault waits for a commit before the process dies all the same.
const OVERDUE_MS: u64 = 1_000;

/// Directions of links that stop and work in turn.
pub(super) struct Flap {
    directions: Vec<(Place, Place)>,
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
    pub(super) fn script_step(&mut self, index: usize) -> Result<(), Stop> {
        let action = self.scenario.steps[index].action.clone();
        self.trace.note(self.now, || format!("step {}: {action:?}", index + 1));
        self.trace.record(|record| {
            let what = words::action(&action, &self.scenario.nodes);
            record.mark(self.now, Some(index + 1), what);
        });
        match action {
            Action::Cut(directions) => self.set_cut(&directions, true),
            Action::Heal(directions) => self.set_cut(&directions, false),
            Action::Flap { directions, up, down, lasts_ms } => {
                let ends_at = self.now + lasts_ms;
                self.flaps.push(Flap { directions, up, down, ends_at, is_cut: false });
                return self.flap(self.flaps.len() - 1);
            }
            Action::Crash { nodes, down } => {
                for place in nodes {
                    self.machines[place].down = down;
                    self.crash(place, "it is killed")?;
                }
            }
            Action::CrashAtCommit { nodes, nth, side, down } => {
                for place in nodes {
                    let nth = self.rng.between(nth.least, nth.most);
                    self.order_fault(place, nth, side, down);
                    if nth == 1 {
                        let life = self.machines[place].life;
                        self.after(OVERDUE_MS, Happening::Overdue(place, life));
                    }
                }
            }
            Action::Attrition { nodes, chance, side, lasts_ms, down } => {
                self.attritions.push(Attrition { nodes, chance, side, down, over: false });
                let index = self.attritions.len() - 1;
                self.after(lasts_ms, Happening::AttritionEnds(index));
            }
            Action::Restart(nodes) => {
                for place in nodes {
                    self.start(place)?;
                }
            }
            Action::Lose(nodes) => {
                for place in nodes {
                    self.lose(place)?;
                }
            }
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
        self.trace.note(self.now, || "everything is healed".to_owned());
        self.trace.record(|record| record.mark(self.now, None, "healed".to_owned()));
        self.draining = true;
        for place in 0..self.machines.len() {
            self.machines[place].obey_no_more_orders();
            self.start(place)?;
        }
        let ends: Vec<(Place, Place)> = self.scenario.links.iter().map(|link| link.ends).collect();
        let both = |(a, b): (Place, Place)| [(a, b), (b, a)];
        let directions: Vec<(Place, Place)> = ends.into_iter().flat_map(both).collect();
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
