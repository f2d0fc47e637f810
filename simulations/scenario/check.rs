//! From the scenario as written to the scenario as meant: every name is looked up, every number is
//! held to its bounds. An error comes with its place in the text.

use super::file::{BetweenText, File, HealText, LinkText, QueueText, ReceiveText, SendText};
use super::units::{Count, OneOrMany, Span};
use super::{Deaths, LinkPlan, Place, QueuePlan, ReceiverPlan, Scenario, SenderPlan, Timing};
use meshmq::engine::address::QueueName;
use meshmq::engine::limits::{LEASE_MAX_MS, RECEIVE_MAX, SEND_MAX};
use meshmq::engine::message::{Delivery, Priority};
use std::collections::BTreeSet;
use toml::Spanned;

/// What is wrong, in words.
pub(super) type Wrong = String;

/// Most nodes of a scenario.
const NODES_MAX: usize = 1_000;
/// Most messages of one sender.
const COUNT_MAX: u64 = 1_000_000;
/// Longest body, in bytes.
const BODY_MAX: u64 = meshmq::engine::limits::WHOLE_BODY_MAX as u64;

/// Checks a text. An error comes with the byte where it is.
pub(super) fn check(file: &str, text: &str) -> Result<Scenario, (usize, Wrong)> {
    let raw: File = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        (at, error.message().trim().replace('\n', ", "))
    })?;
    let at = |place: usize| move |what: Wrong| (place, what);
    if raw.proves.get_ref().trim().is_empty() {
        return Err((raw.proves.span().start, "a scenario says what it proves".to_owned()));
    }
    let names = Names::new(raw.nodes.get_ref()).map_err(at(raw.nodes.span().start))?;
    let links = links(&names, &raw.link, &raw.links)?;
    let timing = Timing {
        commit: raw.timing.commit.unwrap_or(Span::ms(0, 4)),
        detect: raw.timing.detect.unwrap_or(Span::ms(500, 3_000)),
        redial: raw.timing.redial.unwrap_or(Span::ms(50, 800)),
        answer_within_ms: raw.timing.answer_within.map_or(5_000, |answer| answer.0),
    };
    let queues = each(&raw.queues, |queue| queue_plan(&names, queue))?;
    let knows = |place: &(Place, QueueName)| {
        queues.iter().any(|queue| (queue.node, &queue.name) == (place.0, &place.1))
    };
    let senders = each(&raw.send, |send| {
        let plan = sender(&names, send)?;
        let to = (plan.to, plan.queue.clone());
        if knows(&to) { Ok(plan) } else { Err(format!("there is no queue `{}`", send.to)) }
    })?;
    let receivers = each(&raw.receive, |receive| {
        let plan = receiver(&names, receive)?;
        let from = (plan.node, plan.queue.clone());
        if knows(&from) { Ok(plan) } else { Err(format!("there is no queue `{}`", receive.from)) }
    })?;
    let steps = each(&raw.steps, |step| super::steps::step(&names, &links, step))?;
    let dead = match raw.expect.dead.as_ref().map(|dead| (dead.get_ref().as_str(), dead.span())) {
        None | Some(("none", _)) => Deaths::None,
        Some(("some", _)) => Deaths::Some,
        Some(("any", _)) => Deaths::Any,
        Some((_, span)) => return Err((span.start, "`none`, `some` or `any` is wanted".into())),
    };
    let stem = std::path::Path::new(file).file_stem();
    Ok(Scenario {
        name: stem.map_or_else(|| file.to_owned(), |stem| stem.to_string_lossy().into_owned()),
        file: file.to_owned(),
        proves: raw.proves.into_inner(),
        nodes: names.0,
        links,
        timing,
        queues,
        senders,
        receivers,
        steps,
        dead,
        drain_ms: raw.drain.map_or(600_000, |drain| drain.0),
        live_until_ms: raw.live.until.map(|until| until.0),
    })
}

fn each<T, U>(
    all: &[Spanned<T>],
    check: impl Fn(&T) -> Result<U, Wrong>,
) -> Result<Vec<U>, (usize, Wrong)> {
    let one = |raw: &Spanned<T>| check(raw.get_ref()).map_err(|what| (raw.span().start, what));
    all.iter().map(one).collect()
}

