//! Waiting until messages have come as far as was asked, without losing a wake-up.
//!
//! The order is: listen, act, ask for the state, then follow the events. A listener that fell
//! behind asks again.

use super::send::parse_id;
use super::{Sent, Service, ServiceError};
use crate::engine::command::{Command, MessageState, Reply};
use crate::engine::ids::MessageId;
use crate::engine::rejection::Rejection;
use crate::engine::step::Event;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};

/// The longest wait of one request.
pub const WAIT_MAX: Duration = Duration::from_secs(12 * 3_600);

/// Until when a send waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wait {
    /// Until it is on this node's disk.
    #[default]
    Stored,
    /// Until it is in its destination queue.
    Arrived,
    /// Until an application has received it.
    Received,
}

impl Wait {
    /// Whether waiting longer is of no use: the state is reached, or cannot be any more.
    pub(super) const fn is_over(self, state: MessageState) -> bool {
        use MessageState::{Arrived, Dead, InTransit, Received, Stored, Unconfirmed};
        match state {
            Stored | InTransit(_) => matches!(self, Self::Stored),
            Arrived => matches!(self, Self::Stored | Self::Arrived),
            Received | Dead(_) | Unconfirmed(_) => true,
        }
    }
}

impl Service {
    /// Waits until a message that this node accepted has come as far as `wait` says, `timeout` long
    /// at most; tells what is known of it then.
    ///
    /// # Errors
    /// [`ServiceError::BadId`], or the engine's refusal if it knows no such message.
    pub async fn state_when(
        &self,
        id: &str,
        wait: Wait,
        timeout: Duration,
    ) -> Result<Sent, ServiceError> {
        let until = Instant::now() + timeout.min(WAIT_MAX);
        let events = self.handle().events();
        let Reply::Trace(view) = self.call(Command::Trace(parse_id(id)?)).await? else {
            return Err(ServiceError::Internal("a trace was expected".to_owned()));
        };
        let states = self.follow(events, &[view.id], wait, until).await?;
        let state = states.get(&view.id).copied().unwrap_or(view.state);
        Ok(Sent { id: view.id.reference(), state })
    }

    /// Follows messages until each has come as far as `wait` says, or the time is over; tells what
    /// is known of each then. `events` must have been taken before the messages were sent.
    pub(super) async fn follow(
        &self,
        mut events: Receiver<Event>,
        ids: &[MessageId],
        wait: Wait,
        until: Instant,
    ) -> Result<BTreeMap<MessageId, MessageState>, ServiceError> {
        let mut states = self.states(ids).await?;
        while !states.values().all(|&state| wait.is_over(state)) {
            let next = tokio::select! {
                next = timeout_at(until, events.recv()) => next,
                () = self.0.parts.stop.cancelled() => break,
            };
            match next {
                Ok(Ok(Event::State { id, state })) => {
                    if let Some(known) = states.get_mut(&id) {
                        *known = state;
                    }
                }
                Ok(Ok(_)) => {}
                Ok(Err(RecvError::Lagged(_))) => states = self.states(ids).await?,
                Ok(Err(RecvError::Closed)) => return Err(ServiceError::Stopping),
                Err(_elapsed) => break,
            }
        }
        Ok(states)
    }

    async fn states(
        &self,
        ids: &[MessageId],
    ) -> Result<BTreeMap<MessageId, MessageState>, ServiceError> {
        let asked = ids.iter().map(|id| self.call(Command::State(id.reference())));
        let answers = futures::future::join_all(asked).await;
        let mut states = BTreeMap::new();
        for (&id, answer) in ids.iter().zip(answers) {
            match answer {
                Ok(Reply::State(state)) => drop(states.insert(id, state)),
                Ok(_) => return Err(ServiceError::Internal("a state was expected".to_owned())),
                // Settled, and so long ago that nothing more is known: there is nothing to follow.
                Err(ServiceError::Rejected(Rejection::NoSuchMessage)) => {}
                Err(why) => return Err(why),
            }
        }
        Ok(states)
    }
}
