//! A scenario: what it proves, which nodes and links there are, who sends and receives, and what
//! happens when. Read from TOML and checked once; what follows works with nothing unchecked.
//!
//! Refuses to draw anything: ranges stay ranges until a seed is there.

mod check;
mod file;
mod steps;
mod units;

use meshmq::engine::address::QueueName;
use meshmq::engine::message::{Delivery, Priority};
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
    /// How many dead letters may be there at the end.
    pub(crate) dead: Deaths,
    /// How long everything may take after the healing, in milliseconds.
    pub(crate) drain_ms: u64,
    /// When the script ends at the latest if it is played on real processes, in milliseconds.
    pub(crate) live_until_ms: Option<u64>,
}

/// A link between two nodes.
#[derive(Clone, Debug)]
pub(crate) struct LinkPlan {
    /// Its ends, the smaller place first.
    pub(crate) ends: (Place, Place),
    /// How long a packet takes.
    pub(crate) latency: Span,
    /// Probability that a packet is lost.
    pub(crate) loss: f64,
    /// Probability that a packet arrives twice.
    pub(crate) duplicate: f64,
    /// Probability that a packet is late by up to four times the longest latency.
    pub(crate) reorder: f64,
    /// Bytes per second in each direction; no bound if none.
    pub(crate) bytes_per_s: Option<u64>,
    /// Whether it is there at the start.
    pub(crate) up: bool,
}

/// How long things take at every node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// A commit.
    pub(crate) commit: Span,
    /// Noticing that a link is dead.
    pub(crate) detect: Span,
    /// Making a link again once it could be.
    pub(crate) redial: Span,
    /// Waiting for an answer before giving up, in milliseconds.
    pub(crate) answer_within_ms: u64,
}

/// A queue that is made at the start.
#[derive(Clone, Debug)]
pub(crate) struct QueuePlan {
    /// On which node.
    pub(crate) node: Place,
    /// Its name.
    pub(crate) name: QueueName,
    /// Its kind.
    pub(crate) transactional: bool,
    /// Its quota.
    pub(crate) max_messages: Option<u64>,
}

/// A program that sends.
#[derive(Clone, Debug)]
pub(crate) struct SenderPlan {
    /// At which node.
    pub(crate) from: Place,
    /// To which node.
    pub(crate) to: Place,
    /// Into which queue.
    pub(crate) queue: QueueName,
    /// When it starts.
    pub(crate) at: Span,
    /// How many messages it sends.
    pub(crate) count: Count,
    /// Pause between two commands.
    pub(crate) every: Span,
    /// Messages of one command.
    pub(crate) batch: Count,
    /// One of these, drawn for each message.
    pub(crate) deliveries: Vec<Delivery>,
    /// One of these, drawn for each message.
    pub(crate) priorities: Vec<Priority>,
    /// Length of the body.
    pub(crate) body_bytes: Count,
    /// Time to reach the queue, drawn for each message; the default if none.
    pub(crate) reach_within: Option<Span>,
    /// Time to be received, drawn for each message.
    pub(crate) ttl: Option<Span>,
}

/// A program that receives.
#[derive(Clone, Debug)]
pub(crate) struct ReceiverPlan {
    /// At which node.
    pub(crate) node: Place,
    /// From which queue.
    pub(crate) queue: QueueName,
    /// When it starts.
    pub(crate) at: Span,
    /// Pause between two commands.
    pub(crate) every: Span,
    /// Messages of one command.
    pub(crate) batch: Count,
    /// How long its locks last, in milliseconds.
    pub(crate) lease_ms: u64,
    /// Probability of a nack.
    pub(crate) nack: f64,
    /// Probability of giving a message back at once.
    pub(crate) give_back: f64,
    /// Probability that it forgets a message, so that the lock runs out.
    pub(crate) forget: f64,
}

/// A step of the script.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// When.
    pub(crate) at: Span,
    /// What.
    pub(crate) action: Action,
}

/// What a step does.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Directions of links stop to carry anything.
    Cut(Vec<(Place, Place)>),
    /// Directions of links work again.
    Heal(Vec<(Place, Place)>),
    /// Directions of links stop and work in turn.
    Flap {
        /// Which.
        directions: Vec<(Place, Place)>,
        /// How long they work.
        up: Span,
        /// How long they do not.
        down: Span,
        /// How long this goes on, in milliseconds.
        lasts_ms: u64,
    },
    /// Processes are killed now.
    Crash {
        /// Which nodes.
        nodes: Vec<Place>,
        /// After which time they start again; a later step says it if none.
        down: Option<Span>,
    },
    /// Processes die at a commit to come.
    CrashAtCommit {
        /// Which nodes.
        nodes: Vec<Place>,
        /// At which commit from here, 1 being the next.
        nth: Count,
        /// On which side of it.
        side: Side,
        /// After which time they start again.
        down: Option<Span>,
    },
    /// Processes die at commits, by chance.
    Attrition {
        /// Which nodes.
        nodes: Vec<Place>,
        /// Probability at each commit.
        chance: f64,
        /// On which side of it.
        side: Side,
        /// How long this goes on, in milliseconds.
        lasts_ms: u64,
        /// After which time they start again.
        down: Span,
    },
    /// Nodes start again.
    Restart(Vec<Place>),
    /// Nodes are gone for ever, disks included.
    Lose(Vec<Place>),
}

/// On which side of a commit a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Before it is durable: its writes are gone.
    Before,
    /// After it is durable, before anything left the node.
    After,
    /// After it is durable, when some of what it allowed has left.
    Amid,
    /// Drawn each time.
    Any,
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

    /// When the script has nothing more to do, in milliseconds after the start.
    pub(crate) fn script_ends_ms(&self) -> u64 {
        let steps = self.steps.iter().map(|step| {
            step.at.most
                + match &step.action {
                    Action::Flap { lasts_ms, .. } | Action::Attrition { lasts_ms, .. } => *lasts_ms,
                    _ => 0,
                }
        });
        let senders = self.senders.iter().map(|sender| {
            sender.at.most + sender.every.most * sender.count.most.div_ceil(sender.batch.least)
        });
        steps.chain(senders).max().unwrap_or(0)
    }
}

fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests;
