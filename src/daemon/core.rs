//! The parts of a node below its links: identity, store, engine, and what it believes of its mesh.
//!
//! All of it blocks on the disk, so it runs off the workers of the async runtime.

use super::DaemonError;
use super::home::Home;
use crate::engine::address::NodeId;
use crate::engine::command::{Command, Reply};
use crate::engine::limits::Limits;
use crate::engine::step::{Input, Output};
use crate::engine::time::Timestamp;
use crate::engine::{Engine, Setup};
use crate::os;
use crate::runtime::Timed;
use crate::security::{Gatekeeper, Identity, Keep, NodeName, random};
use crate::service::Metrics;
use crate::store::{Alarm, SledOptions, SledStore};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// Private records of `security` and of the links, by name.
pub(super) type Private = Vec<(String, Bytes)>;

/// What stands before the links come up.
pub(super) struct Core {
    pub(super) engine: Engine<Timed<SledStore>>,
    pub(super) identity: Arc<Identity>,
    pub(super) gatekeeper: Arc<Gatekeeper>,
    pub(super) private: Private,
    pub(super) metrics: Arc<Metrics>,
    /// When the wall clock was read for node time, since the machine's start.
    pub(super) opened: Duration,
}

/// How a node without a mesh comes to one.
pub(super) enum Origin {
    /// It founds its own under this name.
    Found(NodeName),
    /// It joins another's.
    Join,
}

/// Opens the store of a home, makes what a first start makes, and takes up what was there.
pub(super) fn open(
    home: &Home,
    limits: Limits,
    origin: &Origin,
    alarm: Arc<dyn Fn(&Alarm) + Send + Sync>,
) -> Result<Core, DaemonError> {
    let identity = Arc::new(Identity::load_or_create(&home.identity())?);
    let options = SledOptions { alarm, ..SledOptions::default() };
    let store = SledStore::open(&home.store(), options)?;
    let metrics = Arc::new(Metrics::default());
    let store = Timed::new(store, metrics.commits(), metrics.work());
    let opened = os::since_boot();
    let mut engine = Engine::open(store, setup(identity.node_id(), limits))?;
    let (private, directory) = kept(&mut engine)?;
    let gatekeeper = if directory.is_empty() {
        match origin {
            Origin::Found(name) => {
                let wall_ms = engine.now().as_millis();
                let (gatekeeper, keep) = Gatekeeper::found(Arc::clone(&identity), name, wall_ms)?;
                let spread = keep.directory.clone();
                store_records(&mut engine, keep)?;
                spread.iter().for_each(|record| gatekeeper.learned(record));
                tracing::info!(%name, "a mesh was founded");
                gatekeeper
            }
            Origin::Join => Gatekeeper::unjoined(Arc::clone(&identity)),
        }
    } else {
        Gatekeeper::restore(Arc::clone(&identity), private.clone(), directory)?
    };
    Ok(Core { engine, identity, gatekeeper: Arc::new(gatekeeper), private, metrics, opened })
}

fn setup(node: NodeId, limits: Limits) -> Setup {
    Setup {
        node,
        nonce: u64::from_be_bytes(random()),
        store_id: u64::from_be_bytes(random()),
        seed: u64::from_be_bytes(random()),
        wall: Timestamp::from_millis(os::wall_ms()),
        limits,
    }
}

type Kept = (Private, Vec<crate::engine::statement::DirectoryRecord>);

fn kept(engine: &mut Engine<Timed<SledStore>>) -> Result<Kept, DaemonError> {
    match ask(engine, Command::Kept)? {
        Reply::Kept { private, directory } => Ok((private, directory)),
        other => Err(DaemonError::defect(format!("kept records were expected, not {other:?}"))),
    }
}

fn store_records(engine: &mut Engine<Timed<SledStore>>, keep: Keep) -> Result<(), DaemonError> {
    let Keep { private, directory, forget } = keep;
    ask(engine, Command::Keep { private, directory, forget }).map(drop)
}

/// One command before the engine has its thread.
fn ask(engine: &mut Engine<Timed<SledStore>>, command: Command) -> Result<Reply, DaemonError> {
    let now = engine.now();
    let outputs = engine.process(now, vec![Input::Command { ticket: 0, command }])?;
    let reply = outputs.into_iter().find_map(|output| match output {
        Output::Reply { result, .. } => Some(result),
        _ => None,
    });
    match reply {
        Some(Ok(reply)) => Ok(reply),
        Some(Err(rejection)) => Err(DaemonError::defect(rejection.to_string())),
        None => Err(DaemonError::defect("the engine did not answer")),
    }
}
