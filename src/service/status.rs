//! The node in a few numbers.

use super::{PeerState, Service, ServiceError};
use crate::engine::address::NodeId;
use crate::engine::command::{Command, Reply, Summary};
use std::time::Duration;

/// Who the node is, where it listens and how it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// Its name; empty until it is a member.
    pub name: String,
    /// Its id.
    pub node: NodeId,
    /// Label of its mesh; empty until it is a member.
    pub mesh: String,
    /// Addresses it listens on, as `ip:port`.
    pub listen: Vec<String>,
    /// Path of its socket.
    pub socket: String,
    /// Where the HTTP door on TCP is, if it is open.
    pub http: Option<String>,
    /// What a person should know and may want to change.
    pub warnings: Vec<String>,
    /// Version of the program.
    pub version: &'static str,
    /// Time since the start.
    pub uptime: Duration,
    /// Members with a live path.
    pub peers_up: u64,
    /// Members without one.
    pub peers_away: u64,
    /// What the engine counts.
    pub summary: Summary,
}

/// How long the engine may take to answer before the node is not ready.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);

/// One thing that a node needs to be ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// In words.
    pub detail: String,
}

impl Service {
    /// Describes the node.
    ///
    /// # Errors
    /// [`ServiceError::Stopping`].
    pub async fn status(&self) -> Result<Status, ServiceError> {
        let peers = self.peers().await?;
        let count = |state| peers.members.iter().filter(|peer| peer.state == state).count() as u64;
        let gatekeeper = self.gatekeeper();
        let http = self.http();
        Ok(Status {
            name: gatekeeper.name().map(|name| name.to_string()).unwrap_or_default(),
            node: gatekeeper.node(),
            mesh: if self.is_in_mesh() { gatekeeper.mesh_label() } else { String::new() },
            listen: self.links().listening().iter().map(ToString::to_string).collect(),
            socket: self.0.parts.socket.clone(),
            http: http.url,
            warnings: http.warning.into_iter().collect(),
            version: env!("CARGO_PKG_VERSION"),
            uptime: self.0.started.elapsed(),
            peers_up: count(PeerState::Up),
            peers_away: count(PeerState::Away),
            summary: self.summary().await?,
        })
    }

    /// What the node needs to be ready, and whether it is so. Members that are away, and a door that
    /// is not open, are no reason not to be.
    pub async fn checks(&self) -> Vec<Check> {
        let answered = tokio::time::timeout(ANSWER_TIME_MAX, self.summary()).await;
        let engine = matches!(answered, Ok(Ok(_)));
        let listening = self.links().listening();
        let http = self.http();
        let check = |name, ok, detail: String| Check { name, ok, detail };
        let said = |ok, yes: &str, no: &str| if ok { yes } else { no }.to_owned();
        let running = !self.is_stopping();
        vec![
            check("running", running, said(running, "not stopping", "stopping")),
            check("engine", engine, said(engine, "answers", "does not answer")),
            check("store", engine, said(engine, "open and read", "has failed or hangs")),
            check("links", !listening.is_empty(), format!("{} addresses", listening.len())),
            check("socket", true, self.0.parts.socket.clone()),
            check("http", true, http.url.or(http.warning).unwrap_or_else(|| "off".to_owned())),
        ]
    }

    /// What the engine counts; also the proof that it answers.
    ///
    /// # Errors
    /// [`ServiceError::Stopping`].
    pub async fn summary(&self) -> Result<Summary, ServiceError> {
        match self.call(Command::Summary).await? {
            Reply::Summary(summary) => Ok(summary),
            _ => Err(ServiceError::Internal("a summary was expected".to_owned())),
        }
    }
}
