//! Local queues, what lies in them, and what waits for other nodes.

use super::answer::Budget;
use super::{Message, Service, ServiceError};
use crate::engine::command::{
    Command, OutgoingState, OutgoingView, Place, QueueSpec, QueueView, Reply,
};
use crate::engine::rejection::Rejection;

/// Messages that one page of a peek holds at most.
pub const PEEK_MAX: usize = 256;

/// What waits for one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The node, by name, or by id where no name is known here.
    pub destination: String,
    /// Own messages without a verdict.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Age of the oldest, in milliseconds.
    pub oldest_age_ms: Option<u64>,
    /// Where they stand.
    pub state: OutgoingState,
    /// Time until something is tried again at the latest, in milliseconds.
    pub next_try_ms: Option<u64>,
}

impl Service {
    /// Makes a local queue and describes it.
    ///
    /// # Errors
    /// A bad or remote address, [`Rejection::QueueExists`], or another refusal of the engine.
    pub async fn create_queue(
        &self,
        name: &str,
        transactional: bool,
        max_messages: Option<u64>,
        max_bytes: Option<u64>,
    ) -> Result<QueueView, ServiceError> {
        let queue = self.resolve_local(name)?;
        let spec = QueueSpec { name: queue, transactional, max_messages, max_bytes };
        self.call(Command::CreateQueue(spec)).await?;
        self.queue(name).await
    }

    /// Describes a local queue.
    ///
    /// # Errors
    /// A bad or remote address, or [`Rejection::NoSuchQueue`].
    pub async fn queue(&self, name: &str) -> Result<QueueView, ServiceError> {
        let queue = self.resolve_local(name)?;
        let found = queues(self.call(Command::Queues(Some(queue.clone()))).await?)?;
        found.into_iter().next().ok_or_else(|| Rejection::NoSuchQueue(queue).into())
    }

    /// Describes all local queues, by name.
    ///
    /// # Errors
    /// [`ServiceError::Stopping`].
    pub async fn queues(&self) -> Result<Vec<QueueView>, ServiceError> {
        let mut found = queues(self.call(Command::Queues(None)).await?)?;
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Deletes a local queue with what is in it; tells how many messages that were.
    ///
    /// # Errors
    /// A bad or remote address, or [`Rejection::NoSuchQueue`].
    pub async fn drop_queue(&self, name: &str) -> Result<u64, ServiceError> {
        let queue = self.resolve_local(name)?;
        count(self.call(Command::DropQueue(queue)).await?)
    }

    /// Deletes what is in a local queue, locked messages excepted; tells how many messages.
    ///
    /// # Errors
    /// A bad or remote address, or [`Rejection::NoSuchQueue`].
    pub async fn purge_queue(&self, name: &str) -> Result<u64, ServiceError> {
        let queue = self.resolve_local(name)?;
        count(self.call(Command::PurgeQueue(queue)).await?)
    }

    /// Shows messages of a local queue in the order of receiving, without disturbing them, and
    /// where the next page begins.
    ///
    /// # Errors
    /// A bad or remote address, or the engine's refusal.
    pub async fn peek(
        &self,
        name: &str,
        after: Option<Place>,
        max: usize,
    ) -> Result<(Vec<Message>, Option<Place>), ServiceError> {
        let queue = self.resolve_local(name)?;
        let mut budget = Budget::new(max.clamp(1, PEEK_MAX));
        let (mut seen, mut last) = (Vec::new(), after);
        loop {
            let step = budget.step();
            if step == 0 {
                return Ok((seen, last));
            }
            let command = Command::Peek { queue: queue.clone(), after: last, max: step };
            let Reply::Peeked(found) = self.call(command).await? else {
                return Err(ServiceError::Internal("messages were expected".to_owned()));
            };
            let is_last = found.len() < step;
            for peeked in found {
                budget.add(peeked.inner.bytes.len());
                last = Some(peeked.place);
                seen.push(Message::read(&queue, peeked));
            }
            if is_last {
                return Ok((seen, None));
            }
        }
    }

    /// Describes what waits for other nodes.
    ///
    /// # Errors
    /// [`ServiceError::Stopping`].
    pub async fn outgoing(&self) -> Result<Vec<Outgoing>, ServiceError> {
        let views = self.outgoing_views().await?;
        let now = self.handle().now();
        let mut lines: Vec<_> = views
            .into_iter()
            .map(|view| Outgoing {
                destination: self.node_text(view.destination),
                messages: view.messages,
                bytes: view.bytes,
                oldest_age_ms: view.oldest.map(|oldest| now.since(oldest)),
                state: view.state,
                next_try_ms: view.next_try.map(|next| next.since(now)),
            })
            .collect();
        lines.sort_by(|a, b| a.destination.cmp(&b.destination));
        Ok(lines)
    }

    pub(super) async fn outgoing_views(&self) -> Result<Vec<OutgoingView>, ServiceError> {
        match self.call(Command::Outgoing).await? {
            Reply::Outgoing(views) => Ok(views),
            _ => Err(ServiceError::Internal("outgoing messages were expected".to_owned())),
        }
    }
}

fn queues(reply: Reply) -> Result<Vec<QueueView>, ServiceError> {
    match reply {
        Reply::Queues(found) => Ok(found),
        _ => Err(ServiceError::Internal("queues were expected".to_owned())),
    }
}

/// How many it was done to.
pub(super) fn count(reply: Reply) -> Result<u64, ServiceError> {
    match reply {
        Reply::Count(count) => Ok(count),
        _ => Err(ServiceError::Internal("a count was expected".to_owned())),
    }
}
