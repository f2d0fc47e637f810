//! The judge's book: for every durable message, what the disks of all nodes say of it.
//!
//! Fed with the writes of every commit in the order in which they became durable, and with nothing
//! that a node merely says. Refuses to judge; the checkers do.

mod post;
mod seen;
mod torn;

use crate::scenario::Place;
use meshmq::engine::address::{LineId, NodeId, QueueName};
use meshmq::engine::ids::{MessageId, StreamId};
use meshmq::engine::message::{Content, Delivery, Priority};
use meshmq::engine::ranges::RangeSet;
use meshmq::engine::record::{Inbox, Line, Seat, SentState, Spot};
pub(crate) use seen::Sight;
use std::collections::{BTreeMap, BTreeSet};
pub(crate) use torn::Torn;

/// The book.
#[derive(Default)]
pub(crate) struct Ledger {
    /// The time, in milliseconds of the run.
    now: u64,
    nodes: Vec<NodeId>,
    places: BTreeMap<NodeId, Place>,
    accounts: BTreeMap<MessageId, Account>,
    /// Messages of each ordered line in the order of their commits.
    lines: BTreeMap<LineKey, Vec<MessageId>>,
    /// Places where a durable copy is, or ever was.
    had: BTreeSet<(Place, MessageId)>,
    /// Numbers that entered their queue.
    entered: BTreeMap<StreamId, RangeSet>,
    /// Numbers that each origin has heard to be received.
    heard: BTreeMap<StreamId, RangeSet>,
    /// Messages that are not at their end.
    open: BTreeSet<MessageId>,
    /// Messages held behind a gap.
    held: BTreeSet<(Place, MessageId)>,
    /// Messages that a program has asked to settle as received.
    acking: BTreeSet<MessageId>,
    inboxes: BTreeMap<(Place, StreamId), Inbox>,
    own: BTreeMap<(Place, LineId), Line>,
    queues: BTreeMap<(Place, u32), QueueName>,
    copies: BTreeMap<(Place, Spot), MessageId>,
    seats: BTreeMap<(Place, Seat), MessageId>,
    letters: BTreeMap<(Place, u64), MessageId>,
    chunks: BTreeMap<(Place, u64), BTreeSet<u32>>,
    lost: BTreeSet<Place>,
    /// Nodes whose store was put back.
    returned: BTreeSet<Place>,
    /// Nodes whose identity two machines have.
    shared: BTreeSet<Place>,
    /// Queues that were deleted.
    dropped: BTreeSet<(Place, QueueName)>,
    /// Which nodes can still meet, once that is known: those of one number.
    islands: Vec<usize>,
}

/// An ordered line: origin, destination, queue, priority.
pub(crate) type LineKey = (Place, Place, QueueName, Priority);

/// What the disks say of one message.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// Where it was accepted.
    pub(crate) origin: Place,
    /// Where it goes.
    pub(crate) destination: Place,
    /// Into which queue.
    pub(crate) queue: QueueName,
    /// Recoverable or transactional.
    pub(crate) delivery: Delivery,
    /// Its priority.
    pub(crate) priority: Priority,
    /// Its place in the order of its line.
    pub(crate) order: usize,
    /// What its origin's record says.
    pub(crate) state: SentState,
    /// Whether its origin has dropped the record.
    pub(crate) forgotten: bool,
    /// The origin's own copy, while there is one.
    pub(crate) copy: Option<Content>,
    /// Its dead letter, while there is one.
    pub(crate) letter: Option<u64>,
    /// Where it entered its queue.
    pub(crate) entered: Option<Seat>,
    /// Whether it has left its queue.
    pub(crate) left: bool,
    /// Whether it may end in its queue: by time, or because that is deleted.
    pub(crate) has_ttl: bool,
    /// When it was accepted, in milliseconds of the run.
    pub(crate) accepted_ms: u64,
    /// Its time to reach the queue and its time to be received, once they are known.
    pub(crate) limits_ms: Option<(u64, Option<u64>)>,
    /// What became of the stores that it rests on.
    pub(crate) torn: Torn,
}

