//! A node within the program.

use super::local::LocalWay;
use super::way::Peer;
use super::{Client, Error, Result};
use crate::config;
use crate::daemon::{self, DaemonError, Ready, Running, UpOptions};
use crate::engine::limits::Limits;
use crate::service::Service;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How a node looks for others, unless it is told in detail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Preset {
    /// It looks for members on the local network, and listens on port 7670 or a free one.
    #[default]
    Lan,
    /// It looks for nobody, and listens on this machine only.
    Isolated,
}

/// A node in the making.
#[derive(Clone, Debug)]
#[must_use = "nothing runs before `start`"]
pub struct NodeBuilder {
    options: UpOptions,
    data: Option<PathBuf>,
}

impl NodeBuilder {
    /// Name of the node when it founds or joins a mesh; the host's name unless said.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.options.name = Some(name.into());
        self
    }

    /// The node's directory, one for each node; it is made if it is not there. Unless said, that of
    /// this user's node.
    pub fn data_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.data = Some(dir.into());
        self
    }

    /// How it looks for others; [`Preset::Lan`] unless said. What is said of addresses before goes.
    pub fn preset(mut self, preset: Preset) -> Self {
        self.options.discovery = preset == Preset::Lan;
        self.options.listen = match preset {
            Preset::Lan => Vec::new(),
            Preset::Isolated => vec!["127.0.0.1:0".to_owned()],
        };
        self
    }

    /// Listens there, `host:port`; may be said several times.
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.options.listen.push(address.into());
        self
    }

    /// Keeps a link with the node there, `host:port`; may be said several times.
    pub fn peer(mut self, address: impl Into<String>) -> Self {
        self.options.peers.push(address.into());
        self
    }

    /// Joins the mesh of a token, if the node is not a member of it yet.
    pub fn join(mut self, token: impl Into<String>) -> Self {
        self.options.join = Some(token.into());
        self
    }

    /// The bounds of the node.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.options.limits = limits;
        self
    }

    /// Starts the node; when this returns, it takes requests, also of other programs over its
    /// socket.
    ///
    /// # Errors
    /// [`Error::Conflict`] if a node runs in that directory, [`Error::Store`] if the store cannot
    /// be opened, [`Error::Invalid`] if an address, a name or the token says nothing, and what the
    /// inviter refuses.
    pub async fn start(self) -> Result<Node> {
        let data = config::data_dir(self.data.as_deref());
        let data = data.map_err(|why| Error::invalid(why.to_string()))?;
        let running = daemon::start(UpOptions { data, ..self.options }).await?;
        let (ready, service) = (running.ready().clone(), running.service().clone());
        let client = Client::over(Arc::new(LocalWay::new(service.clone())));
        let running = Mutex::new(Some(running));
        Ok(Node(Arc::new(Inner { ready, service, client, running })))
    }
}

/// A node that runs within this program, cheap to clone.
///
/// Stop it with [`Node::shutdown`]. When the last clone is dropped it stops too, but nobody waits
/// for it; what was acknowledged is safe in any case.
#[derive(Clone, Debug)]
pub struct Node(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    ready: Ready,
    service: Service,
    client: Client,
    running: Mutex<Option<Running>>,
}

impl Node {
    /// A node in the making.
    pub fn builder() -> NodeBuilder {
        let options = UpOptions { discovery: true, ..UpOptions::default() };
        NodeBuilder { options, data: None }
    }

    /// A program's way to it. It does not keep the node alive.
    #[must_use]
    pub fn client(&self) -> Client {
        self.0.client.clone()
    }

    /// Its id: 64 hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.0.ready.node_id
    }

    /// Addresses that it listens on, `ip:port`.
    pub fn listen(&self) -> &[String] {
        &self.0.ready.listen
    }

    /// Path of the socket by which other programs of this machine reach it.
    pub fn socket(&self) -> &str {
        &self.0.ready.socket
    }

    /// A token that lets one node join its mesh, good for so long, 15 minutes unless said.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] if this node may not invite; [`Error::NotReachable`] if it is in no
    /// mesh.
    pub async fn invite(&self, good_for: Option<Duration>) -> Result<String> {
        let ttl_ms = good_for.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        Ok(self.0.service.invite(ttl_ms, false).await?.token)
    }

    /// Joins the mesh of a token, leaving a mesh in which it is alone.
    ///
    /// # Errors
    /// [`Error::Conflict`] if its present mesh has other members or messages, or the name is taken
    /// there; [`Error::NotAllowed`] if the token is not good; [`Error::NotReachable`].
    pub async fn join(&self, token: &str) -> Result<()> {
        Ok(self.0.service.join(token, None).await?)
    }

    /// The other members of its mesh, by name.
    ///
    /// # Errors
    /// [`Error::NotReachable`] if it is stopping.
    pub async fn peers(&self) -> Result<Vec<Peer>> {
        self.0.client.peers().await
    }

    /// Stops the node, once what is outgoing has been delivered or `drain` is over. What is left
    /// goes on at the next start. Further calls do nothing.
    ///
    /// # Errors
    /// [`Error::Store`] if the store failed.
    pub async fn shutdown(&self, drain: Duration) -> Result<()> {
        self.drain(drain).await;
        let running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        match running {
            Some(running) => Ok(running.stop().await?),
            None => Ok(()),
        }
    }

    /// Waits until nothing is outgoing, so long at most.
    async fn drain(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut events = self.0.service.handle().events();
        while let Ok(summary) = self.0.service.summary().await {
            if summary.outgoing == 0 || timeout_at(until, events.recv()).await.is_err() {
                return;
            }
        }
    }
}

impl From<DaemonError> for Error {
    fn from(why: DaemonError) -> Self {
        let status = match why.exit {
            64 | 66 | 78 => 400,
            69 => 503,
            73 => 409,
            75 => 507,
            77 => 403,
            _ => 500,
        };
        let is_store = why.exit == 74;
        let code = if is_store { "store_failed" } else { why.code };
        Self::of(code, status, why.message, why.hint)
    }
}
