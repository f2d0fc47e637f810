//! What the record of a run is told of the world as a whole. Draws nothing.

use super::World;
use meshmq::engine::storage::Storage as _;

impl World<'_> {
    /// The links as they are at the start.
    pub(super) fn watch_links(&self) {
        for link in &self.scenario.links {
            let (one, other) = link.ends;
            self.trace.record(|record| record.cut(0, one, other, !link.up));
            self.trace.record(|record| record.cut(0, other, one, !link.up));
        }
    }

    /// Messages and disks, now and then.
    pub(super) fn watch(&self) {
        self.trace.record(|record| record.sample(self.now, || self.disk_bytes()));
    }

    /// The same at the end.
    pub(super) fn watch_end(&self) {
        self.trace.record(|record| record.end(self.now, self.disk_bytes()));
    }

    /// Everything is healed, or settled.
    pub(super) fn note_everything(&self, what: &str) {
        self.trace.note(self.now, || format!("everything is {what}"));
        self.trace.record(|record| record.mark(self.now, None, what.to_owned()));
    }

    fn disk_bytes(&self) -> Vec<u64> {
        self.machines.iter().map(|machine| machine.disk.stats().used_bytes).collect()
    }
}
