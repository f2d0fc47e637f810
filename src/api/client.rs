//! A program's way to its node.

use super::socket::SocketWay;
use super::way::{Peer, Way};
use super::{Error, Events, Queue, QueueInfo, QueueSpec, Result};
use crate::config::{self, Settings};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A program's way to a node, cheap to clone. All clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    way: Arc<dyn Way>,
}

impl Client {
    /// Connects to the node behind a socket; without one, to this machine's node, which is looked
    /// for as the command line does: `MESHMQ_DATA`, the configuration file, the user's data
    /// directory.
    ///
    /// # Errors
    /// [`Error::NotReachable`] if no node runs there, [`Error::NotAllowed`] if the socket is not for
    /// this user, [`Error::Invalid`] if the configuration has mistakes.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub async fn connect(socket: Option<&Path>) -> Result<Self> {
        let socket = match socket {
            Some(socket) => socket.to_owned(),
            None => default_socket()?,
        };
        let way: Arc<dyn Way> = Arc::new(SocketWay::new(socket));
        // Whether somebody answers is told here and not at the first send.
        way.name().await?;
        Ok(Self { way })
    }

    #[cfg(feature = "node")]
    pub(super) fn over(way: Arc<dyn Way>) -> Self {
        Self { way }
    }

    /// A queue, `queue` here or `queue@node` elsewhere. Nothing is asked yet: whether it is there is
    /// told at the first use.
    #[must_use]
    pub fn queue(&self, address: impl Into<String>) -> Queue {
        Queue::new(Arc::clone(&self.way), address.into())
    }

    /// Makes a queue on the node: `client.create_queue("orders")`.
    ///
    /// # Errors
    /// [`Error::Conflict`] if there is one of that name.
    pub async fn create_queue(&self, spec: impl Into<QueueSpec>) -> Result<Queue> {
        let spec = spec.into();
        self.way.create_queue(&spec).await?;
        Ok(self.queue(spec.name))
    }

    /// The queues of the node, by name.
    ///
    /// # Errors
    /// [`Error::NotReachable`].
    pub async fn queues(&self) -> Result<Vec<QueueInfo>> {
        self.way.queues().await
    }

    /// The other members of the mesh, by name.
    ///
    /// # Errors
    /// [`Error::NotReachable`].
    pub async fn peers(&self) -> Result<Vec<Peer>> {
        self.way.peers().await
    }

    /// What happens at the node from now on: messages that come further, links that come and go.
    /// A stream over the socket that breaks off goes on where it was if the node is back within ten
    /// seconds; what is missing then is told as [`Event::Lagged`](super::Event::Lagged). Nothing is
    /// kept for those who were not there: ask with [`Receipt::state`](super::Receipt::state) for what
    /// you follow.
    ///
    /// # Errors
    /// [`Error::NotReachable`].
    pub async fn events(&self) -> Result<Events> {
        self.way.events().await
    }

    /// The node's name in its mesh; empty until it is a member of one.
    ///
    /// # Errors
    /// [`Error::NotReachable`].
    pub async fn node_name(&self) -> Result<String> {
        self.way.name().await
    }
}

/// Where the socket of this machine's node is.
fn default_socket() -> Result<PathBuf> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let bad = |why: config::ConfigError| Error::invalid(why.to_string());
    if let Some(data) = variable("MESHMQ_DATA") {
        return Ok(config::find_socket(Path::new(&data)));
    }
    let named = variable(config::FILE_VARIABLE).map(PathBuf::from);
    let (file, is_there) = config::config_file(named.as_deref()).map_err(bad)?;
    let file = is_there.then_some(file);
    let settings = Settings::load(file.as_deref(), variable, Vec::new()).map_err(bad)?;
    let data = settings.text("data").map(PathBuf::from);
    Ok(config::find_socket(&config::data_dir(data.as_deref()).map_err(bad)?))
}
