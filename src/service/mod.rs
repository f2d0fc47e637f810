//! The one application service that every gateway calls.
//!
//! It composes what the parts below decide: names from `security`, bytes from `codec`, rules from
//! the engine, links from whoever implements [`Links`]. Refuses to know HTTP, JSON and libp2p, and
//! to hold rules of queueing.

mod access;
mod answer;
mod clocks;
mod content;
mod dead;
mod error;
mod explain;
mod links;
mod membership;
mod message;
mod metrics;
mod news;
mod operation;
mod peers;
mod queues;
mod receive;
mod send;
mod status;
mod stream;
mod wait;

pub use access::{ACCESS_LABEL_MAX, ACCESS_TOKENS_MAX, Access, Holder};
pub use answer::ANSWER_BYTES;
pub use clocks::{CLOCK_OFF_MS, clock_warning};
pub use content::{Body, BodyReader, Staged, StoredBody, Upload, check};
pub use dead::{DEAD_PAGE_MAX, DeadLetter};
pub use error::{ServiceError, Verdict};
pub use explain::{Condition, ConditionState, Trace, Why};
pub use links::{Discovery, JoinFailure, JoinFuture, Link, LinkNews, Links, Sighting, Traffic};
pub use membership::{INVITE_TTL_DEFAULT_MS, INVITE_TTL_MAX_MS, Invited};
pub use message::{Message, NewBody, NewMessage, limits};
pub use metrics::{
    ByVia, CODES_SHOWN, Counts, Measured, Metrics, QUEUES_SHOWN, QueueCounts, Reasons, TIMED_MAX,
    Via,
};
pub use news::{NEWS_KEEP_TIME, NEWS_KEPT, News, NewsPlace, NewsReader};
pub use peers::{Path, Peer, PeerState, Peers, Stranger};
pub use queues::{Outgoing, PEEK_MAX};
pub use receive::{Lock, LockToken, Received};
pub use send::{Outcome, SEND_KEY_MAX, SendKey, Sent};
pub use status::{Check, Status};
pub use stream::{DeliveryStream, RESUME_TIME_MAX, StreamOptions, StreamPlace, WINDOW_DEFAULT};
pub use wait::{WAIT_MAX, Wait};

pub use crate::runtime::{Compacted, Counted, Worked};

use crate::engine::address::{NodeId, QueueName};
use crate::engine::command::{Command, Reply};
use crate::engine::time::Timestamp;
use crate::runtime::Handle;
use crate::security::{Gatekeeper, Identity, ResolveError};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// What a service is made of.
pub struct Parts {
    /// The way to the engine.
    pub handle: Handle,
    /// This node's keys.
    pub identity: Arc<Identity>,
    /// Who is a member and what they are called.
    pub gatekeeper: Arc<Gatekeeper>,
    /// The links to other nodes.
    pub links: Arc<dyn Links>,
    /// News of the links, for whoever listens.
    pub link_news: broadcast::Sender<LinkNews>,
    /// Cancelled when the node is to stop: long waits end at once.
    pub stop: CancellationToken,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Path of the socket for local programs.
    pub socket: String,
    /// Largest body of a message, in bytes.
    pub body_bytes: u64,
    /// Streams of deliveries at once, those that may still be resumed included.
    pub streams: usize,
}

/// The application service of a running node, cheap to clone. A clone knows the door that it is
/// called through.
#[derive(Clone)]
pub struct Service(Arc<Inner>, Via);

struct Inner {
    parts: Parts,
    started: Instant,
    /// Drawn at the start, so that a lock of an earlier run is never taken for one of this run.
    run: u32,
    access: access::AccessBook,
    streams: stream::Streams,
    board: news::Board,
    /// The next session's number: one row for all doors.
    next_session: AtomicU64,
    http: OnceLock<HttpDoor>,
}

/// What became of the HTTP door on TCP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpDoor {
    /// Where it is; none if it is not open.
    pub url: Option<String>,
    /// What a person should know: another port than usual, or why it is not open.
    pub warning: Option<String>,
}

impl Service {
    /// Puts a service together.
    pub fn new(parts: Parts) -> Self {
        let run = u32::from_be_bytes(crate::security::random::<4>());
        let inner = Inner {
            parts,
            started: Instant::now(),
            run,
            access: access::AccessBook::default(),
            streams: stream::Streams::default(),
            board: news::Board::default(),
            next_session: AtomicU64::new(1),
            http: OnceLock::new(),
        };
        Self(Arc::new(inner), Via::Local)
    }

    /// The same service as a door calls it: what is done through it is counted as the door's.
    #[must_use]
    pub fn through(&self, door: Via) -> Self {
        Self(Arc::clone(&self.0), door)
    }

