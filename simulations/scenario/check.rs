//! From the scenario as written to the scenario as meant: every name is looked up, every number is
//! held to its bounds. An error comes with its place in the text.

use super::contacts;
use super::file::{ContactsText, File};
use super::links::Links;
use super::names::{Names, Wrong};
use super::programs;
use super::steps::{self, Known};
use super::units::Span;
use super::{Action, Contact, Deaths, Place, QueuePlan, Scenario, Step, Timing, Way};
use meshmq::engine::address::QueueName;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use toml::Spanned;

/// Largest contact trace, in bytes.
const TRACE_MAX: u64 = 64 << 20;

/// Checks a text. An error comes with the byte where it is.
pub(super) fn check(file: &str, text: &str) -> Result<Scenario, (usize, Wrong)> {
    let raw: File = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        (at, error.message().trim().replace('\n', ", "))
    })?;
    let place = Text(text);
    if raw.proves.get_ref().trim().is_empty() {
        return Err((raw.proves.span().start, "a scenario says what it proves".to_owned()));
    }
    let nodes = |what| place.of(&raw.nodes, what);
    let mut names = Names::new(raw.nodes.get_ref()).map_err(nodes)?;
    names.add_groups(&raw.groups)?;
    let all = raw.contacts.is_none();
    let mut links = Links::new(&names, raw.link.as_ref(), &raw.links, all)?;
    let contacts = match &raw.contacts {
        None => Vec::new(),
        Some(text) => {
            let wrong = |what| place.of(text, what);
            let contacts = read_contacts(&names, file, text.get_ref()).map_err(wrong)?;
            let pairs: BTreeSet<Way> = contacts.iter().map(|contact| contact.ways[0]).collect();
            links.add_contacts(&names, &pairs).map_err(wrong)?;
            contacts
        }
    };
    let queues = place.each(&raw.queues, |queue| programs::queue(&names, queue))?;
    let known = Known { names: &names, links: &links, queues: &queues };
    let steps = place.each(&raw.steps, |step| steps::step(&known, step))?;
    let twins =
        twins(&steps, &queues).map_err(|(index, what)| place.of(&raw.steps[index], what))?;
    let (senders, receivers) = programs_of(&place, &raw, &names, &queues, &twins)?;
    let dead = deaths(raw.expect.dead.as_ref())?;
    let stem = Path::new(file).file_stem();
    Ok(Scenario {
        name: stem.map_or_else(|| file.to_owned(), |stem| stem.to_string_lossy().into_owned()),
        file: file.to_owned(),
        timing: timing(&raw),
        queues,
        senders,
        receivers,
        steps,
        contacts,
        twins,
        dead,
        drain_ms: raw.drain.map_or(600_000, |drain| drain.0),
        live_until_ms: raw.live.until.map(|until| until.0),
        liveness: raw.liveness.unwrap_or(true),
        proves: raw.proves.into_inner(),
        links: links.into_plans(),
        nodes: names.into_nodes(),
    })
}

/// The text of a scenario, to find places in it.
struct Text<'t>(&'t str);

impl Text<'_> {
    /// The place of an error within a part: of the word that it names, if that stands in it.
    fn of<T>(&self, part: &Spanned<T>, what: Wrong) -> (usize, Wrong) {
        let span = part.span();
        let text = self.0.get(span.clone()).unwrap_or("");
        let named = what.split('`').nth(1).unwrap_or("");
        let quoted = text.find(&format!("\"{named}\"")).filter(|_| !named.is_empty());
        let key = || text.find(&format!("{named} =")).filter(|_| !named.is_empty());
        (span.start + quoted.or_else(key).unwrap_or(0), what)
    }

    fn each<T, U>(
        &self,
        all: &[Spanned<T>],
        check: impl Fn(&T) -> Result<U, Wrong>,
    ) -> Result<Vec<U>, (usize, Wrong)> {
        let one = |raw: &Spanned<T>| check(raw.get_ref()).map_err(|what| self.of(raw, what));
        all.iter().map(one).collect()
    }
}

type Programs = (Vec<super::SenderPlan>, Vec<super::ReceiverPlan>);

