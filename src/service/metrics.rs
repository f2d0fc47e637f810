//! Counters of a running node, fed from its events and calls; never from inside the engine.

use super::{Peers, Service, ServiceError};
use crate::engine::address::QueueName;
use crate::engine::command::{MessageState, QueueView, Summary};
use crate::engine::ids::MessageId;
use crate::engine::step::Event;
use crate::engine::time::Timestamp;
use crate::runtime::{Counted, Handle, Histogram, Work, Worked};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Queues that are counted by name; what happens in further ones is counted together.
pub const QUEUES_SHOWN: usize = 500;
/// Own messages on their way whose time is measured at once.
pub const TIMED_MAX: usize = 65_536;
/// Steps of the time of a commit, in seconds.
const COMMIT_STEPS_S: &[f64] =
    &[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Steps of the time from this disk to the destination's, in seconds.
const DELIVERY_STEPS_S: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 600.0, 3_600.0, 86_400.0];

/// What is counted of one queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// Messages that entered it.
    pub stored: u64,
    /// Messages that were handed out, each time.
    pub received: u64,
    /// Messages that left it because a program acknowledged them.
    pub acked: u64,
}

/// All that is counted since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By queue, the first [`QUEUES_SHOWN`] of them.
    pub queues: BTreeMap<QueueName, QueueCounts>,
    /// All further queues together.
    pub other: QueueCounts,
    /// Messages that this node accepted for other nodes.
    pub sent: u64,
    /// Messages that programs gave back as not worked on.
    pub nacked: u64,
    /// Copies that were dropped because they had been here already.
    pub duplicates: u64,
    /// Own messages that died, by reason.
    pub dead: BTreeMap<&'static str, u64>,
}

impl Counts {
    fn queue(&mut self, queue: &QueueName) -> &mut QueueCounts {
        if self.queues.contains_key(queue) || self.queues.len() < QUEUES_SHOWN {
            self.queues.entry(queue.clone()).or_default()
        } else {
            &mut self.other
        }
    }
}

/// Counters, shared by all clones of a service.
#[derive(Debug)]
pub struct Metrics {
    counts: Mutex<Counts>,
    /// When own messages on their way were accepted.
    accepted: Mutex<BTreeMap<MessageId, Timestamp>>,
    commits: Arc<Histogram>,
    work: Arc<Work>,
    delivery: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            counts: Mutex::default(),
            accepted: Mutex::default(),
            commits: Arc::new(Histogram::new(COMMIT_STEPS_S)),
            work: Arc::default(),
            delivery: Histogram::new(DELIVERY_STEPS_S),
        }
    }
}

impl Metrics {
    /// Where the times of commits are counted.
    pub fn commits(&self) -> Arc<Histogram> {
        Arc::clone(&self.commits)
    }

    /// Where the work of the engine thread is counted.
    pub fn work(&self) -> Arc<Work> {
        Arc::clone(&self.work)
    }

    /// Counts what the engine tells, until it has ended. What a listener that fell behind has missed
    /// is not counted.
    pub async fn follow(self: Arc<Self>, mut events: Receiver<Event>, handle: Handle) {
        loop {
            match events.recv().await {
                Ok(event) => self.note(&event, &handle),
                Err(RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "some events were not counted");
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn note(&self, event: &Event, handle: &Handle) {
        match event {
            Event::Entered { queue, .. } => self.counts().queue(queue).stored += 1,
            Event::Consumed { queue, .. } => self.counts().queue(queue).acked += 1,
            Event::Duplicate(_) => self.counts().duplicates += 1,
            Event::State { id, state } => self.note_state(id, *state, handle),
            _ => {}
        }
    }

    fn note_state(&self, id: &MessageId, state: MessageState, handle: &Handle) {
        match state {
            MessageState::Stored | MessageState::InTransit(_) => {}
            MessageState::Arrived | MessageState::Received => {
                if let Some(accepted) = self.accepted().remove(id) {
                    let ms = handle.now().since(accepted);
                    self.delivery.observe(Duration::from_millis(ms));
                }
            }
            MessageState::Dead(reason) | MessageState::Unconfirmed(reason) => {
                self.accepted().remove(id);
                *self.counts().dead.entry(reason.as_str()).or_default() += 1;
            }
        }
    }

    pub(super) fn sent(&self, ids: &[MessageId], now: Timestamp) {
        self.counts().sent += ids.len() as u64;
        let mut accepted = self.accepted();
        for id in ids {
            if accepted.len() >= TIMED_MAX {
                accepted.pop_first();
            }
            accepted.insert(*id, now);
        }
    }

    pub(super) fn received(&self, queue: &QueueName, messages: u64) {
        self.counts().queue(queue).received += messages;
    }

    pub(super) fn nacked(&self) {
        self.counts().nacked += 1;
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accepted(&self) -> MutexGuard<'_, BTreeMap<MessageId, Timestamp>> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The node in all its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Time since the start.
    pub uptime: Duration,
    /// What the engine counts.
    pub summary: Summary,
    /// The local queues, by name.
    pub queues: Vec<QueueView>,
    /// What waits, by destination.
    pub outgoing: Vec<super::Outgoing>,
    /// Members and strangers.
    pub peers: Peers,
    /// What was counted since the start.
    pub counts: Counts,
    /// Times of commits.
    pub commits: Counted,
    /// What the engine thread and its store did.
    pub work: Worked,
    /// Times from this disk to the destination's.
    pub delivery: Counted,
}

impl Service {
    /// The node in all its numbers.
    ///
    /// # Errors
    /// [`ServiceError::Stopping`].
    pub async fn measured(&self) -> Result<Measured, ServiceError> {
        let metrics = self.metrics();
        Ok(Measured {
            uptime: self.0.started.elapsed(),
            summary: self.summary().await?,
            queues: self.queues().await?,
            outgoing: self.outgoing().await?,
            peers: self.peers().await?,
            counts: metrics.counts().clone(),
            commits: metrics.commits.read(),
            work: metrics.work.read(),
            delivery: metrics.delivery.read(),
        })
    }
}

#[cfg(test)]
mod tests;
