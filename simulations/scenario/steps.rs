//! From a step as written to one action on places.

use super::file::{AttritionText, HealText, MoveText, StepText};
use super::links::{Links, both_ways, probability};
use super::names::{Names, Wrong};
use super::programs::count;
use super::units::{Count, OneOrMany, Span};
use super::{Action, QueuePlan, Side, Step};

/// Most bodies that one step damages at a node.
const BODIES_MAX: u64 = 10_000;
/// Bytes that a full disk has left unless something is said: less than a node reserves for itself.
const LEFT_BYTES: u64 = 64 << 20;
/// How long a node is down where a step kills it, and nothing is said.
const DOWN: Span = Span::ms(100, 2_000);

/// What a step can name.
pub(super) struct Known<'a> {
    /// Nodes and groups.
    pub(super) names: &'a Names,
    /// Links.
    pub(super) links: &'a Links,
    /// Queues.
    pub(super) queues: &'a [QueuePlan],
}

/// Checks a step: exactly one action, and only what exists.
pub(super) fn step(known: &Known<'_>, raw: &StepText) -> Result<Step, Wrong> {
    let mut actions = known.network(raw)?;
    actions.extend(known.processes(raw)?);
    actions.extend(known.machines(raw)?);
    actions.extend(known.stores(raw)?);
    let [action] = <[Action; 1]>::try_from(actions).map_err(|actions| {
        let nothing = actions.is_empty();
        let what = if nothing { "nothing" } else { "more than one thing: write one step for each" };
        format!("the step does {what}")
    })?;
    if raw.down.is_some() && !takes_down(&action) {
        return Err("`down` goes with a step that stops nodes".to_owned());
    }
    if raw.left_bytes.is_some() && !matches!(action, Action::DiskFull { .. }) {
        return Err("`left_bytes` goes with `disk_full`".to_owned());
    }
    Ok(Step { at: raw.at, action })
}

const fn takes_down(action: &Action) -> bool {
    matches!(
        action,
        Action::Crash { .. }
            | Action::CrashAtCommit { .. }
            | Action::Attrition { .. }
            | Action::Suspend { .. }
            | Action::Rollback { .. }
            | Action::Wipe { .. }
            | Action::Upgrade { .. }
    )
}

