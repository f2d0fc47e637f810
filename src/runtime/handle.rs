//! The async client of the engine thread.
//!
//! Refuses to queue without bound: whoever calls waits while [`INPUTS_MAX`] inputs are ahead.

use super::clock::{Clock, WallStand};
use super::compacting::Compacted;
use super::engine_thread::Job;
use crate::engine::command::{Command, Reply};
use crate::engine::rejection::Rejection;
use crate::engine::step::{Event, Input};
use crate::engine::time::Timestamp;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// Inputs that wait for the engine thread at once; more make their callers wait.
pub const INPUTS_MAX: usize = 1_024;
/// Events kept for a slow listener; then it is told that it missed some.
pub const EVENTS_MAX: usize = 8_192;

/// A way to the engine, cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(super) jobs: mpsc::Sender<Job>,
    pub(super) events: broadcast::Sender<Event>,
    pub(super) clock: Clock,
    pub(super) ending: watch::Receiver<Option<Ending>>,
}

impl Handle {
    /// Asks the engine and waits for the durable answer.
    ///
    /// If the future is dropped the command may still be carried out.
    ///
    /// # Errors
    /// The engine's refusal, or [`CallError::Stopped`] if the thread has ended or ends meanwhile;
    /// then it is not known whether the command was carried out.
    pub async fn call(&self, command: Command) -> Result<Reply, CallError> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Call(Box::new(command), reply);
        self.jobs.send(job).await.map_err(|_| CallError::Stopped)?;
        Ok(answer.await.map_err(|_| CallError::Stopped)??)
    }

    /// Hands in an input that has no reply. Nothing happens once the thread has ended.
    pub async fn input(&self, input: Input) {
        let _ = self.jobs.send(Job::Input(Box::new(input))).await;
    }

    /// Gives back room of the store that nothing lives in, and waits until that is done; turns go on
    /// in between. It goes on if the future is dropped.
    ///
    /// # Errors
    /// [`CallError::Stopped`].
    pub async fn compact(&self) -> Result<Compacted, CallError> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job::Compact(reply)).await.map_err(|_| CallError::Stopped)?;
        answer.await.map_err(|_| CallError::Stopped)
    }

    /// All events from now on. A listener that falls [`EVENTS_MAX`] behind is told so.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Node time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What a wall clock shows at a moment of node time, in milliseconds since 1970.
    pub fn wall(&self, moment: Timestamp) -> u64 {
        self.clock.wall(moment)
    }

    /// How the wall clock stands to node time.
    pub fn wall_stand(&self) -> WallStand {
        self.clock.wall_stand()
    }

    /// Asks the thread to end after what is ahead of this, and waits until it has.
    pub async fn stop(&self) -> Ending {
        let _ = self.jobs.send(Job::Stop).await;
        self.ended().await
    }

    /// Waits until the thread has ended, and tells why.
    pub async fn ended(&self) -> Ending {
        let mut ending = self.ending.clone();
        match ending.wait_for(Option::is_some).await {
            Ok(told) => told.clone().unwrap_or(Ending::Panicked),
            Err(_) => Ending::Panicked,
        }
    }
}

/// Why the engine thread ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was asked to, or nobody held a handle any more.
    Asked,
    /// A commit failed. Nothing that rested on it has left the node, and nothing will.
    Failed(String),
    /// It panicked, which is a defect.
    Panicked,
}

/// Why a call has no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The engine refused; nothing was changed.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The engine has stopped.
    #[error("the node is stopping")]
    Stopped,
}
