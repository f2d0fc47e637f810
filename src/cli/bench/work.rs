//! What nodes do for a message, from the counters that they show: the difference of two looks.

use super::super::error::CliError;
use crate::client::http::Client;
use serde::Serialize;

/// Counters of one node, or of several together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Work {
    commits: f64,
    records: f64,
    timers: f64,
    removals: f64,
    written_bytes: f64,
    busy_s: f64,
    commit_s: f64,
    sync_s: f64,
}

/// The same for one message.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct PerMessage {
    /// Durable steps; one serves many messages.
    pub(super) commits: f64,
    /// Records written that are no timers.
    pub(super) records: f64,
    pub(super) timers: f64,
    /// Records and timers removed.
    pub(super) removals: f64,
    /// Bytes of keys and values.
    pub(super) written_bytes: f64,
    /// Time of the engine thread in the rules, without the commit.
    pub(super) rules_us: f64,
    /// Time of commits, without waiting for the disk.
    pub(super) apply_us: f64,
    /// Time of commits that went into waiting for the disk.
    pub(super) sync_us: f64,
}

impl Work {
    /// What a node has done since its start.
    pub(super) async fn of(node: &mut Client) -> Result<Self, CliError> {
        Ok(Self::read(&node.text("/metrics").await?))
    }

    /// Reads the text format of Prometheus. What is not there counts as nothing.
    fn read(page: &str) -> Self {
        let row = |name: &str| {
            let rows = page.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            rows.filter_map(|value| value.parse::<f64>().ok()).sum::<f64>()
        };
        Self {
            commits: row("meshmq_store_commit_seconds_count"),
            records: row("meshmq_store_writes_total{kind=\"record\"}"),
            timers: row("meshmq_store_writes_total{kind=\"timer\"}"),
            removals: row("meshmq_store_writes_total{kind=\"removal\"}"),
            written_bytes: row("meshmq_store_written_bytes_total"),
            busy_s: row("meshmq_engine_busy_seconds_total"),
            commit_s: row("meshmq_store_commit_seconds_sum"),
            sync_s: row("meshmq_store_sync_seconds_total"),
        }
    }

    /// Both together.
    pub(super) fn and(&self, other: &Self) -> Self {
        self.with(other, |one, other| one + other)
    }

    /// What was done since an earlier look. A node that has begun anew has done what it says.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        self.with(earlier, |now, then| (now - then).max(0.0))
    }

    fn with(&self, other: &Self, of: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            commits: of(self.commits, other.commits),
            records: of(self.records, other.records),
            timers: of(self.timers, other.timers),
            removals: of(self.removals, other.removals),
            written_bytes: of(self.written_bytes, other.written_bytes),
            busy_s: of(self.busy_s, other.busy_s),
            commit_s: of(self.commit_s, other.commit_s),
            sync_s: of(self.sync_s, other.sync_s),
        }
    }

    /// The share of one of so many messages.
    pub(super) fn per(&self, messages: u64) -> PerMessage {
        let each = |all: f64| (all * 1_000.0 / messages.max(1) as f64).round() / 1_000.0;
        PerMessage {
            commits: each(self.commits),
            records: each(self.records),
            timers: each(self.timers),
            removals: each(self.removals),
            written_bytes: each(self.written_bytes).round(),
            rules_us: each((self.busy_s - self.commit_s).max(0.0) * 1e6),
            apply_us: each((self.commit_s - self.sync_s).max(0.0) * 1e6),
            sync_us: each(self.sync_s * 1e6),
        }
    }
}

#[cfg(test)]
mod tests;
