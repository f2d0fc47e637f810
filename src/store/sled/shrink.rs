//! Gives back room: copies the store into new files, part by part, at start or while it is in use.
//!
//! sled reuses space and never gives it back, so only a new file can be small. Commits that come
//! in between are made in both: in the copy without a sync, which comes before it takes the place
//! of the original. The copy is read back and compared before that; a failure leaves the original
//! in use.
//!
//! A plain copy would be no smaller than sled's usual file, because each leaf is written several
//! times while it fills. So a block of entries is copied in three passes: the keys with nothing,
//! which shapes the leaves; the values, a fragment each; and a touch of each leaf, which has sled
//! write it once more in one piece. What the first two passes wrote is then dead in whole segments,
//! which sled reuses at once.

use super::SledOptions;
use super::layout::Home;
use super::mark::{KEY as MARK, Mark};
use super::open::{self, Changes, Engine, call};
use crate::engine::storage::StorageError;
use std::fs;
use std::thread;
use std::time::Duration;

/// The files may have so many times what lives.
const TIMES: u64 = 2;
/// Bytes of keys and values that one step copies.
const STEP_BYTES: usize = 256 * 1024;
/// Bytes of a block at least; larger stores have blocks of one part in [`BLOCKS`].
const BLOCK_BYTES: u64 = 4 << 20;
const BLOCKS: u64 = 32;
/// sled's timer needs a moment after each block to free what is dead.
pub(super) const REST: Duration = Duration::from_millis(300);
/// How often sled's timer looks, in the copy.
const TIMER_MS: u64 = 250;
/// At least one in so many entries of a leaf is touched: a leaf has eight or more.
const TOUCH_EVERY: usize = 8;
/// Room that a copy leaves on the disk, in bytes.
const ROOM: u64 = 32 << 20;
/// What the last copy came to: length of the file, and what lived in it.
const PACKED: &str = "packed";

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There is more.
    Going,
    /// There is more, after a [`REST`].
    Rest,
    /// Everything is copied and compared.
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    Keys,
    Values,
    Touch,
    Check,
}

/// A copy that is being made.
pub(super) struct Copy {
    to: Engine,
    pass: Pass,
    /// First key of the next step.
    next: Vec<u8>,
    /// First key of the block, and the first behind it once it is known.
    block: Vec<u8>,
    block_end: Vec<u8>,
    block_bytes: u64,
    in_block: u64,
    /// The copy has, or will have, all keys before this one; all there are if there is none.
    frontier: Option<Vec<u8>>,
    /// What was read back so far.
    checked: Mark,
    /// Why it is no copy any more.
    spoiled: Option<StorageError>,
}

/// Whether the file of sled is larger than it needs to be, and a copy would mend it.
pub(super) fn is_worth(home: &Home, engine: &Engine, slack: u64) -> bool {
    let (size, live) = (engine.file_bytes(), engine.live_bytes());
    let packed = fs::read_to_string(home.live().join(PACKED)).unwrap_or_default();
    let mut numbers = packed.split_whitespace().map(|text| text.parse::<u128>().unwrap_or(0));
    let (was, lived) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0).max(1));
    // Small records never get below twice their size; what the last copy reached is what is to be had.
    let reached = u128::from(live) * was * 9 / 8 / lived;
    size > live.saturating_mul(TIMES).saturating_add(slack)
        && u128::from(size) > reached + u128::from(slack)
}

/// Whether the disk has room for a copy.
pub(super) fn has_room(home: &Home, engine: &Engine) -> bool {
    let wanted = engine.live_bytes().saturating_mul(TIMES).saturating_add(ROOM);
    fs4::available_space(home.root())
        .is_ok_and(|free| free > wanted.min(engine.file_bytes() + ROOM))
}

