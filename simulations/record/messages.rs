//! Where the messages of a run are, how long they took, and of how many copies.

use crate::ledger::Change;
use meshmq::engine::ids::MessageId;
use meshmq::engine::record::SentState;
use std::collections::BTreeMap;

/// Messages that are followed one by one; further ones are only counted.
pub(crate) const MESSAGES_MAX: usize = 50_000;

/// How many classes there are.
pub(crate) const CLASSES: usize = 5;

/// Where a message is, by what the disks say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Accepted, and not in its queue yet.
    OnTheWay,
    /// In its queue.
    InQueue,
    /// Gone from its queue, to a program or by its time.
    Left,
    /// Dead for certain, at its origin.
    Dead,
    /// Ended at its origin; it may have arrived.
    Unconfirmed,
}

/// All messages of a run.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    counts: [u64; CLASSES],
    tracks: BTreeMap<MessageId, Track>,
    /// Messages beyond [`MESSAGES_MAX`].
    pub(crate) not_followed: u64,
    /// Times that a copy was handed to another node.
    pub(crate) handed_over: u64,
}

#[derive(Debug)]
struct Track {
    class: Class,
    accepted_ms: u64,
    took_ms: Option<u64>,
    copies: u32,
    copies_most: u32,
}

impl Messages {
    /// A commit changed what is known of a message.
    pub(super) fn change(&mut self, at_ms: u64, id: &MessageId, change: &Change) {
        if let Change::Accepted = change {
            if self.tracks.len() >= MESSAGES_MAX {
                self.not_followed += 1;
                return;
            }
            let (class, copies) = (Class::OnTheWay, 1);
            let track =
                Track { class, accepted_ms: at_ms, took_ms: None, copies, copies_most: copies };
            if self.tracks.insert(*id, track).is_none() {
                self.counts[class as usize] += 1;
            }
            return;
        }
        let Some(track) = self.tracks.get_mut(id) else { return };
        let class = track.class;
        match change {
            Change::Entered { .. } => {
                track.took_ms.get_or_insert(at_ms - track.accepted_ms);
                track.class = Class::InQueue;
            }
            Change::Left(_) => track.class = Class::Left,
            Change::State { to: SentState::Dead(_), .. } if class == Class::OnTheWay => {
                track.class = Class::Dead;
            }
            Change::State { to: SentState::Unconfirmed(_), .. } if class == Class::OnTheWay => {
                track.class = Class::Unconfirmed;
            }
            Change::Carried => {
                self.handed_over += 1;
                track.copies += 1;
                track.copies_most = track.copies_most.max(track.copies);
            }
            Change::LetGo | Change::CopyGone => track.copies = track.copies.saturating_sub(1),
            _ => {}
        }
        self.counts[class as usize] -= 1;
        self.counts[track.class as usize] += 1;
    }

    /// Messages of each class.
    pub(super) const fn counts(&self) -> [u64; CLASSES] {
        self.counts
    }

    /// How long each message took into its queue, in milliseconds, the shortest first.
    pub(crate) fn latencies(&self) -> Vec<u64> {
        let mut all: Vec<u64> = self.tracks.values().filter_map(|track| track.took_ms).collect();
        all.sort_unstable();
        all
    }

    /// How many messages had so many copies at once at most, by that number.
    pub(crate) fn copies(&self) -> BTreeMap<u32, u64> {
        let mut counts = BTreeMap::new();
        for track in self.tracks.values() {
            *counts.entry(track.copies_most).or_default() += 1;
        }
        counts
    }
}