/// The programs: every queue that they name is there, be it by way of a twin.
fn programs_of(
    place: &Text<'_>,
    raw: &File,
    names: &Names,
    queues: &[QueuePlan],
    twins: &BTreeMap<Place, Place>,
) -> Result<Programs, (usize, Wrong)> {
    let knows = |node: Place, name: &QueueName| {
        let node = twins.get(&node).copied().unwrap_or(node);
        queues.iter().any(|queue| (queue.node, &queue.name) == (node, name))
    };
    let senders = place.each(&raw.send, |send| {
        let plan = programs::sender(names, send)?;
        if twins.contains_key(&plan.to) {
            return Err(format!("send to the node that `{}` is a second machine of", send.to));
        }
        let replies = plan.reply_to.as_ref().is_none_or(|(node, name)| knows(*node, name));
        match &send.reply_to {
            Some(text) if !replies => missing(text),
            _ if !knows(plan.to, &plan.queue) => missing(&send.to),
            _ => Ok(plan),
        }
    })?;
    let receivers = place.each(&raw.receive, |receive| {
        let plan = programs::receiver(names, receive)?;
        if knows(plan.node, &plan.queue) { Ok(plan) } else { missing(&receive.from) }
    })?;
    for (text, sender) in raw.send.iter().zip(&senders).filter(|(_, s)| s.reply_to.is_some()) {
        let serves = |r: &&super::ReceiverPlan| (r.node, &r.queue) == (sender.to, &sender.queue);
        if !receivers.iter().filter(serves).all(|receiver| receiver.answers) {
            let what = "with `reply_to`, every program that receives from the queue `answers`";
            return Err(place.of(text, what.to_owned()));
        }
    }
    Ok((senders, receivers))
}

fn missing<T>(queue: &str) -> Result<T, Wrong> {
    Err(format!("there is no queue `{queue}`"))
}

/// Which machines are a second one of a node. An error comes with the number of its step.
fn twins(steps: &[Step], queues: &[QueuePlan]) -> Result<BTreeMap<Place, Place>, (usize, Wrong)> {
    let mut twins = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        let Action::Clone { of, twin } = step.action else { continue };
        let fresh = of != twin && !twins.contains_key(&of) && !twins.values().any(|&n| n == twin);
        let empty = !queues.iter().any(|queue| queue.node == twin);
        if !fresh || !empty || twins.insert(twin, of).is_some() {
            let what = "a second machine is a node that has no queues and is made once";
            return Err((index, what.to_owned()));
        }
    }
    Ok(twins)
}

fn read_contacts(names: &Names, file: &str, text: &ContactsText) -> Result<Vec<Contact>, Wrong> {
    let path = Path::new(file).with_file_name(&text.file);
    let named = |what: String| format!("`{}`: {what}", text.file);
    let size = std::fs::metadata(&path).map_err(|error| named(error.to_string()))?.len();
    if size > TRACE_MAX {
        return Err(named(format!("a trace has at most {TRACE_MAX} bytes")));
    }
    let trace = std::fs::read_to_string(&path).map_err(|error| named(error.to_string()))?;
    contacts::read(names, &trace, text.until.map_or(u64::MAX, |until| until.0)).map_err(named)
}

fn timing(raw: &File) -> Timing {
    Timing {
        commit: raw.timing.commit.unwrap_or(Span::ms(0, 4)),
        detect: raw.timing.detect.unwrap_or(Span::ms(500, 3_000)),
        redial: raw.timing.redial.unwrap_or(Span::ms(50, 800)),
        answer_within_ms: raw.timing.answer_within.map_or(5_000, |answer| answer.0),
    }
}

fn deaths(dead: Option<&Spanned<String>>) -> Result<Deaths, (usize, Wrong)> {
    match dead.map(|dead| (dead.get_ref().as_str(), dead.span())) {
        None | Some(("none", _)) => Ok(Deaths::None),
        Some(("some", _)) => Ok(Deaths::Some),
        Some(("any", _)) => Ok(Deaths::Any),
        Some((_, span)) => Err((span.start, "`none`, `some` or `any` is wanted".into())),
    }
}
