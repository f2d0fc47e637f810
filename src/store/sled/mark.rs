//! The mark: an entry that says what all others amount to.
//!
//! sled recovers what it can from a damaged log and says nothing of what it could not. The mark lies
//! before all tables and is part of every batch; it holds the number of commits, of entries, and the
//! sum of their checksums. Where a survey of the opened store finds something else, a part is gone.

use super::open::call;
use crate::engine::storage::StorageError;
use crate::store::bodies::Place;
use std::collections::BTreeMap;

pub(super) const KEY: &[u8] = &[0];
const TEXT: &[u8] = b"meshmq-store";

/// What all entries amount to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// Commits that the store has seen.
    pub(super) commits: u64,
    entries: u64,
    sum: u64,
}

impl Mark {
    /// The mark of a store; `None` if it has none.
    pub(super) fn read(tree: &::sled::Tree) -> Result<Option<Self>, StorageError> {
        let found = call(|| tree.get(KEY))?;
        let numbers = found.as_deref().and_then(|value| value.strip_prefix(TEXT));
        Ok(numbers.filter(|numbers| numbers.len() == 24).map(|numbers| {
            let number = |at: usize| {
                u64::from_be_bytes(numbers[at..at + 8].try_into().expect("eight bytes"))
            };
            Self { commits: number(0), entries: number(8), sum: number(16) }
        }))
    }

    /// Puts it into a batch.
    pub(super) fn put(&self, batch: &mut ::sled::Batch) {
        let numbers = [self.commits, self.entries, self.sum].map(u64::to_be_bytes).concat();
        batch.insert(KEY, [TEXT, &numbers].concat());
    }

    /// An entry comes.
    pub(super) fn with(&mut self, key: &[u8], value: &[u8]) {
        self.entries = self.entries.wrapping_add(1);
        self.sum = self.sum.wrapping_add(checksum(key, value));
    }

    /// An entry goes.
    pub(super) fn without(&mut self, key: &[u8], value: &[u8]) {
        self.entries = self.entries.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(checksum(key, value));
    }

    /// The same with what was found.
    pub(super) const fn refreshed(self, survey: &Survey) -> Self {
        Self { commits: self.commits, ..survey.mark }
    }

    /// Whether two marks are of the same entries.
    pub(super) const fn has_same_contents(&self, other: &Self) -> bool {
        self.entries == other.entries && self.sum == other.sum
    }

    /// How a survey differs from it, in words.
    pub(super) fn differs(&self, survey: &Survey) -> Option<String> {
        let found = &survey.mark;
        if (found.entries, found.sum) == (self.entries, self.sum) {
            return None;
        }
        Some(if found.entries < self.entries {
            format!("{} of {} records are lost", self.entries - found.entries, self.entries)
        } else {
            "records are not what they were".to_owned()
        })
    }
}

fn checksum(key: &[u8], value: &[u8]) -> u64 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&(key.len() as u64).to_be_bytes());
    hasher.update(key);
    hasher.update(value);
    u64::from(hasher.finalize())
}

/// What one look over a whole store has found.
#[derive(Debug, Default)]
pub(super) struct Survey {
    mark: Mark,
    /// Bytes of keys and values.
    pub(super) bytes: u64,
    /// Bytes that live in each segment of the body log.
    pub(super) segments: BTreeMap<u32, u64>,
}

impl Survey {
    /// Looks at every entry.
    pub(super) fn make(tree: &::sled::Tree) -> Result<Self, StorageError> {
        let mut survey = Self::default();
        for entry in tree {
            let (key, value) = call(|| entry)?;
            survey.bytes += (key.len() + value.len()) as u64;
            if key == KEY {
                continue;
            }
            survey.mark.with(&key, &value);
            if let Some(place) = Place::of(&value) {
                *survey.segments.entry(place.segment()).or_default() += place.bytes();
            }
        }
        Ok(survey)
    }
}
