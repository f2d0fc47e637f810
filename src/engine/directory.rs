//! Records that spread to every member, kept by "the greater rank wins".
//!
//! Refuses to know what they say: `security` has checked them before they get here.

use super::frame::DirectoryEntry;
use super::limits::{DIRECTORY_MAX, HAVE_MAX};
use super::record::{Key, Record};
use super::statement::{DirectoryKey, DirectoryRecord};
use super::step::Event;
use super::storage::StorageError;
use super::turn::Turn;
use bytes::Bytes;
use std::collections::BTreeMap;

/// The directory: what is held, by key and rank.
#[derive(Debug, Default)]
pub(super) struct Directory {
    ranks: BTreeMap<DirectoryKey, Bytes>,
    /// A sum over keys and ranks, equal in equal directories.
    sum: u64,
}

impl Directory {
    /// Takes up the records of the store.
    pub(super) fn load(&mut self, turn: &Turn<'_>) -> Result<(), StorageError> {
        for record in self.all(turn)? {
            self.note(record.key, record.rank);
        }
        Ok(())
    }

    /// Keeps a record if its rank is greater than that of the one held.
    pub(super) fn keep(&mut self, turn: &mut Turn<'_>, record: DirectoryRecord) -> bool {
        let held = self.ranks.get(&record.key);
        let newer = held.is_none_or(|rank| *rank < record.rank);
        if !newer || held.is_none() && self.ranks.len() >= DIRECTORY_MAX {
            return false;
        }
        self.note(record.key.clone(), record.rank.clone());
        let key = Key::Directory(record.key.clone());
        turn.put(true, key, Record::Directory(record.clone()));
        turn.tell(Event::Learned(record));
        true
    }

    /// Forgets everything: the node changes its mesh.
    pub(super) fn clear(&mut self, turn: &mut Turn<'_>) {
        std::mem::take(&mut self.ranks)
            .into_keys()
            .for_each(|key| turn.delete(Key::Directory(key)));
        self.sum = 0;
    }

    /// The record of a key.
    pub(super) fn record(
        &self,
        turn: &Turn<'_>,
        key: &DirectoryKey,
    ) -> Result<Option<DirectoryRecord>, StorageError> {
        Ok(match turn.get(&Key::Directory(key.clone()))? {
            Some(Record::Directory(record)) => Some(record),
            _ => None,
        })
    }

    /// All records.
    pub(super) fn all(&self, turn: &Turn<'_>) -> Result<Vec<DirectoryRecord>, StorageError> {
        let (from, to) = (Key::Directory(key(0)), Key::Line(super::address::LineId(0)));
        let found = turn.range(&from, &to, DIRECTORY_MAX)?;
        Ok(found
            .into_iter()
            .filter_map(|(_, record)| match record {
                Record::Directory(record) => Some(record),
                _ => None,
            })
            .collect())
    }

    /// The sum to compare with a neighbour's.
    pub(super) const fn sum(&self) -> u64 {
        self.sum
    }

    /// What is held, in pages that cover all keys between their first and last entry. The first
    /// page begins and the last one ends with an entry that stands for nothing; neighbouring
    /// pages share an entry.
    pub(super) fn pages(&self) -> Vec<Vec<DirectoryEntry>> {
        let mut entries = vec![DirectoryEntry { key: key(0), rank: Bytes::new() }];
        entries.extend(
            self.ranks
                .iter()
                .map(|(key, rank)| DirectoryEntry { key: key.clone(), rank: rank.clone() }),
        );
        entries.push(DirectoryEntry { key: key(u8::MAX), rank: Bytes::new() });
        let step = HAVE_MAX - 1;
        let starts = (0..entries.len() - 1).step_by(step);
        starts.map(|at| entries[at..entries.len().min(at + step + 1)].to_vec()).collect()
    }

    /// Keys of the records that a neighbour with this page lacks or has an older one of.
    pub(super) fn missing(&self, page: &[DirectoryEntry]) -> Vec<DirectoryKey> {
        let (Some(first), Some(last)) = (page.first(), page.last()) else { return Vec::new() };
        if first.key > last.key {
            return Vec::new();
        }
        let theirs: BTreeMap<&DirectoryKey, &Bytes> =
            page.iter().map(|entry| (&entry.key, &entry.rank)).collect();
        let mine = self.ranks.range(&first.key..=&last.key);
        mine.filter(|(key, rank)| theirs.get(key).is_none_or(|held| *held < rank))
            .map(|(key, _)| key.clone())
            .collect()
    }

    fn note(&mut self, key: DirectoryKey, rank: Bytes) {
        let new = mix(&key, &rank);
        if let Some(old) = self.ranks.insert(key.clone(), rank) {
            self.sum = self.sum.wrapping_sub(mix(&key, &old));
        }
        self.sum = self.sum.wrapping_add(new);
    }
}

const fn key(kind: u8) -> DirectoryKey {
    DirectoryKey { kind, subject: Bytes::new() }
}

/// FNV-1a over key and rank: it finds differences, it does not prove equality to an enemy.
fn mix(key: &DirectoryKey, rank: &Bytes) -> u64 {
    let bytes = [key.kind].into_iter().chain(key.subject.iter().copied());
    let bytes = bytes.chain([0xff]).chain(rank.iter().copied());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
