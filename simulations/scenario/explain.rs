//! A scenario as plain sentences, for whoever wants to know what a file does without the reference.

use super::action::Way;
use super::units::spoken;
use super::{
    Action, Count, Deaths, LinkPlan, Much, Pace, Place, ReceiverPlan, Scenario, SenderPlan, Side,
    Span, WayPlan,
};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Names that one sentence lists in full.
const LISTED_MAX: usize = 6;

impl Scenario {
    /// The scenario in sentences, one a line, the steps in the order of the time.
    pub(crate) fn explain(&self) -> String {
        let mut text = format!("{}\n\nIt proves: {}\n\n", self.name, self.proves);
        self.setting(&mut text);
        for sender in &self.senders {
            line(&mut text, &self.sender(sender));
        }
        for receiver in &self.receivers {
            line(&mut text, &self.receiver(receiver));
        }
        let mut steps: Vec<_> = self.steps.iter().collect();
        steps.sort_by_key(|step| (step.at.least, step.at.most));
        if !steps.is_empty() {
            text.push('\n');
        }
        for step in steps {
            line(&mut text, &format!("{}, {}.", capital(&at(step.at)), self.action(&step.action)));
        }
        text.push('\n');
        line(&mut text, &self.ending());
        text
    }

    fn setting(&self, text: &mut String) {
        let every: Vec<Place> = (0..self.nodes.len()).collect();
        let names: Vec<&str> = every.iter().map(|&place| self.node(place)).collect();
        line(text, &format!("Nodes: {}.", some(&names, "")));
        let mut kinds: Vec<(&LinkPlan, Vec<Way>)> = Vec::new();
        for plan in &self.links {
            let same =
                |(of, _): &&mut (&LinkPlan, Vec<Way>)| (of.ways, of.up) == (plan.ways, plan.up);
            match kinds.iter_mut().find(same) {
                Some((_, links)) => links.push(plan.ends),
                None => kinds.push((plan, vec![plan.ends])),
            }
        }
        for (plan, links) in kinds {
            let down = if plan.up { "" } else { ", down at first" };
            let what = if plan.ways[0] == plan.ways[1] {
                way(&plan.ways[0])
            } else {
                format!("{} there, {} back", way(&plan.ways[0]), way(&plan.ways[1]))
            };
            let names = links.iter().map(|&(a, b)| format!("{}–{}", self.node(a), self.node(b)));
            let names: Vec<String> = names.collect();
            line(text, &format!("Links: {}: {what}{down}.", some(&names, "")));
        }
        if let (Some(first), Some(last)) = (self.contacts.first(), self.contacts.last()) {
            let (count, from) = (self.contacts.len(), spoken(first.at_ms));
            let until = spoken(last.at_ms);
            line(text, &format!("Links come and go {count} times, from {from} to {until}."));
        }
        for queue in &self.queues {
            let kind = if queue.transactional { "transactional" } else { "plain" };
            let most = queue.max_messages.map(|most| format!(", at most {most} messages"));
            let bytes = queue.max_bytes.map(|most| format!(", at most {most} bytes"));
            let (name, node) = (&queue.name, self.node(queue.node));
            let (most, bytes) = (most.unwrap_or_default(), bytes.unwrap_or_default());
            line(text, &format!("Queue {name}@{node} is {kind}{most}{bytes}."));
        }
        text.push('\n');
    }

