//! Sending: from an address and properties to messages that the engine has accepted.

use super::{NewMessage, Service, ServiceError, WAIT_MAX, Wait};
use crate::codec::encode_inner;
use crate::engine::address::{NodeId, QueueName};
use crate::engine::command::{Command, MessageState, Outgoing, Reply};
use crate::engine::ids::{MessageId, MessageRef};
use crate::engine::limits::{REACH_WITHIN_DEFAULT_MS, SEND_MAX};
use crate::engine::message::Short;
use crate::security::{line_id, random};
use std::time::Duration;
use tokio::time::Instant;

/// An accepted message and how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its id.
    pub id: MessageRef,
    /// What this node knows of it.
    pub state: MessageState,
}

impl Service {
    /// Sends messages to one queue, all in one commit or none, and waits until each has come as
    /// far as `wait` says, `timeout` long at most. When the time is over the answer is the same,
    /// with the states that were reached.
    ///
    /// # Errors
    /// A bad address or property, an unknown node, or the engine's refusal; then nothing was sent.
    pub async fn send(
        &self,
        to: &str,
        messages: Vec<NewMessage>,
        wait: Wait,
        timeout: Duration,
    ) -> Result<Vec<Sent>, ServiceError> {
        let (destination, queue) = self.resolve(to)?;
        if messages.is_empty() || messages.len() > SEND_MAX {
            let bounds = format!("from 1 to {SEND_MAX}");
            return Err(ServiceError::bad_value("the number of messages", bounds));
        }
        let batch = messages
            .into_iter()
            .map(|message| self.prepare(destination, &queue, message))
            .collect::<Result<Vec<_>, _>>()?;
        let events = self.handle().events();
        let until = Instant::now() + timeout.min(WAIT_MAX);
        let ids = accepted(self.call(Command::Send(batch)).await?)?;
        if destination != self.gatekeeper().node() {
            self.metrics().sent(&ids, self.handle().now());
        }
        let at_once = if destination == self.gatekeeper().node() {
            MessageState::Arrived
        } else {
            MessageState::Stored
        };
        if wait.is_over(at_once) {
            return Ok(ids.iter().map(|id| Sent { id: id.reference(), state: at_once }).collect());
        }
        let states = self.follow(events, &ids, wait, until).await?;
        let state = |id| states.get(id).copied().unwrap_or(at_once);
        Ok(ids.iter().map(|id| Sent { id: id.reference(), state: state(id) }).collect())
    }

    /// What this node knows of a message that it accepted.
    ///
    /// # Errors
    /// [`ServiceError::BadId`], or the engine's refusal if it knows no such message.
    pub async fn state(&self, id: &str) -> Result<Sent, ServiceError> {
        let id = parse_id(id)?;
        match self.call(Command::State(id)).await? {
            Reply::State(state) => Ok(Sent { id, state }),
            _ => Err(ServiceError::Internal("a state was expected".to_owned())),
        }
    }

    fn prepare(
        &self,
        destination: NodeId,
        queue: &QueueName,
        message: NewMessage,
    ) -> Result<Outgoing, ServiceError> {
        message.check()?;
        let reply_to = message.reply_to.as_deref().map(|to| self.full_address(to)).transpose()?;
        let (delivery, priority) = (message.delivery, message.priority);
        Ok(Outgoing {
            destination,
            queue: queue.clone(),
            line: line_id(&self.0.parts.identity, destination, queue, delivery, priority),
            delivery,
            priority,
            reach_within_ms: message.reach_within_ms.unwrap_or(REACH_WITHIN_DEFAULT_MS),
            ttl_ms: message.ttl_ms,
            salt: Short(random()),
            inner: encode_inner(&message.into_inner(queue.clone(), reply_to)),
        })
    }

    /// An address that means the same everywhere: a queue alone gets this node's name.
    ///
    /// The node need not be known here: the answer is sent by another one.
    fn full_address(&self, address: &str) -> Result<String, ServiceError> {
        let bad = || ServiceError::BadAddress(address.chars().take(200).collect());
        let (queue, node) = match address.split_once('@') {
            Some((queue, node)) => (queue, node.to_owned()),
            None => (address, self.node_text(self.gatekeeper().node())),
        };
        let queue: QueueName = queue.parse().map_err(|_| bad())?;
        let is_id = node.parse::<NodeId>().is_ok();
        if !is_id && node.parse::<crate::security::NodeName>().is_err() {
            return Err(bad());
        }
        Ok(format!("{queue}@{node}"))
    }
}

/// Reads the printed form of a message id.
pub(super) fn parse_id(text: &str) -> Result<MessageRef, ServiceError> {
    text.parse().map_err(|_| ServiceError::BadId(text.chars().take(80).collect()))
}

/// The ids of accepted messages.
pub(super) fn accepted(reply: Reply) -> Result<Vec<MessageId>, ServiceError> {
    match reply {
        Reply::Accepted(ids) => Ok(ids),
        _ => Err(ServiceError::Internal("accepted ids were expected".to_owned())),
    }
}
