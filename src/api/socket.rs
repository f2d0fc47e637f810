//! The way to a node over its Unix socket.
//!
//! Short calls share a few connections; so do waits, apart from them, so that no wait holds up a
//! send. Every session has a connection of its own, because locks return when it closes.

mod pool;
mod sending;

use super::body::{BodyStream, Pieces};
use super::way::{Answer, PeekPage, Peer, Session, Settle, Taken, Until, Way};
use super::{
    Error, Event, Events, Message, MessageId, QueueInfo, QueueSpec, QueuedMessage, Result, State,
};
use crate::client::events::follow;
use crate::client::http::{Client as Connection, ClientError};
use crate::client::{json, path, raw};
use futures::{StreamExt as _, TryStreamExt as _};
use pool::Pool;
use sending::{Rows, properties};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Connections for short calls.
const CALLS_MAX: usize = 8;
/// Connections for waits.
const WAITS_MAX: usize = 4;
/// How long one wait keeps its connection from the next.
const WAIT_STEP: Duration = Duration::from_secs(5);
/// Entries of a page of a list.
const PAGE: usize = 1_000;

#[derive(Debug)]
pub(super) struct SocketWay {
    runtime: Handle,
    socket: PathBuf,
    calls: Pool,
    waits: Pool,
    rows: Rows,
}

impl SocketWay {
    pub(super) fn new(socket: PathBuf) -> Self {
        let calls = Pool::new(socket.clone(), CALLS_MAX);
        let waits = Pool::new(socket.clone(), WAITS_MAX);
        Self { runtime: Handle::current(), socket, calls, waits, rows: Rows::default() }
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T> {
        let mut lent = self.calls.lend().await?;
        let answer = lent.connection().get(path).await;
        lent.give_back(&answer);
        Ok(answer?)
    }

    async fn delete(&self, path: &str) -> Result<u64> {
        let mut lent = self.calls.lend().await?;
        let answer: Result<json::Count, _> = lent.connection().delete(path).await;
        lent.give_back(&answer);
        Ok(answer?.count)
    }

    async fn post<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl serde::Serialize + Sync),
    ) -> Result<T> {
        let mut lent = self.calls.lend().await?;
        let answer = lent.connection().post(path, body).await;
        lent.give_back(&answer);
        Ok(answer?)
    }
}

impl Way for SocketWay {
    fn runtime(&self) -> &Handle {
        &self.runtime
    }

    fn wait_step(&self) -> Duration {
        WAIT_STEP
    }

    fn ends_with_node(&self) -> bool {
        false
    }

    fn send<'a>(&'a self, to: &'a str, batch: Vec<Message>) -> Answer<'a, Vec<MessageId>> {
        Box::pin(async move { self.send_all(to, &batch).await })
    }

