//! What the steps of a script do.

use super::plan::WayPlan;
use super::{Count, Place, Span};
use meshmq::engine::address::QueueName;

/// A direction of a link: from where to where.
pub(crate) type Way = (Place, Place);

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
    Cut(Vec<Way>),
    /// Directions of links work again.
    Heal(Vec<Way>),
    /// Directions of links stop and work in turn.
    Flap {
        /// Which.
        directions: Vec<Way>,
        /// How long they work.
        up: Span,
        /// How long they do not.
        down: Span,
        /// How long this goes on, in milliseconds.
        lasts_ms: u64,
    },
    /// Directions of links have other properties from now on.
    Change(Vec<(Way, WayPlan)>),
    /// Nodes change their place: some links go, others come.
    Move {
        /// Directions that stop.
        leaves: Vec<Way>,
        /// Directions that work.
        joins: Vec<Way>,
    },
    /// Nodes get another address: their connections are dead, and nobody is told.
    Readdress(Vec<Place>),
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
    /// Machines sleep: nothing runs, and the clock that counts sleep goes on.
    Suspend {
        /// Which nodes.
        nodes: Vec<Place>,
        /// After which time they wake.
        down: Span,
    },
    /// Disks have only so many bytes left.
    DiskFull {
        /// Which nodes.
        nodes: Vec<Place>,
        /// Bytes.
        left: u64,
    },
    /// Disks have room again.
    DiskFree(Vec<Place>),
    /// Somebody sets the wall clocks.
    ClockJump {
        /// Which nodes.
        nodes: Vec<Place>,
        /// Forwards, or backwards if negative, in milliseconds.
        by_ms: i64,
    },
    /// A second machine starts from a copy of a node's disk, with the same identity.
    Clone {
        /// The node.
        of: Place,
        /// The second machine.
        twin: Place,
    },
    /// Nodes are killed, and start again from their disks as they were some time ago.
    Rollback {
        /// Which nodes.
        nodes: Vec<Place>,
        /// How long ago.
        by: Span,
        /// After which time they start again.
        down: Span,
    },
    /// Nodes are killed, and start again from empty disks.
    Wipe {
        /// Which nodes.
        nodes: Vec<Place>,
        /// After which time they start again.
        down: Span,
    },
    /// Bodies on a disk do not read back any more.
    Corrupt {
        /// Which nodes.
        nodes: Vec<Place>,
        /// How many bodies at each.
        bodies: Count,
    },
    /// Nodes are killed and start again as another version.
    Upgrade {
        /// Which nodes.
        nodes: Vec<Place>,
        /// Whether it is the later one, which adds optional fields to all it says, or the present one.
        later: bool,
        /// After which time they start again.
        down: Span,
    },
    /// A queue is deleted with what is in it.
    DropQueue(Place, QueueName),
    /// A queue is made, as it was described.
    CreateQueue(Place, QueueName),
}

impl Action {
    /// The nodes to each of which it does something; none if it is about links or a queue.
    pub(crate) fn nodes(&self) -> &[Place] {
        match self {
            Self::Crash { nodes, .. }
            | Self::CrashAtCommit { nodes, .. }
            | Self::Attrition { nodes, .. }
            | Self::Suspend { nodes, .. }
            | Self::DiskFull { nodes, .. }
            | Self::ClockJump { nodes, .. }
            | Self::Rollback { nodes, .. }
            | Self::Wipe { nodes, .. }
            | Self::Corrupt { nodes, .. }
            | Self::Upgrade { nodes, .. }
            | Self::Readdress(nodes)
            | Self::Restart(nodes)
            | Self::Lose(nodes)
            | Self::DiskFree(nodes) => nodes,
            _ => &[],
        }
    }

    /// How long it goes on, in milliseconds; 0 for what happens at once.
    pub(super) const fn lasts_ms(&self) -> u64 {
        match self {
            Self::Flap { lasts_ms, .. } | Self::Attrition { lasts_ms, .. } => *lasts_ms,
            Self::Suspend { down, .. } => down.most,
            _ => 0,
        }
    }
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
