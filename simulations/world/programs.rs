//! Programs at the nodes: those that send, and those that receive and settle. All they do is drawn
//! from the seed; what they are told is judged.

use super::{Happening, Stop, World};
use crate::body::body;
use crate::checkers::{Violation, durable_first};
use crate::rng::Rng;
use crate::scenario::{Place, ReceiverPlan, SenderPlan, Span};
use bytes::Bytes;
use meshmq::codec::{Inner, content_hash, decode_inner, encode_inner};
use meshmq::engine::address::{LineId, NodeId, QueueName};
use meshmq::engine::command::{
    Command, Delivered, InnerPart, Outgoing, QueueSpec, Reply, Settlement,
};
use meshmq::engine::ids::MessageId;
use meshmq::engine::limits::{PART_BYTES, REACH_WITHIN_DEFAULT_MS};
use meshmq::engine::message::{Delivery, Priority, Short};
use meshmq::engine::rejection::Rejection;
use meshmq::engine::step::Input;
use std::collections::BTreeMap;

/// How long a program waits before it calls a node again that is down, in milliseconds.
const DOWN: Span = Span::ms(50, 500);
/// How long a program works on a message before it settles it, in milliseconds.
const WORK: Span = Span::ms(0, 50);

/// A program that sends.
pub(super) struct Sender {
    plan: SenderPlan,
    left: u64,
    serial: u64,
}

/// A program that receives.
pub(super) struct Receiver {
    plan: ReceiverPlan,
    session: u64,
}

/// What a program has asked and waits for.
pub(super) enum Ask {
    /// Make a queue.
    Queue,
    /// Accept messages; whether each is a durable one.
    Send(Vec<bool>),
    /// Hand out messages.
    Receive(usize),
    /// Settle a message; as received, or in another way.
    Settle(MessageId, Settlement),
}

/// A message that a program has worked on.
pub(super) struct Settling {
    place: Place,
    life: u64,
    lock: u64,
    id: MessageId,
    how: Settlement,
}

impl Sender {
    pub(super) const fn new(plan: SenderPlan) -> Self {
        Self { plan, left: 0, serial: 0 }
    }

    pub(super) const fn is_done(&self) -> bool {
        self.left == 0
    }
}

impl Receiver {
    pub(super) const fn new(plan: ReceiverPlan) -> Self {
        Self { plan, session: 0 }
    }
}

impl Ask {
    pub(super) const fn is_send(&self) -> bool {
        matches!(self, Self::Send(_))
    }
}