/// Something that a commit changed.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A message was accepted.
    Accepted,
    /// Its origin's record says something else than before.
    State {
        /// What it said.
        from: SentState,
        /// What it says.
        to: SentState,
    },
    /// Its origin's record is gone.
    Forgotten,
    /// Its origin's copy is gone.
    CopyGone,
    /// Another node has a durable copy now.
    Carried,
    /// Another node has let its copy go.
    LetGo,
    /// It entered a queue.
    Entered {
        /// Where.
        place: Place,
        /// Where it had entered before.
        before: Option<Seat>,
    },
    /// It left its queue.
    Left(Place),
    /// A node holds it behind a gap.
    Held,
    /// Its dead letter was written.
    Buried,
    /// Its dead letter is gone.
    LetterGone,
}

impl Ledger {
    /// The book of these nodes.
    pub(crate) fn new(nodes: impl IntoIterator<Item = NodeId>) -> Self {
        let nodes: Vec<NodeId> = nodes.into_iter().collect();
        let places = nodes.iter().enumerate().rev().map(|(place, &node)| (node, place)).collect();
        Self { nodes, places, ..Self::default() }
    }

    /// The node at a place.
    pub(crate) fn node(&self, place: Place) -> NodeId {
        self.nodes[place]
    }

    /// It is later now, in milliseconds of the run.
    pub(crate) const fn tick(&mut self, now: u64) {
        self.now = now;
    }

    /// The time, in milliseconds of the run.
    pub(crate) const fn now(&self) -> u64 {
        self.now
    }

    /// The place of a node.
    pub(crate) fn place(&self, node: NodeId) -> Option<Place> {
        self.places.get(&node).copied()
    }

    /// The account of a message.
    pub(crate) fn account(&self, id: &MessageId) -> Option<&Account> {
        self.accounts.get(id)
    }

