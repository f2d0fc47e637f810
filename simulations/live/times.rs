//! How long things took: to notice a cut, from a healing to the first message, and to drain.
//!
//! Refuses to judge promises. A gate is a figure that a healthy machine is to reach.

use super::book::OnItsWay;
use crate::scenario::{Place, Scenario};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Cuts that last longer are held to no gate: dialing is rarer by then.
const GATED_CUT: Duration = Duration::from_secs(15 * 60);
/// Longest time from a healing to the first message in the middle of all.
const FIRST_P50: Duration = Duration::from_secs(1);
/// Longest time from a healing to the first message.
const FIRST_MAX: Duration = Duration::from_secs(2);
/// Least share of the steady rate at which a backlog drains.
const DRAIN_SHARE: f64 = 0.5;
/// Times from which on there is a middle.
const MIDDLE_OF: usize = 3;
/// Messages from which on a backlog shows a rate.
const BACKLOG: usize = 1_000;

/// Two nodes between which a link is.
type Ends = (Place, Place);

/// What was measured.
#[derive(Default)]
pub(super) struct Times {
    cuts: Vec<Cut>,
    heals: Vec<Heal>,
    steady: Option<Steady>,
    /// From the end of the script until all was settled.
    pub(super) drained: Option<Duration>,
}

/// Messages that are sent with nothing broken.
struct Steady {
    count: usize,
    entered: usize,
    first: Instant,
    last: Instant,
}

/// A link that was cut in both directions or one.
struct Cut {
    ends: Ends,
    at: Instant,
    healed: bool,
    noticed: [Option<Duration>; 2],
}

/// A link that carries again.
struct Heal {
    ends: Ends,
    at: Instant,
    cut_for: Duration,
    /// Whether it stayed until something moved; otherwise it shows nothing.
    stays: bool,
    waiting: BTreeSet<String>,
    count: usize,
    first: Option<Duration>,
    last: Option<Duration>,
}

/// Numbers of one kind.
#[derive(Clone, Debug, serde::Serialize)]
pub(super) struct Spread {
    pub(super) count: usize,
    pub(super) p50_ms: u64,
    pub(super) max_ms: u64,
}

/// A figure that is to be reached.
#[derive(Clone, Debug, serde::Serialize)]
pub(super) struct Gate {
    pub(super) name: &'static str,
    pub(super) limit: f64,
    pub(super) measured: f64,
    pub(super) holds: bool,
}

/// How fast a backlog went.
#[derive(Clone, Debug, serde::Serialize)]
pub(super) struct Drain {
    pub(super) messages: usize,
    pub(super) per_s: f64,
    pub(super) steady_per_s: f64,
}

impl Times {
    /// A link is cut.
    pub(super) fn cut(&mut self, ends: Ends) {
        let of = |heal: &&mut Heal| heal.ends == ends && heal.first.is_none();
        self.heals.iter_mut().filter(of).for_each(|heal| heal.interrupted());
        let at = Instant::now();
        self.cuts.push(Cut { ends, at, healed: false, noticed: [None, None] });
    }

    /// A node finds that its link to another is dead.
    pub(super) fn link_down(&mut self, place: Place, other: Place) {
        let ends = (place.min(other), place.max(other));
        let end = usize::from(place > other);
        if let Some(cut) = self.cuts.iter_mut().rfind(|cut| cut.ends == ends && !cut.healed) {
            let took = cut.at.elapsed();
            cut.noticed[end].get_or_insert(took);
        }
    }

    /// A link carries again in both directions, while these messages are on their way.
    pub(super) fn heal(&mut self, scenario: &Scenario, ends: Ends, way: &[(String, OnItsWay)]) {
        let open = self.cuts.iter_mut().rfind(|cut| cut.ends == ends && !cut.healed);
        let Some(cut) = open else { return };
        cut.healed = true;
        let cut_for = cut.at.elapsed();
        let is_leaf = |place: Place| {
            let links = scenario.links.iter();
            links.filter(|link| link.ends.0 == place || link.ends.1 == place).count() == 1
        };
        let crosses = |message: &OnItsWay| {
            [(ends.0, ends.1), (ends.1, ends.0)].into_iter().any(|(from, to)| {
                let is_here = message.held_by.is_none_or(|holder| holder == from);
                match message.origin == from && is_here {
                    true => message.destination == to || is_leaf(from),
                    // By way of a relay: only where it cannot have come another way.
                    false => {
                        message.held_by == Some(from) && message.destination == to && is_leaf(to)
                    }
                }
            })
        };
        let waiting: BTreeSet<String> =
            way.iter().filter(|(_, it)| crosses(it)).map(|(id, _)| id.clone()).collect();
        let count = waiting.len();
        let at = Instant::now();
        let stays = count > 0;
        self.heals.push(Heal { ends, at, cut_for, stays, waiting, count, first: None, last: None });
    }

