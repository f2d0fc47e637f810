//! The way to a node in the same process: straight to its service.

use super::body::{BodyStream, Pieces};
use super::way::{Answer, PeekPage, Peer, PeerState, Session, Settle, Taken, Until, Way};
use super::{
    Error, Event, Events, Message, MessageId, QueueInfo, QueueSpec, QueuedMessage, Result, State,
};
use crate::client::json::rfc3339;
use crate::engine::command::{MessageState, Place, QueueView, Settlement};
use crate::engine::message::Priority;
use crate::service::{self, NewMessage, News, Service, ServiceError, Wait};
use futures::StreamExt as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// How long one question for a state waits: nobody else is held up by it.
pub(super) const WAIT_STEP: Duration = Duration::from_secs(3_600);

#[derive(Debug)]
pub(super) struct LocalWay {
    runtime: Handle,
    service: Service,
}

impl LocalWay {
    pub(super) fn new(service: Service) -> Self {
        Self { runtime: Handle::current(), service }
    }

    fn info(&self, view: QueueView) -> QueueInfo {
        let oldest = view.oldest.map(|oldest| self.service.age_ms(oldest));
        QueueInfo {
            name: view.name.to_string(),
            transactional: view.transactional,
            ready: view.ready,
            locked: view.locked,
            dead: view.dead,
            bytes: view.bytes,
            oldest_age: oldest.map(Duration::from_millis),
            max_messages: view.max_messages,
            max_bytes: view.max_bytes,
        }
    }
}

impl Way for LocalWay {
    fn runtime(&self) -> &Handle {
        &self.runtime
    }

    fn wait_step(&self) -> Duration {
        WAIT_STEP
    }

