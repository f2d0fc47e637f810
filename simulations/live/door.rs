//! What the programs of a run ask at the doors of nodes: the HTTP that every program speaks.

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use meshmq::client::events::follow;
use meshmq::client::http::{Client as Connection, ClientError};
use meshmq::client::{json, path};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

/// How long any answer may take before the connection is given up.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Entries of one page of a list.
const PAGE: usize = 256;

/// An answer of a door.
pub(super) type Answer<T> = Result<T, ClientError>;

/// A connection to a node.
#[derive(Debug)]
pub(super) struct Door(Connection);

async fn in_time<T>(answer: impl Future<Output = Answer<T>>) -> Answer<T> {
    let late = |_| ClientError::Broken("no answer in time".to_owned());
    timeout(ANSWER_WITHIN, answer).await.map_err(late)?
}

impl Door {
    /// Connects to the node behind a socket.
    pub(super) async fn open(socket: &Path) -> Answer<Self> {
        in_time(Connection::connect(socket)).await.map(Self)
    }

    /// Sends messages under a key: repeated, it sends nothing again. Their ids.
    pub(super) async fn send(
        &mut self,
        to: &str,
        key: &str,
        batch: &json::Batch,
    ) -> Answer<Vec<String>> {
        let text = serde_json::to_vec(batch).map_err(unreadable)?;
        let headers =
            [("content-type", "application/json".to_owned()), ("idempotency-key", key.to_owned())];
        let length = Some(text.len() as u64);
        let body = stream::iter([Ok(Bytes::from(text))]);
        let path = path::messages(to);
        let sent: json::BatchSent = in_time(self.0.upload(&path, &headers, length, body)).await?;
        Ok(sent.messages.into_iter().map(|sent| sent.id).collect())
    }

    /// Takes messages under locks, without a wait.
    pub(super) async fn receive(
        &mut self,
        queue: &str,
        max: usize,
        lease_ms: u64,
    ) -> Answer<Vec<json::Message>> {
        let lease_s = Duration::from_millis(lease_ms).as_secs_f64();
        let asked = json::ReceiveRequest { max, wait_s: 0.0, lease_s };
        let path = format!("{}/receive", path::queue(queue));
        let found: json::Received = in_time(self.0.post(&path, &asked)).await?;
        Ok(found.messages)
    }

    /// Settles locks. What became of each, in the order of the request.
    pub(super) async fn settle(
        &mut self,
        asked: &json::SettleRequest,
    ) -> Answer<Vec<json::SettleResult>> {
        let settled: json::Settled = in_time(self.0.post("/v1/locks/settle", asked)).await?;
        Ok(settled.results)
    }

    /// Makes a queue; one that is there stays.
    pub(super) async fn make_queue(&mut self, name: &str, spec: &json::QueueSpec) -> Answer<()> {
        let made: Answer<json::Queue> = in_time(self.0.put(&path::queue(name), spec)).await;
        match made {
            Err(ClientError::Problem(problem)) if problem.status == 409 => Ok(()),
            other => other.map(drop),
        }
    }

    /// Everything in a queue, in the order of receiving, whether locked or not.
    pub(super) async fn peek(&mut self, queue: &str) -> Answer<Vec<json::Message>> {
        self.pages(&path::messages(queue)).await
    }

    /// The ids of the node's dead letters.
    pub(super) async fn dead(&mut self) -> Answer<BTreeSet<String>> {
        let letters: Vec<json::DeadLetter> = self.pages("/v1/dead").await?;
        Ok(letters.into_iter().map(|letter| letter.id).collect())
    }

    async fn pages<T: serde::de::DeserializeOwned>(&mut self, path: &str) -> Answer<Vec<T>> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let query = path::query(&[("limit", Some(PAGE.to_string())), ("after", after)]);
            let page: json::Page<T> = in_time(self.0.get(&format!("{path}{query}"))).await?;
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    /// What the node tells of a message that was sent from it.
    pub(super) async fn state(&mut self, id: &str) -> Answer<json::Sent> {
        in_time(self.0.get(&path::message(id))).await
    }

    /// What the node tells of itself.
    pub(super) async fn status(&mut self) -> Answer<json::Status> {
        in_time(self.0.get("/v1/status")).await
    }

    /// The other members.
    pub(super) async fn peers(&mut self) -> Answer<Vec<json::Peer>> {
        let peers: json::Peers = in_time(self.0.get("/v1/peers")).await?;
        Ok(peers.items)
    }

    /// A token for a new member.
    pub(super) async fn invite(&mut self) -> Answer<String> {
        let asked = json::InviteRequest::default();
        let invited: json::Invited = in_time(self.0.post("/v1/invites", &asked)).await?;
        Ok(invited.token)
    }
}

/// What happens at the node behind a socket from now on.
pub(super) async fn events(socket: &Path) -> Answer<BoxStream<'static, Answer<json::NodeEvent>>> {
    Ok(in_time(follow(socket)).await?.boxed())
}

fn unreadable(why: serde_json::Error) -> ClientError {
    ClientError::Unreadable(why.to_string())
}