    fn send_stream<'a>(
        &'a self,
        to: &'a str,
        message: Message,
        body: Pieces,
    ) -> Answer<'a, MessageId> {
        Box::pin(async move {
            // Of its own: it may take long.
            let mut connection = Connection::connect(&self.socket).await?;
            let headers = raw::headers(&properties(&message));
            let sent = connection.upload(&path::messages(to), &headers, None, body).await;
            let sent: json::Sent = sent?;
            Ok(MessageId::new(sent.id))
        })
    }

    fn body<'a>(&'a self, token: &'a str) -> Answer<'a, BodyStream> {
        Box::pin(async move {
            let mut connection = Connection::connect(&self.socket).await?;
            let pieces = connection.download(&path::lock(token, "body"), &[]).await?;
            // The connection lives as long as it is read from.
            let pieces = pieces.map_err(Error::from).inspect(move |_| {
                let _ = &connection;
            });
            Ok(BodyStream::new(pieces))
        })
    }

    fn state<'a>(&'a self, id: &'a MessageId, until: Until, time: Duration) -> Answer<'a, State> {
        Box::pin(async move {
            let until = match until {
                Until::Now => return self.get(&path::message(id.as_str())).await.map(state),
                Until::Arrived => json::Wait::Arrived,
                Until::Received => json::Wait::Received,
            };
            let query = path::query(&[
                ("until", Some(until.as_str().to_owned())),
                ("timeout_s", Some(time.as_secs_f64().to_string())),
            ]);
            let path = format!("{}{query}", path::about_message(id.as_str(), "wait"));
            let mut lent = self.waits.lend().await?;
            let answer = lent.connection().get(&path).await;
            lent.give_back(&answer);
            Ok(state(answer?))
        })
    }

    fn open(&self) -> Answer<'_, Arc<dyn Session>> {
        Box::pin(async move {
            let connection = Mutex::new(Connection::connect(&self.socket).await?);
            Ok(Arc::new(SocketSession { connection }) as Arc<dyn Session>)
        })
    }

    fn events(&self) -> Answer<'_, Events> {
        Box::pin(async move {
            let events = follow(&self.socket).await?;
            Ok(Events::new(events.map_ok(read_event).map_err(Error::from)))
        })
    }

    fn settle<'a>(&'a self, token: &'a str, how: Settle) -> Answer<'a, ()> {
        Box::pin(async move {
            let verb = match how {
                Settle::Ack => "ack",
                Settle::Nack => "nack",
                Settle::Release => "return",
                Settle::Extend(time) => {
                    let asked = json::ExtendRequest { lease_s: time.as_secs_f64() };
                    let path = path::lock(token, "extend");
                    return self.post(&path, &asked).await.map(|_: json::Lock| ());
                }
            };
            let mut lent = self.calls.lend().await?;
            let answer = lent.connection().tell(&path::lock(token, verb)).await;
            lent.give_back(&answer);
            Ok(answer?)
        })
    }

    fn peek<'a>(
        &'a self,
        queue: &'a str,
        after: Option<String>,
        max: usize,
    ) -> Answer<'a, PeekPage> {
        Box::pin(async move {
            let query = path::query(&[("limit", Some(max.to_string())), ("after", after)]);
            let path = format!("{}{query}", path::messages(queue));
            let page: json::Page<json::Message> = self.get(&path).await?;
            let messages = page.items.into_iter().map(read).collect::<Result<_>>()?;
            Ok((messages, page.next))
        })
    }

    fn create_queue<'a>(&'a self, spec: &'a QueueSpec) -> Answer<'a, QueueInfo> {
        Box::pin(async move {
            let asked = json::QueueSpec {
                transactional: spec.transactional,
                max_messages: spec.max_messages,
                max_bytes: spec.max_bytes,
            };
            let mut lent = self.calls.lend().await?;
            let answer: Result<json::Queue, _> =
                lent.connection().put(&path::queue(&spec.name), &asked).await;
            lent.give_back(&answer);
            Ok(answer?.into())
        })
    }

    fn queue<'a>(&'a self, name: &'a str) -> Answer<'a, QueueInfo> {
        Box::pin(async move {
            self.get(&path::queue(name)).await.map(|found: json::Queue| found.into())
        })
    }

    fn queues(&self) -> Answer<'_, Vec<QueueInfo>> {
        Box::pin(async move {
            let (mut queues, mut after) = (Vec::new(), None);
            loop {
                let query = path::query(&[("limit", Some(PAGE.to_string())), ("after", after)]);
                let page: json::Page<json::Queue> = self.get(&format!("/v1/queues{query}")).await?;
                queues.extend(page.items.into_iter().map(QueueInfo::from));
                after = page.next;
                if after.is_none() {
                    return Ok(queues);
                }
            }
        })
    }

    fn remove_queue<'a>(&'a self, name: &'a str) -> Answer<'a, u64> {
        Box::pin(async move { self.delete(&path::queue(name)).await })
    }

    fn purge_queue<'a>(&'a self, name: &'a str) -> Answer<'a, u64> {
        Box::pin(async move {
            let path = format!("{}/purge", path::queue(name));
            let gone: json::Count = self.post(&path, &serde_json::json!({})).await?;
            Ok(gone.count)
        })
    }

    fn peers(&self) -> Answer<'_, Vec<Peer>> {
        Box::pin(async move {
            let peers: json::Peers = self.get("/v1/peers").await?;
            let peer = |peer: json::Peer| Peer {
                name: peer.name,
                node_id: peer.node_id,
                state: peer.state,
                path: peer.path,
                outgoing: peer.outgoing,
            };
            Ok(peers.items.into_iter().map(peer).collect())
        })
    }

    fn name(&self) -> Answer<'_, String> {
        Box::pin(async move {
            let status: json::Status = self.get("/v1/status").await?;
            Ok(status.ready.name)
        })
    }
}

