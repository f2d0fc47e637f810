//! What happens to a node's store behind its back: it is copied, put back, damaged, or has no room.

use super::{Happening, Stop, World};
use crate::scenario::{Action, Count, Place, Span};
use meshmq::engine::record::Key;
use meshmq::store::Snapshot;
use std::collections::BTreeSet;

impl World<'_> {
    /// Plans the backups that a step will need, which happens at `at`.
    pub(super) fn plan_backups(&mut self, index: usize, at: u64) {
        if let Action::Rollback { by, .. } = &self.scenario.steps[index].action {
            let ago = self.draw(*by);
            self.at(at.saturating_sub(ago), Happening::Backup(index));
        }
    }

    /// Stores are copied for a step to come.
    pub(super) fn backup(&mut self, index: usize) -> Result<(), Stop> {
        if let Action::Rollback { nodes, .. } = &self.scenario.steps[index].action {
            for &place in nodes {
                self.want_backup(place, index)?;
            }
        }
        Ok(())
    }

    /// A copy of a store is wanted: of what is durable, so not while a commit is on its way.
    pub(super) fn want_backup(&mut self, place: Place, index: usize) -> Result<(), Stop> {
        self.machines[place].backups_due.push(index);
        if self.machines[place].flushing.is_some() { Ok(()) } else { self.make_backups(place) }
    }

    /// Makes the copies that are wanted of a store; no commit is on its way.
    pub(super) fn make_backups(&mut self, place: Place) -> Result<(), Stop> {
        for index in std::mem::take(&mut self.machines[place].backups_due) {
            let snapshot = self.machines[place].disk.snapshot();
            let name = self.name(place);
            self.trace.note(self.now, || format!("the store of {name} is copied"));
            self.backups.insert((index, place), snapshot);
            if let Action::Clone { .. } = self.scenario.steps[index].action {
                self.after(0, Happening::Twin(index));
            }
        }
        Ok(())
    }

    /// A node is killed and has its store as it was when it was copied.
    pub(super) fn rollback(&mut self, index: usize, place: Place, down: Span) -> Result<(), Stop> {
        let snapshot = self.backups.remove(&(index, place));
        snapshot.map_or(Ok(()), |snapshot| self.put_back(place, &snapshot, down))
    }

    /// A node is killed and has another store.
    pub(super) fn put_back(
        &mut self,
        place: Place,
        snapshot: &Snapshot,
        down: Span,
    ) -> Result<(), Stop> {
        if self.machines[place].lost || self.machines[place].absent {
            return Ok(());
        }
        self.crash(place, "its store is put back")?;
        self.machines[place].disk.restore(snapshot);
        let records = self.machines[place].disk.records();
        self.checkers.put_back(&self.ledger, place, &records);
        self.ledger.put_back(place, records);
        let ms = self.draw(down);
        self.after(ms, Happening::Restart(place));
        Ok(())
    }

    /// A second machine starts from a copy.
    pub(super) fn twin(&mut self, index: usize) -> Result<(), Stop> {
        let Action::Clone { of, twin } = self.scenario.steps[index].action else { return Ok(()) };
        let Some(snapshot) = self.backups.remove(&(index, of)) else { return Ok(()) };
        let (name, other) = (self.name(of), self.name(twin));
        self.trace.note(self.now, || format!("{other} is a clone of {name}"));
        self.machines[twin].absent = false;
        self.machines[twin].disk.restore(&snapshot);
        let records = self.machines[twin].disk.records();
        self.checkers.put_back(&self.ledger, twin, &records);
        self.ledger.put_back(twin, records);
        self.ledger.share(of, twin);
        self.start(twin)
    }

    /// Bodies on a node's disk do not read back any more.
    pub(super) fn corrupt(&mut self, place: Place, bodies: Count) {
        let disk = self.machines[place].disk.clone();
        let mut contents: Vec<u64> = Vec::new();
        let records = disk.records();
        for (key, _) in &records {
            match key {
                Key::Chunk(content, _) if contents.last() != Some(content) => {
                    contents.push(*content);
                }
                _ => {}
            }
        }
        let mut damaged = BTreeSet::new();
        for _ in 0..self.rng.between(bodies.least, bodies.most) {
            let Some(&content) = self.rng.pick(&contents) else { return };
            let chunks = (0..).map(|piece| Key::Chunk(content, piece));
            let there = |key: &Key| records.binary_search_by(|(found, _)| found.cmp(key)).is_ok();
            let chunks: Vec<Key> = chunks.take_while(there).collect();
            let Some(chunk) = self.rng.pick(&chunks) else { continue };
            disk.damage(chunk.clone());
            damaged.insert(content);
        }
        for id in self.ledger.damage(&records, &damaged) {
            let name = self.name(place);
            self.trace
                .note(self.now, || format!("the body of {id} is damaged on the disk of {name}"));
        }
    }
}
