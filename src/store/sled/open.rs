//! Opens sled under guards, and closes it without waiting for ever.
//!
//! Damage is met in three steps, each taken once: open; remove the snapshots and open again; move
//! the directory into quarantine and say so. Where sled opens and has dropped a part of its log
//! without a word, the mark and the witness tell, and the directory goes into quarantine at once.

use super::Alarm;
use super::blobs::Blobs;
use super::layout::{Home, LOCK_PAUSE, LOCK_WAIT, sync_tree};
use super::mark::{Mark, Survey};
use super::quiet;
use super::witness::Witness;
use crate::engine::storage::StorageError;
use crate::store::bodies::Place;
use crate::store::files::io_error;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How often sled's own timer writes, syncs and cleans up, in ms. sled gives back room by it alone.
const TIMER_MS: u64 = 500;
/// How long closing may take before the handle is left to itself.
const CLOSE_WAIT: Duration = Duration::from_secs(10);

/// sled, open, with a second handle on its file for the sync that it does not do itself.
pub(super) struct Engine {
    db: ::sled::Db,
    file: File,
    blobs: Blobs,
    mark: Cell<Mark>,
    witness: Witness,
    survey: Survey,
    /// How long it has waited for the disk.
    synced: Cell<Duration>,
    /// Bytes of keys and values.
    live: Cell<u64>,
    /// Bytes of the files beside `db`, which are written at opening only.
    beside: u64,
}

/// The last values of the keys that a commit changes.
pub(super) type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Why it did not open.
enum Fault {
    /// What is on the disk is not a store that sled can read.
    Damage(String),
    /// sled reads it, and the last commits are not in it.
    Loss(String),
    /// The system or another process is in the way; the files may be fine.
    Hindered(StorageError),
}

impl From<StorageError> for Fault {
    fn from(error: StorageError) -> Self {
        Self::Hindered(error)
    }
}

/// Opens the engine of a store, making an empty one if there never was one.
pub(super) fn open(
    home: &Home,
    cache_bytes: u64,
    alarm: &dyn Fn(&Alarm),
) -> Result<Engine, StorageError> {
    if !home.live().exists() {
        home.refuse_after_quarantine()?;
        make(home, cache_bytes)?;
    }
    let first = match attempt(&home.live(), cache_bytes, TIMER_MS).and_then(check_mark) {
        Ok(engine) => return Ok(engine),
        Err(Fault::Hindered(error)) => return Err(error),
        Err(Fault::Loss(why)) => return Err(quarantine(home, &why, alarm)),
        Err(Fault::Damage(why)) => why,
    };
    alarm(&Alarm::SnapshotsDropped(first.clone()));
    home.drop_snapshots()?;
    let why = match attempt(&home.live(), cache_bytes, TIMER_MS).and_then(check_mark) {
        Ok(engine) => return Ok(engine),
        Err(Fault::Damage(why) | Fault::Loss(why)) => why,
        // The store's own lock is held, so this one is what the panic of the first try left behind.
        Err(Fault::Hindered(StorageError::InUse)) => first,
        Err(Fault::Hindered(error)) => return Err(error),
    };
    Err(quarantine(home, &why, alarm))
}

fn quarantine(home: &Home, why: &str, alarm: &dyn Fn(&Alarm)) -> StorageError {
    let error = home.quarantine(why);
    alarm(&Alarm::Quarantined(error.to_string()));
    error
}

/// Opens an engine in `sled.new`, which a copy will fill. Its timer goes so often, in ms.
pub(super) fn open_fresh(
    home: &Home,
    cache_bytes: u64,
    timer_ms: u64,
) -> Result<Engine, StorageError> {
    home.discard_fresh()?;
    fs::create_dir(home.fresh()).map_err(|error| io_error("make", &home.fresh(), &error))?;
    attempt(&home.fresh(), cache_bytes, timer_ms).map_err(|fault| match fault {
        Fault::Hindered(error) => error,
        Fault::Damage(why) | Fault::Loss(why) => StorageError::Damaged(why),
    })
}

/// An empty engine is made aside, so that a cut leaves none or a whole one.
fn make(home: &Home, cache_bytes: u64) -> Result<(), StorageError> {
    let engine = open_fresh(home, cache_bytes, TIMER_MS)?;
    engine.commit(Changes::new())?;
    engine.close()?;
    home.adopt_fresh()
}

