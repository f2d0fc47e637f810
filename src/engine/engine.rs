//! The only door: inputs in, one commit, and only then the outputs.

use super::address::NodeId;
use super::ids::Epoch;
use super::limits::Limits;
use super::node::Node;
use super::record::{Key, Record, StoreInfo};
use super::step::{Input, Output};
use super::storage::{Compaction, Storage, StorageError, Write};
use super::time::{DAY_MS, Timestamp};
use super::turn::{Serial, Turn, Volatile};

/// The deterministic engine over a store.
///
/// Call [`process`](Self::process) with whatever waits, then at [`deadline`](Self::deadline) with
/// nothing. Outputs cannot be had before the writes that justify them are durable (promise G1).
/// The same store, inputs, times and setup give the same outputs, byte for byte (promise G9).
pub struct Engine<S: Storage> {
    storage: S,
    node: Node,
    volatile: Volatile,
    serial: Serial,
    now: Timestamp,
    deadline: Option<Timestamp>,
    poisoned: bool,
}

/// What an engine is given at its opening, so that it never has to ask.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The node that owns the store.
    pub node: NodeId,
    /// Random, drawn for this opening.
    pub nonce: u64,
    /// Random; used if the store is new.
    pub store_id: u64,
    /// Seed of the choices that are free.
    pub seed: u64,
    /// The wall clock. Trusted forwards only, and not beyond [`CLOCK_JUMP_MAX_MS`].
    pub wall: Timestamp,
    /// The bounds.
    pub limits: Limits,
}

/// A wall clock that is further ahead of the last commit than this is not believed.
pub const CLOCK_JUMP_MAX_MS: u64 = 30 * DAY_MS;

/// Why the engine did not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The store failed. The engine refuses every further call.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// An earlier commit failed: memory is ahead of the disk. Open the store again.
    #[error("an earlier write failed; the store must be opened again")]
    Poisoned,
    /// The store belongs to another node.
    #[error("the store belongs to node {0}")]
    WrongNode(NodeId),
}

impl<S: Storage> Engine<S> {
    /// Opens a store: draws a new epoch (rule R3), makes it durable, and takes up what waits.
    pub fn open(mut storage: S, setup: Setup) -> Result<Self, EngineError> {
        storage.reload()?;
        let now = start_of_time(&storage, setup.wall)?;
        let info = match storage.get(&Key::Store)? {
            Some(Record::Store(info)) if info.node == setup.node => StoreInfo {
                opening: Epoch { k: (info.opening.k + 1).max(now.as_millis()), nonce: setup.nonce },
                ..info
            },
            Some(Record::Store(info)) => return Err(EngineError::WrongNode(info.node)),
            Some(_) => return Err(StorageError::Damaged("the store's own record".into()).into()),
            None => StoreInfo {
                id: setup.store_id,
                opening: Epoch { k: now.as_millis().max(1), nonce: setup.nonce },
                node: setup.node,
            },
        };
        storage.commit(&[
            Write::Put(Key::Store, Record::Store(info.clone())),
            Write::Put(Key::Clock, Record::Clock(now)),
        ])?;
        let mut engine = Self {
            storage,
            node: Node::new(&info, setup.limits, setup.seed),
            volatile: Volatile::default(),
            serial: Serial::starting(now),
            now,
            deadline: None,
            poisoned: false,
        };
        engine.turn(now, |node, turn| node.load(turn))?;
        Ok(engine)
    }

    /// Handles all inputs in order, commits once, and returns what may now be seen.
    ///
    /// An empty list handles only what is due. After an error every call is refused until the
    /// store is opened again.
    pub fn process(
        &mut self,
        now: Timestamp,
        inputs: Vec<Input>,
    ) -> Result<Vec<Output>, EngineError> {
        if self.poisoned {
            return Err(EngineError::Poisoned);
        }
        self.turn(now.max(self.now), |node, turn| node.handle(turn, inputs))
    }

    /// Does the next part of giving back room of the store. After an error every call is refused.
    pub fn compact(&mut self) -> Result<Compaction, EngineError> {
        if self.poisoned {
            return Err(EngineError::Poisoned);
        }
        let step = self.storage.compact();
        self.poisoned = step.is_err();
        Ok(step?)
    }

    /// When [`process`](Self::process) wants to be called again at the latest.
    pub const fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// Node time of the last turn.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// This opening of the store.
    pub const fn opening(&self) -> Epoch {
        self.node.opening()
    }

    /// The store.
    pub const fn storage(&self) -> &S {
        &self.storage
    }

    /// Gives the store back.
    pub fn into_storage(self) -> S {
        self.storage
    }

    fn turn(
        &mut self,
        now: Timestamp,
        rules: impl FnOnce(&mut Node, &mut Turn<'_>) -> Result<(), StorageError>,
    ) -> Result<Vec<Output>, EngineError> {
        self.now = now;
        self.poisoned = true;
        let mut turn = Turn::new(now, &mut self.serial, &mut self.volatile, &self.storage);
        rules(&mut self.node, &mut turn)?;
        let deadline = self.node.deadline(&turn)?;
        let (mut writes, outputs) = turn.finish();
        if !writes.is_empty() {
            writes.push(Write::Put(Key::Clock, Record::Clock(now)));
            self.storage.commit(&writes)?;
        }
        self.deadline = deadline;
        self.poisoned = false;
        Ok(outputs)
    }
}

/// Node time goes on behind the last commit, or where the wall clock is if that is later. Behind,
/// not at it: numbers of places are drawn from it, and those of that moment were given.
fn start_of_time<S: Storage>(storage: &S, wall: Timestamp) -> Result<Timestamp, StorageError> {
    match storage.get(&Key::Clock)? {
        Some(Record::Clock(last)) if wall.since(last) > CLOCK_JUMP_MAX_MS => Ok(last.after(1)),
        Some(Record::Clock(last)) => Ok(last.after(1).max(wall)),
        _ => Ok(wall),
    }
}