    fn ends_with_node(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, to: &'a str, batch: Vec<Message>) -> Answer<'a, Vec<MessageId>> {
        Box::pin(async move {
            let messages = batch.into_iter().map(written).collect::<Result<_>>()?;
            let sent = self.service.send(to, messages, None, Wait::Stored, Duration::ZERO).await?;
            Ok(sent.sent.into_iter().map(|sent| MessageId::new(sent.id.to_string())).collect())
        })
    }

    fn send_stream<'a>(
        &'a self,
        to: &'a str,
        message: Message,
        mut body: Pieces,
    ) -> Answer<'a, MessageId> {
        Box::pin(async move {
            let mut upload = self.service.upload(self.service.new_session());
            while let Some(piece) = body.next().await {
                let piece =
                    piece.map_err(|why| Error::invalid(format!("the body broke off: {why}")));
                upload.write(piece?).await?;
            }
            let body = upload.finish().await?;
            let message = NewMessage { body, ..written(message)? };
            let sent = self.service.send(to, vec![message], None, Wait::Stored, Duration::ZERO);
            let sent = sent.await?.sent.pop();
            let sent = sent.ok_or_else(|| Error::other("a receipt is missing"))?;
            Ok(MessageId::new(sent.id.to_string()))
        })
    }

    fn body<'a>(&'a self, token: &'a str) -> Answer<'a, BodyStream> {
        Box::pin(async move {
            let reader = match self.service.locked_body(token).await? {
                service::Body::Whole(bytes) => {
                    return Ok(BodyStream::new(futures::stream::iter([Ok(bytes)])));
                }
                service::Body::Stored(stored) => self.service.read_body(stored),
            };
            let pieces = futures::stream::try_unfold(reader, |mut reader| async {
                Ok(reader.next().await?.map(|bytes| (bytes, reader)))
            });
            Ok(BodyStream::new(pieces))
        })
    }

    fn state<'a>(&'a self, id: &'a MessageId, until: Until, time: Duration) -> Answer<'a, State> {
        Box::pin(async move {
            let wait = match until {
                Until::Now => Wait::Stored,
                Until::Arrived => Wait::Arrived,
                Until::Received => Wait::Received,
            };
            let sent = self.service.state_when(id.as_str(), wait, time).await?;
            if self.service.is_stopping() && until != Until::Now {
                return Err(ServiceError::Stopping.into());
            }
            Ok(state(&self.service, sent.state))
        })
    }

    fn events(&self) -> Answer<'_, Events> {
        let service = self.service.clone();
        // The node collects news on its own runtime, wherever they are asked for.
        let reader = {
            let _within = self.runtime.enter();
            self.service.news(None)
        };
        let news = futures::stream::unfold(reader, |mut reader| async {
            reader.next().await.map(|news| (news, reader))
        });
        let events = news.map(move |news| {
            Ok(match news {
                News::State(sent) => Event::State {
                    id: MessageId::new(sent.id.to_string()),
                    state: state(&service, sent.state),
                },
                News::Entered { queue, id } => {
                    Event::Entered { queue: queue.to_string(), id: MessageId::new(id.to_string()) }
                }
                News::Consumed { queue, id } => {
                    Event::Consumed { queue: queue.to_string(), id: MessageId::new(id.to_string()) }
                }
                News::Link { node, up } => Event::Link { node, up },
                News::Lagged(missed) => Event::Lagged { missed },
            })
        });
        let is_over = self.service.is_stopping();
        Box::pin(async move {
            if is_over { Err(ServiceError::Stopping.into()) } else { Ok(Events::new(events)) }
        })
    }

    fn open(&self) -> Answer<'_, Arc<dyn Session>> {
        let session = LocalSession {
            runtime: self.runtime.clone(),
            service: self.service.clone(),
            number: self.service.new_session(),
        };
        Box::pin(async move { Ok(Arc::new(session) as Arc<dyn Session>) })
    }

    fn settle<'a>(&'a self, token: &'a str, how: Settle) -> Answer<'a, ()> {
        Box::pin(async move {
            let how = match how {
                Settle::Ack => Settlement::Ack,
                Settle::Nack => Settlement::Nack,
                Settle::Release => Settlement::Return,
                Settle::Extend(time) => Settlement::Extend(millis(time)),
            };
            Ok(self.service.settle(token, how).await?)
        })
    }

    fn peek<'a>(
        &'a self,
        queue: &'a str,
        after: Option<String>,
        max: usize,
    ) -> Answer<'a, PeekPage> {
        Box::pin(async move {
            let after = after.as_deref().and_then(place);
            let (found, next) = self.service.peek(queue, after, max).await?;
            let messages = found.into_iter().map(|message| read(&self.service, message)).collect();
            Ok((messages, next.map(|place| format!("{}-{}", place.rank, place.arrival))))
        })
    }

    fn create_queue<'a>(&'a self, spec: &'a QueueSpec) -> Answer<'a, QueueInfo> {
        Box::pin(async move {
            let QueueSpec { name, transactional, max_messages, max_bytes } = spec;
            let made =
                self.service.create_queue(name, *transactional, *max_messages, *max_bytes).await?;
            Ok(self.info(made))
        })
    }

    fn queue<'a>(&'a self, name: &'a str) -> Answer<'a, QueueInfo> {
        Box::pin(async move { Ok(self.info(self.service.queue(name).await?)) })
    }

    fn queues(&self) -> Answer<'_, Vec<QueueInfo>> {
        Box::pin(async move {
            let found = self.service.queues().await?;
            Ok(found.into_iter().map(|view| self.info(view)).collect())
        })
    }

    fn remove_queue<'a>(&'a self, name: &'a str) -> Answer<'a, u64> {
        Box::pin(async move { Ok(self.service.drop_queue(name).await?) })
    }

    fn purge_queue<'a>(&'a self, name: &'a str) -> Answer<'a, u64> {
        Box::pin(async move { Ok(self.service.purge_queue(name).await?) })
    }

    fn peers(&self) -> Answer<'_, Vec<Peer>> {
        Box::pin(async move {
            let peers = self.service.peers().await?;
            let peer = |peer: service::Peer| Peer {
                name: peer.name,
                node_id: peer.node.to_string(),
                state: match peer.state {
                    service::PeerState::Up => PeerState::Up,
                    service::PeerState::Away => PeerState::Away,
                    service::PeerState::Left => PeerState::Left,
                },
                path: peer.path.to_string(),
                outgoing: peer.outgoing,
            };
            Ok(peers.members.into_iter().map(peer).collect())
        })
    }

    fn name(&self) -> Answer<'_, String> {
        Box::pin(async move { Ok(self.service.status().await?.name) })
    }
}

