//! What the engine tells a person who asks why a message is where it is.

use super::address::{NodeId, QueueName};
use super::command::MessageState;
use super::frame::NotTaken;
use super::ids::MessageId;
use super::message::{Delivery, Priority};
use super::time::Timestamp;

/// One message of this origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceView {
    /// Its id.
    pub id: MessageId,
    /// Where it goes.
    pub destination: NodeId,
    /// Into which queue.
    pub queue: QueueName,
    /// Express, recoverable or transactional.
    pub delivery: Delivery,
    /// 0 to 7.
    pub priority: Priority,
    /// Its state.
    pub state: MessageState,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When its time to reach the queue ends; none for a queue of this node.
    pub expires_at: Option<Timestamp>,
    /// When it died, if its dead letter is still here.
    pub died_at: Option<Timestamp>,
    /// Whether it has arrived but waits there for an earlier one of its line.
    pub held_there: bool,
}

/// How messages for one node leave this one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WayView {
    /// The neighbour that leads there along a live path.
    pub hop: Option<NodeId>,
    /// The link to it.
    pub link: Option<WayLink>,
    /// A stream that the destination, or the neighbour, does not take at present: why, and until
    /// when.
    pub refused: Option<(NotTaken, Timestamp)>,
    /// Neighbours that have copies of messages for it.
    pub carriers: Vec<NodeId>,
}

/// What is said on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WayLink {
    /// Whether both ends have said who they are and what they know.
    pub agreed: bool,
    /// Requests without an answer.
    pub requests: u64,
    /// Bytes of messages in them.
    pub bytes: u64,
    /// Bytes that may be in flight.
    pub window: u64,
    /// Nothing is sent before this moment.
    pub retry_at: Option<Timestamp>,
}
