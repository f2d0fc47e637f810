//! One node: a child process of this same program.

use super::cable::Cable;
use crate::cli::error::{CliError, Exit};
use crate::client::http::Client;
use crate::client::json::ReadyEvent;
use crate::config::KEYS;
use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

/// How long a node may take to become ready.
const READY_WITHIN: Duration = Duration::from_secs(15);
/// Longest tail of a log that an error shows, in bytes.
const LOG_SHOWN: usize = 400;

/// A node, running or not.
pub(in crate::cli) struct Node {
    name: &'static str,
    data: PathBuf,
    /// The others come in through it, if there is one.
    cable: Option<Cable>,
    /// Where it listens itself, once it is ready.
    listens: Option<SocketAddr>,
    /// Where it looks for its neighbour.
    peer: Option<SocketAddr>,
    child: Option<Child>,
    socket: PathBuf,
    /// How long it may take to become ready.
    ready_within: Duration,
}

impl Node {
    /// A node that has not started yet, and looks for its neighbour there.
    pub(in crate::cli) fn new(name: &'static str, folder: &Path, peer: Option<SocketAddr>) -> Self {
        let data = folder.join(name);
        let socket = PathBuf::new();
        let ready_within = READY_WITHIN;
        Self { name, data, cable: None, listens: None, peer, child: None, socket, ready_within }
    }

    /// The same, reached through a cable only.
    pub(in crate::cli) async fn behind_a_cable(
        name: &'static str,
        folder: &Path,
        peer: Option<SocketAddr>,
    ) -> Result<Self, CliError> {
        let cable = Cable::lay().await.map_err(|why| {
            CliError::new(Exit::Configuration, "no_port", format!("no port can be opened: {why}"))
        })?;
        Ok(Self { cable: Some(cable), ..Self::new(name, folder, peer) })
    }

    /// Lets it take longer to become ready: it has much to read.
    pub(in crate::cli) const fn be_ready_within(&mut self, time: Duration) {
        self.ready_within = time;
    }

    /// What it is called.
    pub(in crate::cli) const fn name(&self) -> &'static str {
        self.name
    }

    /// Where others reach it.
    pub(in crate::cli) fn address(&self) -> Option<SocketAddr> {
        self.cable.as_ref().map(Cable::address).or(self.listens)
    }

    /// Pulls its cable, or puts it back.
    pub(in crate::cli) fn set_cable(&self, out: bool) {
        match &self.cable {
            Some(cable) if out => cable.pull(),
            Some(cable) => cable.put_back(),
            None => {}
        }
    }

    /// The id of its process, while it runs.
    pub(in crate::cli) fn process(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Starts it, and waits until it is ready. With a token it joins first.
    pub(in crate::cli) async fn start(&mut self, token: Option<&str>) -> Result<(), CliError> {
        let failed = |why: std::io::Error| self.failure(&format!("cannot be started: {why}"));
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.data.with_extension("log"))
            .map_err(failed)?;
        let program = std::env::current_exe().map_err(failed)?;
        let mut command = Command::new(program);
        command
            .args(["up", "--json", "--exit-with-stdin", "--no-discovery", "--http", "off"])
            .args(["--name", self.name, "--listen", "127.0.0.1:0"])
            .arg("--data")
            .arg(&self.data)
            .args(["--config", "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true);
        // The story is told by its own settings, not by those of this machine's node.
        for key in KEYS.iter().filter(|key| key.name != "log") {
            command.env_remove(key.variable());
        }
        if let Some(cable) = &self.cable {
            command.arg("--announce").arg(cable.address().to_string());
        }
        if let Some(peer) = self.peer {
            command.arg("--peer").arg(peer.to_string());
        }
        if let Some(token) = token {
            command.args(["--join", token]);
        }
        let mut child = command.spawn().map_err(failed)?;
        let ready = tokio::time::timeout(self.ready_within, ready_event(&mut child)).await;
        let Ok(Some(event)) = ready else {
            return Err(self.failure("did not become ready"));
        };
        let listens = event.ready.listen.iter().find_map(|text| socket_address(text));
        let Some(listens) = listens else {
            return Err(self.failure("listens on no address"));
        };
        self.listens = Some(listens);
        self.cable.iter().for_each(|cable| cable.lead_to(listens));
        self.socket = PathBuf::from(event.ready.socket);
        self.child = Some(child);
        Ok(())
    }

    /// Kills it as a power cut would: SIGKILL.
    pub(in crate::cli) async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill().await;
        }
    }

    /// A connection to its door.
    pub(in crate::cli) async fn connect(&self) -> Result<Client, CliError> {
        Ok(Client::connect(&self.socket).await?)
    }

    /// Path of its door.
    pub(in crate::cli) fn socket(&self) -> &Path {
        &self.socket
    }

    /// An error that shows the end of the node's log.
    fn failure(&self, what: &str) -> CliError {
        let mut log = Vec::new();
        if let Ok(mut file) = File::open(self.data.with_extension("log")) {
            let _ = file.read_to_end(&mut log);
        }
        let tail =
            String::from_utf8_lossy(&log[log.len().saturating_sub(LOG_SHOWN)..]).into_owned();
        let message = format!("node {} {what}", self.name);
        CliError::new(Exit::Defect, "sandbox_node", message)
            .hint(format!("its log ends with: {}", tail.trim()))
    }
}

/// Reads the first line of a node; what follows is read and dropped, so that it never blocks.
async fn ready_event(child: &mut Child) -> Option<ReadyEvent> {
    let mut output = BufReader::new(child.stdout.take()?);
    let mut line = String::new();
    output.read_line(&mut line).await.ok()?;
    tokio::spawn(async move {
        let mut bytes = [0; 4096];
        while matches!(output.read(&mut bytes).await, Ok(1..)) {}
    });
    serde_json::from_str(&line).ok()
}

/// Reads `/ip4/…/tcp/…`, whatever follows.
fn socket_address(text: &str) -> Option<SocketAddr> {
    if let Ok(plain) = text.parse() {
        return Some(plain);
    }
    let parts: Vec<&str> = text.split('/').collect();
    match parts.as_slice() {
        ["", "ip4", ip, "tcp", port, ..] => format!("{ip}:{port}").parse().ok(),
        _ => None,
    }
}
