//! Giving back room of the store, between the turns of the engine: once after the start, for a store
//! that was too large to be copied before it, and whenever somebody asks.
//!
//! One part after each turn, so that whoever waits for the engine waits for one part at most.

use super::engine_thread::Machine;
use crate::engine::storage::Compaction;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// What giving back room has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Bytes of the store's files before.
    pub before_bytes: u64,
    /// Bytes of them now.
    pub after_bytes: u64,
    /// Bytes of what lives in them.
    pub live_bytes: u64,
    /// Why it could not be done to the end, if so.
    pub refused: Option<String>,
}

/// Who waits for it, and when the next part is due.
#[derive(Debug)]
pub(super) struct Compacting {
    /// Whether it goes on though nobody waits for it.
    unasked: bool,
    /// Each with the size at the time of asking.
    asked: Vec<(oneshot::Sender<Compacted>, u64)>,
    rest_until: Option<Instant>,
}

impl Compacting {
    /// It is due at once, for what the start has left.
    pub(super) const fn after_start() -> Self {
        Self { unasked: true, asked: Vec::new(), rest_until: None }
    }

    /// Somebody asks. If it is under way, they wait for the same end.
    pub(super) fn ask(&mut self, reply: oneshot::Sender<Compacted>, used_bytes: u64) {
        self.asked.push((reply, used_bytes));
    }

    /// How long until the next part; nothing if there is none.
    pub(super) fn due_in(&self) -> Option<Duration> {
        let rest = self
            .rest_until
            .map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
        (self.unasked || !self.asked.is_empty()).then_some(rest)
    }

    /// Does a part, if one is due.
    pub(super) fn step<M: Machine>(&mut self, machine: &mut M) -> Result<(), M::Error> {
        if self.due_in() != Some(Duration::ZERO) {
            return Ok(());
        }
        self.rest_until = None;
        let refused = match machine.compact()? {
            Compaction::Going => return Ok(()),
            Compaction::Rest(rest) => {
                self.rest_until = Some(Instant::now() + rest);
                return Ok(());
            }
            Compaction::Done => None,
            Compaction::Refused(why) => Some(why),
        };
        self.unasked = false;
        let stats = machine.stats();
        for (reply, before_bytes) in self.asked.drain(..) {
            // Whoever is gone does not want to know.
            let _ = reply.send(Compacted {
                before_bytes,
                after_bytes: stats.used_bytes,
                live_bytes: stats.live_bytes,
                refused: refused.clone(),
            });
        }
        Ok(())
    }
}