    /// A message has come further: into its queue, or to a neighbour.
    pub(super) fn moved(&mut self, id: &str) {
        for heal in self.heals.iter_mut().filter(|heal| heal.stays) {
            if heal.waiting.remove(id) {
                let after = heal.at.elapsed();
                heal.first.get_or_insert(after);
                heal.last = Some(after);
            }
        }
    }

    /// From here on so many messages are sent, with nothing broken.
    pub(super) fn begins_steady(&mut self, count: usize) {
        let now = Instant::now();
        self.steady = Some(Steady { count, entered: 0, first: now, last: now });
    }

    /// A message has entered its queue.
    pub(super) fn entered(&mut self) {
        if let Some(steady) = &mut self.steady {
            steady.last = Instant::now();
            if steady.entered == 0 {
                steady.first = steady.last;
            }
            steady.entered += 1;
        }
    }

    /// Messages per second with nothing broken, once all are there.
    fn steady_per_s(&self) -> Option<f64> {
        let steady = self.steady.as_ref().filter(|steady| steady.entered >= steady.count)?;
        let took = steady.last.duration_since(steady.first).as_secs_f64();
        (took > 0.0).then(|| steady.count as f64 / took)
    }

    /// A node's process is gone: what its links were to do shows nothing.
    pub(super) fn stopped(&mut self, place: Place) {
        let at = |ends: Ends| ends.0 == place || ends.1 == place;
        for heal in self.heals.iter_mut().filter(|heal| at(heal.ends)) {
            heal.stays &= heal.first.is_some();
            heal.waiting.clear();
        }
        self.cuts.iter_mut().filter(|cut| at(cut.ends)).for_each(|cut| cut.healed = true);
    }

    /// Times until an end of a link noticed that it was cut.
    pub(super) fn noticed(&self) -> Option<Spread> {
        let noticed = self.cuts.iter().flat_map(|cut| cut.noticed.iter().flatten().copied());
        spread(&noticed.collect::<Vec<Duration>>())
    }

    /// Times from a healing to the first message over the link, where one waited. A message that
    /// never came counts with the time that it has taken so far.
    pub(super) fn firsts(&self) -> Vec<Duration> {
        let judged = self.heals.iter().filter(|heal| heal.stays && heal.cut_for < GATED_CUT);
        judged.map(|heal| heal.first.unwrap_or_else(|| heal.at.elapsed())).collect()
    }

    /// The largest backlog that shows a rate.
    pub(super) fn backlog(&self) -> Option<(Ends, usize)> {
        self.largest().map(|heal| (heal.ends, heal.count))
    }

    fn largest(&self) -> Option<&Heal> {
        let whole =
            self.heals.iter().filter(|heal| heal.count >= BACKLOG && heal.waiting.is_empty());
        whole.filter(|heal| heal.last > heal.first).max_by_key(|heal| heal.count)
    }

    /// How fast the largest backlog went, beside the same with nothing broken.
    pub(super) fn drain(&self) -> Option<Drain> {
        let (heal, steady_per_s) = (self.largest()?, self.steady_per_s()?);
        let took = heal.last?.checked_sub(heal.first?)?.as_secs_f64();
        let per_s = heal.count as f64 / took;
        Some(Drain { messages: heal.count, per_s, steady_per_s })
    }

    /// How the drain compares, where this run could show it.
    pub(super) fn drain_gate(&self) -> Option<Gate> {
        let drain = self.drain()?;
        let measured = drain.per_s / drain.steady_per_s;
        let name = "drain rate as a share of the steady rate";
        Some(Gate { name, limit: DRAIN_SHARE, measured, holds: measured >= DRAIN_SHARE })
    }
}

/// The gates for times from a healing to the first message. The middle of few shows nothing.
pub(super) fn first_gates(firsts: &[Duration]) -> Vec<Gate> {
    let at_most = |name, limit: Duration, measured_ms: u64| {
        let (limit, measured) = (limit.as_secs_f64(), measured_ms as f64 / 1_000.0);
        Gate { name, limit, measured, holds: measured <= limit }
    };
    let Some(first) = spread(firsts) else { return Vec::new() };
    let mut gates =
        vec![at_most("first message after a healing, max in s", FIRST_MAX, first.max_ms)];
    if first.count >= MIDDLE_OF {
        gates.push(at_most("first message after a healing, p50 in s", FIRST_P50, first.p50_ms));
    }
    gates
}

impl Heal {
    /// The link is cut before anything has moved. That counts only if there was time enough.
    fn interrupted(&mut self) {
        if self.stays && self.at.elapsed() < FIRST_MAX {
            self.stays = false;
        } else {
            self.first = Some(self.at.elapsed());
        }
        self.waiting.clear();
    }
}

/// The middle and the largest of some times.
pub(super) fn spread(times: &[Duration]) -> Option<Spread> {
    let mut times = times.to_vec();
    times.sort_unstable();
    let ms = |time: Option<&Duration>| time.map(|time| time.as_millis() as u64);
    let (p50_ms, max_ms) = (ms(times.get(times.len() / 2))?, ms(times.last())?);
    Some(Spread { count: times.len(), p50_ms, max_ms })
}
