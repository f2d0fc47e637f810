//! Sending: from an address and properties to messages that the engine has accepted.

use super::content::Staged;
use super::operation::Operation;
use super::{NewMessage, Service, ServiceError, WAIT_MAX, Wait};
use crate::codec::{self, content_hash, encode_inner, encode_inner_head};
use crate::engine::address::{NodeId, QueueName};
use crate::engine::command::{Command, InnerPart, MessageState, OnceKey, Outgoing, Reply};
use crate::engine::ids::{MessageId, MessageRef};
use crate::engine::limits::{
    BODY_MAX, PART_BYTES, REACH_WITHIN_DEFAULT_MS, SEND_MAX, SPLIT_HEAD_MAX,
};
use crate::engine::message::Short;
use crate::engine::rejection::Rejection;
use crate::security::{fingerprint, line_id, random};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
use tracing::Instrument;

/// An accepted message and how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its id.
    pub id: MessageRef,
    /// What this node knows of it.
    pub state: MessageState,
}

/// A key under which messages are sent once, however often the program asks.
#[derive(Clone, Copy, Debug)]
pub struct SendKey<'a> {
    /// Who sends: the same key of somebody else is another one.
    pub scope: &'a str,
    /// The key, drawn by the program for this request, or for a row of them.
    pub key: &'a str,
    /// Number of the request in the row; zero if the key is that of one request.
    pub number: u64,
}

/// What became of messages that were sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Each of them.
    pub sent: Vec<Sent>,
    /// Whether they had been sent before, under the same key.
    pub is_repeated: bool,
}

impl Service {
    /// Sends messages to a queue, or each of them to several, whose addresses are joined by commas (as in
    /// the multiple-element format names of MSMQ): all in one commit or none. Then it waits until each
    /// has come as far as `wait` says, `timeout` long at most. When the time is over the answer is the
    /// same, with the states that were reached. Under a key that was used before, within a day, nothing
    /// is sent and the first messages are waited for.
    ///
    /// The outcome has every message for every address, in this order. Large bodies are stored once.
    ///
    /// # Errors
    /// A bad address or property, an unknown node, or the engine's refusal; then nothing was sent.
    pub async fn send(
        &self,
        to: &str,
        messages: Vec<NewMessage>,
        key: Option<SendKey<'_>>,
        wait: Wait,
        timeout: Duration,
    ) -> Result<Outcome, ServiceError> {
        let operation = Operation::send(to, &messages);
        let sending = self.send_all(to, messages, key, wait, timeout);
        let outcome = sending.instrument(operation.span()).await;
        match &outcome {
            Ok(outcome) => operation.sent(&outcome.sent),
            Err(why) => operation.failed(why),
        }
        outcome
    }

    async fn send_all(
        &self,
        to: &str,
        messages: Vec<NewMessage>,
        key: Option<SendKey<'_>>,
        wait: Wait,
        timeout: Duration,
    ) -> Result<Outcome, ServiceError> {
        let targets = to.split(',').map(|to| self.resolve(to)).collect::<Result<Vec<_>, _>>()?;
        if messages.is_empty() || messages.len() > SEND_MAX {
            let bounds = format!("from 1 to {SEND_MAX}");
            return Err(ServiceError::out_of_bounds("the number of messages", bounds));
        }
        if messages.len() * targets.len() > SEND_MAX {
            let limit = format!("{SEND_MAX} messages, counted for each address");
            return Err(ServiceError::TooLong { what: "a send", limit });
        }
        // What is staged stays until the engine has taken it.
        let (messages, staged) = self.prepare_all(&targets, messages).await?;
        let own = self.gatekeeper().node();
        let state_at_once = |destination: NodeId| match destination == own {
            true => MessageState::Arrived,
            false => MessageState::Stored,
        };
        // Whoever listens costs something with every event, so nobody listens for nothing.
        let waits = !targets.iter().all(|(node, _)| wait.is_over(state_at_once(*node)));
        let events = waits.then(|| self.handle().events());
        let until = Instant::now() + timeout.min(WAIT_MAX);
        let command = match key {
            Some(key) => Command::SendOnce { request: once_key(key, &messages)?, messages },
            None => Command::Send(messages),
        };
        let (ids, is_repeated) = match self.call(command).await? {
            Reply::Repeated(ids) => (ids, true),
            reply => (accepted(reply)?, false),
        };
        drop(staged);
        // The states at once, and by them which messages leave this node.
        let at_once = targets.iter().cycle().map(|(destination, _)| state_at_once(*destination));
        let at_once: Vec<(MessageId, MessageState)> = ids.iter().copied().zip(at_once).collect();
        if !is_repeated {
            self.count_sent(&targets, &ids);
        }
        let events = events.or_else(|| is_repeated.then(|| self.handle().events()));
        let states = match events {
            Some(events) => self.follow(events, &ids, wait, until).await?,
            None => BTreeMap::new(),
        };
        // What is settled for long is not known any more: then the answer is the first one's.
        let sent = at_once.into_iter().map(|(id, at_once)| Sent {
            id: id.reference(),
            state: states.get(&id).copied().unwrap_or(at_once),
        });
        Ok(Outcome { sent: sent.collect(), is_repeated })
    }

