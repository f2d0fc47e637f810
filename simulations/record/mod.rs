//! What a run was like, for its page: links, nodes and messages over time, in bounded memory.
//!
//! Fed by whoever runs a scenario, in virtual time or live; refuses to draw, to judge and to count
//! what is no message on a disk. Over a limit it goes on with less, and says so.

mod messages;

use crate::ledger::Change;
use crate::scenario::Place;
use meshmq::engine::ids::MessageId;
pub(crate) use messages::{CLASSES, Class, Messages};
use std::collections::BTreeMap;

/// Moments at which messages and disks are sampled. When they are used up, every second one goes and
/// the others are further apart.
pub(crate) const SAMPLES_MAX: usize = 400;
/// Changes of links and nodes that are kept; later ones are not shown.
pub(crate) const TURNS_MAX: usize = 20_000;
/// Nodes whose disks are sampled one by one; with more, only all together.
pub(crate) const DISKS_MAX: usize = 12;
/// Steps and other marks that are kept.
pub(crate) const MARKS_MAX: usize = 1_000;

/// The record of one run. Times are in milliseconds from its start.
#[derive(Debug)]
pub(crate) struct Record {
    /// Names of the nodes.
    pub(crate) nodes: Vec<String>,
    /// What each node's process did.
    pub(crate) lives: Vec<Vec<Turn<Life>>>,
    /// What each link did, by its ends, the smaller place first.
    pub(crate) links: BTreeMap<(Place, Place), Vec<Turn<Link>>>,
    /// What was done, and when.
    pub(crate) marks: Vec<Mark>,
    /// The messages.
    pub(crate) messages: Messages,
    /// The samples, in order.
    pub(crate) samples: Vec<Sample>,
    /// Time between two samples.
    pub(crate) every_ms: u64,
    next_sample_ms: u64,
    turns: usize,
    /// Since when changes are not kept any more.
    pub(crate) full_since_ms: Option<u64>,
}

/// From when on something was so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn<T> {
    pub(crate) at_ms: u64,
    pub(crate) to: T,
}

/// What a node's process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// It runs.
    Up,
    /// It does not.
    Down,
    /// It never will again, and its disk is gone.
    Lost,
}

/// What is known of a link, of each end or direction: the smaller place first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Link {
    /// Whether the end believes that it is up.
    pub(crate) up: [bool; 2],
    /// Whether the direction from the end is cut.
    pub(crate) cut: [bool; 2],
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) at_ms: u64,
    /// Number of the script's step, from 1; none for what is no step.
    pub(crate) step: Option<usize>,
    pub(crate) what: String,
}

/// How things stood at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) at_ms: u64,
    /// Messages of each [`Class`].
    pub(crate) messages: [u64; CLASSES],
    /// Bytes on each node's disk; one sum if there are more than [`DISKS_MAX`].
    pub(crate) disks: Vec<u64>,
}

impl Record {
    /// The record of a run with these nodes, before anything happens.
    pub(crate) fn new(nodes: &[String]) -> Self {
        Self {
            nodes: nodes.to_vec(),
            lives: vec![Vec::new(); nodes.len()],
            links: BTreeMap::new(),
            marks: Vec::new(),
            messages: Messages::default(),
            samples: Vec::new(),
            every_ms: 50,
            next_sample_ms: 0,
            turns: 0,
            full_since_ms: None,
        }
    }

    /// Something is done: a step of the script, or not.
    pub(crate) fn mark(&mut self, at_ms: u64, step: Option<usize>, what: String) {
        if self.marks.len() < MARKS_MAX {
            self.marks.push(Mark { at_ms, step, what });
        }
    }

    /// A node's process turns.
    pub(crate) fn node(&mut self, at_ms: u64, place: Place, to: Life) {
        let last = self.lives[place].last().map(|turn| turn.to);
        if last != Some(to) && last != Some(Life::Lost) && self.has_room(at_ms) {
            self.lives[place].push(Turn { at_ms, to });
        }
    }

    /// One end of a link finds it up or down.
    pub(crate) fn link(&mut self, at_ms: u64, place: Place, peer: Place, up: bool) {
        self.turn_link(at_ms, place, peer, |link, end| link.up[end] = up);
    }

    /// A direction of a link is cut or healed.
    pub(crate) fn cut(&mut self, at_ms: u64, from: Place, to: Place, cut: bool) {
        self.turn_link(at_ms, from, to, |link, end| link.cut[end] = cut);
    }

    fn turn_link(
        &mut self,
        at_ms: u64,
        place: Place,
        peer: Place,
        change: impl FnOnce(&mut Link, usize),
    ) {
        let ends = (place.min(peer), place.max(peer));
        let before = self.links.get(&ends).and_then(|turns| turns.last());
        let mut to = before.map_or_else(Link::default, |turn| turn.to);
        let was = to;
        change(&mut to, usize::from(place > peer));
        if (to != was || before.is_none()) && self.has_room(at_ms) {
            self.links.entry(ends).or_default().push(Turn { at_ms, to });
        }
    }

    /// A commit changed what is known of a message.
    pub(crate) fn message(&mut self, at_ms: u64, id: &MessageId, change: &Change) {
        self.messages.change(at_ms, id, change);
    }

    /// Takes a sample if one is due. `disks` tells the bytes on each node's disk.
    pub(crate) fn sample(&mut self, at_ms: u64, disks: impl FnOnce() -> Vec<u64>) {
        if at_ms >= self.next_sample_ms {
            self.sample_now(at_ms, disks());
        }
    }

    /// Takes the last sample.
    pub(crate) fn end(&mut self, at_ms: u64, disks: Vec<u64>) {
        self.sample_now(at_ms, disks);
    }

    fn sample_now(&mut self, at_ms: u64, mut disks: Vec<u64>) {
        if disks.len() > DISKS_MAX {
            disks = vec![disks.iter().sum()];
        }
        self.samples.push(Sample { at_ms, messages: self.messages.counts(), disks });
        if self.samples.len() >= SAMPLES_MAX {
            let mut index = 0;
            self.samples.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.every_ms *= 2;
        }
        self.next_sample_ms = at_ms - at_ms % self.every_ms + self.every_ms;
    }

    fn has_room(&mut self, at_ms: u64) -> bool {
        if self.turns >= TURNS_MAX {
            self.full_since_ms.get_or_insert(at_ms);
            return false;
        }
        self.turns += 1;
        true
    }
}

#[cfg(test)]
mod tests;
