//! The store's directory: who may use it, which files are in it, and how they are swapped safely.
//!
//! ```text
//! format           "meshmq-store 1": a later version is refused before anything is read
//! lock             held exclusively as long as the store is open
//! sled/            the engine's files and the witness; appears by a rename once it is complete and
//!                  durable
//! sled.new/        being made: removed at the next start
//! sled.old/        replaced by a smaller copy: removed, or moved back if the swap was cut short
//! rewrite          a sync failed: copy the store at the next start
//! bodies/          the body log
//! ballast          room that is given up on a full disk
//! quarantine-*/    engines that could not be opened, for a person to look at
//! ```
//! Refuses to open anything; `open` does.

use crate::engine::storage::StorageError;
use crate::store::files::{io_error, sync_dir};
use fs4::FileExt;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The format version that is written.
const FORMAT: u32 = 1;
const FORMAT_NAME: &str = "meshmq-store";
/// How long a lock is tried for: a process that was killed lets go late.
pub(super) const LOCK_WAIT: Duration = Duration::from_secs(1);
/// Pause between two tries.
pub(super) const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The directory of a store, locked.
pub(super) struct Home {
    root: PathBuf,
    /// Holds the lock until it is dropped.
    _lock: File,
}

impl Home {
    /// Enters a store's directory, making it if there is none, and puts right what an earlier
    /// process left half done.
    pub(super) fn enter(root: &Path) -> Result<Self, StorageError> {
        if !root.exists() {
            make_private_dir(root)?;
            sync_dir(root.parent().unwrap_or(root))?;
        }
        let lock = take_lock(&root.join("lock"))?;
        let home = Self { root: root.to_owned(), _lock: lock };
        home.check_format()?;
        home.settle()?;
        Ok(home)
    }

    /// The engine's directory.
    pub(super) fn live(&self) -> PathBuf {
        self.root.join("sled")
    }

    /// Where a new engine's files are made.
    pub(super) fn fresh(&self) -> PathBuf {
        self.root.join("sled.new")
    }

    /// Where the body log lies.
    pub(super) fn bodies(&self) -> PathBuf {
        self.root.join("bodies")
    }

    fn old(&self) -> PathBuf {
        self.root.join("sled.old")
    }

    /// The directory of the store.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    fn check_format(&self) -> Result<(), StorageError> {
        let path = self.root.join("format");
        match fs::read_to_string(&path) {
            Ok(text) => {
                let version = text.trim_end().strip_prefix(FORMAT_NAME).map(str::trim);
                match version.and_then(|version| version.parse::<u32>().ok()) {
                    Some(1..=FORMAT) => Ok(()),
                    Some(later @ 2..) => Err(StorageError::TooNew(later)),
                    _ => Err(StorageError::Damaged(format!("{} is not readable", path.display()))),
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                write_durably(&self.root, "format", &format!("{FORMAT_NAME} {FORMAT}\n"))
            }
            Err(error) => Err(io_error("read", &path, &error)),
        }
    }

    /// An engine's directory is complete whenever it is called `sled` or `sled.old`.
    fn settle(&self) -> Result<(), StorageError> {
        if !self.live().exists() && self.old().exists() {
            rename(&self.old(), &self.live())?;
            sync_dir(&self.root)?;
        }
        remove_flat(&self.fresh())?;
        remove_flat(&self.old())
    }

    /// Makes the complete and synced `sled.new` the engine's directory, whether there was one or
    /// not. A cut leaves the old one or the new one.
    pub(super) fn adopt_fresh(&self) -> Result<(), StorageError> {
        sync_tree(&self.fresh())?;
        if self.live().exists() {
            rename(&self.live(), &self.old())?;
        }
        rename(&self.fresh(), &self.live())?;
        sync_dir(&self.root)?;
        remove_flat(&self.old())
    }

    /// Removes a half-made engine.
    pub(super) fn discard_fresh(&self) -> Result<(), StorageError> {
        remove_flat(&self.fresh())
    }

    /// Without the engine's directory but with one in quarantine, a new empty store would pass the
    /// damage over in silence: a person has to say that it may begin.
    pub(super) fn refuse_after_quarantine(&self) -> Result<(), StorageError> {
        match self.in_quarantine()? {
            None => Ok(()),
            Some(place) => Err(StorageError::Damaged(in_quarantine(&place))),
        }
    }

    /// Whether an index lies in quarantine that may name segments of the body log.
    pub(super) fn has_quarantine(&self) -> bool {
        // Whoever cannot tell must not remove anything.
        self.in_quarantine().map_or(true, |place| place.is_some())
    }

