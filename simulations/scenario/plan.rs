//! What a scenario has before anything happens: links, queues, and programs that send and receive.

use super::{Count, Place, Span};
use crate::rng::Rng;
use meshmq::engine::address::QueueName;
use meshmq::engine::message::{Delivery, Priority};

/// A link between two nodes.
#[derive(Clone, Debug)]
pub(crate) struct LinkPlan {
    /// Its ends, the smaller place first.
    pub(crate) ends: (Place, Place),
    /// Its directions: from the first end, from the second.
    pub(crate) ways: [WayPlan; 2],
    /// Whether it is there at the start.
    pub(crate) up: bool,
}

/// One direction of a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct WayPlan {
    /// How long a packet takes.
    pub(crate) latency: Span,
    /// Probability that a packet is lost.
    pub(crate) loss: f64,
    /// Probability that a packet arrives twice.
    pub(crate) duplicate: f64,
    /// Probability that a packet is late by up to four times the longest latency.
    pub(crate) reorder: f64,
    /// Bytes per second; no bound if none.
    pub(crate) bytes_per_s: Option<u64>,
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

/// A queue that is made when its node starts.
#[derive(Clone, Debug)]
pub(crate) struct QueuePlan {
    /// On which node.
    pub(crate) node: Place,
    /// Its name.
    pub(crate) name: QueueName,
    /// Its kind.
    pub(crate) transactional: bool,
    /// Its quota of messages.
    pub(crate) max_messages: Option<u64>,
    /// Its quota of bytes.
    pub(crate) max_bytes: Option<u64>,
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
    /// How many messages it sends, or for how long.
    pub(crate) much: Much,
    /// How fast.
    pub(crate) pace: Pace,
    /// Messages of one command.
    pub(crate) batch: Count,
    /// One of these, drawn for each message.
    pub(crate) deliveries: Vec<Delivery>,
    /// One of these, drawn for each message.
    pub(crate) priorities: Vec<Priority>,
    /// Lengths of the body, each with its weight.
    pub(crate) sizes: Vec<(u64, Count)>,
    /// Time to reach the queue, drawn for each message; the default if none.
    pub(crate) reach_within: Option<Span>,
    /// Time to be received, drawn for each message.
    pub(crate) ttl: Option<Span>,
    /// Where it wants its answers.
    pub(crate) reply_to: Option<(Place, QueueName)>,
}

/// How much a program sends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Much {
    /// So many messages.
    Messages(Count),
    /// As many as it gets done in this time.
    For(Span),
}

/// How fast a program sends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pace {
    /// So many commands at one moment, then a pause.
    Every {
        /// Commands.
        burst: Count,
        /// Pause.
        pause: Span,
    },
    /// Messages per hour on average, with pauses from none to twice the mean.
    PerHour(u64),
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
    /// How long it works on a message before it settles it.
    pub(crate) work: Span,
    /// Whether it answers into the response queue before it acknowledges.
    pub(crate) answers: bool,
    /// Probability of a nack.
    pub(crate) nack: f64,
    /// Probability of giving a message back at once.
    pub(crate) give_back: f64,
    /// Probability that it forgets a message, so that the lock runs out.
    pub(crate) forget: f64,
    /// Probability that it dies with the message in hand, and comes back.
    pub(crate) die: f64,
    /// Share of messages that it can never take.
    pub(crate) poison: f64,
}

impl SenderPlan {
    /// Draws the length of a body: of one of the sizes, each as often as its weight says.
    pub(crate) fn draw_bytes(&self, rng: &mut Rng) -> u64 {
        let size = match &self.sizes[..] {
            [(_, only)] => Some(only),
            sizes => {
                let mut drawn = rng.below(sizes.iter().map(|(weight, _)| weight).sum());
                let hit = |(weight, _): &&(u64, Count)| {
                    let hit = drawn < *weight;
                    drawn = drawn.saturating_sub(*weight);
                    hit
                };
                sizes.iter().find(hit).map(|(_, size)| size)
            }
        };
        size.map_or(0, |size| rng.between(size.least, size.most))
    }

    /// When it has sent everything at the latest, in milliseconds after the start, if its node runs.
    pub(super) fn ends_ms(&self) -> u64 {
        let lasts = match (self.much, self.pace) {
            (Much::For(span), _) => span.most,
            (Much::Messages(count), Pace::Every { burst, pause }) => {
                pause.most * count.most.div_ceil(self.batch.least * burst.least)
            }
            (Much::Messages(count), Pace::PerHour(messages)) => {
                count.most.saturating_mul(2 * 3_600_000).div_ceil(messages)
            }
        };
        self.at.most + lasts
    }
}