/// A connection whose locks return when it closes.
#[derive(Debug)]
struct SocketSession {
    connection: Mutex<Connection>,
}

impl Session for SocketSession {
    fn receive<'a>(
        &'a self,
        queue: &'a str,
        max: usize,
        wait: Duration,
        lock_for: Duration,
    ) -> Answer<'a, Vec<Taken>> {
        Box::pin(async move {
            let lease_s = lock_for.as_secs_f64();
            let asked = json::ReceiveRequest { max, wait_s: wait.as_secs_f64(), lease_s };
            let path = format!("{}/receive", path::queue(queue));
            let mut connection = self.connection.lock().await;
            let answer = connection.post(&path, &asked).await;
            let found: json::Received = answer.map_err(nothing_done)?;
            let until = Instant::now() + lock_for;
            let taken = |mut message: json::Message| {
                let lock = message.lock.take();
                let token =
                    lock.ok_or_else(|| Error::other("a message came without its lock"))?.token;
                Ok(Taken { token, until, message: read(message)? })
            };
            found.messages.into_iter().map(taken).collect()
        })
    }
}

/// A receive that broke has changed nothing: the locks returned with the connection.
fn nothing_done(why: ClientError) -> Error {
    match Error::from(why) {
        Error::Interrupted(cause) => Error::NotReachable(cause),
        other => other,
    }
}

/// A message as the door gives it.
fn read(message: json::Message) -> Result<QueuedMessage> {
    let body = if message.is_body_apart() {
        Vec::new()
    } else {
        message.body_bytes().map_err(|why| Error::other(why.to_string()))?
    };
    Ok(QueuedMessage {
        body_size: message.body_size.max(body.len() as u64),
        id: MessageId::new(message.id),
        queue: message.queue,
        origin: message.origin,
        delivery_count: message.delivery_count,
        enqueued_at: message.enqueued_at,
        message: Message {
            body: body.into(),
            label: message.label,
            headers: message.headers,
            content_type: message.content_type,
            priority: Some(message.priority),
            mode: message.delivery,
            reach_within: None,
            ttl: None,
            correlation: message.correlation_id,
            reply_to: message.reply_to,
        },
    })
}

fn read_event(event: json::NodeEvent) -> Event {
    match event {
        json::NodeEvent::State(sent) => {
            Event::State { id: MessageId::new(sent.id.clone()), state: state(sent) }
        }
        json::NodeEvent::Entered(at) => {
            Event::Entered { queue: at.queue, id: MessageId::new(at.id) }
        }
        json::NodeEvent::Consumed(at) => {
            Event::Consumed { queue: at.queue, id: MessageId::new(at.id) }
        }
        json::NodeEvent::Link(link) => Event::Link { node: link.node, up: link.up },
        json::NodeEvent::Lagged(lag) => Event::Lagged { missed: lag.missed },
    }
}

fn state(sent: json::Sent) -> State {
    let reason = sent.reason.unwrap_or_default();
    match sent.state {
        json::SentState::Stored => State::Stored,
        json::SentState::InTransit => {
            State::InTransit { held_by: sent.held_by.unwrap_or_default() }
        }
        json::SentState::Arrived => State::Arrived,
        json::SentState::Received => State::Received,
        json::SentState::Dead => State::Dead { reason },
        json::SentState::Unconfirmed => State::Unconfirmed { reason },
    }
}