    fn sender(&self, plan: &SenderPlan) -> String {
        let much = match plan.much {
            Much::Messages(count) => format!("{} messages", number(count)),
            Much::For(span) => format!("messages for {}", range(span)),
        };
        let pace = match plan.pace {
            Pace::Every { burst, pause } if burst.most > 1 => {
                format!("bursts of {} commands with {} between them", number(burst), range(pause))
            }
            Pace::Every { pause, .. } => format!("a command every {}", range(pause)),
            Pace::PerHour(messages) if messages < 3_600 => format!("{messages} an hour"),
            Pace::PerHour(messages) => format!("{} a second", messages / 3_600),
        };
        let kinds: BTreeSet<&str> = plan.deliveries.iter().map(|kind| kind.as_str()).collect();
        let kinds = kinds.into_iter().collect::<Vec<_>>().join(" or ");
        let ranks: BTreeSet<String> =
            plan.priorities.iter().map(|rank| rank.value().to_string()).collect();
        let ranks = ranks.into_iter().collect::<Vec<_>>().join(" or ");
        let sizes: Vec<String> = plan.sizes.iter().map(|(_, size)| number(*size)).collect();
        let mut text = format!(
            "{}, a program at {} starts to send {much} to {}@{}: {pace}, {} a command, {kinds}, \
             priority {ranks}, {} bytes",
            capital(&at(plan.at)),
            self.node(plan.from),
            plan.queue,
            self.node(plan.to),
            number(plan.batch),
            sizes.join(" or "),
        );
        if let Some(span) = plan.reach_within {
            let _infallible = write!(text, ", to reach the queue within {}", range(span));
        }
        if let Some(span) = plan.ttl {
            let _infallible = write!(text, ", to be received within {}", range(span));
        }
        if let Some((place, queue)) = &plan.reply_to {
            let _infallible = write!(text, ", to be answered to {queue}@{}", self.node(*place));
        }
        text.push('.');
        text
    }

    fn receiver(&self, plan: &ReceiverPlan) -> String {
        let mut text = format!(
            "{}, a program starts to receive from {}@{}: up to {} messages every {}, \
             {} of work on each",
            capital(&at(plan.at)),
            plan.queue,
            self.node(plan.node),
            plan.batch.most,
            range(plan.every),
            range(plan.work),
        );
        let chances = [
            (plan.nack, "refuses"),
            (plan.give_back, "gives back"),
            (plan.forget, "forgets"),
            (plan.die, "dies with"),
            (plan.poison, "never takes"),
        ];
        for (chance, does) in chances.into_iter().filter(|(chance, _)| *chance > 0.0) {
            let _infallible = write!(text, "; {does} {:.0} of a hundred", chance * 100.0);
        }
        text.push_str(if plan.answers { "; answers them." } else { "." });
        text
    }

    /// What a step does, in words.
    pub(crate) fn action(&self, action: &Action) -> String {
        match action {
            Action::Cut(ways) => format!("cut: {}", self.ways_named(ways)),
            Action::Heal(ways) => format!("healed: {}", self.ways_named(ways)),
            Action::Flap { directions, up, down, lasts_ms } => {
                let (up, down, links) = (range(*up), range(*down), self.ways_named(directions));
                let lasts = spoken(*lasts_ms);
                format!("for {lasts}, works for {up} and not for {down} in turn: {links}")
            }
            Action::Change(changes) => {
                let each = changes.iter().map(|((a, b), plan)| {
                    format!("{} to {}: {}", self.node(*a), self.node(*b), way(plan))
                });
                some(&each.collect::<Vec<_>>(), "directions")
            }
            Action::Move { leaves, joins } => {
                format!("gone: {}; new: {}", self.ways_named(leaves), self.ways_named(joins))
            }
            Action::Clone { of, twin } => {
                format!("{} starts as a second machine of {}", self.node(*twin), self.node(*of))
            }
            Action::DropQueue(place, queue) => {
                format!("queue {queue}@{} is deleted", self.node(*place))
            }
            Action::CreateQueue(place, queue) => {
                format!("queue {queue}@{} is made again", self.node(*place))
            }
            on_nodes => {
                let nodes = self.list(on_nodes.nodes());
                format!("{nodes}: {}", happens(on_nodes))
            }
        }
    }

    fn ending(&self) -> String {
        if !self.liveness {
            return "Then the run ends as it is.".to_owned();
        }
        let dead = match self.dead {
            Deaths::None => "nothing is dead",
            Deaths::Some => "something is dead with a reason",
            Deaths::Any => "what is dead has a reason",
        };
        let within = spoken(self.drain_ms);
        format!("Then everything is healed, and within {within} all has come to its end; {dead}.")
    }

    fn node(&self, place: Place) -> &str {
        &self.nodes[place]
    }

    fn list(&self, nodes: &[Place]) -> String {
        let names: Vec<&str> = nodes.iter().map(|&place| self.node(place)).collect();
        some(&names, "nodes")
    }

