//! The temporary folder, and the child that removes it whatever happens to this process.

use crate::cli::error::{CliError, Exit};
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

/// How every such folder's name begins; nothing else is ever swept.
const PREFIX: &str = "meshmq-sandbox-";
/// Longest path of the place for temporary files, in bytes.
const BASE_MAX: usize = 50;
/// How long a sweeper tries to remove a folder in which nodes may still be ending.
const SWEEP_FOR: Duration = Duration::from_secs(20);
/// A folder that stays away so long will not come back.
const GONE_FOR: Duration = Duration::from_secs(1);
/// Between two tries.
const TRY_AGAIN: Duration = Duration::from_millis(50);
/// How long a sweeper gets to end after a tidy end.
const END_WITHIN: Duration = Duration::from_secs(3);

/// A folder that only this user can read.
pub(in crate::cli) struct Folder {
    path: PathBuf,
    /// Waits for the end of its standard input, which ends with this process.
    sweeper: Child,
}

impl Folder {
    /// Makes a new folder among the system's temporary files, and starts its sweeper.
    pub(in crate::cli) fn make() -> Result<Self, CliError> {
        Self::make_in(None)
    }

    /// The same, in another place. What is left there by a process that was killed stays.
    pub(in crate::cli) fn make_in(place: Option<&Path>) -> Result<Self, CliError> {
        let failed = |why: std::io::Error| {
            CliError::new(
                Exit::Disk,
                "no_folder",
                format!("no temporary folder can be made: {why}"),
            )
        };
        let now = jiff::Timestamp::now().subsec_nanosecond();
        let name = format!("{PREFIX}{}-{now:x}", std::process::id());
        let path = place.map_or_else(base, Path::to_path_buf).join(name);
        // Somebody else's folder of that name would be an error here, not a trap.
        DirBuilder::new().mode(0o700).create(&path).map_err(failed)?;
        let sweeper = std::env::current_exe().and_then(|program| {
            Command::new(program)
                .args(["demo", "--sweep"])
                .arg(&path)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .process_group(0)
                .spawn()
        });
        match sweeper {
            Ok(sweeper) => Ok(Self { path, sweeper }),
            Err(why) => {
                let _ = std::fs::remove_dir_all(&path);
                Err(failed(why))
            }
        }
    }

    /// Where it is.
    pub(in crate::cli) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it, and ends the sweeper.
    pub(in crate::cli) async fn remove(mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
        drop(self.sweeper.stdin.take());
        if tokio::time::timeout(END_WITHIN, self.sweeper.wait()).await.is_err() {
            let _ = self.sweeper.kill().await;
        }
    }
}

/// Waits until standard input ends, then removes the folder until it stays away.
pub(in crate::cli) async fn sweep(folder: &Path) {
    let mut input = tokio::io::stdin();
    let mut bytes = [0; 64];
    while matches!(input.read(&mut bytes).await, Ok(1..)) {}
    if is_ours(folder) && folder.exists() {
        sweep_for(folder, SWEEP_FOR).await;
    }
}

/// Where temporary files go: the system's place, unless its path is too long for the nodes' sockets
/// to stay within the folder.
fn base() -> PathBuf {
    let usual = std::env::temp_dir();
    if usual.as_os_str().len() <= BASE_MAX { usual } else { PathBuf::from("/tmp") }
}

/// Whether it is such a folder among the temporary files.
fn is_ours(folder: &Path) -> bool {
    let named = folder.file_name().and_then(|name| name.to_str());
    named.is_some_and(|name| name.starts_with(PREFIX)) && folder.parent() == Some(base().as_path())
}

async fn sweep_for(folder: &Path, longest: Duration) {
    let begun = Instant::now();
    let mut gone_since = None;
    while begun.elapsed() < longest {
        let _ = std::fs::remove_dir_all(folder);
        if folder.exists() {
            gone_since = None;
        } else if gone_since.get_or_insert_with(Instant::now).elapsed() >= GONE_FOR {
            return;
        }
        sleep(TRY_AGAIN).await;
    }
}

#[cfg(test)]
mod tests;
