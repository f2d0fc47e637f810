//! Programs that send: how much, how fast, and what.

use super::programs::{Ask, Letter, inner, label, serial};
use super::{Happening, Stop, World};
use crate::scenario::{Pace, SenderPlan};
use meshmq::engine::command::{Command, Outgoing};

/// A program that sends.
pub(super) struct Sender {
    pub(super) plan: SenderPlan,
    /// Messages that it still sends, and until when.
    pub(super) left: u64,
    pub(super) until: u64,
    serial: u64,
    /// When it sends next, in microseconds, so that a rate comes out even.
    pub(super) next_us: u64,
}

impl Sender {
    pub(super) const fn new(plan: SenderPlan) -> Self {
        Self { plan, left: 0, until: u64::MAX, serial: 0, next_us: 0 }
    }

    pub(super) const fn is_done(&self) -> bool {
        self.left == 0
    }
}

impl World<'_> {
    /// A sender's turn: its commands of this moment, or another try later if its node is down.
    pub(super) fn send(&mut self, index: usize) -> Result<(), Stop> {
        let plan = self.senders[index].plan.clone();
        let over = self.now > self.senders[index].until;
        if over || self.machines[plan.from].lost {
            self.senders[index].left = 0;
        }
        if self.senders[index].left == 0 {
            return Ok(());
        }
        if !self.machines[plan.from].is_awake() {
            let ms = self.draw(super::programs::DOWN);
            self.senders[index].next_us = (self.now + ms) * 1_000;
            self.after(ms, Happening::Send(index));
            return Ok(());
        }
        let commands = match plan.pace {
            Pace::Every { burst, .. } if burst.most > 1 => {
                self.rng.between(burst.least, burst.most)
            }
            _ => 1,
        };
        let mut sent = 0;
        for _ in 0..commands {
            let batch = self.rng.between(plan.batch.least, plan.batch.most);
            let batch = batch.min(self.senders[index].left);
            if batch > 0 {
                self.send_command(index, &plan, batch);
            }
            sent += batch;
        }
        let us = match plan.pace {
            Pace::Every { pause, .. } => self.draw(pause) * 1_000,
            Pace::PerHour(messages) => self.rng.between(0, 7_200_000_000 * sent / messages),
        };
        let sender = &mut self.senders[index];
        sender.next_us += us;
        let at = sender.next_us / 1_000;
        self.at(at, Happening::Send(index));
        Ok(())
    }

    fn send_command(&mut self, index: usize, plan: &SenderPlan, batch: u64) {
        let mut letters = Vec::new();
        let messages = (0..batch).map(|_| self.write(index, plan));
        let messages: Vec<Outgoing> = messages.collect();
        let first = self.senders[index].serial + 1 - batch;
        for (nth, message) in messages.iter().enumerate() {
            let label = label(serial(index, first + nth as u64));
            let asks = plan.reply_to.is_some().then_some(label);
            letters.push(Letter { durable: message.delivery.is_durable(), asks });
        }
        self.senders[index].left -= batch;
        self.ask(plan.from, Ask::Send(letters), Command::Send(messages));
    }

    fn write(&mut self, index: usize, plan: &SenderPlan) -> Outgoing {
        let sender = &mut self.senders[index];
        sender.serial += 1;
        let serial = serial(index, sender.serial);
        let delivery = self.rng.pick(&plan.deliveries).copied().unwrap_or_default();
        let priority = self.rng.pick(&plan.priorities).copied().unwrap_or_default();
        let len = plan.draw_bytes(&mut self.rng);
        let to = (plan.to, &plan.queue);
        let mut inner = inner(&plan.queue, serial, len);
        if let Some((place, queue)) = &plan.reply_to {
            inner.reply_to = Some(format!("{queue}@{}", self.name(*place)));
            inner.correlation_id = Some(inner.label.clone());
        }
        let mut outgoing = self.outgoing(plan.from, to, delivery, priority, &inner);
        if let Some(span) = plan.reach_within {
            outgoing.reach_within_ms = self.draw(span).max(1);
        }
        outgoing.ttl_ms = plan.ttl.map(|span| self.draw(span).max(1));
        outgoing
    }
}