/// The names of the nodes.
pub(super) struct Names(Vec<String>);

impl Names {
    fn new(names: &[String]) -> Result<Self, Wrong> {
        if !(1..=NODES_MAX).contains(&names.len()) {
            return Err(format!("1 to {NODES_MAX} nodes are wanted"));
        }
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let bad = |name: &&String| name.is_empty() || name.len() > 63 || !name.chars().all(allowed);
        if let Some(name) = names.iter().find(bad) {
            return Err(format!("`{name}` is not a node name: 1 to 63 of a-z, 0-9, `-`"));
        }
        let mut seen = BTreeSet::new();
        match names.iter().find(|name| !seen.insert(*name)) {
            Some(name) => Err(format!("node `{name}` is named twice")),
            None => Ok(Self(names.to_vec())),
        }
    }

    /// Looks one up.
    pub(super) fn find(&self, name: &str) -> Result<Place, Wrong> {
        let found = self.0.iter().position(|known| known == name);
        found.ok_or_else(|| format!("there is no node `{name}`"))
    }

    /// Looks several up.
    pub(super) fn find_all(&self, names: &OneOrMany<String>) -> Result<Vec<Place>, Wrong> {
        names.0.iter().map(|name| self.find(name)).collect()
    }

    fn address(&self, text: &str) -> Result<(Place, QueueName), Wrong> {
        let (queue, node) =
            text.split_once('@').ok_or_else(|| format!("`{text}` is not `queue@node`"))?;
        Ok((self.find(node)?, queue.parse().map_err(|error| format!("{error}"))?))
    }
}

fn links(
    names: &Names,
    common: &LinkText,
    listed: &[Spanned<BetweenText>],
) -> Result<Vec<LinkPlan>, (usize, Wrong)> {
    let default = LinkPlan {
        ends: (0, 0),
        latency: common.latency.unwrap_or(Span::ms(5, 30)),
        loss: common.loss.unwrap_or(0.0),
        duplicate: common.duplicate.unwrap_or(0.0),
        reorder: common.reorder.unwrap_or(0.0),
        bytes_per_s: common.bytes_per_s,
        up: true,
    };
    let mut plans: Vec<LinkPlan> = Vec::new();
    if listed.is_empty() {
        for b in 0..names.0.len() {
            plans.extend((0..b).map(|a| LinkPlan { ends: (a, b), ..default.clone() }));
        }
    }
    for text in listed {
        let at = |what: Wrong| (text.span().start, what);
        let raw = text.get_ref();
        let [one, other] = &raw.between[..] else {
            return Err(at("a link is between two nodes".to_owned()));
        };
        let (one, other) = (names.find(one).map_err(at)?, names.find(other).map_err(at)?);
        let ends = (one.min(other), one.max(other));
        if one == other || plans.iter().any(|plan| plan.ends == ends) {
            return Err(at("a link is between two nodes, and there once".to_owned()));
        }
        plans.push(LinkPlan {
            ends,
            latency: raw.latency.unwrap_or(default.latency),
            loss: raw.loss.unwrap_or(default.loss),
            duplicate: raw.duplicate.unwrap_or(default.duplicate),
            reorder: raw.reorder.unwrap_or(default.reorder),
            bytes_per_s: raw.bytes_per_s.or(default.bytes_per_s),
            up: raw.up.unwrap_or(true),
        });
    }
    for plan in &plans {
        for (what, value) in [("loss", plan.loss), ("duplicate", plan.duplicate)] {
            probability(what, value).map_err(|what| (0, what))?;
        }
        probability("reorder", plan.reorder).map_err(|what| (0, what))?;
        if plan.bytes_per_s == Some(0) {
            return Err((0, "a link of 0 bytes per second is a cut: use a step".to_owned()));
        }
    }
    Ok(plans)
}

/// Holds a probability to its bounds.
pub(super) fn probability(what: &str, value: f64) -> Result<f64, Wrong> {
    if (0.0..=1.0).contains(&value) {
        Ok(value)
    } else {
        Err(format!("`{what}` is a probability from 0 to 1"))
    }
}

