//! What a program asks of its node, and what it is told. Every gateway speaks in these.

use super::address::{LineId, NodeId, QueueName};
use super::explain::{TraceView, WayView};
use super::ids::{MessageId, MessageRef};
use super::message::{ContentHash, Delivery, Priority, Short};
use super::record::DeathReason;
use super::statement::DirectoryRecord;
use super::time::Timestamp;
use bytes::Bytes;

mod view;

pub use view::{DeadView, Disk, OutgoingState, OutgoingView, QueueView, Summary};

/// A request of a local program or of the node's own shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Accepts all messages in one commit, or none. Reply: [`Reply::Accepted`].
    Send(Vec<Outgoing>),
    /// The same under a key: a repetition within a day sends nothing. Reply: [`Reply::Accepted`], or
    /// [`Reply::Repeated`] for a repetition.
    SendOnce {
        /// The key, and what it stands for.
        request: OnceKey,
        /// The messages.
        messages: Vec<Outgoing>,
    },
    /// Takes the next bytes of a content that is too large to be handed in whole: whole chunks, but for
    /// the last. It is dropped with its session unless a send takes it. Reply: [`Reply::Staged`].
    Stage {
        /// Its number, from the reply to the first bytes; none for these.
        content: Option<u64>,
        /// The bytes, at most [`PART_BYTES`](super::limits::PART_BYTES).
        bytes: Bytes,
        /// Whose it is.
        session: u64,
    },
    /// Drops a content that no send will take. Reply: [`Reply::Done`].
    Unstage(u64),
    /// Reads chunks of a content. Reply: [`Reply::Chunks`].
    Read {
        /// Its number.
        content: u64,
        /// The first chunk.
        first: u32,
        /// At most so many, up to [`READ_CHUNKS_MAX`](super::limits::READ_CHUNKS_MAX).
        count: u32,
    },
    /// Hands out ready messages under locks. Reply: [`Reply::Deliveries`], empty if none is ready.
    Receive {
        /// From which local queue.
        queue: QueueName,
        /// At most so many, 1 to [`RECEIVE_MAX`](super::limits::RECEIVE_MAX).
        max: usize,
        /// How long the locks last unless extended, in milliseconds.
        lease_ms: u64,
        /// Whose locks they are: they return when the session ends.
        session: u64,
    },
    /// Shows the message of a lock. Reply: [`Reply::Peeked`].
    Locked(u64),
    /// Settles a lock. Reply: [`Reply::Settled`].
    Settle {
        /// The lock's number, from the delivery.
        lock: u64,
        /// How.
        how: Settlement,
    },
    /// Shows messages without disturbing them. Reply: [`Reply::Peeked`].
    Peek {
        /// From which local queue.
        queue: QueueName,
        /// After which place; from the head if none.
        after: Option<Place>,
        /// At most so many.
        max: usize,
    },
    /// Makes a local queue. Reply: [`Reply::Done`].
    CreateQueue(QueueSpec),
    /// Deletes a local queue and what is in it. Reply: [`Reply::Count`].
    DropQueue(QueueName),
    /// Deletes what is in a local queue, locked messages excepted. Reply: [`Reply::Count`].
    PurgeQueue(QueueName),
    /// Describes local queues; all, or the one. Reply: [`Reply::Queues`].
    Queues(Option<QueueName>),
    /// Describes what is outgoing, by destination. Reply: [`Reply::Outgoing`].
    Outgoing,
    /// Lists dead letters in the order of dying. Reply: [`Reply::DeadLetters`].
    DeadLetters {
        /// After which; from the first if none.
        after: Option<u64>,
        /// At most so many.
        max: usize,
    },
    /// Sends a dead letter again under a new number (rule R19). Reply: [`Reply::Accepted`].
    RetryDead {
        /// The letter.
        letter: u64,
        /// Whether an unconfirmed one may be sent too.
        may_duplicate: bool,
        /// Drawn for the new message.
        salt: Short,
    },
    /// Deletes a dead letter, or all. Reply: [`Reply::Count`].
    PurgeDead(Option<u64>),
    /// Tells the state of a message. Reply: [`Reply::State`].
    State(MessageRef),
    /// Tells all that is known of a message of this origin. Reply: [`Reply::Trace`].
    Trace(MessageRef),
    /// Tells how messages for a node leave this one. Reply: [`Reply::Way`].
    Way(NodeId),
    /// Sums up the node. Reply: [`Reply::Summary`].
    Summary,
    /// Tells which nodes are reachable now, and by which neighbour. Reply: [`Reply::Reach`].
    Reach,
    /// Stores records of `security` in one commit: private ones, and ones that spread.
    /// Reply: [`Reply::Done`].
    Keep {
        /// Private state by name; `None` removes it.
        private: Vec<(String, Option<Bytes>)>,
        /// Records to spread.
        directory: Vec<DirectoryRecord>,
        /// Whether all other directory records go first: the node changes its mesh.
        forget: bool,
    },
    /// Reads all records of `security`. Reply: [`Reply::Kept`].
    Kept,
}

/// What makes a send the same as an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnceKey {
    /// Hash of who sends and of the key they chose.
    pub key: Short,
    /// Hash of everything that is sent, its salts excepted.
    pub digest: Short,
    /// Number of the send, if the key is a row of numbered sends, of which only the last is
    /// remembered; zero if it is the key of one send.
    pub number: u64,
}

/// A message to be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Whose queue; this node's own id for a local one.
    pub destination: NodeId,
    /// Which queue.
    pub queue: QueueName,
    /// Number of the line, made by `security` from destination, queue, delivery and priority.
    pub line: LineId,
    /// Express, recoverable or transactional.
    pub delivery: Delivery,
    /// 0 to 7.
    pub priority: Priority,
    /// Time to reach the queue, in milliseconds.
    pub reach_within_ms: u64,
    /// Time to be received, in milliseconds.
    pub ttl_ms: Option<u64>,
    /// Sixteen bytes from the operating system's generator.
    pub salt: Short,
    /// The inner part, encoded once.
    pub inner: InnerPart,
}

