//! Programs that receive: what they do with a message, and how they fail.

use super::programs::{Ask, inner, label, read, serial};
use super::{Happening, Stop, World};
use crate::checkers::Violation;
use crate::rng::Rng;
use crate::scenario::{Place, ReceiverPlan};
use meshmq::codec::Inner;
use meshmq::engine::address::QueueName;
use meshmq::engine::command::{Command, Delivered, Settlement};
use meshmq::engine::ids::MessageId;
use meshmq::engine::message::{Delivery, Priority};
use meshmq::engine::step::Input;

/// Length of the body of an answer.
const ANSWER_BYTES: u64 = 64;
/// Makes the choice of messages that can never be taken another than that of their bodies.
const POISON: u64 = 0x706f_6973_6f6e;

/// A program that receives.
pub(super) struct Receiver {
    pub(super) plan: ReceiverPlan,
    pub(super) session: u64,
    answers: u64,
}

/// A message that a program has worked on.
#[derive(Clone)]
pub(super) struct Settling {
    place: Place,
    life: u64,
    /// Which program has it.
    receiver: usize,
    session: u64,
    lock: u64,
    id: MessageId,
    how: Settlement,
    /// Set if it is a question that is to be answered first.
    question: Option<Question>,
}

/// Where an answer goes, and to which question it is one.
#[derive(Clone)]
struct Question {
    node: Place,
    queue: QueueName,
    correlation: String,
}

impl Receiver {
    pub(super) const fn new(plan: ReceiverPlan) -> Self {
        Self { plan, session: 0, answers: 0 }
    }
}

impl World<'_> {
    /// A receiver's turn: it asks for messages.
    pub(super) fn receive(&mut self, index: usize) -> Result<(), Stop> {
        let plan = self.receivers[index].plan.clone();
        if self.machines[plan.node].lost {
            return Ok(());
        }
        let awake = self.machines[plan.node].is_awake();
        if awake {
            let command = Command::Receive {
                queue: plan.queue.clone(),
                max: self.rng.between(plan.batch.least, plan.batch.most) as usize,
                lease_ms: plan.lease_ms,
                session: self.receivers[index].session,
            };
            self.ask(plan.node, Ask::Receive(index), command);
        }
        let ms = self.draw(if awake { plan.every } else { super::programs::DOWN });
        self.after(ms, Happening::Receive(index));
        Ok(())
    }

    /// A program is given a message, looks at it, and decides how to settle it.
    pub(super) fn work(
        &mut self,
        place: Place,
        index: usize,
        delivered: &Delivered,
    ) -> Result<(), Stop> {
        self.checkers.delivered(&self.ledger, place, delivered)?;
        let plan = self.receivers[index].plan.clone();
        let id = delivered.message.id;
        let Some((inner, serial)) = read(&plan.queue, &delivered.message.inner.bytes) else {
            let what = "a program was given other bytes than were sent";
            return Err(Violation::of("G2 nothing vanishes", &id, what).into());
        };
        let question = self.look_at(&plan, &inner);
        let poisoned = Rng::new(serial ^ POISON).chance(plan.poison);
        let how = match decide(&mut self.rng, &plan) {
            _ if self.draining => Settlement::Ack,
            _ if poisoned => Settlement::Nack,
            how => how,
        };
        let forgets = self.rng.chance(plan.forget);
        let dies = self.rng.chance(plan.die);
        if dies && !self.draining {
            self.program_dies(place, index);
        } else if !forgets || self.draining {
            let life = self.machines[place].life;
            let session = self.receivers[index].session;
            let (lock, receiver) = (delivered.lock, index);
            let settling = Settling { place, life, receiver, session, lock, id, how, question };
            let ms = self.draw(plan.work);
            self.after(ms, Happening::Settle(settling));
        }
        Ok(())
    }

    /// Notes an answer, and says what is to be answered.
    fn look_at(&mut self, plan: &ReceiverPlan, inner: &Inner) -> Option<Question> {
        let correlation = inner.correlation_id.clone()?;
        let Some(address) = &inner.reply_to else {
            if self.answered.insert(correlation) {
                self.tally.answered += 1;
            }
            return None;
        };
        let (queue, node) = address.split_once('@').filter(|_| plan.answers)?;
        let node = self.scenario.nodes.iter().position(|name| name == node)?;
        Some(Question { node, queue: queue.parse().ok()?, correlation })
    }

    /// A program dies with what it has in hand; whoever looks after it starts it again.
    fn program_dies(&mut self, place: Place, index: usize) {
        let session = self.receivers[index].session;
        self.receivers[index].session += self.receivers.len() as u64;
        let name = self.name(place);
        self.trace.note(self.now, || format!("a program at {name} dies"));
        self.input(place, Input::SessionEnded(session));
    }

    /// A program settles a message, once its answer to it is accepted.
    pub(super) fn settle(&mut self, mut settling: Settling) -> Result<(), Stop> {
        let place = settling.place;
        let machine = &self.machines[place];
        let lives = machine.life == settling.life && machine.is_alive();
        if !lives || self.receivers[settling.receiver].session != settling.session {
            return Ok(());
        }
        match settling.question.take_if(|_| settling.how == Settlement::Ack) {
            Some(question) => self.answer_to(&question, settling),
            None => {
                let Settling { lock, id, how, .. } = settling;
                if how == Settlement::Ack {
                    self.ledger.acks(id);
                }
                self.ask(place, Ask::Settle(id, how), Command::Settle { lock, how });
            }
        }
        Ok(())
    }

    fn answer_to(&mut self, question: &Question, settling: Settling) {
        let place = settling.place;
        self.receivers[settling.receiver].answers += 1;
        let number = self.receivers[settling.receiver].answers;
        let serial = serial(self.senders.len() + settling.receiver, number);
        let mut inner = inner(&question.queue, serial, ANSWER_BYTES);
        inner.label = label(serial);
        inner.correlation_id = Some(question.correlation.clone());
        let to = (question.node, &question.queue);
        let (delivery, priority) = (Delivery::default(), Priority::default());
        let outgoing = self.outgoing(place, to, delivery, priority, &inner);
        self.ask(place, Ask::Answer(settling), Command::Send(vec![outgoing]));
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
