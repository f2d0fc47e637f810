//! From a step as written to one action on places.

use super::check::{Names, Wrong, heals_all, probability};
use super::file::StepText;
use super::units::{Count, Span};
use super::{Action, LinkPlan, Place, Side, Step};

/// Checks a step: exactly one action, and only what exists.
pub(super) fn step(names: &Names, links: &[LinkPlan], raw: &StepText) -> Result<Step, Wrong> {
    let mut actions = network_actions(names, links, raw)?;
    actions.extend(node_actions(names, raw)?);
    let dies = raw.crash.is_some() || raw.crash_at_commit.is_some() || raw.power_loss.is_some();
    if raw.down.is_some() && !dies && raw.attrition.is_none() {
        return Err("`down` goes with a crash, a power loss or attrition".to_owned());
    }
    match <[Action; 1]>::try_from(actions) {
        Ok([action]) => Ok(Step { at: raw.at, action }),
        Err(actions) if actions.is_empty() => Err("the step does nothing".to_owned()),
        Err(_) => Err("the step does more than one thing: write one step for each".to_owned()),
    }
}

fn network_actions(
    names: &Names,
    links: &[LinkPlan],
    raw: &StepText,
) -> Result<Vec<Action>, Wrong> {
    let mut actions = Vec::new();
    if let Some(groups) = &raw.cut {
        actions.push(Action::Cut(both_ways(between(names, links, groups)?)));
    }
    if let Some(one_way) = &raw.cut_one_way {
        let (from, to) = (names.find_all(&one_way.from)?, names.find_all(&one_way.to)?);
        let directions: Vec<(Place, Place)> =
            from.iter().flat_map(|&a| to.iter().map(move |&b| (a, b))).collect();
        let exists =
            |&(a, b): &(Place, Place)| links.iter().any(|l| l.ends == (a.min(b), a.max(b)));
        let existing: Vec<(Place, Place)> = directions.into_iter().filter(exists).collect();
        if existing.is_empty() {
            return Err("there is no link there".to_owned());
        }
        actions.push(Action::Cut(existing));
    }
    if let Some(heal) = &raw.heal {
        let healed = match heals_all(heal)? {
            None => links.iter().map(|link| link.ends).collect(),
            Some(groups) => between(names, links, groups)?,
        };
        actions.push(Action::Heal(both_ways(healed)));
    }
    if let Some(flap) = &raw.flap {
        actions.push(Action::Flap {
            directions: both_ways(between(names, links, &flap.between)?),
            up: at_least_one(flap.up)?,
            down: at_least_one(flap.down)?,
            lasts_ms: flap.lasts.0,
        });
    }
    Ok(actions)
}

fn node_actions(names: &Names, raw: &StepText) -> Result<Vec<Action>, Wrong> {
    let mut actions = Vec::new();
    if let Some(nodes) = &raw.crash {
        actions.push(Action::Crash { nodes: names.find_all(nodes)?, down: raw.down });
    }
    if let Some(at) = &raw.crash_at_commit {
        let (nodes, side) = (names.find_all(&at.node)?, side(at.side.as_deref())?);
        if at.nth.least == 0 {
            return Err("commits are counted from 1".to_owned());
        }
        actions.push(Action::CrashAtCommit { nodes, nth: at.nth, side, down: raw.down });
    }
    if let Some(nodes) = &raw.power_loss {
        actions.push(Action::CrashAtCommit {
            nodes: names.find_all(nodes)?,
            nth: Count { least: 1, most: 1 },
            side: Side::Before,
            down: raw.down,
        });
    }
    if let Some(attrition) = &raw.attrition {
        actions.push(Action::Attrition {
            nodes: names.find_all(&attrition.nodes)?,
            chance: probability("chance", attrition.chance)?,
            side: side(attrition.side.as_deref())?,
            lasts_ms: attrition.lasts.0,
            down: raw.down.unwrap_or(Span::ms(100, 2_000)),
        });
    }
    if let Some(nodes) = &raw.restart {
        actions.push(Action::Restart(names.find_all(nodes)?));
    }
    if let Some(nodes) = &raw.lose {
        actions.push(Action::Lose(names.find_all(nodes)?));
    }
    Ok(actions)
}

fn side(name: Option<&str>) -> Result<Side, Wrong> {
    match name {
        None | Some("any") => Ok(Side::Any),
        Some("before") => Ok(Side::Before),
        Some("after") => Ok(Side::After),
        Some("amid") => Ok(Side::Amid),
        Some(other) => Err(format!("`{other}` is not `before`, `after`, `amid` or `any`")),
    }
}

fn at_least_one(span: Span) -> Result<Span, Wrong> {
    if span.least > 0 { Ok(span) } else { Err("a flap needs times above 0".to_owned()) }
}

/// The links whose ends are in different groups.
fn between(
    names: &Names,
    links: &[LinkPlan],
    groups: &[Vec<String>],
) -> Result<Vec<(Place, Place)>, Wrong> {
    let mut group_of = std::collections::BTreeMap::new();
    for (index, group) in groups.iter().enumerate() {
        for name in group {
            if group_of.insert(names.find(name)?, index).is_some() {
                return Err(format!("node `{name}` is in two groups"));
            }
        }
    }
    let apart = |(a, b): (Place, Place)| match (group_of.get(&a), group_of.get(&b)) {
        (Some(one), Some(other)) => one != other,
        _ => false,
    };
    let found: Vec<(Place, Place)> = links.iter().map(|l| l.ends).filter(|&e| apart(e)).collect();
    if found.is_empty() {
        Err("there is no link between these groups".to_owned())
    } else {
        Ok(found)
    }
}

fn both_ways(links: Vec<(Place, Place)>) -> Vec<(Place, Place)> {
    links.into_iter().flat_map(|(a, b)| [(a, b), (b, a)]).collect()
}
