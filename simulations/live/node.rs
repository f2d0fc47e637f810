//! Real nodes: processes on machines of their own, each with a directory. They end with the program
//! that started them, however that ends.

use super::host::Missing;
use meshmq::client::json;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

/// How long a node may take until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Lines of a node's last words that a report shows.
const LAST_WORDS: usize = 8;

/// A directory for everything that a run writes; gone with the value, unless it is to be kept.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    keeps: bool,
}

impl Folder {
    /// A new one, for this user only.
    pub(super) fn new(keeps: bool) -> Result<Self, Missing> {
        let base = std::env::temp_dir();
        for number in 0..1_000 {
            let path = base.join(format!("meshmq-live-{}-{number}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path, keeps }),
                Err(why) if why.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(why) => return Err(format!("{}: {why}", path.display())),
            }
        }
        Err(format!("{}: no free name for a directory", base.display()))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keeps {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// How a node is started.
#[derive(Debug)]
pub(super) struct Recipe {
    /// The program.
    pub(super) program: PathBuf,
    /// The node's name.
    pub(super) name: String,
    /// Its directory.
    pub(super) data: PathBuf,
}

/// A running node. It is killed with the value.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// It ends when this does.
    _stdin: Option<ChildStdin>,
}

impl Recipe {
    /// Starts it in a namespace and waits until it is ready. `join` is a token, at the first start of
    /// all nodes but one.
    pub(super) async fn start(
        &self,
        namespace: &str,
        join: Option<&str>,
    ) -> Result<(Process, json::Ready), Missing> {
        let failed = |why: std::io::Error| format!("node {}: {why}", self.name);
        let log = File::options().create(true).append(true).open(self.log()).map_err(failed)?;
        let mut command = Command::new("nsenter");
        command.arg(namespace).arg(&self.program).args(["up", "--json", "--name", &self.name]);
        command.args(["--listen", "0.0.0.0:7670", "--http", "off", "--exit-with-stdin", "--data"]);
        command.arg(&self.data).args(join.iter().flat_map(|token| ["--join", token]));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("MESHMQ_") {
                command.env_remove(name);
            }
        }
        command.env("MESHMQ_CONFIG", "/dev/null").kill_on_drop(true).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().map_err(failed)?;
        let stdout = child.stdout.take();
        let process = Process { _stdin: child.stdin.take(), child };
        let mut line = String::new();
        if let Some(stdout) = stdout {
            let mut lines = BufReader::new(stdout);
            match timeout(READY_WITHIN, lines.read_line(&mut line)).await {
                Ok(read) => read.map_err(failed)?,
                Err(_) => return Err(format!("node {} is not ready in time", self.name)),
            };
        }
        let event: json::ReadyEvent = serde_json::from_str(&line)
            .map_err(|_| format!("node {} does not start: {}", self.name, self.last_words()))?;
        Ok((process, event.ready))
    }

    /// What it said last on its standard error.
    pub(super) fn last_words(&self) -> String {
        let text = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LAST_WORDS)..].join("; ")
    }

    fn log(&self) -> PathBuf {
        self.data.with_extension("log")
    }
}

impl Process {
    /// Kills it, as `kill -9` does, and waits until it is gone.
    pub(super) async fn kill(mut self) {
        let _ = self.child.kill().await;
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<String> {
        self.child.try_wait().ok().flatten().map(|status| status.to_string())
    }

    /// Stops all of it, as a machine that sleeps, or lets it go on.
    pub(super) fn sleeps(&self, sleeps: bool) {
        use rustix::process::{Pid, Signal, kill_process};
        let pid = self.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        if let Some(pid) = pid {
            let _ = kill_process(pid, if sleeps { Signal::STOP } else { Signal::CONT });
        }
    }
}
