//! One suite for every store behind the port: random operations against a model, with restarts.

use bytes::Bytes;
use meshmq::engine::address::NodeId;
use meshmq::engine::limits::RECORD_MAX;
use meshmq::engine::record::{Key, Record, Seat, Spot, Target};
use meshmq::engine::storage::{Storage, StorageError, Write};
use meshmq::engine::time::Timestamp;
use meshmq::store::{FailMode, MemoryStore, SledOptions, SledStore};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use tempfile::TempDir;

type Model = BTreeMap<Key, Record>;

/// A store that can be stopped and started again.
trait Subject {
    type Store: Storage;
    fn store(&mut self) -> &mut Self::Store;
    /// The process ends and starts again.
    fn restart(&mut self);
}

struct Memory(MemoryStore);

impl Subject for Memory {
    type Store = MemoryStore;
    fn store(&mut self) -> &mut MemoryStore {
        &mut self.0
    }
    fn restart(&mut self) {
        self.0.crash();
    }
}

struct Sled {
    dir: TempDir,
    store: Option<SledStore>,
}

impl Sled {
    fn new() -> Self {
        let mut sled = Self { dir: TempDir::new().unwrap(), store: None };
        sled.restart();
        sled
    }
}

impl Subject for Sled {
    type Store = SledStore;
    fn store(&mut self) -> &mut SledStore {
        self.store.as_mut().unwrap()
    }
    fn restart(&mut self) {
        self.store = None;
        // Every restart that finds more than 64 KiB and little alive in it copies the store.
        let options = SledOptions {
            slack_bytes: 64 << 10,
            segment_bytes: 256 << 10,
            ..SledOptions::default()
        };
        self.store = Some(SledStore::open(self.dir.path(), options).unwrap());
    }
}

#[derive(Clone, Debug)]
enum Op {
    Commit(Vec<Write>),
    /// A commit with a record in it that no store takes.
    CommitTooLarge(Vec<Write>),
    Get(Key),
    Range(Key, Key, usize),
    Reload,
    Restart,
}

/// Few keys, so that they meet often, of several tables, so that ranges cross them.
fn key() -> BoxedStrategy<Key> {
    let node = |byte: u8| NodeId::from_bytes([byte; 32]);
    prop_oneof![
        Just(Key::Store),
        "[ab]{0,2}".prop_map(Key::Private),
        (0..3_u64, 0..5_u32).prop_map(|(content, index)| Key::Chunk(content, index)),
        (0..2_u8, 0..2_u8, 0..4_u64).prop_map(move |(to, rank, arrival)| Key::Copy(Spot {
            destination: node(to),
            rank,
            arrival
        })),
        (0..2_u32, 0..2_u8, 0..4_u64).prop_map(|(queue, rank, arrival)| Key::Queued(Seat {
            queue,
            rank,
            arrival
        })),
        prop_oneof![0..6_u64, Just(u64::MAX)].prop_map(Key::Dead),
        (0..2_u64, 0..3_u64).prop_map(|(at, arrival)| {
            let seat = Seat { queue: 1, rank: 0, arrival };
            Key::Timer(Timestamp::from_millis(at), Target::Queued(seat))
        }),
    ]
    .boxed()
}

fn record() -> BoxedStrategy<Record> {
    let bytes = |(len, fill): (usize, u8)| Bytes::from(vec![fill; len]);
    prop_oneof![
        Just(Record::Due),
        (0..100_usize, any::<u8>()).prop_map(bytes).prop_map(Record::Private),
        (3_000..4_000_usize, any::<u8>()).prop_map(bytes).prop_map(Record::Chunk),
    ]
    .boxed()
}

/// Chunks of contents may be larger than any record, and lie in segments of 256 KiB here.
fn chunk() -> BoxedStrategy<Write> {
    let sizes = prop_oneof![0..2_000_usize, 4_000..70_000_usize];
    let bytes =
        (sizes, any::<u8>()).prop_map(|(len, fill)| Bytes::from(vec![fill; len.min(65_536)]));
    (0..3_u64, 0..5_u32, bytes)
        .prop_map(|(content, index, bytes)| {
            Write::Put(Key::Chunk(content, index), Record::Chunk(bytes))
        })
        .boxed()
}

fn write() -> BoxedStrategy<Write> {
    prop_oneof![
        2 => chunk(),
        3 => (key(), record()).prop_map(|(key, record)| Write::Put(key, record)),
        1 => key().prop_map(Write::Delete),
    ]
    .boxed()
}

