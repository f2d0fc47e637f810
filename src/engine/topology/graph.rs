//! The links that both ends state, held ready for a search.
//!
//! Every node has a number here, so that a search of the whole component compares no node ids.

use super::NodeId;
use std::collections::BTreeMap;

/// No node.
const NONE: usize = usize::MAX;

/// Nodes and links by number.
#[derive(Debug, Default)]
pub(super) struct Graph {
    numbers: BTreeMap<NodeId, usize>,
    nodes: Vec<Vertex>,
    /// Numbers of nodes that were forgotten.
    free: Vec<usize>,
}

/// A node.
#[derive(Debug)]
struct Vertex {
    id: NodeId,
    stated: Vec<NodeId>,
    /// Links that both ends state: their place among the stated ones, and the other end. In the
    /// order of the places.
    links: Vec<(usize, usize)>,
    /// The neighbour of this node that leads there.
    hop: usize,
}

impl Graph {
    /// A node states its links anew.
    pub(super) fn state(&mut self, id: NodeId, stated: &[NodeId]) {
        let number = self.number(id);
        for (_, other) in std::mem::take(&mut self.nodes[number].links) {
            self.nodes[other].links.retain(|&(_, end)| end != number);
        }
        self.nodes[number].stated = stated.to_vec();
        let mut links = Vec::with_capacity(stated.len());
        for (place, other) in stated.iter().enumerate() {
            let Some(&other) = self.numbers.get(other) else { continue };
            let theirs = &mut self.nodes[other];
            let Some(back) = theirs.stated.iter().position(|end| *end == id) else { continue };
            if other == number || theirs.links.iter().any(|&(_, end)| end == number) {
                continue;
            }
            let at = theirs.links.partition_point(|&(place, _)| place < back);
            theirs.links.insert(at, (back, number));
            links.push((place, other));
        }
        self.nodes[number].links = links;
    }

    /// Forgets a node and what it stated.
    pub(super) fn forget(&mut self, id: NodeId) {
        self.state(id, &[]);
        if let Some(number) = self.numbers.remove(&id) {
            self.nodes[number].hop = NONE;
            self.free.push(number);
        }
    }

    /// Searches breadth first from these neighbours of `me`, each of which leads to itself. Gives the
    /// nodes to which another neighbour leads than before, and which one did.
    pub(super) fn search(
        &mut self,
        me: NodeId,
        neighbours: impl Iterator<Item = NodeId>,
    ) -> Vec<(NodeId, Option<NodeId>)> {
        let me = self.number(me);
        let mut queue: Vec<usize> = neighbours.map(|peer| self.number(peer)).collect();
        let mut hops = vec![NONE; self.nodes.len()];
        queue.iter().for_each(|&peer| hops[peer] = peer);
        let mut next = 0;
        while let Some(&number) = queue.get(next) {
            next += 1;
            for &(_, other) in &self.nodes[number].links {
                if other != me && hops[other] == NONE {
                    hops[other] = hops[number];
                    queue.push(other);
                }
            }
        }
        let mut changed = Vec::new();
        for (number, hop) in hops.into_iter().enumerate() {
            let before = std::mem::replace(&mut self.nodes[number].hop, hop);
            if before != hop {
                let before = self.nodes.get(before).map(|vertex| vertex.id);
                changed.push((self.nodes[number].id, before));
            }
        }
        changed
    }

    /// The neighbour that leads to a node, by the last search.
    pub(super) fn hop(&self, id: NodeId) -> Option<NodeId> {
        let hop = self.nodes[*self.numbers.get(&id)?].hop;
        self.nodes.get(hop).map(|vertex| vertex.id)
    }

    /// The nodes that the last search found, with the neighbour that leads there.
    pub(super) fn hops(&self) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
        self.numbers.iter().filter_map(|(&id, &number)| {
            let hop = self.nodes.get(self.nodes[number].hop)?;
            Some((id, hop.id))
        })
    }

    fn number(&mut self, id: NodeId) -> usize {
        if let Some(&number) = self.numbers.get(&id) {
            return number;
        }
        let vertex = Vertex { id, stated: Vec::new(), links: Vec::new(), hop: NONE };
        let number = self.free.pop().unwrap_or(self.nodes.len());
        match self.nodes.get_mut(number) {
            Some(forgotten) => *forgotten = vertex,
            None => self.nodes.push(vertex),
        }
        self.numbers.insert(id, number);
        number
    }
}