/// Copies the store if it is worth it and does not take long. Gives the engine to go on with. `said`
/// hears how many of how many bytes are copied.
pub(super) fn at_start(
    home: &Home,
    engine: Engine,
    options: &SledOptions,
    said: &dyn Fn(u64, u64),
    reopen: impl FnOnce() -> Result<Engine, StorageError>,
) -> Result<Engine, StorageError> {
    let forced = home.wants_rewrite();
    let is_quick = engine.live_bytes() <= options.at_start_bytes;
    let wanted = forced
        || is_quick && is_worth(home, &engine, options.slack_bytes) && has_room(home, &engine);
    if !wanted {
        return Ok(engine);
    }
    if let Err(error) = whole(home, &engine, options.cache_bytes, said) {
        home.discard_fresh()?;
        // The old files are as good as before, and a full disk must not keep a node down.
        return if error == StorageError::Full || !forced { Ok(engine) } else { Err(error) };
    }
    engine.close()?;
    home.adopt_fresh()?;
    home.rewritten()?;
    reopen()
}

fn whole(
    home: &Home,
    engine: &Engine,
    cache_bytes: u64,
    said: &dyn Fn(u64, u64),
) -> Result<(), StorageError> {
    let mut copy = Copy::begin(home, engine, cache_bytes)?;
    let made = loop {
        match copy.step(engine) {
            Ok(Step::Going) => {}
            Ok(Step::Rest) => {
                said(copy.to.live_bytes(), engine.live_bytes());
                thread::sleep(REST);
            }
            Ok(Step::Done) => break copy.complete(home, engine),
            Err(error) => break Err(error),
        }
    };
    let closed = copy.close();
    made.and(closed)
}

impl Copy {
    /// Begins a copy in `sled.new`.
    pub(super) fn begin(
        home: &Home,
        from: &Engine,
        cache_bytes: u64,
    ) -> Result<Self, StorageError> {
        let to = open::open_fresh(home, cache_bytes, TIMER_MS)?;
        let first = vec![MARK[0], 0];
        Ok(Self {
            to,
            pass: Pass::Keys,
            next: first.clone(),
            block: first.clone(),
            block_end: Vec::new(),
            block_bytes: (from.live_bytes() / BLOCKS).max(BLOCK_BYTES),
            in_block: 0,
            frontier: Some(first),
            checked: Mark::default(),
            spoiled: None,
        })
    }

    /// Does the next part.
    pub(super) fn step(&mut self, from: &Engine) -> Result<Step, StorageError> {
        if let Some(error) = self.spoiled.take() {
            return Err(error);
        }
        if self.pass == Pass::Check {
            return self.check();
        }
        let (entries, is_last) = self.read(from)?;
        let mut batch = ::sled::Batch::default();
        match self.pass {
            Pass::Keys => {
                for (key, value) in &entries {
                    self.in_block += (key.len() + value.len()) as u64;
                    batch.insert(key, &[]);
                }
            }
            Pass::Values => {
                for (key, value) in &entries {
                    self.to.grew((key.len() + value.len()) as u64);
                    batch.insert(key, value);
                }
            }
            Pass::Touch | Pass::Check => self.touch(&entries)?,
        }
        call(|| self.to.tree().apply_batch(batch))?;
        if self.pass == Pass::Keys {
            self.frontier = (!is_last).then(|| self.next.clone());
        }
        let ends = is_last || self.pass == Pass::Keys && self.in_block >= self.block_bytes;
        if ends { self.next_pass() } else { Ok(Step::Going) }
    }

    /// The next entries, and whether the pass ends with them.
    fn read(&mut self, from: &Engine) -> Result<(Vec<Entry>, bool), StorageError> {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        let mut rest = from.tree().range(self.next.clone()..);
        while bytes < STEP_BYTES {
            let Some((key, value)) = call(|| rest.next().transpose())? else {
                return Ok((entries, true));
            };
            if self.pass != Pass::Keys && !self.block_end.is_empty() && *key >= *self.block_end {
                return Ok((entries, true));
            }
            bytes += key.len() + value.len();
            self.next = [&key, &[0][..]].concat();
            entries.push((key, value));
        }
        Ok((entries, false))
    }

