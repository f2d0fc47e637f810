//! Which links there are, and what they are like in each direction.

use super::file::{BetweenText, LinkText, WayText};
use super::names::{Names, Wrong};
use super::units::{OneOrMany, Span};
use super::{LinkPlan, Place, Way, WayPlan};
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// Most links of a scenario.
const LINKS_MAX: usize = 1_000_000;

/// What a link is like of which nothing is said.
const PLAIN: WayPlan = WayPlan {
    latency: Span::ms(5, 30),
    loss: 0.0,
    duplicate: 0.0,
    reorder: 0.0,
    bytes_per_s: None,
};

/// The links of a scenario, by their ends.
pub(super) struct Links {
    plans: Vec<LinkPlan>,
    by_ends: BTreeMap<Way, usize>,
    common: [WayPlan; 2],
}

impl Links {
    /// Those that are listed; every pair of nodes if `all` and none is.
    pub(super) fn new(
        names: &Names,
        common: Option<&Spanned<LinkText>>,
        listed: &[Spanned<BetweenText>],
        all: bool,
    ) -> Result<Self, (usize, Wrong)> {
        let common = match common {
            None => [PLAIN; 2],
            Some(text) => {
                both([PLAIN; 2], text.get_ref()).map_err(|what| (text.span().start, what))?
            }
        };
        let mut links = Self { plans: Vec::new(), by_ends: BTreeMap::new(), common };
        if listed.is_empty() && all {
            let pairs = (0..names.count()).flat_map(|b| (0..b).map(move |a| (a, b)));
            for pair in pairs {
                links.add(names, pair, common, true).map_err(|what| (0, what))?;
            }
        }
        for text in listed {
            links.list(names, text.get_ref()).map_err(|what| (text.span().start, what))?;
        }
        Ok(links)
    }

    /// Adds those of a trace that are not there yet; none of them is up at the start.
    pub(super) fn add_contacts(
        &mut self,
        names: &Names,
        pairs: &BTreeSet<Way>,
    ) -> Result<(), Wrong> {
        for &pair in pairs {
            match self.by_ends.get(&pair) {
                Some(&index) => self.plans[index].up = false,
                None => self.add(names, pair, self.common, false)?,
            }
        }
        Ok(())
    }

    /// The links.
    pub(super) fn into_plans(self) -> Vec<LinkPlan> {
        self.plans
    }

    /// The links whose ends are in different groups, each once.
    pub(super) fn between(
        &self,
        names: &Names,
        groups: &[OneOrMany<String>],
    ) -> Result<Vec<Way>, Wrong> {
        let mut group_of = BTreeMap::new();
        for (index, group) in groups.iter().enumerate() {
            for place in names.find_all(group)? {
                if group_of.insert(place, index).is_some() {
                    return Err(format!("node `{}` is in two groups", names.name(place)));
                }
            }
        }
        let apart = |(a, b): Way| match (group_of.get(&a), group_of.get(&b)) {
            (Some(one), Some(other)) => one != other,
            _ => false,
        };
        let first_first = |(a, b): Way| {
            if group_of.get(&a) <= group_of.get(&b) { (a, b) } else { (b, a) }
        };
        let found = self.plans.iter().map(|link| link.ends).filter(|&ends| apart(ends));
        let found: Vec<Way> = found.map(first_first).collect();
        if found.is_empty() {
            Err("there is no link between these groups".to_owned())
        } else {
            Ok(found)
        }
    }

    /// The directions from some nodes to others, as far as there are links.
    pub(super) fn directions(&self, from: &[Place], to: &[Place]) -> Result<Vec<Way>, Wrong> {
        let all = from.iter().flat_map(|&a| to.iter().map(move |&b| (a, b)));
        let exists = |&(a, b): &Way| self.by_ends.contains_key(&(a.min(b), a.max(b)));
        let found: Vec<Way> = all.filter(exists).collect();
        if found.is_empty() { Err("there is no link there".to_owned()) } else { Ok(found) }
    }

    /// All links of these nodes to others than these and those.
    pub(super) fn away(&self, nodes: &[Place], but: &[Place]) -> Vec<Way> {
        let leaves = |&(a, b): &Way| {
            let (one, other) = (nodes.contains(&a), nodes.contains(&b));
            one != other && !but.contains(if one { &b } else { &a })
        };
        self.ends().filter(leaves).collect()
    }

