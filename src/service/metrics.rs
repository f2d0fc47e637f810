//! Counters of a running node, fed from its events and calls; never from inside the engine.

mod counts;

pub use counts::{ByVia, CODES_SHOWN, Counts, QUEUES_SHOWN, QueueCounts, Reasons, Via};

use super::links::Traffic;
use super::{Peers, Service, ServiceError};
use crate::engine::address::{NodeId, QueueName};
use crate::engine::command::{MessageState, QueueView, Summary};
use crate::engine::ids::MessageId;
use crate::engine::record::DeathReason;
use crate::engine::step::Event;
use crate::engine::time::Timestamp;
use crate::runtime::{Counted, Handle, Histogram, Work, Worked};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Own messages on their way whose time is measured at once.
pub const TIMED_MAX: usize = 65_536;
/// Steps of the time of a commit, in seconds.
const COMMIT_STEPS_S: &[f64] =
    &[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Steps of the time from this disk to the destination's, in seconds.
const DELIVERY_STEPS_S: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 600.0, 3_600.0, 86_400.0];

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
    pub async fn follow(self: Arc<Self>, mut events: Receiver<Event>, own: NodeId, handle: Handle) {
        loop {
            match events.recv().await {
                Ok(event) => self.note(&event, own, &handle),
                Err(RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "some events were not counted");
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn note(&self, event: &Event, own: NodeId, handle: &Handle) {
        match event {
            // What came from here was counted when it was sent.
            Event::Entered { queue, id, .. } if id.stream.origin != own => {
                self.counts().queue(queue).stored.add(Via::Mesh, 1);
            }
            Event::Duplicate { queue: Some(queue), .. } => {
                self.counts().queue(queue).duplicates += 1;
            }
            Event::Duplicate { queue: None, .. } => self.counts().other.duplicates += 1,
            Event::Buried { destination, queue, reason } => {
                let mut counts = self.counts();
                counts.died((*destination, queue.clone()), reason.as_str());
                if *destination == own && *reason == DeathReason::ReceiveTimeExpired {
                    counts.queue(queue).expired += 1;
                }
            }
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
            MessageState::Dead(_) | MessageState::Unconfirmed(_) => {
                self.accepted().remove(id);
            }
        }
    }

    /// Own messages were accepted for other nodes.
    pub(super) fn sent(&self, ids: &[MessageId], via: Via, now: Timestamp) {
        self.counts().sent.add(via, ids.len() as u64);
        let mut accepted = self.accepted();
        for id in ids {
            if accepted.len() >= TIMED_MAX {
                accepted.pop_first();
            }
            accepted.insert(*id, now);
        }
    }

    /// Counts something of a local queue.
    pub(super) fn of_queue(&self, queue: &QueueName, count: impl FnOnce(&mut QueueCounts)) {
        count(self.counts().queue(queue));
    }

    /// A connection of a door.
    pub(super) fn connection(&self, via: Via, opens: bool) {
        let mut counts = self.counts();
        let open = counts.connections.entry(via).or_default();
        *open = if opens { *open + 1 } else { open.saturating_sub(1) };
    }

    /// A door refused something.
    pub(super) fn refused(&self, via: Via, code: &str) {
        self.counts().refused(via, code);
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
    /// What went over the links, by the neighbour's name.
    pub traffic: Vec<(String, Traffic)>,
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
        let traffic = self.links().traffic().into_iter();
        Ok(Measured {
            uptime: self.0.started.elapsed(),
            summary: self.summary().await?,
            queues: self.queues().await?,
            outgoing: self.outgoing().await?,
            peers: self.peers().await?,
            traffic: traffic.map(|one| (self.node_text(one.node), one)).collect(),
            counts: metrics.counts().clone(),
            commits: metrics.commits.read(),
            work: metrics.work.read(),
            delivery: metrics.delivery.read(),
        })
    }
}

#[cfg(test)]
mod tests;