    fn in_quarantine(&self) -> Result<Option<PathBuf>, StorageError> {
        let entries = fs::read_dir(&self.root);
        let entries = entries.map_err(|error| io_error("read", &self.root, &error))?;
        let is_quarantine =
            |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with("quarantine-");
        Ok(entries.filter_map(Result::ok).find(is_quarantine).map(|entry| entry.path()))
    }

    /// Moves the engine's directory aside and says where it is.
    pub(super) fn quarantine(&self, why: &str) -> StorageError {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let mut names = (now..).map(|stamp| self.root.join(format!("quarantine-{stamp}")));
        let place = names.find(|path| !path.exists()).expect("the numbers do not run out");
        match rename(&self.live(), &place).and_then(|()| sync_dir(&self.root)) {
            Ok(()) => StorageError::Damaged(format!("{why}; {}", in_quarantine(&place))),
            Err(error) => StorageError::Damaged(format!("{why}; and it cannot be moved: {error}")),
        }
    }

    /// Removes sled's snapshots, which only make its opening faster.
    pub(super) fn drop_snapshots(&self) -> Result<(), StorageError> {
        let live = self.live();
        let entries = fs::read_dir(&live).map_err(|error| io_error("read", &live, &error))?;
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            let is_snapshot =
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("snap."));
            if is_snapshot {
                fs::remove_file(&path).map_err(|error| io_error("remove", &path, &error))?;
            }
        }
        sync_dir(&live)
    }

    /// Asks for a rewrite at the next start. The kernel reports a failed sync once and then takes
    /// the pages for clean: only new files are sure to hold what they seem to hold.
    pub(super) fn want_rewrite(&self) {
        let path = self.root.join("rewrite");
        let written = File::create(&path).and_then(|file| file.sync_all());
        // On a failing disk nothing better can be done than to have tried.
        drop(written);
    }

    /// Whether a rewrite was asked for.
    pub(super) fn wants_rewrite(&self) -> bool {
        self.root.join("rewrite").exists()
    }

    /// The rewrite was done.
    pub(super) fn rewritten(&self) -> Result<(), StorageError> {
        let path = self.root.join("rewrite");
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(io_error("remove", &path, &error))
            }
            _ => sync_dir(&self.root),
        }
    }
}

fn in_quarantine(place: &Path) -> String {
    format!(
        "the store was moved to {}; to try it once more, rename that directory to `sled`; to start \
         with an empty store, move it away",
        place.display()
    )
}

/// Syncs every file of an engine's directory, the directory and its parent.
pub(super) fn sync_tree(dir: &Path) -> Result<(), StorageError> {
    let entries = fs::read_dir(dir).map_err(|error| io_error("read", dir, &error))?;
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        if path.is_dir() {
            sync_dir(&path)?;
        } else {
            let file = OpenOptions::new().read(true).write(true).open(&path);
            file.and_then(|file| file.sync_all())
                .map_err(|error| io_error("sync", &path, &error))?;
        }
    }
    sync_dir(dir)?;
    sync_dir(dir.parent().unwrap_or(dir))
}

fn make_private_dir(path: &Path) -> Result<(), StorageError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| io_error("make", path, &error))
}

fn take_lock(path: &Path) -> Result<File, StorageError> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path);
    let file = file.map_err(|error| io_error("open", path, &error))?;
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match FileExt::try_lock(&file) {
            Ok(()) => return Ok(file),
            Err(fs4::TryLockError::Error(error)) => return Err(io_error("lock", path, &error)),
            Err(fs4::TryLockError::WouldBlock) if Instant::now() > deadline => {
                return Err(StorageError::InUse);
            }
            Err(fs4::TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
        }
    }
}

fn write_durably(dir: &Path, name: &str, text: &str) -> Result<(), StorageError> {
    let half = dir.join(format!("{name}.new"));
    let write = || {
        let mut file = File::create(&half)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| io_error("write", &half, &error))?;
    rename(&half, &dir.join(name))?;
    sync_dir(dir)
}

fn rename(from: &Path, to: &Path) -> Result<(), StorageError> {
    fs::rename(from, to).map_err(|error| io_error("rename", from, &error))
}

/// Removes an engine's directory, if it is there: files, and directories of files.
fn remove_flat(dir: &Path) -> Result<(), StorageError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_error("read", dir, &error)),
        Ok(entries) => entries,
    };
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        if path.is_dir() {
            remove_flat(&path)?;
        } else {
            fs::remove_file(&path).map_err(|error| io_error("remove", &path, &error))?;
        }
    }
    fs::remove_dir(dir).map_err(|error| io_error("remove", dir, &error))
}