    /// The ends of all links.
    pub(super) fn ends(&self) -> impl Iterator<Item = Way> + '_ {
        self.plans.iter().map(|link| link.ends)
    }

    /// The links between two groups with other properties than they have at the start.
    pub(super) fn changed(
        &self,
        names: &Names,
        groups: &[OneOrMany<String>],
        text: &LinkText,
    ) -> Result<Vec<(Way, WayPlan)>, Wrong> {
        if groups.len() != 2 {
            return Err("links are changed between two groups".to_owned());
        }
        let mut changed = Vec::new();
        for (a, b) in self.between(names, groups)? {
            let ends = (a.min(b), a.max(b));
            let mut ways = self.plans[self.by_ends[&ends]].ways;
            if a != ends.0 {
                ways.reverse();
            }
            let [there, back] = both(ways, text)?;
            changed.extend([((a, b), there), ((b, a), back)]);
        }
        Ok(changed)
    }

    fn list(&mut self, names: &Names, text: &BetweenText) -> Result<(), Wrong> {
        let ways = both(self.common, &text.properties())?;
        for pair in pairs(names, text)? {
            self.add(names, pair, ways, text.up.unwrap_or(true))?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        names: &Names,
        (one, other): Way,
        mut ways: [WayPlan; 2],
        up: bool,
    ) -> Result<(), Wrong> {
        let ends = (one.min(other), one.max(other));
        if one != ends.0 {
            ways.reverse();
        }
        let name = |place: Place| names.name(place);
        if one == other {
            return Err(format!("a link is between two nodes, and `{}` is one", name(one)));
        }
        if self.by_ends.insert(ends, self.plans.len()).is_some() {
            let (a, b) = (name(one), name(other));
            return Err(format!("between `{a}` and `{b}` there is a link already"));
        }
        self.plans.push(LinkPlan { ends, ways, up });
        if self.plans.len() > LINKS_MAX {
            return Err(format!("a scenario has at most {LINKS_MAX} links"));
        }
        Ok(())
    }
}

/// Both directions of links.
pub(super) fn both_ways(links: impl IntoIterator<Item = Way>) -> Vec<Way> {
    links.into_iter().flat_map(|(a, b)| [(a, b), (b, a)]).collect()
}

/// The pairs of nodes that an entry names.
fn pairs(names: &Names, text: &BetweenText) -> Result<Vec<Way>, Wrong> {
    match (&text.between, &text.within, &text.chain) {
        (Some(ends), None, None) => {
            let [one, other] = &ends[..] else {
                return Err("a link is between two nodes or two groups".to_owned());
            };
            let (ones, others) = (names.find_all(one)?, names.find_all(other)?);
            Ok(ones.iter().flat_map(|&a| others.iter().map(move |&b| (a, b))).collect())
        }
        (None, Some(group), None) => {
            let nodes = names.find_all(group)?;
            let after = |at: usize| nodes[at + 1..].iter().copied();
            let of = |at: usize| after(at).map(move |b| (at, b));
            let pairs = (0..nodes.len()).flat_map(of).map(|(at, b)| (nodes[at], b));
            Ok(pairs.collect())
        }
        (None, None, Some(group)) => {
            let nodes = names.find_all(group)?;
            Ok(nodes.windows(2).map(|pair| (pair[0], pair[1])).collect())
        }
        _ => Err("exactly one of `between`, `within` and `chain` says where links are".to_owned()),
    }
}

/// Both directions with what a text says of them: of the way back, what is said of it alone first.
fn both([there, back]: [WayPlan; 2], text: &LinkText) -> Result<[WayPlan; 2], Wrong> {
    let common = WayText {
        latency: text.latency,
        loss: text.loss,
        duplicate: text.duplicate,
        reorder: text.reorder,
        bytes_per_s: text.bytes_per_s,
    };
    let back = way(back, &common)?;
    let back = text.back.as_ref().map_or(Ok(back), |text| way(back, text))?;
    Ok([way(there, &common)?, back])
}

fn way(plain: WayPlan, text: &WayText) -> Result<WayPlan, Wrong> {
    let plan = WayPlan {
        latency: text.latency.unwrap_or(plain.latency),
        loss: probability("loss", text.loss.unwrap_or(plain.loss))?,
        duplicate: probability("duplicate", text.duplicate.unwrap_or(plain.duplicate))?,
        reorder: probability("reorder", text.reorder.unwrap_or(plain.reorder))?,
        bytes_per_s: text.bytes_per_s.or(plain.bytes_per_s),
    };
    if plan.bytes_per_s == Some(0) {
        return Err("a link of 0 bytes per second is a cut: use a step".to_owned());
    }
    Ok(plan)
}

/// Holds a probability to its bounds.
pub(super) fn probability(what: &str, value: f64) -> Result<f64, Wrong> {
    if (0.0..=1.0).contains(&value) {
        Ok(value)
    } else {
        Err(format!("`{what}` is a probability from 0 to 1"))
    }
}
