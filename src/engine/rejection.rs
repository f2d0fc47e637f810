//! Why the node refuses a command: early, to the one who asked, with the reason (promise G8).

use super::address::QueueName;

/// A refusal of a command. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such local queue.
    #[error("there is no queue `{0}` on this node")]
    NoSuchQueue(QueueName),
    /// A local queue of that name exists.
    #[error("queue `{0}` exists already")]
    QueueExists(QueueName),
    /// A transactional message for a plain queue, or the reverse.
    #[error("queue `{queue}` takes {} messages only", if *.transactional { "transactional" } else { "express and recoverable" })]
    WrongKind {
        /// The queue.
        queue: QueueName,
        /// What it takes.
        transactional: bool,
    },
    /// The local queue is at its quota.
    #[error("queue `{0}` is full")]
    QueueFull(QueueName),
    /// The store for outgoing messages is at its limit.
    #[error("the outgoing store is full: it takes {messages} messages and {bytes} bytes")]
    OutgoingFull {
        /// Limit in messages.
        messages: u64,
        /// Limit in bytes.
        bytes: u64,
    },
    /// The memory for express messages is at its limit.
    #[error("the memory for express messages is full: it takes {0} bytes")]
    ExpressFull(u64),
    /// The disk has less free than the reserve.
    #[error("the disk has {free} bytes free, less than the reserve of {reserve}")]
    DiskLow {
        /// Free bytes.
        free: u64,
        /// The reserve.
        reserve: u64,
    },
    /// The message is larger than the node takes.
    #[error("the message has {size} bytes; at most {limit} are taken")]
    TooLarge {
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// Too many earlier epochs of this line are still open.
    #[error("{0} earlier openings still have undelivered messages for this queue")]
    TooManyEpochs(usize),
    /// A number of the command is out of its bounds.
    #[error("{what} must be {bounds}")]
    OutOfBounds {
        /// Which.
        what: &'static str,
        /// The bounds, in words.
        bounds: &'static str,
    },
    /// There are too many of something.
    #[error("there are {limit} {what} already, which is the limit")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The lock ran out, was settled, or never was.
    #[error("the lock is gone: its lease ran out or it was settled")]
    LockGone,
    /// No message of that id is known here.
    #[error("no message of that id is known to this node")]
    NoSuchMessage,
    /// What is stored of the message does not read back.
    #[error("the message's content is damaged on this node's disk")]
    Damaged,
    /// The dead letter may have arrived: a retry could deliver it twice (rule R19).
    #[error("the message may have arrived; retrying could deliver it twice")]
    MayDuplicate,
    /// The key of a send was used for another send.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The row of a numbered send has gone on to a higher number.
    #[error("the row of the idempotency key has gone on to number {0}")]
    RowPast(u64),
}

impl Rejection {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSuchQueue(_) => "no_such_queue",
            Self::QueueExists(_) => "queue_exists",
            Self::WrongKind { .. } => "wrong_kind",
            Self::QueueFull(_) => "queue_full",
            Self::OutgoingFull { .. } => "outgoing_full",
            Self::ExpressFull(_) => "express_full",
            Self::DiskLow { .. } => "disk_low",
            Self::TooLarge { .. } => "too_large",
            Self::TooManyEpochs(_) => "too_many_epochs",
            Self::OutOfBounds { .. } => "out_of_bounds",
            Self::TooMany { .. } => "too_many",
            Self::LockGone => "lock_gone",
            Self::NoSuchMessage => "no_such_message",
            Self::Damaged => "damaged",
            Self::MayDuplicate => "may_duplicate",
            Self::KeyReused => "idempotency_mismatch",
            Self::RowPast(_) => "idempotency_past",
        }
    }
}
