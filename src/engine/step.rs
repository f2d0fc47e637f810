//! The whole boundary of the engine on one page: what goes in, what comes out.

use super::address::{NodeId, QueueName};
use super::command::{Command, MessageState, Reply};
use super::frame::{Answer, Frame};
use super::ids::MessageId;
use super::message::ContentHash;
use super::record::DeathReason;
use super::rejection::Rejection;
use super::statement::DirectoryRecord;

/// Something that happened. Only what was checked at the edge gets here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A program asks; the ticket comes back with the reply.
    Command {
        /// Chosen by the caller.
        ticket: u64,
        /// What is asked.
        command: Command,
    },
    /// A local program went away: its locks return.
    SessionEnded(u64),
    /// A link to a proven member is up. A second time in a row means that it broke in between.
    LinkUp(NodeId),
    /// The link is gone.
    LinkDown(NodeId),
    /// A neighbour says something and waits for the answer.
    Request {
        /// Who.
        peer: NodeId,
        /// Number of the exchange, chosen by the neighbour's shell; comes back with the answer.
        exchange: u64,
        /// What.
        frames: Vec<Frame>,
    },
    /// A neighbour answered a request of ours.
    Answered {
        /// Who.
        peer: NodeId,
        /// Number of our exchange.
        exchange: u64,
        /// What.
        answer: Answer,
    },
    /// No answer will come: nobody knows whether the request arrived.
    Unanswered {
        /// Who.
        peer: NodeId,
        /// Number of our exchange.
        exchange: u64,
    },
    /// What [`Output::Check`] asked for.
    Checked {
        /// The message.
        id: MessageId,
        /// Number of its content in this store.
        content: u64,
        /// Whether it has the hash.
        good: bool,
    },
}

/// Something to be done, now that everything it rests on is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// The answer to a command.
    Reply {
        /// The command's ticket.
        ticket: u64,
        /// The outcome.
        result: Result<Reply, Rejection>,
    },
    /// A request to a neighbour, to be answered or reported as unanswered.
    Request {
        /// To whom.
        peer: NodeId,
        /// Number of the exchange.
        exchange: u64,
        /// What.
        frames: Vec<Frame>,
    },
    /// The answer to a neighbour's request.
    Answer {
        /// To whom.
        peer: NodeId,
        /// The neighbour's number.
        exchange: u64,
        /// What.
        answer: Answer,
    },
    /// An inner part has come whole, in parts: it is to be read with [`Command::Read`] and its hash
    /// compared.
    Check {
        /// The message.
        id: MessageId,
        /// Number of its content in this store.
        content: u64,
        /// Length of it in bytes.
        len: u64,
        /// The hash that it must have.
        hash: ContentHash,
    },
    /// News for whoever listens.
    Event(Event),
}

/// News: facts that hold once the commit has succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message of this origin changed its state.
    State {
        /// Which.
        id: MessageId,
        /// To what.
        state: MessageState,
    },
    /// A message entered a local queue.
    Entered {
        /// Which queue.
        queue: QueueName,
        /// Which message.
        id: MessageId,
        /// Whether its stream is an ordered one.
        ordered: bool,
    },
    /// Something in a local queue can be handed out.
    Available(QueueName),
    /// A message left a local queue to an application that settled it.
    Consumed {
        /// Which queue.
        queue: QueueName,
        /// Which message.
        id: MessageId,
    },
    /// A copy was dropped because the message had been here.
    Duplicate {
        /// Which message.
        id: MessageId,
        /// The local queue that it names, if that can be read.
        queue: Option<QueueName>,
    },
    /// A message died here: on its way from here, or in a local queue.
    Buried {
        /// Where it was going.
        destination: NodeId,
        /// Into which queue.
        queue: QueueName,
        /// Why.
        reason: DeathReason,
    },
    /// A directory record is new here.
    Learned(DirectoryRecord),
    /// A neighbour knows an opening of this node that this store never had.
    HigherEpochHeard(NodeId),
    /// The content of a message does not read back from the store.
    Damaged(MessageId),
    /// A verdict came that contradicts an earlier one (possible only under limits L2 and L3).
    Contradicted(MessageId),
}
