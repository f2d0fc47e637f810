//! The node in a few numbers.

use super::clocks::{clock_warning, skew_warning};
use super::{PeerState, Service, ServiceError};
use crate::engine::address::NodeId;
use crate::engine::command::{Command, Disk, Reply, Summary};
use crate::runtime::Compacted;
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

/// The room on the disk, in words.
fn room(disk: &Disk) -> String {
    let mib = |bytes: u64| format!("{} MiB", bytes >> 20);
    let reserve = mib(disk.reserve_bytes);
    match disk.free_bytes {
        Some(free) if disk.is_low() => format!(
            "the disk has {} free, less than the reserve of {reserve}: sends are refused until \
             there is room again",
            mib(free)
        ),
        Some(free) => format!("{} free, {reserve} are kept as a reserve", mib(free)),
        None => "no disk".to_owned(),
    }
}

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
        let summary = self.summary().await?;
        let full = summary.disk.is_low().then(|| room(&summary.disk));
        let clock = clock_warning(self.handle().wall_stand());
        let clocks = skew_warning(&peers.members);
        let warnings = [full, http.warning, clock, clocks].into_iter().flatten();
        Ok(Status {
            name: gatekeeper.name().map(|name| name.to_string()).unwrap_or_default(),
            node: gatekeeper.node(),
            mesh: if self.is_in_mesh() { gatekeeper.mesh_label() } else { String::new() },
            listen: self.links().listening().iter().map(ToString::to_string).collect(),
            socket: self.0.parts.socket.clone(),
            http: http.url,
            warnings: warnings.collect(),
            version: env!("CARGO_PKG_VERSION"),
            uptime: self.0.started.elapsed(),
            peers_up: count(PeerState::Up),
            peers_away: count(PeerState::Away),
            summary,
        })
    }

    /// What the node needs to be ready, and whether it is so. Members that are away, and a door that
    /// is not open, are no reason not to be.
    pub async fn checks(&self) -> Vec<Check> {
        let answered = tokio::time::timeout(ANSWER_TIME_MAX, self.summary()).await;
        let summary = answered.ok().and_then(Result::ok);
        let engine = summary.is_some();
        let disk = summary.map(|summary| summary.disk).unwrap_or_default();
        let listening = self.links().listening();
        let http = self.http();
        let check = |name, ok, detail: String| Check { name, ok, detail };
        let said = |ok, yes: &str, no: &str| if ok { yes } else { no }.to_owned();
        let running = !self.is_stopping();
        vec![
            check("running", running, said(running, "not stopping", "stopping")),
            check("engine", engine, said(engine, "answers", "does not answer")),
            check("store", engine, said(engine, "open and read", "has failed or hangs")),
            // A full disk is no reason to send programs away: receiving goes on, and frees it.
            check("disk", true, room(&disk)),
            check("links", !listening.is_empty(), said(!listening.is_empty(), "listening", "deaf")),
            check("socket", true, self.0.parts.socket.clone()),
            check("http", true, http.url.or(http.warning).unwrap_or_else(|| "off".to_owned())),
        ]
    }

    /// Gives back room on the disk that nothing lives in any more, and waits until that is done. The
    /// node works on meanwhile; whoever asks while it is under way waits for the same end.
    ///
    /// # Errors
    /// [`ServiceError::Stopping`].
    pub async fn compact(&self) -> Result<Compacted, ServiceError> {
        Ok(self.handle().compact().await?)
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
