//! A node's directory: made, locked, and the two small files in it that are not the store's.
//!
//! ```text
//! DIR/lock        held while a node runs there
//! DIR/node.json   where the socket is, which ports were chosen
//! DIR/identity    the node's key
//! DIR/token       the access token of the HTTP door on TCP
//! DIR/store/      the store
//! DIR/node.sock   the socket, if its path is short enough
//! ```

use super::DaemonError;
use super::error::AGAIN;
use crate::config::{self, NodeFile};
use crate::os;
use fs4::{FileExt, TryLockError};
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a lock is tried for: a node that was just killed may still be ending.
const LOCK_WAIT: Duration = Duration::from_secs(1);
/// Between two tries.
const LOCK_AGAIN: Duration = Duration::from_millis(20);

/// A node's directory, locked for as long as this lives.
#[derive(Debug)]
pub(super) struct Home {
    dir: PathBuf,
    /// The lock ends when the file is closed.
    _lock: File,
}

impl Home {
    /// Makes the directory if it is not there, and locks it. Blocks for a second at most.
    pub(super) fn enter(dir: &Path) -> Result<Self, DaemonError> {
        let dir = std::path::absolute(dir).map_err(|why| unusable(dir, &why))?;
        make(&dir)?;
        check_private(&dir)?;
        // The store stays closed to the group that may be let into the directory.
        make(&dir.join("store"))?;
        let mut options = OpenOptions::new();
        let path = dir.join("lock");
        let file = options
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|why| unusable(&path, &why))?;
        let until = Instant::now() + LOCK_WAIT;
        loop {
            match FileExt::try_lock(&file) {
                Ok(()) => return Ok(Self { dir, _lock: file }),
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    std::thread::sleep(LOCK_AGAIN);
                }
                Err(TryLockError::WouldBlock) => {
                    let message = format!("another node runs in {}", dir.display());
                    let hint = "one node per directory: give this one its own with --data";
                    return Err(DaemonError::new("directory_in_use", message, hint, 73));
                }
                Err(TryLockError::Error(why)) => return Err(unusable(&path, &why)),
            }
        }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn identity(&self) -> PathBuf {
        self.dir.join("identity")
    }

    pub(super) fn token(&self) -> PathBuf {
        self.dir.join(config::TOKEN_NAME)
    }

    pub(super) fn store(&self) -> PathBuf {
        self.dir.join("store")
    }

    /// Where the socket goes: in the directory, or in a short one of this user if that path is too
    /// long.
    pub(super) fn socket(&self) -> Result<PathBuf, DaemonError> {
        if let Some(path) = config::plain_socket(&self.dir) {
            return Ok(path);
        }
        let tag = tag_of(&self.dir);
        let candidates = [
            std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from),
            Some(std::env::temp_dir()),
            Some(PathBuf::from("/tmp")),
        ];
        let short = candidates.into_iter().flatten().find_map(|base| {
            let dir = base.join(format!("meshmq-{}-{tag}", os::user_id()));
            config::plain_socket(&dir).filter(|_| base.is_absolute()).map(|path| (dir, path))
        });
        let Some((dir, path)) = short else {
            let message = "no directory has a path short enough for the socket";
            let hint = "set XDG_RUNTIME_DIR to a short path";
            return Err(DaemonError::new("bad_socket", message, hint, 78));
        };
        make_own(&dir)?;
        Ok(path)
    }

    /// A directory that was made for the socket alone goes with the node.
    pub(super) fn tidy_up(&self) {
        let socket = self.socket().ok();
        let own = socket.as_deref().and_then(Path::parent).filter(|dir| *dir != self.dir);
        // One that another program has put something into stays.
        let _ = own.map(std::fs::remove_dir);
    }

    pub(super) fn read_file(&self) -> NodeFile {
        NodeFile::read(&self.dir)
    }

    /// Replaces `node.json`, whole or not at all.
    pub(super) fn write_file(&self, file: &NodeFile) -> Result<(), DaemonError> {
        let path = self.dir.join(config::NODE_FILE);
        let fresh = self.dir.join("node.json.new");
        let bytes = serde_json::to_vec_pretty(file).expect("paths and numbers only");
        let write = || {
            let mut options = OpenOptions::new();
            options.create(true).truncate(true).write(true).mode(0o644);
            let mut out = options.open(&fresh)?;
            out.write_all(&bytes)?;
            out.sync_all()?;
            std::fs::rename(&fresh, &path)
        };
        write().map_err(|why| unusable(&path, &why))
    }
}

fn make(dir: &Path) -> Result<(), DaemonError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|why| unusable(dir, &why))
}

/// The directory gets a mode that keeps others out, so it must not be one that they use.
fn check_private(dir: &Path) -> Result<(), DaemonError> {
    let found = std::fs::metadata(dir).map_err(|why| unusable(dir, &why))?;
    let is_shared = found.mode() & STICKY != 0 || dir.parent().is_none();
    if is_shared || found.uid() != os::user_id() {
        let message = format!("{} is not for this user alone", dir.display());
        let hint = "give a directory of its own with --data, such as one inside it";
        return Err(DaemonError::new("bad_directory", message, hint, 78));
    }
    Ok(())
}

/// The mode bit of directories in which everybody may make files.
const STICKY: u32 = 0o1000;

/// Makes a directory outside the node's own, or checks that nobody else made it.
fn make_own(dir: &Path) -> Result<(), DaemonError> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {
            let found = std::fs::symlink_metadata(dir).map_err(|why| unusable(dir, &why))?;
            if !found.is_dir() || found.uid() != os::user_id() {
                let message = format!("{} belongs to somebody else", dir.display());
                return Err(DaemonError::new("bad_socket", message, "set XDG_RUNTIME_DIR", 78));
            }
            std::fs::set_permissions(dir, Permissions::from_mode(0o700))
                .map_err(|why| unusable(dir, &why))
        }
        made => made.map_err(|why| unusable(dir, &why)),
    }
}

/// A few characters that tell directories of one user apart.
fn tag_of(dir: &Path) -> String {
    let hash = blake3::hash(dir.as_os_str().as_encoded_bytes());
    data_encoding::HEXLOWER.encode(&hash.as_bytes()[..6])
}

fn unusable(path: &Path, why: &io::Error) -> DaemonError {
    let message = format!("{}: {why}", path.display());
    match why.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            DaemonError::new("disk_full", message, "free some space", AGAIN)
        }
        _ => DaemonError::new("bad_directory", message, "give another with --data", 78),
    }
}

#[cfg(test)]
mod tests;
