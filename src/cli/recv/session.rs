//! One connection that receives under locks, renews them, and settles them.

use super::super::context::{Context, within};
use super::super::error::CliError;
use crate::client::http::{Client, ClientError};
use crate::client::json::{
    AckRequest, Acked, ExtendRequest, Lock, Message, ReceiveRequest, Received,
};
use crate::client::path;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// How long a lock lasts without being renewed: how long a message stays away if this process
/// hangs. If it dies, the message returns at once.
const LEASE: Duration = Duration::from_secs(30);
/// What the node gets on top of a wait to answer that nothing came.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// The pieces of a large body.
pub(super) type BodyPieces = BoxStream<'static, Result<Bytes, CliError>>;

/// The connection, with the locks that are out.
pub(super) struct Session {
    queue: String,
    timeout: Duration,
    shared: Arc<Mutex<Shared>>,
    keeper: JoinHandle<()>,
}

struct Shared {
    client: Client,
    locks: BTreeSet<String>,
}

impl Session {
    /// Connects, and starts to renew whatever will be locked.
    pub(super) async fn open(context: &Context, queue: &str) -> Result<Self, CliError> {
        let client = context.connect().await?;
        let shared = Arc::new(Mutex::new(Shared { client, locks: BTreeSet::new() }));
        let keeper = tokio::spawn(renew(Arc::clone(&shared)));
        Ok(Self { queue: queue.to_owned(), timeout: context.timeout(), shared, keeper })
    }

    /// Takes up to `max` messages, waiting for the first one.
    pub(super) async fn receive(
        &mut self,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Message>, CliError> {
        let request =
            ReceiveRequest { max, wait_s: wait.as_secs_f64(), lease_s: LEASE.as_secs_f64() };
        let path = format!("{}/receive", path::queue(&self.queue));
        let mut shared = self.shared.lock().await;
        let limit = wait + self.timeout.max(ANSWER_TIME);
        let received: Received = within(limit, shared.client.post(&path, &request)).await?;
        let locks = received.messages.iter().filter_map(|message| message.lock.as_ref());
        shared.locks.extend(locks.map(|lock| lock.token.clone()));
        Ok(received.messages)
    }

    /// The body of a message that is too large to come with it, by a connection of its own, so that
    /// this one goes on renewing the lock.
    pub(super) async fn body(
        &self,
        context: &Context,
        message: &Message,
    ) -> Result<BodyPieces, CliError> {
        let token = message.lock.as_ref().map(|lock| lock.token.as_str()).unwrap_or_default();
        let mut client = context.connect().await?;
        let pieces = within(self.timeout, client.download(&path::lock(token, "body"), &[])).await?;
        // The connection lives as long as it is read from.
        let pieces = pieces.map_err(CliError::from).inspect(move |_| {
            let _ = &client;
        });
        Ok(Box::pin(pieces))
    }

    /// Settles a message: `ack` or `nack`. False if its lock was lost before.
    pub(super) async fn settle(&mut self, message: &Message, how: &str) -> Result<bool, CliError> {
        let Some(lock) = &message.lock else { return Ok(false) };
        let mut shared = self.shared.lock().await;
        shared.locks.remove(&lock.token);
        let path = path::lock(&lock.token, how);
        let told = shared.client.tell(&path);
        match within(self.timeout, told).await {
            Ok(()) => Ok(true),
            Err(why) if why.code == "lock_gone" => Ok(false),
            Err(why) => Err(why),
        }
    }

    /// Acknowledges messages together; gives the ids of those whose lock was lost before.
    pub(super) async fn ack_all(&mut self, messages: &[Message]) -> Result<Vec<String>, CliError> {
        let locked = messages.iter().filter_map(|it| Some((it.lock.as_ref()?.token.as_str(), it)));
        let locked: BTreeMap<&str, &Message> = locked.collect();
        let request = AckRequest { tokens: locked.keys().map(|&token| token.to_owned()).collect() };
        let mut shared = self.shared.lock().await;
        let acked: Acked =
            within(self.timeout, shared.client.post(path::LOCKS_ACK, &request)).await?;
        for token in locked.keys() {
            shared.locks.remove(*token);
        }
        let gone = acked.gone.iter().filter_map(|token| locked.get(token.as_str()));
        Ok(gone.map(|message| message.id.clone()).collect())
    }

    /// Gives back what is still locked, at once and without a mark against it.
    pub(super) async fn close(self) {
        self.keeper.abort();
        let mut shared = self.shared.lock().await;
        for token in std::mem::take(&mut shared.locks) {
            let path = path::lock(&token, "return");
            let returned = shared.client.tell(&path);
            // What cannot be told returns when the connection closes.
            if !matches!(tokio::time::timeout(ANSWER_TIME, returned).await, Ok(Ok(()))) {
                break;
            }
        }
    }
}

/// Renews every lock that is out, well before its lease runs out.
async fn renew(shared: Arc<Mutex<Shared>>) {
    let mut again = tokio::time::interval(LEASE / 3);
    again.tick().await;
    loop {
        again.tick().await;
        let mut shared = shared.lock().await;
        for token in shared.locks.clone() {
            let request = ExtendRequest { lease_s: LEASE.as_secs_f64() };
            let path = path::lock(&token, "extend");
            let renewed = shared.client.post::<Lock>(&path, &request);
            if let Err(ClientError::Problem(_)) = renewed.await {
                // It is gone; settling it will tell.
                shared.locks.remove(&token);
            }
        }
    }
}
