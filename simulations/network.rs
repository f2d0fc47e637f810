//! Links between nodes: which directions carry, which connections stand, what becomes of a packet.
//!
//! Refuses to know what is in a packet; it gives each one a verdict: lost, or due at these times.

use crate::rng::Rng;
use crate::scenario::{LinkPlan, Place, WayPlan};
use std::collections::BTreeMap;

/// All links.
pub(crate) struct Network {
    links: Vec<Link>,
    by_ends: BTreeMap<(Place, Place), usize>,
    /// The links of each node.
    of: BTreeMap<Place, Vec<usize>>,
    rng: Rng,
}

/// A link.
pub(crate) struct Link {
    /// What the scenario says of it.
    pub(crate) plan: LinkPlan,
    /// Whether each direction is cut: from the first end, from the second.
    cut: [bool; 2],
    /// Counts changes of `cut`, so that an old suspicion is known.
    pub(crate) cuts: u64,
    /// Counts connections.
    pub(crate) connection: u64,
    /// Whether the present connection stands, as far as the wire is concerned.
    pub(crate) stands: bool,
    /// The last connection on which nothing gets through any more, whatever its ends believe.
    severed: u64,
    /// What each end believes of the present connection.
    ends: [End; 2],
    /// When the wire of each direction is free again.
    free_at: [u64; 2],
}

/// What one end of a link believes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum End {
    /// There is no link.
    #[default]
    Down,
    /// The connection of that number is being made: it is there at this time.
    Rising(u64, u64),
    /// The connection of that number is there.
    Up(u64),
}

impl Network {
    /// The links as the scenario starts.
    pub(crate) fn new(plans: &[LinkPlan], rng: Rng) -> Self {
        let link = |plan: &LinkPlan| Link {
            plan: plan.clone(),
            cut: [!plan.up; 2],
            cuts: 0,
            connection: 0,
            stands: false,
            severed: 0,
            ends: [End::Down; 2],
            free_at: [0; 2],
        };
        let by_ends = plans.iter().enumerate().map(|(index, plan)| (plan.ends, index)).collect();
        let mut of: BTreeMap<Place, Vec<usize>> = BTreeMap::new();
        for (index, plan) in plans.iter().enumerate() {
            of.entry(plan.ends.0).or_default().push(index);
            of.entry(plan.ends.1).or_default().push(index);
        }
        Self { links: plans.iter().map(link).collect(), by_ends, of, rng }
    }

    /// A link by its number.
    pub(crate) fn link(&mut self, index: usize) -> &mut Link {
        &mut self.links[index]
    }

    /// The number of the link between two nodes.
    pub(crate) fn between(&self, one: Place, other: Place) -> Option<usize> {
        self.by_ends.get(&(one.min(other), one.max(other))).copied()
    }

    /// The links of a node.
    pub(crate) fn of(&self, place: Place) -> Vec<usize> {
        self.of.get(&place).cloned().unwrap_or_default()
    }

    /// When a packet arrives: not at all, once or twice.
    pub(crate) fn verdict(
        &mut self,
        index: usize,
        from: Place,
        bytes: usize,
        now: u64,
    ) -> Vec<u64> {
        let link = &mut self.links[index];
        let way = link.way(from);
        if link.cut[way] || link.is_severed(way) {
            return Vec::new();
        }
        let plan = link.plan.ways[way];
        let starts = link.free_at[way].max(now);
        let sent = starts + plan.bytes_per_s.map_or(0, |rate| bytes as u64 * 1_000 / rate);
        link.free_at[way] = sent;
        if self.rng.chance(plan.loss) {
            return Vec::new();
        }
        let mut arrivals = Vec::with_capacity(1);
        let copies = 1 + usize::from(self.rng.chance(plan.duplicate));
        for _ in 0..copies {
            let mut takes = self.rng.between(plan.latency.least, plan.latency.most);
            if self.rng.chance(plan.reorder) {
                takes += self.rng.between(0, 4 * plan.latency.most);
            }
            arrivals.push(sent + takes);
        }
        arrivals
    }

    /// How long the wire needs for so many bytes, what waits before them included.
    pub(crate) fn wire_ms(&self, index: usize, from: Place, bytes: usize, now: u64) -> u64 {
        let link = &self.links[index];
        let waits = link.free_at[link.way(from)].saturating_sub(now);
        waits
            + link.plan.ways[link.way(from)]
                .bytes_per_s
                .map_or(0, |rate| bytes as u64 * 1_000 / rate)
    }
}

impl Link {
    /// The other end.
    pub(crate) const fn other(&self, place: Place) -> Place {
        if self.plan.ends.0 == place { self.plan.ends.1 } else { self.plan.ends.0 }
    }

    /// What an end believes.
    pub(crate) fn end(&mut self, place: Place) -> &mut End {
        let way = self.way(place);
        &mut self.ends[way]
    }

    /// Whether packets from this end get through.
    pub(crate) fn carries_from(&self, place: Place) -> bool {
        !self.cut[self.way(place)]
    }

    /// Whether a connection could be made, as far as the wire is concerned.
    pub(crate) const fn is_whole(&self) -> bool {
        !self.cut[0] && !self.cut[1]
    }

    /// Cuts or heals the direction from an end. False if it was so.
    pub(crate) fn set_cut(&mut self, from: Place, cut: bool) -> bool {
        let way = self.way(from);
        let changes = self.cut[way] != cut;
        self.cut[way] = cut;
        self.cuts += u64::from(changes);
        changes
    }

    /// Its properties in the direction from an end.
    pub(crate) fn from(&self, from: Place) -> WayPlan {
        self.plan.ways[self.way(from)]
    }

    /// Gives the direction from an end other properties.
    pub(crate) fn change(&mut self, from: Place, plan: WayPlan) {
        let way = self.way(from);
        self.plan.ways[way] = plan;
    }

    /// The present connection carries nothing any more, and another can be made.
    pub(crate) const fn sever(&mut self) {
        self.severed = self.connection;
        self.stands = false;
    }

    const fn is_severed(&self, way: usize) -> bool {
        matches!(self.ends[way], End::Up(connection) if connection <= self.severed)
    }

    fn way(&self, from: Place) -> usize {
        usize::from(self.plan.ends.1 == from)
    }
}

#[cfg(test)]
mod tests;