/// Looks at everything once: whether it is all there, how much lives.
fn check_mark(mut engine: Engine) -> Result<Engine, Fault> {
    match judge_contents(&engine) {
        Ok((mark, survey)) => {
            engine.witness.write(mark.commits);
            engine.mark.set(mark);
            engine.live.set(survey.bytes);
            engine.survey = survey;
            Ok(engine)
        }
        Err(fault) => {
            engine.close()?;
            Err(fault)
        }
    }
}

fn judge_contents(engine: &Engine) -> Result<(Mark, Survey), Fault> {
    let survey = match Survey::make(engine.tree()) {
        Err(StorageError::Damaged(why)) => return Err(Fault::Damage(why)),
        other => other?,
    };
    let Some(mark) = Mark::read(engine.tree())? else {
        return Err(Fault::Damage("sled opened it, but what was in it is gone".to_owned()));
    };
    let known = engine.witness.read()?;
    let gone = match known {
        // A person has said that what is left is to be used.
        None => return Ok((mark.refreshed(&survey), survey)),
        Some(known) if known > mark.commits => {
            format!("the last {} of {known} commits are lost", known - mark.commits)
        }
        Some(_) => match mark.differs(&survey) {
            None => return Ok((mark, survey)),
            Some(difference) => difference,
        },
    };
    Err(Fault::Loss(format!(
        "{gone}: sled has met damage in its log; to go on with what is left, remove the file \
         `witness` before it is tried again"
    )))
}

/// Tries once, but for the lock, which a dying handle may hold for a moment.
fn attempt(dir: &Path, cache_bytes: u64, timer_ms: u64) -> Result<Engine, Fault> {
    Blobs::of(dir).refuse()?;
    let deadline = Instant::now() + LOCK_WAIT;
    let db = loop {
        let config = ::sled::Config::new().path(dir).cache_capacity(cache_bytes);
        let config = config.flush_every_ms(Some(timer_ms));
        match quiet::guard_opening(|| config.open()) {
            Err(panic) => return Err(judge_panic(&panic)),
            Ok(Ok(db)) => break db,
            Ok(Err(error)) if is_lock(&error) => {
                if Instant::now() > deadline {
                    return Err(Fault::Hindered(StorageError::InUse));
                }
                thread::sleep(LOCK_PAUSE);
            }
            Ok(Err(error)) => return Err(judge(&error)),
        }
    };
    let path = dir.join("db");
    let file = OpenOptions::new().read(true).write(true).open(&path);
    let file = file.map_err(|error| io_error("open", &path, &error))?;
    let engine = Engine {
        db,
        file,
        blobs: Blobs::of(dir),
        mark: Cell::default(),
        witness: Witness::open(dir)?,
        survey: Survey::default(),
        synced: Cell::default(),
        live: Cell::default(),
        beside: bytes_beside(dir),
    };
    // What was recovered may still be in the page cache alone, and the engine will act on it.
    if let Err(error) = engine.sync().and_then(|()| sync_tree(dir)) {
        engine.close()?;
        return Err(Fault::Hindered(error));
    }
    Ok(engine)
}

/// Bytes of the snapshots and whatever else lies beside `db`.
fn bytes_beside(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let others = entries.filter(|entry| entry.file_name() != "db");
    others
        .filter_map(|entry| entry.metadata().ok())
        .filter(fs::Metadata::is_file)
        .map(|m| m.len())
        .sum()
}

/// A panic for want of threads, memory or handles says nothing about the files.
fn judge_panic(panic: &str) -> Fault {
    let shortages = ["os error 11)", "os error 12)", "os error 23)", "os error 24)", "WouldBlock"];
    let why = format!("sled cannot open it: {panic}");
    if shortages.iter().any(|shortage| panic.contains(shortage)) {
        Fault::Hindered(StorageError::Io(why))
    } else {
        Fault::Damage(why)
    }
}

fn is_lock(error: &::sled::Error) -> bool {
    matches!(error, ::sled::Error::Io(inner) if inner.to_string().contains("could not acquire lock"))
}

fn judge(error: &::sled::Error) -> Fault {
    use ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match error {
        ::sled::Error::Io(inner)
            if !matches!(inner.kind(), InvalidData | InvalidInput | UnexpectedEof) =>
        {
            Fault::Hindered(sled_error(error))
        }
        _ => Fault::Damage(format!("sled cannot open it: {error}")),
    }
}

/// What sled said, as the port says it.
pub(super) fn sled_error(error: &::sled::Error) -> StorageError {
    match error {
        ::sled::Error::Io(inner) => match inner.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StorageError::Full,
            _ => StorageError::Io(inner.to_string()),
        },
        ::sled::Error::Corruption { .. } => StorageError::Damaged(error.to_string()),
        other => StorageError::Io(other.to_string()),
    }
}