fn count(what: &str, count: Count, least: u64, most: u64) -> Result<Count, Wrong> {
    if count.least >= least && count.most <= most {
        Ok(count)
    } else {
        Err(format!("`{what}` is a number from {least} to {most}"))
    }
}

fn queue_plan(names: &Names, raw: &QueueText) -> Result<QueuePlan, Wrong> {
    let (node, name) = names.address(&raw.name)?;
    let (transactional, max_messages) = (raw.transactional, raw.max_messages);
    Ok(QueuePlan { node, name, transactional, max_messages })
}

fn sender(names: &Names, raw: &SendText) -> Result<SenderPlan, Wrong> {
    let (to, queue) = names.address(&raw.to)?;
    let deliveries = match &raw.delivery {
        None => vec![Delivery::default()],
        Some(list) => list.0.iter().map(|name| delivery(name)).collect::<Result<_, Wrong>>()?,
    };
    let priority = |value: &u8| {
        Priority::new(*value).ok_or_else(|| "a priority is a number from 0 to 7".to_owned())
    };
    let priorities = match &raw.priority {
        None => vec![Priority::default()],
        Some(list) => list.0.iter().map(priority).collect::<Result<_, Wrong>>()?,
    };
    if deliveries.is_empty() || priorities.is_empty() {
        return Err("a list to draw from is empty".to_owned());
    }
    let one = Count { least: 1, most: 1 };
    Ok(SenderPlan {
        from: names.find(&raw.from)?,
        to,
        queue,
        at: raw.at,
        count: count("count", raw.count, 0, COUNT_MAX)?,
        every: raw.every,
        batch: count("batch", raw.batch.unwrap_or(one), 1, SEND_MAX as u64)?,
        deliveries,
        priorities,
        body_bytes: count("body_bytes", raw.body_bytes.unwrap_or(SMALL_BODY), 0, BODY_MAX)?,
        reach_within: raw.reach_within,
        ttl: raw.ttl,
    })
}

/// Length of a body where none is given.
const SMALL_BODY: Count = Count { least: 16, most: 200 };

fn delivery(name: &str) -> Result<Delivery, Wrong> {
    [Delivery::Express, Delivery::Recoverable, Delivery::Transactional]
        .into_iter()
        .find(|delivery| delivery.as_str() == name)
        .ok_or_else(|| format!("`{name}` is not `express`, `recoverable` or `transactional`"))
}

fn receiver(names: &Names, raw: &ReceiveText) -> Result<ReceiverPlan, Wrong> {
    let (node, queue) = names.address(&raw.from)?;
    let lease_ms = raw.lease.map_or(10_000, |lease| lease.0);
    if !(1..=LEASE_MAX_MS).contains(&lease_ms) {
        return Err("a lease lasts more than 0 and at most 12 hours".to_owned());
    }
    let batch = raw.batch.unwrap_or(Count { least: 1, most: 8 });
    let (nack, give_back, forget) =
        (raw.nack.unwrap_or(0.0), raw.give_back.unwrap_or(0.0), raw.forget.unwrap_or(0.0));
    probability("the sum of nack, give_back and forget", nack + give_back + forget)?;
    Ok(ReceiverPlan {
        node,
        queue,
        at: raw.at.unwrap_or(Span::ms(0, 50)),
        every: raw.every.unwrap_or(Span::ms(20, 200)),
        batch: count("batch", batch, 1, RECEIVE_MAX as u64)?,
        lease_ms,
        nack: probability("nack", nack)?,
        give_back: probability("give_back", give_back)?,
        forget: probability("forget", forget)?,
    })
}

/// Whether a text heals everything.
pub(super) fn heals_all(raw: &HealText) -> Result<Option<&Vec<Vec<String>>>, Wrong> {
    match raw {
        HealText::All(word) if word == "all" => Ok(None),
        HealText::All(word) => Err(format!("`{word}` is not `all` or groups of nodes")),
        HealText::Between(groups) => Ok(Some(groups)),
    }
}
