//! Files that hold one secret: made with mode 0600, never through a symbolic link, and refused if
//! anybody else can read them.

use super::error::SecurityError;
use super::suite;
use data_encoding::HEXLOWER;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Largest key file, in bytes.
const FILE_MAX: u64 = 4096;
const CHECKSUM: usize = 4;

/// One secret in one file: a line that says what it is, and the bytes in hexadecimal digits with a
/// checksum, so that damage is noticed and not taken for another key.
pub(crate) struct KeyFile {
    path: PathBuf,
    title: &'static str,
}

impl KeyFile {
    /// The file at this path, which holds what the title says.
    pub(crate) const fn new(path: PathBuf, title: &'static str) -> Self {
        Self { path, title }
    }

    /// The secret; `None` if there is no file.
    ///
    /// # Errors
    /// [`SecurityError::KeyFile`] if it is damaged or open to others.
    pub(crate) fn read(&self) -> Result<Option<Zeroizing<Vec<u8>>>, SecurityError> {
        self.read_text()?.map(|text| self.parse(&text)).transpose()
    }

    /// What the file says; `None` if there is none.
    ///
    /// # Errors
    /// [`SecurityError::KeyFile`] if it is open to others or cannot be read.
    pub(crate) fn read_text(&self) -> Result<Option<Zeroizing<String>>, SecurityError> {
        let named = match fs::symlink_metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.problem(&format!("cannot be read: {error}"))),
        };
        if !named.is_file() {
            return Err(self.problem("is not a plain file; key files are never links"));
        }
        let file = self.io(File::open(&self.path))?;
        self.check_privacy(&named, &self.io(file.metadata())?)?;
        let mut text = Zeroizing::new(String::new());
        self.io(file.take(FILE_MAX).read_to_string(&mut text))?;
        Ok(Some(text))
    }

    /// Makes the file, which must not exist: whole and on the disk, or not at all.
    ///
    /// # Errors
    /// [`SecurityError::KeyFile`] if it exists or cannot be written.
    pub(crate) fn create(&self, secret: &[u8]) -> Result<(), SecurityError> {
        let mut payload = Zeroizing::new(secret.to_vec());
        payload.extend_from_slice(&suite::hash(secret)[..CHECKSUM]);
        let text = Zeroizing::new(format!(
            "meshmq {}, version 1. Keep it secret and keep a copy.\n{}\n",
            self.title,
            *Zeroizing::new(HEXLOWER.encode(&payload))
        ));
        self.create_text(&text)
    }

    /// Makes the file, which must not exist, with this text: whole and on the disk, or not at all.
    ///
    /// # Errors
    /// [`SecurityError::KeyFile`] if it exists or cannot be written.
    pub(crate) fn create_text(&self, text: &str) -> Result<(), SecurityError> {
        let fresh = self.path.with_extension("key.new");
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(self.problem(&format!("cannot be written: {error}")));
            }
            _ => {}
        }
        let mut file = self.io(private_options().open(&fresh))?;
        self.io(file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))?;
        let published = self.publish(&fresh);
        if published.is_err() {
            // No second copy of the secret stays behind; the first error is the one to tell.
            let _ = fs::remove_file(&fresh);
        }
        published
    }

    /// Gives the finished file its name, unless something has it.
    fn publish(&self, fresh: &Path) -> Result<(), SecurityError> {
        let linked = match fs::hard_link(fresh, &self.path) {
            Ok(()) => fs::remove_file(fresh),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
            // Some file systems know no links; the directory is this node's own.
            Err(_) if fs::symlink_metadata(&self.path).is_err() => fs::rename(fresh, &self.path),
            Err(error) => Err(error),
        };
        self.io(linked)?;
        self.io(sync_directory(self.path.parent()))
    }

    fn parse(&self, text: &str) -> Result<Zeroizing<Vec<u8>>, SecurityError> {
        let damaged =
            || self.problem("is damaged: put back a copy, or move it away to begin with a new key");
        let mut lines = text.lines();
        let title = lines.next().unwrap_or_default();
        if !title.starts_with(&format!("meshmq {}, version ", self.title)) {
            return Err(self.problem(&format!("is not a file with a {}", self.title)));
        }
        if !title.starts_with(&format!("meshmq {}, version 1.", self.title)) {
            return Err(self.problem("was written by a later version of MeshMQ"));
        }
        let digits = lines.next().unwrap_or_default().as_bytes();
        let mut payload = Zeroizing::new(HEXLOWER.decode(digits).map_err(|_| damaged())?);
        let end = payload.len().checked_sub(CHECKSUM).ok_or_else(damaged)?;
        if suite::hash(&payload[..end])[..CHECKSUM] != payload[end..] {
            return Err(damaged());
        }
        payload.truncate(end);
        Ok(payload)
    }

    #[cfg(unix)]
    fn check_privacy(
        &self,
        named: &fs::Metadata,
        opened: &fs::Metadata,
    ) -> Result<(), SecurityError> {
        use std::os::unix::fs::MetadataExt;
        if (named.dev(), named.ino()) != (opened.dev(), opened.ino()) {
            return Err(self.problem("was exchanged while it was opened"));
        }
        if opened.mode() & 0o077 != 0 {
            let mode = opened.mode() & 0o777;
            return Err(self.problem(&format!(
                "can be used by others (mode {mode:03o}): if nobody has read it, chmod 600 it"
            )));
        }
        let own = rustix::process::geteuid();
        if !own.is_root() && opened.uid() != own.as_raw() {
            return Err(self.problem("belongs to another user"));
        }
        Ok(())
    }

    #[cfg(not(unix))]
    fn check_privacy(&self, _: &fs::Metadata, _: &fs::Metadata) -> Result<(), SecurityError> {
        Ok(())
    }

    fn io<T>(&self, result: std::io::Result<T>) -> Result<T, SecurityError> {
        result.map_err(|error| self.problem(&format!("cannot be used: {error}")))
    }

    /// An error that names the file.
    pub(crate) fn problem(&self, problem: &str) -> SecurityError {
        SecurityError::KeyFile { path: self.path.clone(), problem: problem.to_owned() }
    }
}

fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    // create_new is O_EXCL: a file or link that is there already is never followed.
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

/// Makes a new name durable.
#[cfg(unix)]
fn sync_directory(directory: Option<&Path>) -> std::io::Result<()> {
    let named = directory.filter(|directory| !directory.as_os_str().is_empty());
    File::open(named.unwrap_or_else(|| Path::new("."))).and_then(|directory| directory.sync_all())
}

/// Elsewhere the system keeps names by itself.
#[cfg(not(unix))]
fn sync_directory(_: Option<&Path>) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