impl Engine {
    /// The tree of the store.
    pub(super) fn tree(&self) -> &::sled::Tree {
        &self.db
    }

    /// Makes changes durable: all of them, or none if the power goes. Gives the places of chunks that
    /// they have replaced.
    pub(super) fn commit(&self, changes: Changes) -> Result<Vec<Place>, StorageError> {
        let mut mark = self.mark.get();
        mark.commits += 1;
        let (mut batch, mut replaced) = (::sled::Batch::default(), Vec::new());
        let mut live = self.live.get();
        for (key, value) in changes {
            if let Some(before) = call(|| self.db.get(&key))? {
                replaced.extend(Place::of(&before));
                mark.without(&key, &before);
                live = live.saturating_sub((key.len() + before.len()) as u64);
            }
            match value {
                Some(value) => {
                    mark.with(&key, &value);
                    live += (key.len() + value.len()) as u64;
                    batch.insert(key, value);
                }
                None => batch.remove(key),
            }
        }
        mark.put(&mut batch);
        self.apply(batch)?;
        self.mark.set(mark);
        self.live.set(live);
        self.witness.write(mark.commits);
        Ok(replaced)
    }

    /// Makes a batch durable that leaves the mark as it is, or brings it along.
    pub(super) fn apply(&self, batch: ::sled::Batch) -> Result<(), StorageError> {
        call(|| self.db.apply_batch(batch))?;
        self.sync()?;
        self.blobs.refuse_new()
    }

    /// What was found in it at opening.
    pub(super) const fn survey(&self) -> &Survey {
        &self.survey
    }

    /// Writes down what sled holds back, then syncs data and size of its file. Always both: sled's
    /// flush is no sync, and says that there is nothing to do when its timer has just written.
    pub(super) fn sync(&self) -> Result<(), StorageError> {
        let begun = Instant::now();
        call(|| self.db.flush())?;
        let outcome =
            self.file.sync_data().map_err(|error| io_error("sync", Path::new("db"), &error));
        self.synced.set(self.synced.get() + begun.elapsed());
        outcome
    }

    /// How long it has waited for the disk since it was opened.
    pub(super) const fn synced(&self) -> Duration {
        self.synced.get()
    }

    /// Bytes of sled's files.
    pub(super) fn file_bytes(&self) -> u64 {
        self.file.metadata().map_or(0, |meta| meta.len()) + self.beside
    }

    /// Bytes of keys and values.
    pub(super) const fn live_bytes(&self) -> u64 {
        self.live.get()
    }

    /// So much more lives in a copy.
    pub(super) fn grew(&self, bytes: u64) {
        self.live.set(self.live.get() + bytes);
    }

    /// What its entries amount to.
    pub(super) const fn mark(&self) -> Mark {
        self.mark.get()
    }

    /// Is what the other one is from now on, durably: a copy of it was made here.
    pub(super) fn take_over(&self, from: &Self) -> Result<(), StorageError> {
        let (mark, mut batch) = (from.mark(), ::sled::Batch::default());
        mark.put(&mut batch);
        self.apply(batch)?;
        self.mark.set(mark);
        self.live.set(from.live_bytes());
        self.witness.write(mark.commits);
        Ok(())
    }

    /// Its directory has another name now.
    pub(super) fn moved(self, dir: &Path) -> Self {
        Self { blobs: Blobs::of(dir), ..self }
    }

    /// Closes it. Waits for sled's threads, but not for ever: one that has died never answers.
    pub(super) fn close(self) -> Result<(), StorageError> {
        let (sender, closed) = mpsc::channel();
        let db = self.db;
        let closing = thread::Builder::new().name("store-close".to_owned()).spawn(move || {
            // A failing disk makes sled panic here; the handle is gone all the same.
            drop(quiet::guard_opening(move || drop(db)));
            // Nobody listens any more if it took too long.
            let _ = sender.send(());
        });
        closing.map_err(|error| StorageError::Io(format!("no thread to close sled: {error}")))?;
        closed
            .recv_timeout(CLOSE_WAIT)
            .map_err(|_| StorageError::Io("sled does not close; end the process".to_owned()))
    }
}

/// Calls sled: its errors and panics become the port's errors.
pub(super) fn call<T>(work: impl FnOnce() -> ::sled::Result<T>) -> Result<T, StorageError> {
    match quiet::guard(work) {
        Ok(result) => result.map_err(|error| sled_error(&error)),
        Err(panic) => Err(StorageError::Io(format!("sled panicked: {panic}"))),
    }
}
