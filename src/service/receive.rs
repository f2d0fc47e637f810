//! Receiving under locks, with a long poll, and settling.

use super::answer::Budget;
use super::content::Body;
use super::message::read_inner;
use super::operation::Operation;
use super::{Message, Service, ServiceError, WAIT_MAX};
use crate::engine::address::QueueName;
use crate::engine::command::{Command, Reply, Settlement};
use crate::engine::limits::RECEIVE_MAX;
use crate::engine::rejection::Rejection;
use crate::engine::step::{Event, Input};
use crate::engine::time::Timestamp;
use std::fmt;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

/// Names a lock of this run of the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockToken {
    run: u32,
    pub(super) lock: u64,
}

impl fmt::Display for LockToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{:x}", self.run, self.lock)
    }
}

impl LockToken {
    fn parse(text: &str) -> Option<Self> {
        let (run, lock) = text.split_once('-')?;
        let run = u32::from_str_radix(run, 16).ok()?;
        Some(Self { run, lock: u64::from_str_radix(lock, 16).ok()? })
    }
}

/// A lock on a received message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Its name.
    pub token: LockToken,
    /// When it ends unless extended.
    pub until: Timestamp,
}

/// A received message under its lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The lock.
    pub lock: Lock,
    /// The message.
    pub message: Message,
}

impl Service {
    /// Hands out up to `max` messages of a local queue under locks of `lease_ms`; waits for the
    /// first one, `wait` long at most. The locks return when the session ends.
    ///
    /// # Errors
    /// A bad or remote address, or the engine's refusal.
    pub async fn receive(
        &self,
        queue: &str,
        max: usize,
        wait: Duration,
        lease_ms: u64,
        session: u64,
    ) -> Result<Vec<Received>, ServiceError> {
        let queue = self.resolve_local(queue)?;
        if !(1..=RECEIVE_MAX).contains(&max) {
            let bounds = format!("from 1 to {RECEIVE_MAX}");
            return Err(ServiceError::out_of_bounds("the number of messages", bounds));
        }
        let until = Instant::now() + wait.min(WAIT_MAX);
        let mut events = self.handle().events();
        loop {
            let found = self.take(&queue, max, lease_ms, session).await?;
            if !found.is_empty() {
                return Ok(found);
            }
            let available = async {
                loop {
                    match events.recv().await {
                        Ok(Event::Available(name)) if name == queue => return Ok(()),
                        Ok(_) => {}
                        Err(RecvError::Lagged(_)) => return Ok(()),
                        Err(RecvError::Closed) => return Err(ServiceError::Stopping),
                    }
                }
            };
            tokio::select! {
                woken = timeout_at(until, available) => match woken {
                    Ok(woken) => woken?,
                    Err(_elapsed) => return Ok(Vec::new()),
                },
                () = self.0.parts.stop.cancelled() => return Ok(Vec::new()),
            }
        }
    }

    /// Locks what is there now.
    pub(super) async fn take(
        &self,
        queue: &QueueName,
        max: usize,
        lease_ms: u64,
        session: u64,
    ) -> Result<Vec<Received>, ServiceError> {
        let operation = Operation::receive(queue.as_str());
        let taking = self.take_all(queue, max, lease_ms, session);
        let taken = taking.instrument(operation.span()).await;
        match &taken {
            // Whoever waits looks often.
            Ok(found) if found.is_empty() => {}
            Ok(found) => operation.received(found),
            Err(why) => operation.failed(why),
        }
        taken
    }

