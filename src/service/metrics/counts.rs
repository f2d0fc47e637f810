//! What is counted, each with a bound on the names that it is counted by.

use crate::engine::address::{NodeId, QueueName};
use std::collections::BTreeMap;

/// Queues that are counted by name; what happens in further ones is counted together.
pub const QUEUES_SHOWN: usize = 500;
/// Codes of refusals that are counted by name; further ones are counted together.
pub const CODES_SHOWN: usize = 100;

/// The way on which something came into a node or left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// The program that the node runs in.
    Local,
    /// The HTTP door, on its socket or on TCP.
    Http,
    /// Another node.
    Mesh,
}

impl Via {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Http, Self::Local, Self::Mesh];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Http => "http",
            Self::Mesh => "mesh",
        }
    }
}

/// A count for each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByVia([u64; 3]);

impl ByVia {
    /// Counts so many more.
    pub const fn add(&mut self, via: Via, count: u64) {
        self.0[via as usize] += count;
    }

    /// How many came this way.
    pub const fn of(&self, via: Via) -> u64 {
        self.0[via as usize]
    }
}

/// What is counted of one queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// Messages that entered it.
    pub stored: ByVia,
    /// Messages that were handed out, each time.
    pub received: ByVia,
    /// Messages that left it because a program acknowledged them.
    pub acked: ByVia,
    /// Messages that programs gave back as not worked on.
    pub nacked: ByVia,
    /// Messages whose time to be received ran out in it.
    pub expired: u64,
    /// Copies that were dropped because the message had been here.
    pub duplicates: u64,
}

/// Dead letters by reason.
pub type Reasons = BTreeMap<&'static str, u64>;

/// All that is counted since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By local queue, the first [`QUEUES_SHOWN`] of them.
    pub queues: BTreeMap<QueueName, QueueCounts>,
    /// All further queues together.
    pub other: QueueCounts,
    /// Messages that this node accepted for other nodes.
    pub sent: ByVia,
    /// Messages that died here, by where they were going, the first [`QUEUES_SHOWN`] places.
    pub dead: BTreeMap<(NodeId, QueueName), Reasons>,
    /// Those for all further places.
    pub other_dead: Reasons,
    /// Connections that are open, by door.
    pub connections: BTreeMap<Via, u64>,
    /// What doors refused, by code, the first [`CODES_SHOWN`] of them.
    pub refused: BTreeMap<(Via, String), u64>,
    /// What they refused with further codes.
    pub other_refused: BTreeMap<Via, u64>,
}

impl Counts {
    /// What is counted of a local queue.
    pub fn queue(&mut self, queue: &QueueName) -> &mut QueueCounts {
        if self.queues.contains_key(queue) || self.queues.len() < QUEUES_SHOWN {
            self.queues.entry(queue.clone()).or_default()
        } else {
            &mut self.other
        }
    }

    /// Counts a message that died.
    pub fn died(&mut self, place: (NodeId, QueueName), reason: &'static str) {
        let reasons = if self.dead.contains_key(&place) || self.dead.len() < QUEUES_SHOWN {
            self.dead.entry(place).or_default()
        } else {
            &mut self.other_dead
        };
        *reasons.entry(reason).or_default() += 1;
    }

    /// Counts a refusal of a door.
    pub fn refused(&mut self, via: Via, code: &str) {
        let of = (via, code.to_owned());
        if self.refused.contains_key(&of) || self.refused.len() < CODES_SHOWN {
            *self.refused.entry(of).or_default() += 1;
        } else {
            *self.other_refused.entry(via).or_default() += 1;
        }
    }
}