    /// All accounts.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (&MessageId, &Account)> {
        self.accounts.iter()
    }

    /// The messages of an ordered line in the order of their commits.
    pub(crate) fn line(&self, account: &Account) -> &[MessageId] {
        self.lines.get(&account.line_key()).map_or(&[], Vec::as_slice)
    }

    /// The numbers of a stream that entered their queue.
    pub(crate) fn entered(&self, stream: &StreamId) -> Option<&RangeSet> {
        self.entered.get(stream)
    }

    /// Whether durable messages were accepted in a stream; if not, it is one of express messages.
    pub(crate) fn is_durable(&self, stream: &StreamId) -> bool {
        let first = MessageId { stream: *stream, number: 0 };
        self.accounts.range(first..).next().is_some_and(|(id, _)| id.stream == *stream)
    }

    /// Whether a node has, or ever had, a durable copy.
    pub(crate) fn had(&self, place: Place, id: &MessageId) -> bool {
        self.had.contains(&(place, *id))
    }

    /// Whether a machine of this identity has, or ever had, a durable copy.
    pub(crate) fn had_as(&self, node: NodeId, id: &MessageId) -> bool {
        let machines = self.nodes.iter().enumerate().filter(|(_, of)| **of == node);
        machines.into_iter().any(|(place, _)| self.had(place, id))
    }

    /// Whether the destination has refused the message or passed it over.
    pub(crate) fn is_turned_away(&self, id: &MessageId) -> bool {
        let Some(account) = self.accounts.get(id) else { return false };
        let Some(inbox) = self.inboxes.get(&(account.destination, id.stream)) else { return false };
        inbox.skipped.contains(id.number)
            || inbox.refused.values().any(|numbers| numbers.contains(id.number))
    }

    /// Whether the destination says that the message ended in its queue.
    pub(crate) fn is_ended_there(&self, id: &MessageId) -> bool {
        let Some(account) = self.accounts.get(id) else { return false };
        let inbox = self.inboxes.get(&(account.destination, id.stream));
        inbox.is_some_and(|inbox| inbox.ended.contains(id.number))
    }

    /// Whether all of a content is on a node's disk.
    pub(crate) fn is_whole(&self, place: Place, content: &Content) -> bool {
        match content {
            Content::Inline(_) => true,
            Content::Stored { number, len, head, .. } => {
                let pieces =
                    (len - head.len() as u64).div_ceil(meshmq::engine::limits::CHUNK_BYTES as u64);
                self.chunks.get(&(place, *number)).is_some_and(|found| found.len() as u64 == pieces)
            }
        }
    }

    /// An origin hears from a receipt that numbers were received.
    pub(crate) fn hears(&mut self, stream: StreamId, received: &RangeSet) {
        self.heard.entry(stream).or_default().union(received);
    }

    /// Whether the origin has heard that the message was received.
    pub(crate) fn has_heard(&self, id: &MessageId) -> bool {
        self.heard.get(&id.stream).is_some_and(|numbers| numbers.contains(id.number))
    }

    /// A program asks to settle a message as received.
    pub(crate) fn acks(&mut self, id: MessageId) {
        self.acking.insert(id);
    }

    /// Whether a program has asked to settle the message as received.
    pub(crate) fn is_acked(&self, id: &MessageId) -> bool {
        self.acking.contains(id)
    }

    /// Messages that are not at their end.
    pub(crate) const fn open(&self) -> &BTreeSet<MessageId> {
        &self.open
    }

    /// A message held behind a gap that could still go on, and where.
    pub(crate) fn held(&self) -> Option<(Place, MessageId)> {
        let goes_on = |(_, id): &&(Place, MessageId)| {
            self.accounts.get(id).is_none_or(|account| self.can_end(account))
        };
        self.held.iter().find(goes_on).copied()
    }

    /// Copies that nodes carry for others, of messages whose ends are there and can hear of them.
    pub(crate) fn carried(&self) -> impl Iterator<Item = (Place, MessageId)> + '_ {
        let wanted = |(place, id): &(Place, MessageId)| {
            let account = self.accounts.get(id);
            account.is_some_and(|account| {
                let meets = self.island(*place) == self.island(account.destination);
                let own = self.nodes[*place] == self.nodes[account.origin];
                !own && meets && self.can_end(account)
            })
        };
        self.copies.iter().map(|(&(place, _), &id)| (place, id)).filter(wanted)
    }

    /// A node is gone for ever: what it had is no longer anybody's account.
    pub(crate) fn lose(&mut self, place: Place) {
        self.lost.insert(place);
        self.held.retain(|(at, _)| *at != place);
        self.copies.retain(|(at, _), _| *at != place);
        self.reopen();
    }

    /// No node is lost any more: those of one number can meet, by way of others or at once.
    pub(crate) fn set_islands(&mut self, islands: Vec<usize>) {
        self.islands = islands;
        self.reopen();
    }

    fn reopen(&mut self) {
        let open = std::mem::take(&mut self.open);
        let ends = |id: &MessageId| self.accounts.get(id).is_some_and(|a| self.can_end(a));
        self.open = open.into_iter().filter(ends).collect();
    }

    /// Whether a message can still come to its end: both ends are there and can meet.
    fn can_end(&self, account: &Account) -> bool {
        let meet = self.island(account.origin) == self.island(account.destination);
        !self.is_void(account) && meet
    }

    fn island(&self, place: Place) -> Option<usize> {
        self.islands.get(place).copied()
    }

    /// Whether nothing is promised any more for a message: one of its ends is gone for ever, or its
    /// origin was put back to a time before it.
    pub(crate) fn is_void(&self, account: &Account) -> bool {
        let lost = |place| self.lost.contains(place);
        account.torn.unmade || lost(&account.origin) || lost(&account.destination)
    }
}

impl Account {
    /// The line it belongs to, if it is an ordered one.
    pub(crate) fn line_key(&self) -> LineKey {
        (self.origin, self.destination, self.queue.clone(), self.priority)
    }

    /// Whether nothing more can happen to it.
    pub(crate) const fn is_at_its_end(&self) -> bool {
        match self.state {
            SentState::Arrived | SentState::Received if self.torn.destination => {
                self.left || self.entered.is_none()
            }
            SentState::Arrived | SentState::Received => self.left,
            SentState::Ended => self.left || self.entered.is_none(),
            SentState::Dead(_) => true,
            SentState::Waiting | SentState::Unconfirmed(_) => false,
        }
    }
}
