//! Draws a schedule: nodes and links here, traffic and faults beside it.

use super::{faults, traffic};
use crate::rng::Rng;

/// A schedule that is being drawn.
pub(super) struct Draft {
    pub(super) rng: Rng,
    /// How many nodes there are; their names are `n0`, `n1` and so on.
    pub(super) nodes: u64,
    /// The links that exist.
    pub(super) links: Vec<(u64, u64)>,
    /// Links that are down at the start: somebody has to carry over them.
    down: Vec<(u64, u64)>,
    /// How long the script lasts, in milliseconds.
    pub(super) lasts_ms: u64,
    /// Whether a node is lost for ever, so that only a limit in time ends what it had.
    pub(super) loses: bool,
    /// Whether faults may come after which less is promised.
    pub(super) rare: bool,
    pub(super) queues: Vec<traffic::Queue>,
}

/// The scenario of a seed.
pub(crate) fn schedule(seed: u64) -> String {
    let mut rng = Rng::new(seed).fork("soak");
    let nodes = nodes(&mut rng);
    let links = links(&mut rng, nodes);
    let down = links.iter().copied().filter(|_| rng.chance(0.1)).collect();
    let lasts_ms = rng.between(5, 120) * 1_000;
    let loses = nodes > 2 && rng.chance(0.08);
    let rare = rng.chance(0.2);
    let mut draft = Draft { rng, nodes, links, down, lasts_ms, loses, rare, queues: Vec::new() };
    let mut text = format!(
        "proves = \"Schedule {seed} of the soak keeps every promise.\"\n\nnodes = {}\n",
        list((0..nodes).map(quoted))
    );
    draft.write_links(&mut text);
    text.push_str("expect = { dead = \"any\" }\n");
    text.push_str(&format!("drain = \"{}h\"\n", if loses { 12 } else { 3 }));
    traffic::write(&mut draft, &mut text);
    faults::write(&mut draft, &mut text);
    text
}

impl Draft {
    /// A node.
    pub(super) fn node(&mut self) -> u64 {
        self.rng.below(self.nodes)
    }

    /// Some nodes, one at least, as a list.
    pub(super) fn some_nodes(&mut self) -> String {
        let all: Vec<u64> = (0..self.nodes).collect();
        let chance = [0.2, 0.5, 1.0][self.rng.below(3) as usize];
        let mut some: Vec<u64> = all.into_iter().filter(|_| self.rng.chance(chance)).collect();
        if some.is_empty() {
            some.push(self.rng.below(self.nodes));
        }
        list(some.into_iter().map(quoted))
    }

    /// A link.
    pub(super) fn link(&mut self) -> (u64, u64) {
        self.rng.pick(&self.links).copied().unwrap_or((0, 1))
    }

    /// Two groups with a link between them; all nodes are in one, or those of one link alone.
    pub(super) fn groups(&mut self) -> String {
        let (a, b) = self.link();
        let (mut one, mut other) = (vec![a], vec![b]);
        if self.rng.chance(0.7) {
            for node in (0..self.nodes).filter(|node| *node != a && *node != b) {
                if self.rng.chance(0.5) { one.push(node) } else { other.push(node) }
            }
        }
        format!("[{}, {}]", list(one.into_iter().map(quoted)), list(other.into_iter().map(quoted)))
    }

    /// A range of durations in milliseconds, as it is written.
    pub(super) fn span(&mut self, least: u64, most: u64) -> String {
        let (one, other) = (self.rng.between(least, most), self.rng.between(least, most));
        format!("[\"{}ms\", \"{}ms\"]", one.min(other), one.max(other))
    }

    fn write_links(&mut self, text: &mut String) {
        let rng = &mut self.rng;
        let most = [5, 40, 200, 800][rng.below(4) as usize];
        let probability = |rng: &mut Rng, most: u64| rng.below(most) as f64 / 100.0;
        let (loss, twice) = (probability(rng, 15), probability(rng, 15));
        let late = probability(rng, 30);
        text.push_str(&format!(
            "link = {{ latency = [\"1ms\", \"{most}ms\"], loss = {loss:?}, duplicate = {twice:?}, \
             reorder = {late:?} }}\n"
        ));
        text.push_str("links = [\n");
        for (a, b) in self.links.clone() {
            let up = if self.down.contains(&(a, b)) { ", up = false" } else { "" };
            let rate = match self.rng.below(8) {
                0 => format!(", bytes_per_s = {}", self.rng.between(10_000, 1_000_000)),
                _ => String::new(),
            };
            text.push_str(&format!(
                "  {{ between = [{}, {}]{up}{rate} }},\n",
                quoted(a),
                quoted(b)
            ));
        }
        text.push_str("]\n");
        let (detect, redial) = (self.span(50, 5_000), self.span(5, 2_000));
        let commit = [4, 4, 40, 400][self.rng.below(4) as usize];
        // Whoever waits for less than a round trip asks for ever.
        let least = 4 * most.max(faults::CHANGED_MS);
        let answer = self.rng.between(least, least + 5_000);
        text.push_str(&format!(
            "timing = {{ detect = {detect}, redial = {redial}, commit = [\"0ms\", \"{commit}ms\"], \
             answer_within = \"{answer}ms\" }}\n"
        ));
    }
}

fn nodes(rng: &mut Rng) -> u64 {
    match rng.below(10) {
        0..=1 => 2,
        2..=7 => rng.between(3, 5),
        _ => rng.between(6, 9),
    }
}

/// A line, ring, star, tree, two parts with one bridge, or every pair; always one component.
fn links(rng: &mut Rng, nodes: u64) -> Vec<(u64, u64)> {
    let every = |from: u64, to: u64| (from..to).flat_map(move |b| (from..b).map(move |a| (a, b)));
    let line = (1..nodes).map(|b| (b - 1, b));
    let mut links: Vec<(u64, u64)> = match rng.below(6) {
        0 => line.collect(),
        1 => line.chain((nodes > 2).then_some((0, nodes - 1))).collect(),
        2 => (1..nodes).map(|b| (0, b)).collect(),
        3 => (1..nodes).map(|b| (rng.below(b), b)).collect(),
        4 => {
            let half = nodes / 2;
            every(0, half).chain(every(half, nodes)).chain([(half.max(1) - 1, half)]).collect()
        }
        _ => every(0, nodes).collect(),
    };
    for pair in every(0, nodes) {
        if rng.chance(0.1) {
            links.push(pair);
        }
    }
    links.retain(|(a, b)| a != b);
    links.sort_unstable();
    links.dedup();
    links
}

/// A node's name in quotes.
pub(super) fn quoted(node: u64) -> String {
    format!("\"n{node}\"")
}

/// A list.
pub(super) fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}