impl Known<'_> {
    fn network(&self, raw: &StepText) -> Result<Vec<Action>, Wrong> {
        let (names, links) = (self.names, self.links);
        let mut actions = Vec::new();
        if let Some(groups) = &raw.cut {
            actions.push(Action::Cut(both_ways(links.between(names, groups)?)));
        }
        if let Some(one_way) = &raw.cut_one_way {
            let (from, to) = (names.find_all(&one_way.from)?, names.find_all(&one_way.to)?);
            actions.push(Action::Cut(links.directions(&from, &to)?));
        }
        if let Some(heal) = &raw.heal {
            let healed = match heals_all(heal)? {
                None => links.ends().collect(),
                Some(groups) => links.between(names, groups)?,
            };
            actions.push(Action::Heal(both_ways(healed)));
        }
        if let Some(flap) = &raw.flap {
            actions.push(Action::Flap {
                directions: both_ways(links.between(names, &flap.between)?),
                up: at_least_one(flap.up)?,
                down: at_least_one(flap.down)?,
                lasts_ms: flap.lasts.0,
            });
        }
        if let Some(change) = &raw.change {
            let changed = links.changed(names, &change.between, &change.properties())?;
            actions.push(Action::Change(changed));
        }
        if let Some(text) = &raw.moves {
            actions.push(self.moves(text)?);
        }
        if let Some(nodes) = &raw.readdress {
            actions.push(Action::Readdress(names.find_all(nodes)?));
        }
        Ok(actions)
    }

    fn moves(&self, text: &MoveText) -> Result<Action, Wrong> {
        let nodes = self.names.find_all(&text.nodes)?;
        let mut to = self.names.find_all(&text.to)?;
        to.retain(|place| !nodes.contains(place));
        let joins = self.links.directions(&nodes, &to)?;
        let leaves = match &text.from {
            None => self.links.away(&nodes, &to),
            Some(from) => {
                let mut from = self.names.find_all(from)?;
                from.retain(|place| !nodes.contains(place) && !to.contains(place));
                self.links.directions(&nodes, &from)?
            }
        };
        Ok(Action::Move { leaves: both_ways(leaves), joins: both_ways(joins) })
    }

    fn processes(&self, raw: &StepText) -> Result<Vec<Action>, Wrong> {
        let find = |nodes: &OneOrMany<String>| self.names.find_all(nodes);
        let mut actions = Vec::new();
        if let Some(nodes) = &raw.crash {
            actions.push(Action::Crash { nodes: find(nodes)?, down: raw.down });
        }
        if let Some(at) = &raw.crash_at_commit {
            let (nodes, side) = (find(&at.node)?, side(at.side.as_deref())?);
            if at.nth.least == 0 {
                return Err("commits are counted from 1".to_owned());
            }
            actions.push(Action::CrashAtCommit { nodes, nth: at.nth, side, down: raw.down });
        }
        if let Some(nodes) = &raw.power_loss {
            let (nodes, nth) = (find(nodes)?, Count { least: 1, most: 1 });
            actions.push(Action::CrashAtCommit { nodes, nth, side: Side::Before, down: raw.down });
        }
        if let Some(attrition) = &raw.attrition {
            actions.push(self.attrition(attrition, raw.down)?);
        }
        if let Some(nodes) = &raw.restart {
            actions.push(Action::Restart(find(nodes)?));
        }
        let down = raw.down.unwrap_or(DOWN);
        if let Some(nodes) = &raw.upgrade {
            actions.push(Action::Upgrade { nodes: find(nodes)?, later: true, down });
        }
        if let Some(nodes) = &raw.downgrade {
            actions.push(Action::Upgrade { nodes: find(nodes)?, later: false, down });
        }
        Ok(actions)
    }

    fn attrition(&self, text: &AttritionText, down: Option<Span>) -> Result<Action, Wrong> {
        Ok(Action::Attrition {
            nodes: self.names.find_all(&text.nodes)?,
            chance: probability("chance", text.chance)?,
            side: side(text.side.as_deref())?,
            lasts_ms: text.lasts.0,
            down: down.unwrap_or(DOWN),
        })
    }

    fn machines(&self, raw: &StepText) -> Result<Vec<Action>, Wrong> {
        let find = |nodes: &OneOrMany<String>| self.names.find_all(nodes);
        let mut actions = Vec::new();
        if let Some(nodes) = &raw.lose {
            actions.push(Action::Lose(find(nodes)?));
        }
        if let Some(nodes) = &raw.suspend {
            let down = raw.down.ok_or("`suspend` wants `down`: for how long it sleeps")?;
            actions.push(Action::Suspend { nodes: find(nodes)?, down });
        }
        if let Some(jump) = &raw.clock_jump {
            actions.push(Action::ClockJump { nodes: find(&jump.nodes)?, by_ms: jump.by.0 });
        }
        if let Some(clone) = &raw.clone {
            let (of, twin) = (self.names.find(&clone.of)?, self.names.find(&clone.twin)?);
            actions.push(Action::Clone { of, twin });
        }
        Ok(actions)
    }

    fn stores(&self, raw: &StepText) -> Result<Vec<Action>, Wrong> {
        let find = |nodes: &OneOrMany<String>| self.names.find_all(nodes);
        let mut actions = Vec::new();
        if let Some(nodes) = &raw.disk_full {
            let left = raw.left_bytes.unwrap_or(LEFT_BYTES);
            actions.push(Action::DiskFull { nodes: find(nodes)?, left });
        }
        if let Some(nodes) = &raw.disk_free {
            actions.push(Action::DiskFree(find(nodes)?));
        }
        if let Some(back) = &raw.rollback {
            let (nodes, down) = (find(&back.nodes)?, raw.down.unwrap_or(DOWN));
            if raw.at.least < back.by.most {
                return Err("a store cannot be put back to before the start".to_owned());
            }
            actions.push(Action::Rollback { nodes, by: back.by, down });
        }
        if let Some(nodes) = &raw.wipe {
            actions.push(Action::Wipe { nodes: find(nodes)?, down: raw.down.unwrap_or(DOWN) });
        }
        if let Some(corrupt) = &raw.corrupt {
            let bodies = count("bodies", corrupt.bodies, 1, BODIES_MAX)?;
            actions.push(Action::Corrupt { nodes: find(&corrupt.nodes)?, bodies });
        }
        if let Some(text) = &raw.drop_queue {
            let (node, name) = self.names.address(text)?;
            actions.push(Action::DropQueue(node, name));
        }
        if let Some(text) = &raw.create_queue {
            let (node, name) = self.names.address(text)?;
            let planned = self.queues.iter().any(|q| (q.node, &q.name) == (node, &name));
            if !planned {
                return Err(format!("there is no queue `{text}`"));
            }
            actions.push(Action::CreateQueue(node, name));
        }
        Ok(actions)
    }
}

/// Whether a text heals everything.
fn heals_all(raw: &HealText) -> Result<Option<&Vec<OneOrMany<String>>>, Wrong> {
    match raw {
        HealText::All(word) if word == "all" => Ok(None),
        HealText::All(word) => Err(format!("`{word}` is not `all` or groups of nodes")),
        HealText::Between(groups) => Ok(Some(groups)),
    }
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