    /// Counts a connection of the door until the guard is dropped.
    pub fn connected(&self) -> Connected {
        self.metrics().connection(self.1, true);
        Connected(self.clone())
    }

    /// Counts a refusal of the door, by its code.
    pub fn refused(&self, code: &str) {
        self.metrics().refused(self.1, code);
    }

    /// Number of a new session: of a program that is there from now on.
    pub fn new_session(&self) -> u64 {
        self.0.next_session.fetch_add(1, Ordering::Relaxed)
    }

    /// All news of links from now on.
    pub fn link_news(&self) -> broadcast::Receiver<LinkNews> {
        self.0.parts.link_news.subscribe()
    }

    /// Waits until the node is to stop.
    pub async fn stopping(&self) {
        self.0.parts.stop.cancelled().await;
    }

    /// Takes note, once, of what became of the HTTP door on TCP, for the status.
    pub fn set_http(&self, door: HttpDoor) {
        // It is said once, before anybody can ask.
        let _ = self.0.http.set(door);
    }

    fn http(&self) -> HttpDoor {
        self.0.http.get().cloned().unwrap_or_default()
    }

    /// The way to the engine.
    pub fn handle(&self) -> &Handle {
        &self.0.parts.handle
    }

    /// Asks the node to stop. It answers what it has begun, then ends.
    pub fn stop(&self) {
        self.0.parts.stop.cancel();
    }

    /// Whether the node was asked to stop.
    pub fn is_stopping(&self) -> bool {
        self.0.parts.stop.is_cancelled()
    }

    /// A node's name, or its id where no name is known here.
    pub fn node_text(&self, node: NodeId) -> String {
        self.gatekeeper().name_of(node).unwrap_or_else(|| node.to_string())
    }

    /// A queue as its local name, or with the node's name where it is another's.
    pub fn place_text(&self, node: NodeId, queue: &QueueName) -> String {
        if node == self.gatekeeper().node() {
            queue.to_string()
        } else {
            format!("{queue}@{}", self.node_text(node))
        }
    }

    /// What a wall clock shows at a moment of node time, in milliseconds since 1970.
    pub fn wall(&self, moment: Timestamp) -> u64 {
        self.handle().wall(moment)
    }

    /// Time since a moment of node time, in milliseconds.
    pub fn age_ms(&self, moment: Timestamp) -> u64 {
        self.handle().now().since(moment)
    }

    fn metrics(&self) -> &Metrics {
        &self.0.parts.metrics
    }

    fn gatekeeper(&self) -> &Gatekeeper {
        &self.0.parts.gatekeeper
    }

    fn links(&self) -> &dyn Links {
        &*self.0.parts.links
    }

    /// Whether this node is a member: it may not have joined yet, or have left.
    fn is_in_mesh(&self) -> bool {
        self.gatekeeper().mesh().is_some() && !self.gatekeeper().has_left()
    }

    async fn call(&self, command: Command) -> Result<Reply, ServiceError> {
        Ok(self.handle().call(command).await?)
    }

    /// Takes `queue@node` or `queue` apart; a queue alone is this node's.
    fn resolve(&self, address: &str) -> Result<(NodeId, QueueName), ServiceError> {
        let bad = || ServiceError::BadAddress(address.chars().take(200).collect());
        let (queue, node) = match address.split_once('@') {
            Some((queue, node)) => (queue, Some(node)),
            None => (address, None),
        };
        let queue = queue.parse().map_err(|_| bad())?;
        let node = match node {
            None => self.gatekeeper().node(),
            Some(name) if !is_node_text(name) => return Err(bad()),
            Some(name) if !self.is_in_mesh() => {
                return Err(ResolveError::Unknown(name.to_owned()).into());
            }
            Some(name) => self.gatekeeper().resolve(name)?,
        };
        Ok((node, queue))
    }

    /// The same, for what only a queue of this node can do.
    fn resolve_local(&self, address: &str) -> Result<QueueName, ServiceError> {
        let (node, queue) = self.resolve(address)?;
        if node == self.gatekeeper().node() {
            Ok(queue)
        } else {
            Err(ServiceError::Elsewhere(self.node_text(node)))
        }
    }
}

/// An open connection of a door.
#[derive(Debug)]
pub struct Connected(Service);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.metrics().connection(self.0.1, false);
    }
}

/// Whether a text can be a node's name, a name with digits of its id, or an id.
fn is_node_text(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '~';
    (1..=NODE_TEXT_MAX).contains(&text.len()) && text.chars().all(allowed)
}

/// The longest text that can mean a node: a name, `~` and an id.
const NODE_TEXT_MAX: usize = 63 + 1 + 64;

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("run", &self.0.run).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