    fn ways_named(&self, ways: &[Way]) -> String {
        let all: BTreeSet<Way> = ways.iter().copied().collect();
        let both = |way: &&Way| all.contains(&(way.1, way.0));
        let links: Vec<Way> = all.iter().filter(both).filter(|(a, b)| a < b).copied().collect();
        let single = all.iter().filter(|way| !both(way));
        let mut names: Vec<String> =
            links.iter().map(|&(a, b)| format!("{}–{}", self.node(a), self.node(b))).collect();
        names.extend(single.map(|&(a, b)| format!("{} to {}", self.node(a), self.node(b))));
        if names.is_empty() { "nothing".to_owned() } else { some(&names, "links") }
    }
}

/// What happens to nodes.
fn happens(action: &Action) -> String {
    match action {
        Action::Readdress(_) => "another address".to_owned(),
        Action::Crash { down, .. } => format!("killed{}", back(*down)),
        Action::CrashAtCommit { nth: Count { most: 1, .. }, side: Side::Before, down, .. } => {
            format!("the power goes amid the next commit{}", back(*down))
        }
        Action::CrashAtCommit { nth, side, down, .. } => {
            format!("killed {} commit {} from there{}", side_of(*side), number(*nth), back(*down))
        }
        Action::Attrition { chance, side, lasts_ms, down, .. } => format!(
            "for {}, killed {} a commit in {:.1} of a hundred{}",
            spoken(*lasts_ms),
            side_of(*side),
            chance * 100.0,
            back(Some(*down))
        ),
        Action::Restart(_) => "started again".to_owned(),
        Action::Lose(_) => "lost for ever".to_owned(),
        Action::Suspend { down, .. } => format!("asleep for {}", range(*down)),
        Action::DiskFull { left, .. } => format!("{left} bytes left on the disk"),
        Action::DiskFree(_) => "room again on the disk".to_owned(),
        Action::ClockJump { by_ms, .. } => {
            let which = if *by_ms < 0 { "back" } else { "on" };
            format!("the wall clock put {which} by {}", spoken(by_ms.unsigned_abs()))
        }
        Action::Rollback { by, down, .. } => {
            format!("put back to the store of {} before{}", range(*by), back(Some(*down)))
        }
        Action::Wipe { down, .. } => format!("wiped{}", back(Some(*down))),
        Action::Corrupt { bodies, .. } => format!("{} bodies damaged", number(*bodies)),
        Action::Upgrade { later, down, .. } => {
            let what = if *later { "a later version" } else { "the present version" };
            format!("becomes {what}{}", back(Some(*down)))
        }
        _ => "nothing".to_owned(),
    }
}

fn line(text: &mut String, sentence: &str) {
    text.push_str(sentence);
    text.push('\n');
}

/// Names in a row, or how many there are.
fn some<S: AsRef<str>>(names: &[S], what: &str) -> String {
    match names {
        [first, .., last] if names.len() > LISTED_MAX => {
            let gap = if what.is_empty() { "" } else { " " };
            format!("{}{gap}{what} ({} … {})", names.len(), first.as_ref(), last.as_ref())
        }
        _ => names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", "),
    }
}

fn way(plan: &WayPlan) -> String {
    let mut text = range(plan.latency);
    for (chance, what) in [(plan.loss, "lost"), (plan.duplicate, "doubled"), (plan.reorder, "late")]
    {
        if chance > 0.0 {
            let _infallible = write!(text, ", {:.1} of a hundred packets {what}", chance * 100.0);
        }
    }
    if let Some(rate) = plan.bytes_per_s {
        let _infallible = write!(text, ", {rate} bytes a second");
    }
    text
}

fn at(span: Span) -> String {
    if span.least == span.most {
        format!("at {}", spoken(span.least))
    } else {
        format!("between {} and {}", spoken(span.least), spoken(span.most))
    }
}

fn back(down: Option<Span>) -> String {
    down.map(|span| format!(", and starts again after {}", range(span))).unwrap_or_default()
}

const fn side_of(side: Side) -> &'static str {
    match side {
        Side::Before => "before",
        Side::After => "after",
        Side::Amid => "amid what it allows, after",
        Side::Any => "before, after or amid",
    }
}

fn range(span: Span) -> String {
    if span.least == span.most {
        spoken(span.least)
    } else {
        format!("{} to {}", spoken(span.least), spoken(span.most))
    }
}

fn number(count: Count) -> String {
    if count.least == count.most {
        count.least.to_string()
    } else {
        format!("{} to {}", count.least, count.most)
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