    /// A key that no record has comes and goes in each leaf.
    fn touch(&self, entries: &[Entry]) -> Result<(), StorageError> {
        let probes =
            || entries.iter().step_by(TOUCH_EVERY).map(|(key, _)| [key, &[0][..]].concat());
        let (mut come, mut go) = (::sled::Batch::default(), ::sled::Batch::default());
        probes().for_each(|key| come.insert(key, &[]));
        probes().for_each(|key| go.remove(key));
        call(|| self.to.tree().apply_batch(come))?;
        call(|| self.to.tree().apply_batch(go))
    }

    fn next_pass(&mut self) -> Result<Step, StorageError> {
        let after = match self.pass {
            Pass::Keys => {
                self.block_end = self.frontier.clone().unwrap_or_default();
                self.in_block = 0;
                Pass::Values
            }
            Pass::Values => Pass::Touch,
            Pass::Touch | Pass::Check if self.frontier.is_none() => {
                self.block = vec![MARK[0], 0];
                Pass::Check
            }
            Pass::Touch | Pass::Check => {
                self.block.clone_from(&self.block_end);
                Pass::Keys
            }
        };
        let ends = self.pass == Pass::Touch;
        (self.pass, self.next) = (after, self.block.clone());
        if ends {
            self.to.sync()?;
            return Ok(Step::Rest);
        }
        Ok(Step::Going)
    }

    /// Reads back the next part.
    fn check(&mut self) -> Result<Step, StorageError> {
        let mut bytes = 0;
        let mut rest = self.to.tree().range(self.next.clone()..);
        while bytes < STEP_BYTES {
            let Some((key, value)) = call(|| rest.next().transpose())? else {
                return Ok(Step::Done);
            };
            bytes += key.len() + value.len();
            self.checked.with(&key, &value);
            self.next = [&key, &[0][..]].concat();
        }
        Ok(Step::Going)
    }

    /// The original is changed. What was copied already is changed in the copy too; the next step
    /// tells if that failed.
    pub(super) fn follow(&mut self, changes: &Changes) {
        if self.spoiled.is_none() {
            self.spoiled = self.change(changes).err();
        }
    }

    fn change(&mut self, changes: &Changes) -> Result<(), StorageError> {
        let mut batch = ::sled::Batch::default();
        for (key, value) in changes {
            if self.frontier.as_ref().is_some_and(|frontier| key >= frontier) {
                break;
            }
            if self.pass == Pass::Check && *key < self.next {
                if let Some(before) = call(|| self.to.tree().get(key))? {
                    self.checked.without(key, &before);
                }
                if let Some(value) = value {
                    self.checked.with(key, value);
                }
            }
            match value {
                Some(value) => batch.insert(&key[..], &value[..]),
                None => batch.remove(&key[..]),
            }
        }
        call(|| self.to.tree().apply_batch(batch))
    }

    /// Makes the copy durable, if it is one.
    pub(super) fn complete(&self, home: &Home, from: &Engine) -> Result<(), StorageError> {
        if !from.mark().has_same_contents(&self.checked) {
            return Err(StorageError::Io("the copy of the store differs from it".to_owned()));
        }
        self.to.take_over(from)?;
        let text = format!("{} {}\n", self.to.file_bytes(), from.live_bytes());
        // Without it the next start may copy in vain.
        drop(fs::write(home.fresh().join(PACKED), text));
        Ok(())
    }

    /// Puts the complete copy in the place of the original, which is closed. Both are open meanwhile:
    /// sled goes by names only while it is opened.
    pub(super) fn replace(self, home: &Home, original: &mut Engine) -> Result<(), StorageError> {
        home.adopt_fresh()?;
        home.rewritten()?;
        let old = std::mem::replace(original, self.to.moved(&home.live()));
        // Its files are gone, and nothing that it may still say concerns them.
        drop(old.close());
        Ok(())
    }

    /// Gives up.
    pub(super) fn abandon(self, home: &Home) -> Result<(), StorageError> {
        self.close()?;
        home.discard_fresh()
    }

    /// Closes the files of a copy that nobody waits for.
    pub(super) fn close(self) -> Result<(), StorageError> {
        self.to.close()
    }
}

type Entry = (::sled::IVec, ::sled::IVec);
