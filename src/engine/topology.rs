//! The live component: who has links with whom, and which neighbour leads where.
//!
//! Signed link states are flooded on change. A link counts only if both ends state it, so those of
//! nodes that are out of reach do no harm; they are kept, because a neighbour that has said them
//! does not say them again, and go when their room is needed. Ties go to the smaller node id.

mod graph;

use super::address::NodeId;
use super::ids::Epoch;
use super::limits::{LINK_STATES_MAX, NEIGHBOURS_MAX};
use super::statement::{Attested, LinkState, Version};
use graph::Graph;
use std::collections::{BTreeMap, BTreeSet};

/// The live component as this node knows it.
#[derive(Debug)]
pub(super) struct Topology {
    me: NodeId,
    opening: Epoch,
    neighbours: BTreeSet<NodeId>,
    states: BTreeMap<NodeId, Held>,
    graph: Graph,
    /// Whether the graph changed since the last search.
    stale: bool,
    /// Counts the states that were taken in.
    learned: u64,
    count: u64,
}

/// A link state, and which it was of those that were taken in.
#[derive(Debug)]
struct Held {
    state: Attested<LinkState>,
    learned: u64,
}

impl Topology {
    pub(super) fn new(me: NodeId, opening: Epoch) -> Self {
        Self {
            me,
            opening,
            neighbours: BTreeSet::new(),
            states: BTreeMap::new(),
            graph: Graph::default(),
            stale: false,
            learned: 0,
            count: 0,
        }
    }

    /// A link came up.
    pub(super) fn link_up(&mut self, peer: NodeId) {
        self.neighbours.insert(peer);
        self.restate();
    }

    /// A link went away.
    pub(super) fn link_down(&mut self, peer: NodeId) {
        self.neighbours.remove(&peer);
        self.restate();
    }

    /// Takes in another node's link state. False if it is not newer than the one held.
    pub(super) fn learn(&mut self, state: Attested<LinkState>) -> bool {
        let node = state.statement.node;
        let held = self.states.get(&node).map(|held| held.state.statement.version);
        let newer = held.is_none_or(|held| held < state.statement.version);
        if node == self.me || !newer || state.statement.neighbours.len() > NEIGHBOURS_MAX {
            return false;
        }
        if held.is_none() && self.states.len() >= LINK_STATES_MAX {
            self.make_room();
            if self.states.len() >= LINK_STATES_MAX {
                return false;
            }
        }
        self.keep(state);
        true
    }

    /// Searches the component anew, if anything changed: breadth first over links that both ends
    /// state. Own links need no second word: a message can be tried as soon as the link is up.
    ///
    /// Gives the nodes whose first hop changed, each with the one before.
    pub(super) fn route(&mut self) -> BTreeMap<NodeId, Option<NodeId>> {
        if !std::mem::take(&mut self.stale) {
            return BTreeMap::new();
        }
        self.graph.search(self.me, self.neighbours.iter().copied()).into_iter().collect()
    }

    /// The neighbour that led to a node along a shortest live path at the last search.
    pub(super) fn next_hop(&self, node: NodeId) -> Option<NodeId> {
        self.graph.hop(node)
    }

    /// Reachable nodes with the neighbour that leads there.
    pub(super) fn hops(&self) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
        self.graph.hops()
    }

    /// The nodes of the component whose link state is held, this one included.
    pub(super) fn component(&self) -> BTreeSet<NodeId> {
        let reachable = self.hops().map(|(node, _)| node);
        reachable.chain([self.me]).filter(|node| self.states.contains_key(node)).collect()
    }

    /// How many states were taken in: those up to here are known to whoever is told the component
    /// now and everything that is learned later.
    pub(super) const fn learned(&self) -> u64 {
        self.learned
    }

    /// Whether a node's state is held and was taken in before that many were.
    pub(super) fn was_learned_by(&self, node: NodeId, learned: u64) -> bool {
        self.states.get(&node).is_some_and(|held| held.learned <= learned)
    }

    /// The link state of a node.
    pub(super) fn state(&self, node: NodeId) -> Option<&Attested<LinkState>> {
        self.states.get(&node).map(|held| &held.state)
    }

    fn restate(&mut self) {
        self.count += 1;
        self.keep(Attested::own(LinkState {
            node: self.me,
            version: Version { opening: self.opening, count: self.count },
            neighbours: self.neighbours.iter().take(NEIGHBOURS_MAX).copied().collect(),
            extensions: BTreeMap::new(),
        }));
    }

    fn keep(&mut self, state: Attested<LinkState>) {
        let said = &state.statement;
        if said.node != self.me {
            self.graph.state(said.node, &said.neighbours);
        }
        self.learned += 1;
        self.stale = true;
        self.states.insert(said.node, Held { state, learned: self.learned });
    }

    /// Forgets the states of nodes that are out of reach.
    fn make_room(&mut self) {
        let out = |node: &NodeId| *node != self.me && self.graph.hop(*node).is_none();
        let gone: Vec<NodeId> = self.states.keys().copied().filter(out).collect();
        for node in gone {
            self.states.remove(&node);
            self.graph.forget(node);
        }
    }
}

#[cfg(test)]
mod tests;
