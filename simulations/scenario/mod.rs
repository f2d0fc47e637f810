//! A scenario: what it proves, which nodes and links there are, who sends and receives, and what
//! happens when. Read from TOML and checked once; what follows works with nothing unchecked.
//!
//! Refuses to draw anything: ranges stay ranges until a seed is there.

mod action;
mod check;
mod contacts;
mod explain;
mod file;
mod links;
mod names;
mod plan;
mod programs;
mod steps;
mod units;

pub(crate) use action::{Action, Side, Step, Way};
pub(crate) use contacts::Contact;
pub(crate) use plan::{LinkPlan, Much, Pace, QueuePlan, ReceiverPlan, SenderPlan, Timing, WayPlan};
use std::collections::BTreeMap;
use std::path::Path;
pub(crate) use units::{Count, Span};

/// Index of a node in [`Scenario::nodes`].
pub(crate) type Place = usize;

/// A checked scenario.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// Its name: the file's, without the ending.
    pub(crate) name: String,
    /// The file, as it was given.
    pub(crate) file: String,
    /// What it proves.
    pub(crate) proves: String,
    /// Names of the nodes.
    pub(crate) nodes: Vec<String>,
    /// The links.
    pub(crate) links: Vec<LinkPlan>,
    /// How long things take.
    pub(crate) timing: Timing,
    /// The queues.
    pub(crate) queues: Vec<QueuePlan>,
    /// Programs that send.
    pub(crate) senders: Vec<SenderPlan>,
    /// Programs that receive.
    pub(crate) receivers: Vec<ReceiverPlan>,
    /// What happens when, in the order of the file.
    pub(crate) steps: Vec<Step>,
    /// Links that come and go as a trace says, in the order of time.
    pub(crate) contacts: Vec<Contact>,
    /// Second machines with the identity of a node: which, and of which node.
    pub(crate) twins: BTreeMap<Place, Place>,
    /// How many dead letters may be there at the end.
    pub(crate) dead: Deaths,
    /// How long everything may take after the healing, in milliseconds.
    pub(crate) drain_ms: u64,
    /// Whether everything is healed at the end and must drain; if not, the end of the script is it.
    pub(crate) liveness: bool,
    /// When the script ends at the latest if it is played on real processes, in milliseconds.
    pub(crate) live_until_ms: Option<u64>,
}

/// How many dead letters the end may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deaths {
    /// None: nothing has a reason to die.
    None,
    /// At least one in every run, or the scenario shows nothing.
    Some,
    /// Any number.
    Any,
}

/// Why a file is not a scenario, and where.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadFile {
    /// It cannot be read.
    #[error("{file}: {source}")]
    Unreadable {
        /// Which.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// Something in it is wrong.
    #[error("{file}:{line}:{column}: {what}")]
    Wrong {
        /// Which.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What.
        what: String,
    },
}

impl Scenario {
    /// Reads and checks a file.
    pub(crate) fn read(path: &Path) -> Result<Self, BadFile> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| BadFile::Unreadable { file: file.clone(), source })?;
        Self::parse(&file, &text)
    }

    /// Checks a text.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, BadFile> {
        check::check(file, text).map_err(|(at, what)| {
            let (line, column) = position(text, at);
            BadFile::Wrong { file: file.to_owned(), line, column, what }
        })
    }

    /// The node whose identity a machine has: its own, but for a twin.
    pub(crate) fn identity(&self, place: Place) -> Place {
        self.twins.get(&place).copied().unwrap_or(place)
    }

    /// Whether somebody sets the clocks of nodes.
    pub(crate) fn sets_clocks(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.action, Action::ClockJump { .. }))
    }

    /// When the script has nothing more to do, in milliseconds after the start.
    pub(crate) fn script_ends_ms(&self) -> u64 {
        let steps = self.steps.iter().map(|step| step.at.most + step.action.lasts_ms());
        let senders = self.senders.iter().map(SenderPlan::ends_ms);
        let contacts = self.contacts.last().map(|contact| contact.at_ms);
        steps.chain(senders).chain(contacts).max().unwrap_or(0)
    }
}

fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests;