/// An inner part that is handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InnerPart {
    /// These bytes, at most [`WHOLE_MAX`](super::limits::WHOLE_MAX), with their hash if they exceed
    /// [`PART_BYTES`](super::limits::PART_BYTES).
    Whole(Bytes, Option<ContentHash>),
    /// A content that lies here already: one that was staged, for any number of messages of one send,
    /// or that of a dead letter.
    Kept {
        /// What stands before it, at most [`SPLIT_HEAD_MAX`](super::limits::SPLIT_HEAD_MAX) bytes.
        head: Bytes,
        /// Its number.
        content: u64,
        /// Length of both in bytes.
        len: u64,
        /// Hash of both.
        hash: ContentHash,
    },
}

impl InnerPart {
    /// Its length in bytes.
    pub const fn len(&self) -> u64 {
        match self {
            Self::Whole(bytes, _) => bytes.len() as u64,
            Self::Kept { len, .. } => *len,
        }
    }

    /// Whether there are no bytes.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An inner part that is handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The bytes, or the beginning of those that exceed [`WHOLE_MAX`](super::limits::WHOLE_MAX), with
    /// all properties in it.
    pub bytes: Bytes,
    /// Where those are.
    pub rest: Option<Rest>,
}

/// Where an inner part is that is too large to be handed out whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Number of the content.
    pub content: u64,
    /// So many bytes of the inner part stand before it.
    pub before: u64,
    /// Length of the inner part in bytes.
    pub len: u64,
}

impl Shown {
    /// Length of the whole in bytes.
    pub const fn len(&self) -> u64 {
        match self.rest {
            Some(rest) => rest.len,
            None => self.bytes.len() as u64,
        }
    }

    /// Whether there are no bytes.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How a lock ends, or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// Received: the message leaves the queue.
    Ack,
    /// Not received: it returns, after 1 s doubling to 60 s.
    Nack,
    /// Not received, nobody's fault: it returns at once.
    Return,
    /// The lease starts again with this many milliseconds.
    Extend(u64),
}

/// A place in a local queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Seven less the priority.
    pub rank: u8,
    /// Order of arrival.
    pub arrival: u64,
}

/// A local queue to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSpec {
    /// Its name.
    pub name: QueueName,
    /// Whether it takes transactional messages only; fixed for ever.
    pub transactional: bool,
    /// Quota in messages; the node's default if none.
    pub max_messages: Option<u64>,
    /// Quota in bytes; the node's default if none.
    pub max_bytes: Option<u64>,
}

/// What the node answers when it does not refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is done.
    Done,
    /// It is done, to so many.
    Count(u64),
    /// The messages are on disk (express ones in memory), with these ids.
    Accepted(Vec<MessageId>),
    /// They were accepted before, under the same key, with these ids.
    Repeated(Vec<MessageId>),
    /// The bytes are on disk, under this number.
    Staged(u64),
    /// Chunks of a content, in order; fewer than asked for where it ends.
    Chunks(Vec<Bytes>),
    /// The first of the chunks does not read back.
    Damaged,
    /// A message of this queue is settled.
    Settled(QueueName),
    /// Messages under locks.
    Deliveries(Vec<Delivered>),
    /// Messages as they lie.
    Peeked(Vec<Peeked>),
    /// Local queues.
    Queues(Vec<QueueView>),
    /// Outgoing messages by destination.
    Outgoing(Vec<OutgoingView>),
    /// Dead letters.
    DeadLetters(Vec<DeadView>),
    /// The state of a message.
    State(MessageState),
    /// All that is known of a message.
    Trace(Box<TraceView>),
    /// How messages for a node leave this one.
    Way(WayView),
    /// The node in a few numbers.
    Summary(Summary),
    /// Reachable nodes, each with the neighbour that leads there.
    Reach(Vec<(NodeId, NodeId)>),
    /// Records of `security`.
    Kept {
        /// Private ones by name.
        private: Vec<(String, Bytes)>,
        /// Those that spread.
        directory: Vec<DirectoryRecord>,
    },
}

/// A message handed out under a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The lock.
    pub lock: u64,
    /// When it ends unless extended.
    pub locked_until: Timestamp,
    /// The message.
    pub message: Peeked,
}

/// A message as it lies in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peeked {
    /// Its id; the origin is in it.
    pub id: MessageId,
    /// Its place.
    pub place: Place,
    /// Express, recoverable or transactional.
    pub delivery: Delivery,
    /// 0 to 7.
    pub priority: Priority,
    /// When it entered the queue.
    pub enqueued_at: Timestamp,
    /// How often it was handed out, this time included.
    pub delivery_count: u32,
    /// Whether it is locked now.
    pub locked: bool,
    /// The inner part.
    pub inner: Shown,
}

/// The state of a message as this node knows it (promise G10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// On this disk (in this memory, for express), not handed out.
    Stored,
    /// Handed to this neighbour, which has it.
    InTransit(NodeId),
    /// In its destination queue.
    Arrived,
    /// Received by an application.
    Received,
    /// Dead for certain.
    Dead(DeathReason),
    /// Dead here, perhaps arrived there.
    Unconfirmed(DeathReason),
}

impl MessageState {
    /// The state's name in replies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::InTransit(_) => "in_transit",
            Self::Arrived => "arrived",
            Self::Received => "received",
            Self::Dead(_) => "dead",
            Self::Unconfirmed(_) => "unconfirmed",
        }
    }
}
