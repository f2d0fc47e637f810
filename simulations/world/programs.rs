//! What programs ask of their nodes, and what they are told, which is judged. All they do is drawn
//! from the seed.

use super::receivers::Settling;
use super::{Happening, Stop, World};
use crate::body::body;
use crate::checkers::{Violation, durable_first};
use crate::scenario::{Much, Place, Span};
use meshmq::codec::{Inner, content_hash, decode_inner, encode_inner};
use meshmq::engine::address::{LineId, NodeId, QueueName};
use meshmq::engine::command::{Command, InnerPart, Outgoing, QueueSpec, Reply, Settlement};
use meshmq::engine::ids::MessageId;
use meshmq::engine::limits::{PART_BYTES, REACH_WITHIN_DEFAULT_MS};
use meshmq::engine::message::{Delivery, Priority, Short};
use meshmq::engine::record::SentState;
use meshmq::engine::rejection::Rejection;
use meshmq::engine::step::Input;
use std::collections::BTreeMap;

/// How long a program waits before it calls a node again that is down, in milliseconds.
pub(super) const DOWN: Span = Span::ms(50, 500);

/// What a program has asked and waits for.
pub(super) enum Ask {
    /// Something about a queue.
    Queue,
    /// Accept messages: which.
    Send(Vec<Letter>),
    /// Accept an answer to a message, which is settled then.
    Answer(Settling),
    /// Hand out messages.
    Receive(usize),
    /// Settle a message; as received, or in another way.
    Settle(MessageId, Settlement),
}

/// What a sender remembers of a message until it is accepted.
pub(super) struct Letter {
    pub(super) durable: bool,
    /// Its label, if an answer is wanted.
    pub(super) asks: Option<String>,
}

impl Ask {
    pub(super) const fn is_send(&self) -> bool {
        matches!(self, Self::Send(_) | Self::Answer(_))
    }
}