fn op() -> BoxedStrategy<Op> {
    prop_oneof![
        6 => vec(write(), 0..12).prop_map(Op::Commit),
        1 => vec(write(), 0..4).prop_map(Op::CommitTooLarge),
        4 => key().prop_map(Op::Get),
        4 => (key(), key(), 0..40_usize).prop_map(|(from, to, limit)| Op::Range(from, to, limit)),
        1 => Just(Op::Reload),
        1 => Just(Op::Restart),
    ]
    .boxed()
}

fn apply(model: &mut Model, writes: &[Write]) {
    for write in writes {
        match write {
            Write::Put(key, record) => drop(model.insert(key.clone(), record.clone())),
            Write::Delete(key) => drop(model.remove(key)),
        }
    }
}

fn expected(model: &Model, from: &Key, to: &Key, limit: usize) -> Vec<(Key, Record)> {
    let inside = |(key, _): &(&Key, &Record)| (from..to).contains(key);
    let all = model.iter().filter(inside).take(limit);
    all.map(|(key, record)| (key.clone(), record.clone())).collect()
}

fn last_key() -> Key {
    let seat = Seat { queue: u32::MAX, rank: u8::MAX, arrival: u64::MAX };
    Key::Timer(Timestamp::MAX, Target::Queued(seat))
}

fn stopped(result: Result<impl Sized, StorageError>) -> bool {
    matches!(result, Err(StorageError::Io(why)) if why.starts_with("store stopped"))
}

fn run(mut subject: impl Subject, ops: Vec<Op>) -> Result<(), TestCaseError> {
    let mut model = Model::new();
    let mut commits = 0;
    for op in ops {
        let store = subject.store();
        match op {
            Op::Commit(writes) => {
                store.commit(&writes).unwrap();
                apply(&mut model, &writes);
                commits += u64::from(!writes.is_empty());
            }
            Op::CommitTooLarge(mut writes) => {
                writes.push(Write::Put(Key::Clock, Record::Chunk(vec![0; RECORD_MAX].into())));
                let result = store.commit(&writes);
                prop_assert!(matches!(result, Err(StorageError::RecordTooLarge(_))));
                prop_assert!(stopped(store.get(&Key::Store)));
                prop_assert!(stopped(store.range(&Key::Store, &Key::Clock, 1)));
                prop_assert!(stopped(store.commit(&[])));
                store.reload().unwrap();
                commits = 0;
            }
            Op::Get(key) => prop_assert_eq!(store.get(&key), Ok(model.get(&key).cloned())),
            Op::Range(from, to, limit) => {
                let found = store.range(&from, &to, limit);
                prop_assert_eq!(found, Ok(expected(&model, &from, &to, limit)));
            }
            Op::Reload => {
                store.reload().unwrap();
                commits = 0;
            }
            Op::Restart => {
                subject.restart();
                commits = 0;
            }
        }
        let store = subject.store();
        prop_assert_eq!(store.stats().commits, commits);
        let all = store.range(&Key::Store, &last_key(), usize::MAX);
        prop_assert_eq!(all, Ok(expected(&model, &Key::Store, &last_key(), usize::MAX)));
    }
    Ok(())
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn memory_does_what_the_model_does(ops in vec(op(), 0..60)) {
        run(Memory(MemoryStore::new()), ops)?;
    }
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn sled_does_what_the_model_does(ops in vec(op(), 0..60)) {
        run(Sled::new(), ops)?;
    }
}

proptest! {
    #![proptest_config(config(300))]

    /// Commits fail before and after they are durable: the reloaded store holds all of it or none.
    #[test]
    fn a_failing_memory_is_never_torn(
        rounds in vec((vec(write(), 1..8), prop::option::of(any::<bool>())), 1..30)
    ) {
        let mut store = MemoryStore::new();
        let mut model = Model::new();
        for (writes, failure) in rounds {
            let mode = failure.map(|after| if after { FailMode::After } else { FailMode::Before });
            if let Some(mode) = mode {
                store.faults().fail_commit(1, mode);
            }
            let result = store.commit(&writes);
            prop_assert_eq!(result.is_ok(), mode.is_none());
            if mode != Some(FailMode::Before) {
                apply(&mut model, &writes);
            }
            if result.is_err() {
                store.reload().unwrap();
            }
            let all = store.range(&Key::Store, &last_key(), usize::MAX);
            prop_assert_eq!(all, Ok(expected(&model, &Key::Store, &last_key(), usize::MAX)));
        }
    }
}
