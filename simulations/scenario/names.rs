//! Names of nodes and groups, and patterns that stand for several.

use super::Place;
use super::units::OneOrMany;
use meshmq::engine::address::QueueName;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// What is wrong, in words.
pub(super) type Wrong = String;

/// Most nodes of a scenario.
const NODES_MAX: usize = 10_000;

/// The names of the nodes and of their groups.
pub(super) struct Names {
    nodes: Vec<String>,
    places: BTreeMap<String, Place>,
    groups: BTreeMap<String, Vec<Place>>,
}

impl Names {
    /// The nodes that a list of names and of patterns such as `till-[1-5]` stands for.
    pub(super) fn new(listed: &[String]) -> Result<Self, Wrong> {
        let mut nodes: Vec<String> = Vec::new();
        for text in listed {
            nodes.extend(spread(text)?);
            if nodes.len() > NODES_MAX {
                break;
            }
        }
        if !(1..=NODES_MAX).contains(&nodes.len()) {
            return Err(format!("1 to {NODES_MAX} nodes are wanted"));
        }
        let mut places = BTreeMap::new();
        for (place, name) in nodes.iter().enumerate() {
            if !is_name(name) {
                return Err(format!("`{name}` is not a node name: 1 to 63 of a-z, 0-9, `-`"));
            }
            if places.insert(name.clone(), place).is_some() {
                return Err(format!("node `{name}` is named twice"));
            }
        }
        Ok(Self { nodes, places, groups: BTreeMap::new() })
    }

    /// Adds the groups, each of which is of nodes and patterns. An error comes with its place.
    pub(super) fn add_groups(
        &mut self,
        groups: &BTreeMap<String, Spanned<OneOrMany<String>>>,
    ) -> Result<(), (usize, Wrong)> {
        for (name, members) in groups {
            let at = |what: Wrong| (members.span().start, what);
            if !is_name(name) {
                return Err(at(format!("`{name}` is not a name: 1 to 63 of a-z, 0-9, `-`")));
            }
            if self.places.contains_key(name) {
                return Err(at(format!("`{name}` is a node and a group")));
            }
            let places = self.every(members.get_ref(), false).map_err(at)?;
            self.groups.insert(name.clone(), places);
        }
        Ok(())
    }

    /// All names, in the order of their places.
    pub(super) fn into_nodes(self) -> Vec<String> {
        self.nodes
    }

    /// How many nodes there are.
    pub(super) fn count(&self) -> usize {
        self.nodes.len()
    }

    /// The name of a node.
    pub(super) fn name(&self, place: Place) -> &str {
        &self.nodes[place]
    }

    /// Looks one node up.
    pub(super) fn find(&self, name: &str) -> Result<Place, Wrong> {
        let found = self.places.get(name).copied();
        found.ok_or_else(|| format!("there is no node `{name}`"))
    }

    /// Looks up nodes, groups and patterns: every node once, in the order in which it is named.
    pub(super) fn find_all(&self, names: &OneOrMany<String>) -> Result<Vec<Place>, Wrong> {
        self.every(names, true)
    }

    /// Looks up a queue and its node.
    pub(super) fn address(&self, text: &str) -> Result<(Place, QueueName), Wrong> {
        let (queue, node) =
            text.split_once('@').ok_or_else(|| format!("`{text}` is not `queue@node`"))?;
        Ok((self.find(node)?, queue.parse().map_err(|error| format!("{error}"))?))
    }

    fn every(&self, names: &OneOrMany<String>, groups: bool) -> Result<Vec<Place>, Wrong> {
        let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
        for text in &names.0 {
            let found = self.some(text, groups)?;
            all.extend(found.into_iter().filter(|place| seen.insert(*place)));
        }
        if all.is_empty() { Err("a list of nodes is empty".to_owned()) } else { Ok(all) }
    }

    fn some(&self, text: &str, groups: bool) -> Result<Vec<Place>, Wrong> {
        if let Some(&place) = self.places.get(text) {
            return Ok(vec![place]);
        }
        if let Some(places) = self.groups.get(text).filter(|_| groups) {
            return Ok(places.clone());
        }
        if let Some((before, after)) = text.split_once('*') {
            let fits = |name: &String| {
                name.len() >= before.len() + after.len()
                    && name.starts_with(before)
                    && name.ends_with(after)
            };
            let found: Vec<Place> =
                (0..self.nodes.len()).filter(|&place| fits(&self.nodes[place])).collect();
            let none = || Err(format!("no node has a name like `{text}`"));
            return if found.is_empty() { none() } else { Ok(found) };
        }
        if text.contains('[') {
            return spread(text)?.iter().map(|name| self.find(name)).collect();
        }
        let what = if self.groups.is_empty() { "node" } else { "node or group" };
        Err(format!("there is no {what} `{text}`"))
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&name.len()) && name.chars().all(allowed)
}

/// The names that `till-[1-5]` stands for; a name without brackets for itself. Numbers get zeros
/// before them where the first has some: `[01-12]`.
fn spread(text: &str) -> Result<Vec<String>, Wrong> {
    let Some((before, rest)) = text.split_once('[') else { return Ok(vec![text.to_owned()]) };
    let parts = rest.split_once(']').and_then(|(range, after)| {
        let (first, last) = range.split_once('-')?;
        let width = if first.starts_with('0') { first.len() } else { 0 };
        Some((first.parse::<u32>().ok()?, last.parse::<u32>().ok()?, width, after))
    });
    match parts {
        Some((first, last, width, after)) if first <= last => {
            let most = first.saturating_add(u32::try_from(NODES_MAX).unwrap_or(u32::MAX));
            let numbers = first..=last.min(most);
            Ok(numbers.map(|number| format!("{before}{number:0width$}{after}")).collect())
        }
        _ => Err(format!("`{text}` is not a pattern such as `till-[1-5]`")),
    }
}
