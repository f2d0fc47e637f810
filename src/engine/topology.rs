//! The live component: who has links with whom, and which neighbour leads where.
//!
//! Signed link states are flooded on change. A link counts only if both ends state it, so those of
//! nodes that are out of reach do no harm; they are kept, because a neighbour that has said them
//! does not say them again, and go when their room is needed. Ties go to the smaller node id.

use super::address::NodeId;
use super::ids::Epoch;
use super::limits::{LINK_STATES_MAX, NEIGHBOURS_MAX};
use super::statement::{Attested, LinkState, Version};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The live component as this node knows it.
#[derive(Debug)]
pub(super) struct Topology {
    me: NodeId,
    opening: Epoch,
    neighbours: BTreeSet<NodeId>,
    states: BTreeMap<NodeId, Attested<LinkState>>,
    /// Per reachable node: the neighbour that leads there.
    hops: BTreeMap<NodeId, NodeId>,
    count: u64,
}

impl Topology {
    pub(super) const fn new(me: NodeId, opening: Epoch) -> Self {
        Self {
            me,
            opening,
            neighbours: BTreeSet::new(),
            states: BTreeMap::new(),
            hops: BTreeMap::new(),
            count: 0,
        }
    }

    /// A link came up. Returns the destinations whose first hop changed.
    pub(super) fn link_up(&mut self, peer: NodeId) -> BTreeSet<NodeId> {
        self.neighbours.insert(peer);
        self.restate();
        self.route()
    }

    /// A link went away. Returns the destinations whose first hop changed.
    pub(super) fn link_down(&mut self, peer: NodeId) -> BTreeSet<NodeId> {
        self.neighbours.remove(&peer);
        self.restate();
        self.route()
    }

    /// Takes in another node's link state. `None` if it is not newer than the one held.
    pub(super) fn learn(&mut self, state: Attested<LinkState>) -> Option<BTreeSet<NodeId>> {
        let node = state.statement.node;
        let newer = self
            .states
            .get(&node)
            .is_none_or(|held| held.statement.version < state.statement.version);
        let known = self.states.contains_key(&node);
        if !known && self.states.len() >= LINK_STATES_MAX {
            let (me, hops) = (self.me, &self.hops);
            self.states.retain(|node, _| *node == me || hops.contains_key(node));
        }
        let fits = state.statement.neighbours.len() <= NEIGHBOURS_MAX
            && (known || self.states.len() < LINK_STATES_MAX);
        if node == self.me || !newer || !fits {
            return None;
        }
        self.states.insert(node, state);
        Some(self.route())
    }

    /// The neighbour that leads to a node along a shortest live path.
    pub(super) fn next_hop(&self, node: NodeId) -> Option<NodeId> {
        self.hops.get(&node).copied()
    }

    /// Reachable nodes with the neighbour that leads there.
    pub(super) fn hops(&self) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
        self.hops.iter().map(|(&node, &hop)| (node, hop))
    }

    /// The nodes whose link state is held, this one included.
    pub(super) fn known(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.states.keys().copied()
    }

    /// The link state of a node.
    pub(super) fn state(&self, node: NodeId) -> Option<&Attested<LinkState>> {
        self.states.get(&node)
    }

    fn restate(&mut self) {
        self.count += 1;
        let state = LinkState {
            node: self.me,
            version: Version { opening: self.opening, count: self.count },
            neighbours: self.neighbours.iter().take(NEIGHBOURS_MAX).copied().collect(),
            extensions: BTreeMap::new(),
        };
        self.states.insert(self.me, Attested::own(state));
    }

    /// Breadth first over links that both ends state. Own links need no second word: a message
    /// can be tried as soon as the link is up.
    fn route(&mut self) -> BTreeSet<NodeId> {
        let mut hops: BTreeMap<NodeId, NodeId> =
            self.neighbours.iter().map(|&peer| (peer, peer)).collect();
        let mut queue: VecDeque<NodeId> = self.neighbours.iter().copied().collect();
        while let Some(node) = queue.pop_front() {
            let Some(state) = self.states.get(&node) else { continue };
            let Some(&hop) = hops.get(&node) else { continue };
            for &next in &state.statement.neighbours {
                if next != self.me && !hops.contains_key(&next) && self.states_link(next, node) {
                    hops.insert(next, hop);
                    queue.push_back(next);
                }
            }
        }
        let old = std::mem::replace(&mut self.hops, hops);
        let nodes: BTreeSet<NodeId> = old.keys().chain(self.hops.keys()).copied().collect();
        nodes.into_iter().filter(|node| old.get(node) != self.hops.get(node)).collect()
    }

    fn states_link(&self, node: NodeId, with: NodeId) -> bool {
        self.states.get(&node).is_some_and(|state| state.statement.neighbours.contains(&with))
    }
}

#[cfg(test)]
mod tests;