impl World<'_> {
    pub(super) fn begin_programs(&mut self) {
        for index in 0..self.senders.len() {
            let plan = self.senders[index].plan.clone();
            self.senders[index].left = self.rng.between(plan.count.least, plan.count.most);
            let at = self.draw(plan.at);
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
        for index in 0..self.scenario.queues.len() {
            let plan = &self.scenario.queues[index];
            if plan.node == place {
                let spec = QueueSpec {
                    name: plan.name.clone(),
                    transactional: plan.transactional,
                    max_messages: plan.max_messages,
                    max_bytes: None,
                };
                self.ask(place, Ask::Queue, Command::CreateQueue(spec));
            }
        }
    }

    fn ask(&mut self, place: Place, ask: Ask, command: Command) {
        self.tickets += 1;
        let ticket = self.tickets;
        self.asks.insert((place, ticket), ask);
        self.input(place, Input::Command { ticket, command });
    }

    /// A sender's turn: one command, or another try later if its node is down.
    pub(super) fn send(&mut self, index: usize) -> Result<(), Stop> {
        let plan = self.senders[index].plan.clone();
        if self.senders[index].left == 0 {
            return Ok(());
        }
        if self.machines[plan.from].lost {
            self.senders[index].left = 0;
            return Ok(());
        }
        if !self.machines[plan.from].is_alive() {
            let ms = self.draw(DOWN);
            self.after(ms, Happening::Send(index));
            return Ok(());
        }
        let batch = self.rng.between(plan.batch.least, plan.batch.most);
        let batch = batch.min(self.senders[index].left);
        let messages: Vec<Outgoing> = (0..batch).map(|_| self.write(index, &plan)).collect();
        let durable = messages.iter().map(|message| message.delivery.is_durable()).collect();
        self.senders[index].left -= batch;
        self.ask(plan.from, Ask::Send(durable), Command::Send(messages));
        let ms = self.draw(plan.every);
        self.after(ms, Happening::Send(index));
        Ok(())
    }

    fn write(&mut self, index: usize, plan: &SenderPlan) -> Outgoing {
        let sender = &mut self.senders[index];
        sender.serial += 1;
        let serial = (index as u64) << 32 | sender.serial;
        let delivery = self.rng.pick(&plan.deliveries).copied().unwrap_or_default();
        let priority = self.rng.pick(&plan.priorities).copied().unwrap_or_default();
        let len = self.rng.between(plan.body_bytes.least, plan.body_bytes.most);
        let (from, to) = (self.machines[plan.from].node, self.machines[plan.to].node);
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&self.rng.draw().to_be_bytes());
        salt[8..].copy_from_slice(&self.rng.draw().to_be_bytes());
        let reach_within_ms = match plan.reach_within {
            Some(span) => self.draw(span).max(1),
            None => REACH_WITHIN_DEFAULT_MS,
        };
        Outgoing {
            destination: to,
            queue: plan.queue.clone(),
            line: line_id(from, to, &plan.queue, delivery, priority),
            delivery,
            priority,
            reach_within_ms,
            ttl_ms: plan.ttl.map(|span| self.draw(span).max(1)),
            salt: Short(salt),
            inner: {
                let bytes = inner(&plan.queue, serial, len);
                let hash = (bytes.len() > PART_BYTES).then(|| content_hash(&bytes));
                InnerPart::Whole(bytes, hash)
            },
        }
    }

    /// A receiver's turn: it asks for messages.
    pub(super) fn receive(&mut self, index: usize) -> Result<(), Stop> {
        let plan = self.receivers[index].plan.clone();
        if self.machines[plan.node].lost {
            return Ok(());
        }
        let alive = self.machines[plan.node].is_alive();
        if alive {
            let command = Command::Receive {
                queue: plan.queue.clone(),
                max: self.rng.between(plan.batch.least, plan.batch.most) as usize,
                lease_ms: plan.lease_ms,
                session: self.receivers[index].session,
            };
            self.ask(plan.node, Ask::Receive(index), command);
        }
        let ms = self.draw(if alive { plan.every } else { DOWN });
        self.after(ms, Happening::Receive(index));
        Ok(())
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
            (Ask::Send(durable), Ok(reply)) => {
                durable_first::accepted(&self.ledger, &reply, &durable)?;
                self.tally.sent += durable.len() as u64;
            }
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

    /// A program is given a message, looks at it, and decides how to settle it.
    fn work(&mut self, place: Place, index: usize, delivered: &Delivered) -> Result<(), Stop> {
        self.checkers.delivered(&self.ledger, place, delivered)?;
        let plan = self.receivers[index].plan.clone();
        let id = delivered.message.id;
        if !is_intact(&plan.queue, &delivered.message.inner.bytes) {
            let what = "a program was given other bytes than were sent";
            return Err(Violation::of("G2 nothing vanishes", &id, what).into());
        }
        let how = if self.draining { Settlement::Ack } else { decide(&mut self.rng, &plan) };
        let forgets = !self.draining && self.rng.chance(plan.forget);
        if !forgets {
            let life = self.machines[place].life;
            let settling = Settling { place, life, lock: delivered.lock, id, how };
            let ms = self.draw(WORK);
            self.after(ms, Happening::Settle(settling));
        }
        Ok(())
    }

    pub(super) fn settle(&mut self, settling: Settling) -> Result<(), Stop> {
        let Settling { place, life, lock, id, how } = settling;
        if self.machines[place].life == life && self.machines[place].is_alive() {
            if how == Settlement::Ack {
                self.ledger.acks(id);
            }
            self.ask(place, Ask::Settle(id, how), Command::Settle { lock, how });
        }
        Ok(())
    }
}

fn decide(rng: &mut Rng, plan: &ReceiverPlan) -> Settlement {
    if rng.chance(plan.nack) {
        Settlement::Nack
    } else if rng.chance(plan.give_back) {
        Settlement::Return
    } else {
        Settlement::Ack
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
fn inner(queue: &QueueName, serial: u64, len: u64) -> Bytes {
    encode_inner(&Inner {
        queue: queue.clone(),
        label: format!("{serial:x}"),
        headers: BTreeMap::new(),
        content_type: String::new(),
        correlation_id: None,
        reply_to: None,
        body: body(serial, len).into(),
        extensions: BTreeMap::new(),
    })
}

fn is_intact(queue: &QueueName, bytes: &[u8]) -> bool {
    let Ok(inner) = decode_inner(bytes) else { return false };
    let Ok(serial) = u64::from_str_radix(&inner.label, 16) else { return false };
    inner.queue == *queue && inner.body == body(serial, inner.body.len() as u64)
}
