//! The nodes of a case: one, two, or three in a row, known to each other.

use super::super::error::{CliError, Exit};
use super::super::sandbox::Node;
use super::Plan;
use super::work::Work;
use crate::client::http::Client;
use crate::client::json::{
    Batch, BatchSent, InviteRequest, Invited, NewMessage, Peers, Queue, QueueSpec, SEND_MAX,
};
use crate::client::path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long nodes may take to know each other, and messages to get across.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// Connections of all senders.
const CONNECTIONS_MAX: usize = 256;
/// Quota of a bench's queue.
pub(super) const QUEUE_MESSAGES: u64 = 100_000_000;
pub(super) const QUEUE_BYTES: u64 = u64::MAX >> 12;

/// Nodes in a row, the sender first, in a folder of their own.
pub(super) struct Nodes {
    pub(super) all: Vec<Node>,
    folder: PathBuf,
}

impl Nodes {
    /// Starts so many nodes in a row; the last has the queue `q`, and the first knows it.
    pub(super) async fn start(names: &[&'static str], plan: &Plan<'_>) -> Result<Self, CliError> {
        let folder = plan.folder.join("nodes");
        std::fs::create_dir(&folder).map_err(super::log::failed)?;
        let mut all: Vec<Node> = Vec::new();
        for name in names {
            let before = all.last();
            let mut node = Node::new(name, &folder, before.and_then(Node::address));
            let token = match before {
                // A relay is an admin: it invites the next one.
                Some(before) => Some(invite(before, Some(name) != names.last()).await?),
                None => None,
            };
            node.start(token.as_deref()).await?;
            all.push(node);
        }
        let nodes = Self { all, folder };
        let spec = QueueSpec {
            max_messages: Some(QUEUE_MESSAGES),
            max_bytes: Some(QUEUE_BYTES),
            ..QueueSpec::default()
        };
        let _: Queue = nodes.receiver().await?.put(&path::queue("q"), &spec).await?;
        nodes.until_up().await?;
        Ok(nodes)
    }

    /// Where the messages go, as the first node says it.
    pub(super) fn address(&self) -> String {
        format!("q@{}", self.all[self.all.len() - 1].name())
    }

    /// A connection to the first node.
    pub(super) async fn sender(&self) -> Result<Client, CliError> {
        self.all[0].connect().await
    }

    /// Connections to the first node for so many senders. Beyond [`CONNECTIONS_MAX`] they take turns
    /// on them.
    pub(super) async fn senders(&self, count: usize) -> Result<Vec<Arc<Mutex<Client>>>, CliError> {
        let mut open = Vec::new();
        for _ in 0..count.min(CONNECTIONS_MAX) {
            open.push(Arc::new(Mutex::new(self.sender().await?)));
        }
        Ok(open.iter().cycle().take(count).cloned().collect())
    }

    /// What all nodes have done so far.
    pub(super) async fn work(&self) -> Result<Work, CliError> {
        let mut all = Work::default();
        for node in &self.all {
            all = all.and(&Work::of(&mut node.connect().await?).await?);
        }
        Ok(all)
    }

    /// A connection to the last node.
    pub(super) async fn receiver(&self) -> Result<Client, CliError> {
        self.all[self.all.len() - 1].connect().await
    }

    /// The last node.
    pub(super) fn last(&mut self) -> &mut Node {
        self.all.last_mut().expect("there is a node")
    }

    /// Waits until the first node has a live path to the last.
    pub(super) async fn until_up(&self) -> Result<(), CliError> {
        if self.all.len() == 1 {
            return Ok(());
        }
        let mut first = self.sender().await?;
        let mut look = tokio::time::interval(LOOK_AGAIN);
        let ends = Instant::now() + PATIENCE;
        while Instant::now() < ends {
            look.tick().await;
            let peers: Peers = first.get("/v1/peers").await?;
            if peers.items.iter().filter(|peer| peer.path != "none").count() + 1 == self.all.len() {
                return Ok(());
            }
        }
        Err(CliError::new(Exit::Defect, "bench_nodes", "the nodes do not find each other"))
    }

    /// Waits until the queue of the last node holds so many messages; gives the time of that.
    pub(super) async fn until_there(&self, messages: u64) -> Result<Instant, CliError> {
        let mut last = self.receiver().await?;
        let mut look = tokio::time::interval(LOOK_AGAIN);
        let ends = Instant::now() + PATIENCE;
        while Instant::now() < ends {
            look.tick().await;
            let queue: Queue = last.get(&path::queue("q")).await?;
            if queue.ready + queue.locked >= messages {
                return Ok(Instant::now());
            }
        }
        Err(CliError::new(Exit::Defect, "bench_nodes", "the messages do not arrive"))
    }

    /// Ends them and removes what they left.
    pub(super) async fn end(mut self) -> Result<(), CliError> {
        for node in &mut self.all {
            node.kill().await;
        }
        std::fs::remove_dir_all(&self.folder).map_err(super::log::failed)
    }
}

/// Stores so many messages at a node, batch by batch.
pub(super) async fn fill(
    client: &mut Client,
    address: &str,
    messages: u64,
    size: usize,
) -> Result<(), CliError> {
    let mut left = messages as usize;
    while left > 0 {
        let batch: Vec<NewMessage> = (0..left.min(SEND_MAX)).map(|_| message(size)).collect();
        left -= batch.len();
        let batch = Batch { messages: batch };
        let _: BatchSent = client.post(&path::messages(address), &batch).await?;
    }
    Ok(())
}

/// A message with a body of this size, of letters, so that JSON carries it as it is.
pub(super) fn message(size: usize) -> NewMessage {
    NewMessage::with_body(&vec![b'x'; size])
}

async fn invite(node: &Node, admin: bool) -> Result<String, CliError> {
    let mut client = node.connect().await?;
    let request = InviteRequest { admin, ..InviteRequest::default() };
    let invited: Invited = client.post("/v1/invites", &request).await?;
    Ok(invited.token)
}