fn state(service: &Service, state: MessageState) -> State {
    let text = |reason: crate::engine::record::DeathReason| reason.as_str().to_owned();
    match state {
        MessageState::Stored => State::Stored,
        MessageState::InTransit(node) => State::InTransit { held_by: service.node_text(node) },
        MessageState::Arrived => State::Arrived,
        MessageState::Received => State::Received,
        MessageState::Dead(reason) => State::Dead { reason: text(reason) },
        MessageState::Unconfirmed(reason) => State::Unconfirmed { reason: text(reason) },
    }
}

/// A session whose locks return when it is dropped.
#[derive(Debug)]
struct LocalSession {
    runtime: Handle,
    service: Service,
    number: u64,
}

impl Session for LocalSession {
    fn receive<'a>(
        &'a self,
        queue: &'a str,
        max: usize,
        wait: Duration,
        lock_for: Duration,
    ) -> Answer<'a, Vec<Taken>> {
        Box::pin(async move {
            let lease_ms = millis(lock_for);
            let found = self.service.receive(queue, max, wait, lease_ms, self.number).await?;
            if found.is_empty() && self.service.is_stopping() {
                return Err(ServiceError::Stopping.into());
            }
            let until = Instant::now() + lock_for;
            let taken = |received: service::Received| Taken {
                token: received.lock.token.to_string(),
                until,
                message: read(&self.service, received.message),
            };
            Ok(found.into_iter().map(taken).collect())
        })
    }
}

impl Drop for LocalSession {
    fn drop(&mut self) {
        let (service, number) = (self.service.clone(), self.number);
        self.runtime.spawn(async move { service.end_session(number).await });
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A place as [`LocalWay::peek`] printed it.
fn place(text: &str) -> Option<Place> {
    let (rank, arrival) = text.split_once('-')?;
    Some(Place { rank: rank.parse().ok()?, arrival: arrival.parse().ok()? })
}

/// A message as the service wants it.
fn written(message: Message) -> Result<NewMessage> {
    let priority = match message.priority {
        None => Priority::default(),
        Some(number) => Priority::new(number).ok_or_else(|| {
            let why = "`priority` must be a whole number from 0 to 7".to_owned();
            Error::of("out_of_bounds", 400, why, String::new())
        })?,
    };
    Ok(NewMessage {
        body: service::NewBody::Whole(message.body),
        label: message.label,
        headers: message.headers,
        content_type: message.content_type,
        priority,
        delivery: message.mode,
        reach_within_ms: message.reach_within.map(millis),
        ttl_ms: message.ttl.map(millis),
        correlation_id: message.correlation,
        reply_to: message.reply_to,
    })
}

/// A message as the service gives it.
fn read(service: &Service, message: service::Message) -> QueuedMessage {
    QueuedMessage {
        body_size: message.body.len(),
        id: MessageId::new(message.id.to_string()),
        queue: message.queue.to_string(),
        origin: service.node_text(message.id.stream.origin),
        delivery_count: message.delivery_count,
        enqueued_at: rfc3339(service.wall(message.enqueued_at)),
        message: Message {
            body: match message.body {
                service::Body::Whole(bytes) => bytes,
                service::Body::Stored(_) => bytes::Bytes::new(),
            },
            label: message.label,
            headers: message.headers,
            content_type: message.content_type,
            priority: Some(message.priority.value()),
            mode: message.delivery,
            reach_within: None,
            ttl: None,
            correlation: message.correlation_id,
            reply_to: message.reply_to,
        },
    }
}

impl From<ServiceError> for Error {
    fn from(why: ServiceError) -> Self {
        let verdict = why.verdict();
        Self::of(verdict.code, verdict.status, why.to_string(), why.hint())
    }
}