impl World<'_> {
    pub(super) fn begin_programs(&mut self) {
        for index in 0..self.senders.len() {
            let plan = self.senders[index].plan.clone();
            let (left, lasts) = match plan.much {
                Much::Messages(count) => (self.rng.between(count.least, count.most), u64::MAX),
                Much::For(span) => (u64::MAX, self.draw(span)),
            };
            let at = self.draw(plan.at);
            let sender = &mut self.senders[index];
            (sender.left, sender.until) = (left, at.saturating_add(lasts));
            sender.next_us = at * 1_000;
            self.at(at, Happening::Send(index));
        }
        for index in 0..self.receivers.len() {
            let at = self.draw(self.receivers[index].plan.at);
            self.receivers[index].session = index as u64 + 1;
            self.at(at, Happening::Receive(index));
        }
    }

    /// Makes the node's queues; those that are there already stay.
    pub(super) fn create_queues(&mut self, place: Place) {
        for plan in self.scenario.queues.iter().filter(|plan| plan.node == place) {
            self.create_queue(place, &plan.name);
        }
    }

    pub(super) fn create_queue(&mut self, place: Place, name: &QueueName) {
        let mut plans = self.scenario.queues.iter();
        let Some(plan) = plans.find(|plan| (plan.node, &plan.name) == (place, name)) else {
            return;
        };
        let spec = QueueSpec {
            name: plan.name.clone(),
            transactional: plan.transactional,
            max_messages: plan.max_messages,
            max_bytes: plan.max_bytes,
        };
        self.ask(place, Ask::Queue, Command::CreateQueue(spec));
    }

    /// Somebody deletes a queue with what is in it.
    pub(super) fn drop_queue(&mut self, place: Place, name: QueueName) {
        self.ledger.drop_queue(place, &name);
        self.ask(place, Ask::Queue, Command::DropQueue(name));
    }

    pub(super) fn ask(&mut self, place: Place, ask: Ask, command: Command) {
        if self.machines[place].is_alive() {
            self.tickets += 1;
            let ticket = self.tickets;
            self.asks.insert((place, ticket), ask);
            self.input(place, Input::Command { ticket, command });
        }
    }

    /// A node replies to a program.
    pub(super) fn reply(
        &mut self,
        place: Place,
        ticket: u64,
        result: Result<Reply, Rejection>,
    ) -> Result<(), Stop> {
        self.hash(place, &format_args!("{ticket} {result:?}"));
        let name = self.name(place);
        self.trace.note(self.now, || format!("{name} replies: {}", crate::trace::reply(&result)));
        let Some(ask) = self.asks.remove(&(place, ticket)) else {
            let what = format!("{name} replies to a question twice, or to one that nobody asked");
            return Err(Violation::general("G3 exactly once", what).into());
        };
        match (ask, result) {
            (Ask::Send(letters), Ok(reply)) => {
                let durable: Vec<bool> = letters.iter().map(|letter| letter.durable).collect();
                durable_first::accepted(&self.ledger, &reply, &durable)?;
                self.tally.sent += durable.len() as u64;
                self.note_questions(letters, &reply);
            }
            (Ask::Answer(settling), Ok(reply)) => {
                durable_first::accepted(&self.ledger, &reply, &[true])?;
                self.tally.sent += 1;
                self.settle(settling)?;
            }
            (Ask::Send(letters), Err(_)) => self.tally.refused += letters.len() as u64,
            (Ask::Receive(index), Ok(Reply::Deliveries(list))) => {
                for delivered in list {
                    self.work(place, index, &delivered)?;
                }
            }
            (Ask::Settle(id, Settlement::Ack), Ok(_)) => {
                self.tally.received += 1;
                self.checkers.acknowledged(&self.ledger, id);
            }
            _ => {}
        }
        Ok(())
    }

    fn note_questions(&mut self, letters: Vec<Letter>, reply: &Reply) {
        let Reply::Accepted(ids) = reply else { return };
        for (id, letter) in ids.iter().zip(letters) {
            if let Some(label) = letter.asks.filter(|_| letter.durable) {
                self.asked.insert(label, *id);
                self.tally.asked += 1;
            }
        }
    }

    /// A question that was received, and whose answer nobody has seen.
    pub(super) fn unanswered(&self) -> Option<MessageId> {
        let owed = |id: &MessageId| {
            let account = self.ledger.account(id);
            account.is_some_and(|account| {
                account.state == SentState::Received && !account.torn.is_torn()
            })
        };
        let mut open =
            self.asked.iter().filter(|(label, id)| owed(id) && !self.answered.contains(*label));
        open.next().map(|(_, id)| *id)
    }

    /// A message with an inner part, its limits the usual ones.
    pub(super) fn outgoing(
        &mut self,
        from: Place,
        (to, queue): (Place, &QueueName),
        delivery: Delivery,
        priority: Priority,
        inner: &Inner,
    ) -> Outgoing {
        let (from, to) = (self.machines[from].node, self.machines[to].node);
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&self.rng.draw().to_be_bytes());
        salt[8..].copy_from_slice(&self.rng.draw().to_be_bytes());
        let bytes = encode_inner(inner);
        let hash = (bytes.len() > PART_BYTES).then(|| content_hash(&bytes));
        Outgoing {
            destination: to,
            queue: queue.clone(),
            line: line_id(from, to, queue, delivery, priority),
            delivery,
            priority,
            reach_within_ms: REACH_WITHIN_DEFAULT_MS,
            ttl_ms: None,
            salt: Short(salt),
            inner: InnerPart::Whole(bytes, hash),
        }
    }
}

/// The line's number: a stand-in for the keyed hash that survives a restart.
fn line_id(
    from: NodeId,
    to: NodeId,
    queue: &QueueName,
    delivery: Delivery,
    priority: Priority,
) -> LineId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(from.as_bytes()).update(to.as_bytes()).update(queue.folded().as_bytes());
    hasher.update(&[0, priority.value()]).update(delivery.as_str().as_bytes());
    let mut head = [0; 8];
    head.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    LineId(u64::from_be_bytes(head))
}

/// The inner part of a message whose body says what it must be.
pub(super) fn inner(queue: &QueueName, serial: u64, len: u64) -> Inner {
    Inner {
        queue: queue.clone(),
        label: label(serial),
        headers: BTreeMap::new(),
        content_type: String::new(),
        correlation_id: None,
        reply_to: None,
        body: body(serial, len).into(),
        extensions: BTreeMap::new(),
    }
}

/// The number of a message among all, from the number among those of its sender.
pub(super) const fn serial(sender: usize, number: u64) -> u64 {
    (sender as u64) << 32 | number
}

pub(super) fn label(serial: u64) -> String {
    format!("{serial:x}")
}

/// Reads a message; nothing if it is not as it was sent.
pub(super) fn read(queue: &QueueName, bytes: &[u8]) -> Option<(Inner, u64)> {
    let inner = decode_inner(bytes).ok()?;
    let serial = u64::from_str_radix(&inner.label, 16).ok()?;
    let intact = inner.queue == *queue && inner.body == body(serial, inner.body.len() as u64);
    intact.then_some((inner, serial))
}