    async fn take_all(
        &self,
        queue: &QueueName,
        max: usize,
        lease_ms: u64,
        session: u64,
    ) -> Result<Vec<Received>, ServiceError> {
        let mut budget = Budget::new(max);
        let mut taken = Vec::new();
        loop {
            let step = budget.step();
            if step == 0 {
                return Ok(taken);
            }
            let command = Command::Receive { queue: queue.clone(), max: step, lease_ms, session };
            let found = match self.call(command).await {
                Ok(Reply::Deliveries(found)) => found,
                Ok(_) => return Err(ServiceError::Internal("deliveries were expected".to_owned())),
                // What is locked already must be handed out.
                Err(_) if !taken.is_empty() => return Ok(taken),
                Err(why) => return Err(why),
            };
            let is_last = found.len() < step;
            let count = found.len() as u64;
            self.metrics().of_queue(queue, |counts| counts.received.add(self.1, count));
            for delivered in found {
                budget.add(delivered.message.inner.bytes.len());
                taken.push(Received {
                    lock: Lock { token: self.token(delivered.lock), until: delivered.locked_until },
                    message: Message::read(queue, delivered.message),
                });
            }
            if is_last {
                return Ok(taken);
            }
        }
    }

    /// The body of the message under a lock.
    ///
    /// # Errors
    /// [`Rejection::LockGone`] if the lock is of an earlier run, ran out or was settled.
    pub async fn locked_body(&self, token: &str) -> Result<Body, ServiceError> {
        let command = Command::Locked(self.lock_of(token)?);
        let found = match self.call(command).await? {
            Reply::Peeked(mut found) => found.pop(),
            _ => None,
        };
        let found = found.ok_or_else(|| ServiceError::Internal("a message was expected".into()))?;
        let read = read_inner(&found.inner);
        read.map(|(_, body)| body).map_err(|why| ServiceError::Internal(why.to_string()))
    }

    /// Settles a lock: the message is received, or returns.
    ///
    /// # Errors
    /// [`Rejection::LockGone`] if the lock is of an earlier run, ran out or was settled.
    pub async fn settle(&self, token: &str, how: Settlement) -> Result<(), ServiceError> {
        let operation = Operation::settle(how);
        let settled = self.settle_one(token, how, &operation).await;
        match &settled {
            Ok(()) => operation.done(1),
            Err(why) => operation.failed(why),
        }
        settled
    }

    async fn settle_one(
        &self,
        token: &str,
        how: Settlement,
        operation: &Operation,
    ) -> Result<(), ServiceError> {
        let lock = self.lock_of(token)?;
        let asked = self.call(Command::Settle { lock, how }).instrument(operation.span());
        let settled = match asked.await {
            Ok(Reply::Settled(queue)) => {
                operation.to(queue.as_str());
                self.metrics().of_queue(&queue, |counts| match how {
                    Settlement::Ack => counts.acked.add(self.1, 1),
                    Settlement::Nack => counts.nacked.add(self.1, 1),
                    Settlement::Return | Settlement::Extend(_) => {}
                });
                Ok(())
            }
            Ok(_) => Err(ServiceError::Internal("a settled lock was expected".to_owned())),
            Err(why) => Err(why),
        };
        let is_over = !matches!((&settled, how), (Ok(()), Settlement::Extend(_)));
        if is_over && matches!(settled, Ok(()) | Err(ServiceError::Rejected(Rejection::LockGone))) {
            self.0.streams.settled(lock, None);
        }
        settled
    }

    /// Starts the lease of a lock again.
    ///
    /// # Errors
    /// As [`Service::settle`], and a lease out of bounds.
    pub async fn extend(&self, token: &str, lease_ms: u64) -> Result<Lock, ServiceError> {
        let from = self.handle().now();
        self.settle(token, Settlement::Extend(lease_ms)).await?;
        let (lock, until) = (self.lock_of(token)?, from.after(lease_ms));
        self.0.streams.settled(lock, Some(until));
        Ok(Lock { token: self.token(lock), until })
    }

    /// Tells the engine that a program is gone: its locks return at once.
    pub async fn end_session(&self, session: u64) {
        self.handle().input(Input::SessionEnded(session)).await;
    }

    pub(super) fn token(&self, lock: u64) -> LockToken {
        LockToken { run: self.0.run, lock }
    }

    fn lock_of(&self, token: &str) -> Result<u64, ServiceError> {
        let token = LockToken::parse(token).filter(|token| token.run == self.0.run);
        Ok(token.ok_or(Rejection::LockGone)?.lock)
    }
}
