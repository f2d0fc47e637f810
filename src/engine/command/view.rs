//! What a node shows of its queues, of what is outgoing and of what died.

use super::Shown;
use crate::engine::address::{NodeId, QueueName};
use crate::engine::frame::NotTaken;
use crate::engine::ids::MessageId;
use crate::engine::record::DeathReason;
use crate::engine::time::Timestamp;

/// A local queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueView {
    /// Its name.
    pub name: QueueName,
    /// Its kind.
    pub transactional: bool,
    /// Messages that could be handed out now or after a wait.
    pub ready: u64,
    /// Messages under locks.
    pub locked: u64,
    /// Dead letters that were for it.
    pub dead: u64,
    /// Bytes of its messages.
    pub bytes: u64,
    /// When its head entered, if there is one.
    pub oldest: Option<Timestamp>,
    /// Quota in messages.
    pub max_messages: u64,
    /// Quota in bytes.
    pub max_bytes: u64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What waits for one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingView {
    /// Where it goes.
    pub destination: NodeId,
    /// Own messages without a verdict.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest was accepted.
    pub oldest: Option<Timestamp>,
    /// Where it stands.
    pub state: OutgoingState,
    /// When something is tried again at the latest, if a time is known.
    pub next_try: Option<Timestamp>,
}

/// Where a destination's outgoing messages stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutgoingState {
    /// A live path is there and takes them.
    Sending,
    /// Neighbours carry them, or wait to meet somebody.
    InTransit,
    /// No path is live.
    NoPath,
    /// The destination said "not now".
    Refused(NotTaken),
}

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadView {
    /// Its number, in the order of dying.
    pub letter: u64,
    /// The message.
    pub id: MessageId,
    /// Where it was going.
    pub destination: NodeId,
    /// Into which queue.
    pub queue: QueueName,
    /// Why.
    pub reason: DeathReason,
    /// When.
    pub died_at: Timestamp,
    /// Whether it may have arrived.
    pub unconfirmed: bool,
    /// The inner part.
    pub inner: Shown,
}

/// The node in a few numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Messages in local queues.
    pub messages: u64,
    /// Own messages without a verdict.
    pub outgoing: u64,
    /// Their bytes.
    pub outgoing_bytes: u64,
    /// Copies carried for others.
    pub carried: u64,
    /// Their bytes.
    pub carried_bytes: u64,
    /// Dead letters.
    pub dead: u64,
    /// Live links.
    pub links: u64,
    /// Local queues.
    pub queues: u64,
    /// The store and its disk.
    pub disk: Disk,
}

/// How much the store takes, and what its disk still has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// Bytes of the store's files.
    pub used_bytes: u64,
    /// Bytes of what lives in them.
    pub live_bytes: u64,
    /// Bytes that the disk still has; `None` where there is no disk.
    pub free_bytes: Option<u64>,
    /// Below so many free bytes, sends are refused.
    pub reserve_bytes: u64,
}

impl Disk {
    /// Whether sends are refused for want of room.
    pub fn is_low(&self) -> bool {
        self.free_bytes.is_some_and(|free| free < self.reserve_bytes)
    }
}
