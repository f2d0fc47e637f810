//! The Unix socket: who may open it, and how it comes to be there.
//!
//! The kernel keeps everyone out whom the directory's and the socket's modes do not let in; whoever
//! gets through is checked again by the credentials of the connection.

use crate::os;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixStream};

/// Who may use the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The user of the node, and root.
    User(u32),
    /// Also everyone whom the kernel lets through to the socket: members of this group.
    Group(u32),
}

impl Admission {
    /// The user of this process, or the group given.
    pub fn of(group: Option<u32>) -> Self {
        group.map_or_else(|| Self::User(os::user_id()), Self::Group)
    }

    /// Whether a process of this user may come in.
    pub const fn admits(self, user: u32) -> bool {
        match self {
            Self::User(own) => user == own || user == 0,
            Self::Group(_) => true,
        }
    }

    /// Modes of the directory and the socket.
    const fn modes(self) -> (u32, u32) {
        match self {
            Self::User(_) => (0o700, 0o600),
            Self::Group(_) => (0o750, 0o660),
        }
    }
}

/// A bound socket; it is removed when the door is dropped.
#[derive(Debug)]
pub struct Door {
    pub(super) listener: UnixListener,
    pub(super) admission: Admission,
    path: PathBuf,
}

impl Door {
    /// Binds the socket and sets the modes of it and of its directory, which must exist and be
    /// the node's own. A socket that nobody listens on any more is replaced.
    ///
    /// # Errors
    /// See [`DoorError`].
    pub async fn open(path: &Path, admission: Admission) -> Result<Self, DoorError> {
        let failed = |what| move |why| DoorError::Io { what, path: path.to_owned(), why };
        let dir = path.parent().unwrap_or_else(|| Path::new("."));
        protect(dir, admission)?;
        remove_stale(path).await?;
        let listener = UnixListener::bind(path).map_err(failed("the socket cannot be made"))?;
        let door = Self { listener, admission, path: path.to_owned() };
        give_to_group(path, admission)?;
        std::fs::set_permissions(path, Permissions::from_mode(admission.modes().1))
            .map_err(failed("the mode of the socket cannot be set"))?;
        Ok(door)
    }

    /// Where the socket is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // A socket that stays behind is replaced at the next start.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Keeps everyone out of a directory of the node but those whom the door admits.
///
/// # Errors
/// [`DoorError::Group`] and [`DoorError::Io`].
pub fn protect(dir: &Path, admission: Admission) -> Result<(), DoorError> {
    give_to_group(dir, admission)?;
    let mode = Permissions::from_mode(admission.modes().0);
    std::fs::set_permissions(dir, mode).map_err(|why| DoorError::Io {
        what: "the mode of the directory cannot be set",
        path: dir.to_owned(),
        why,
    })
}

fn give_to_group(path: &Path, admission: Admission) -> Result<(), DoorError> {
    let Admission::Group(group) = admission else { return Ok(()) };
    chown(path, None, Some(group)).map_err(|why| DoorError::Group {
        group,
        path: path.to_owned(),
        why: why.to_string(),
    })
}

/// Connects first: a socket is only removed if nobody answers there.
async fn remove_stale(path: &Path) -> Result<(), DoorError> {
    let Ok(found) = std::fs::symlink_metadata(path) else { return Ok(()) };
    if !found.file_type().is_socket() {
        return Err(DoorError::NotASocket(path.to_owned()));
    }
    match UnixStream::connect(path).await {
        Err(why) if why.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path)
            .map_err(|why| DoorError::Io {
                what: "a stale socket cannot be removed",
                path: path.to_owned(),
                why,
            }),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
        _ => Err(DoorError::InUse(path.to_owned())),
    }
}

/// Why there is no door.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// Somebody listens there.
    #[error("{}: another process listens there", .0.display())]
    InUse(PathBuf),
    /// Something else lies there.
    #[error("{}: this is not a socket", .0.display())]
    NotASocket(PathBuf),
    /// The group cannot be given the socket.
    #[error("{}: cannot be given to group {group}: {why}", path.display())]
    Group {
        /// The group's number.
        group: u32,
        /// The socket or its directory.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// Anything else that the system said.
    #[error("{}: {what}: {why}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's words.
        why: io::Error,
    },
}

#[cfg(test)]
mod tests;
