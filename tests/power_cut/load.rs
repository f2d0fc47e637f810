//! The load, the same on both sides: a queue that is filled at one end and emptied at the other.

use bytes::Bytes;
use meshmq::engine::record::{Key, Record, Seat};
use meshmq::engine::storage::Write;
use std::collections::BTreeMap;

/// What lies in the store: which version of which entry.
pub(crate) type State = BTreeMap<u64, u64>;

/// A small generator; the same numbers on every machine.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }
}

/// The batches of one round. Versions are unique over all rounds, so that nothing old passes for
/// something new.
pub(crate) struct Load {
    dice: Dice,
    next: u64,
}

/// A batch: the entries to put with their versions, and those to delete.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    puts: Vec<(u64, u64)>,
    deletes: Vec<u64>,
}

/// Entries about which the load hovers.
const LIVE: u64 = 150;

impl Load {
    pub(crate) fn new(round: u64) -> Self {
        Self { dice: Dice::new(round), next: round * 1_000_000 + 1 }
    }

    /// The next batch for a store in this state.
    pub(crate) fn next(&mut self, state: &State) -> Batch {
        let mut batch = Batch::default();
        let live = state.len() as u64;
        let drain = self.dice.one_in(60);
        // A large batch fills more than one of sled's segments of 512 KiB.
        let puts = if self.dice.one_in(40) { 260 } else { self.dice.below(9) };
        let deletes = if drain { live } else { self.dice.below(6 + live / LIVE * 6) };
        batch.deletes = state.keys().take(deletes as usize).copied().collect();
        let kept: Vec<u64> = state.keys().skip(deletes as usize).copied().collect();
        for _ in 0..puts {
            let version = self.next;
            self.next += 1;
            let entry = match kept.len() as u64 {
                0 => version,
                _ if !self.dice.one_in(6) => version,
                len => kept[self.dice.below(len) as usize],
            };
            batch.puts.push((entry, version));
        }
        batch
    }
}

impl Batch {
    pub(crate) fn apply(&self, state: &mut State) {
        state.retain(|entry, _| !self.deletes.contains(entry));
        state.extend(self.puts.iter().copied());
    }

    pub(crate) fn operations(&self) -> u64 {
        (self.puts.len() + self.deletes.len()) as u64
    }

    pub(crate) fn writes(&self) -> Vec<Write> {
        let put = |&(entry, version): &(u64, u64)| Write::Put(key(entry), record(entry, version));
        let deletes = self.deletes.iter().map(|&entry| Write::Delete(key(entry)));
        deletes.chain(self.puts.iter().map(put)).collect()
    }
}

/// Odd entries are chunks in the body log, even ones records of the index.
pub(crate) fn key(entry: u64) -> Key {
    if entry % 2 == 1 {
        Key::Chunk(entry, 0)
    } else {
        Key::Queued(Seat { queue: 1, rank: 4, arrival: entry })
    }
}

/// The entry of a key.
pub(crate) fn entry(key: &Key) -> u64 {
    match key {
        Key::Chunk(entry, _) => *entry,
        Key::Queued(seat) => seat.arrival,
        other => unreachable!("the load does not write {other:?}"),
    }
}

/// Everything that the load writes, in ranges.
pub(crate) fn ranges() -> [(Key, Key); 2] {
    [(key(0), key(u64::MAX - 1)), (key(1), key(u64::MAX))]
}

/// Up to 4,000 bytes, or 40,000 of a chunk, that say what they are.
fn record(entry: u64, version: u64) -> Record {
    let mut dice = Dice::new(version);
    let most = if entry % 2 == 1 { 40_000 } else { 3_950 };
    let len = if dice.one_in(3) { dice.below(most) } else { dice.below(400) };
    let mut bytes = Vec::with_capacity(len as usize + 24);
    bytes.extend(entry.to_be_bytes());
    bytes.extend(version.to_be_bytes());
    while bytes.len() < len as usize {
        bytes.extend(dice.next().to_be_bytes());
    }
    Record::Chunk(Bytes::from(bytes))
}

/// Which version of an entry this is, if it is intact.
pub(crate) fn version(entry: u64, found: &Record) -> Option<u64> {
    let Record::Chunk(bytes) = found else { return None };
    let version = u64::from_be_bytes(bytes.get(8..16)?.try_into().ok()?);
    (*found == record(entry, version)).then_some(version)
}