    /// Counts accepted messages, which stand in the order of `targets`, again and again.
    pub(super) fn count_sent(&self, targets: &[(NodeId, QueueName)], ids: &[MessageId]) {
        let own = self.gatekeeper().node();
        let mut leaving = Vec::new();
        for (id, (destination, queue)) in ids.iter().zip(targets.iter().cycle()) {
            if *destination == own {
                self.metrics().of_queue(queue, |counts| counts.stored.add(self.1, 1));
            } else {
                leaving.push(*id);
            }
        }
        self.metrics().sent(&leaving, self.1, self.handle().now());
    }

    async fn prepare_all(
        &self,
        targets: &[(NodeId, QueueName)],
        messages: Vec<NewMessage>,
    ) -> Result<(Vec<Outgoing>, Vec<Staged>), ServiceError> {
        let (mut prepared, mut staged) = (Vec::new(), Vec::new());
        for mut message in messages {
            if targets.len() > 1 && message.delivery.is_durable() {
                message.body = self.share(message.body).await?;
            }
            for (destination, queue) in targets {
                let (outgoing, body) = self.prepare(*destination, queue, message.clone()).await?;
                prepared.push(outgoing);
                staged.extend(body);
            }
        }
        Ok((prepared, staged))
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

    async fn prepare(
        &self,
        destination: NodeId,
        queue: &QueueName,
        message: NewMessage,
    ) -> Result<(Outgoing, Option<Staged>), ServiceError> {
        message.check(self.body_max())?;
        let reply_to = message.reply_to.as_deref().map(|to| self.full_address(to)).transpose()?;
        let (delivery, priority) = (message.delivery, message.priority);
        let (reach_within_ms, ttl_ms) = (message.reach_within_ms, message.ttl_ms);
        let (inner, staged) = message.into_inner(queue.clone(), reply_to);
        let outgoing = Outgoing {
            destination,
            queue: queue.clone(),
            line: line_id(&self.0.parts.identity, destination, queue, delivery, priority),
            delivery,
            priority,
            reach_within_ms: reach_within_ms.unwrap_or(REACH_WITHIN_DEFAULT_MS),
            ttl_ms,
            salt: Short(random()),
            inner: encode(inner, staged.as_ref()).await?,
        };
        Ok((outgoing, staged))
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
        let is_id = super::is_node_text(&node) && node.parse::<NodeId>().is_ok();
        if !is_id && node.parse::<crate::security::NodeName>().is_err() {
            return Err(bad());
        }
        Ok(format!("{queue}@{node}"))
    }
}

/// The inner part as the engine takes it.
async fn encode(inner: codec::Inner, staged: Option<&Staged>) -> Result<InnerPart, ServiceError> {
    let Some(staged) = staged else {
        let bytes = encode_inner(&inner);
        let hash = (bytes.len() > PART_BYTES).then(|| content_hash(&bytes));
        return Ok(InnerPart::Whole(bytes, hash));
    };
    let len = u32::try_from(staged.len()).map_err(|_| {
        let limit = BODY_MAX;
        Rejection::TooLarge { size: staged.len(), limit }
    })?;
    let head = encode_inner_head(&inner, len);
    if head.len() > SPLIT_HEAD_MAX {
        let limit = format!("{SPLIT_HEAD_MAX} bytes encoded, with a body as large as this");
        return Err(ServiceError::TooLong { what: "all properties together", limit });
    }
    let hash = staged.hash(&head).await?;
    let len = head.len() as u64 + staged.len();
    Ok(InnerPart::Kept { head, content: staged.content(), len, hash })
}

/// Longest key of a send, in bytes.
pub const SEND_KEY_MAX: usize = 255;

/// The key as the engine has it: hashes of who sends what.
fn once_key(key: SendKey<'_>, messages: &[Outgoing]) -> Result<OnceKey, ServiceError> {
    if !(1..=SEND_KEY_MAX).contains(&key.key.len()) {
        let bounds = format!("from 1 to {SEND_KEY_MAX} bytes long");
        return Err(ServiceError::bad_value("an idempotency key", bounds));
    }
    let mut parts = Vec::new();
    for message in messages {
        let mut head = Vec::with_capacity(64);
        head.extend(message.destination.as_bytes());
        head.extend(message.line.0.to_be_bytes());
        head.extend(message.reach_within_ms.to_be_bytes());
        head.extend(message.ttl_ms.unwrap_or_default().to_be_bytes());
        parts.push(Bytes::from(head));
        parts.push(match &message.inner {
            InnerPart::Whole(bytes, _) => bytes.clone(),
            InnerPart::Kept { hash, .. } => Bytes::copy_from_slice(&hash.0),
        });
    }
    Ok(OnceKey {
        key: fingerprint([key.scope.as_bytes(), key.key.as_bytes()]),
        digest: fingerprint(parts.iter().map(|part| &part[..])),
        number: key.number,
    })
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
