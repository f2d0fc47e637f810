//! A node of the mesh: what outlives its process, and the process while it runs.
//!
//! Wires the product's parts together as `daemon` does, with a store in memory and the mesh's links
//! in place of the disk and the network.

use super::members::Members;
use super::rng::Rng;
use super::wire::{Port, Wire};
use crate::api::Lives;
use crate::engine::address::NodeId;
use crate::engine::limits::Limits;
use crate::engine::step::{Input, Output};
use crate::engine::storage::{Compaction, Storage as _, StorageStats};
use crate::engine::time::Timestamp;
use crate::engine::{Engine, Setup};
use crate::runtime::{self, Clock, Handle, Machine};
use crate::security::{NodeName, Token};
use crate::service::{
    Discovery, JoinFailure, JoinFuture, Link, Links, Metrics, Parts, Service, Sighting, Traffic,
};
use crate::store::MemoryStore;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// News of links kept for a slow listener; then it is told that it missed some.
const LINK_NEWS_MAX: usize = 1_024;

/// What outlives a process.
pub(super) struct Node {
    pub(super) lives: Lives,
    place: usize,
    store: Option<MemoryStore>,
    process: Option<Process>,
}

struct Process {
    handle: Handle,
    stop: CancellationToken,
    dies: Arc<AtomicBool>,
    engine: JoinHandle<Mortal>,
    counting: JoinHandle<()>,
}

/// What a process needs of its mesh.
pub(super) struct Around<'a> {
    pub(super) members: &'a Members,
    pub(super) wire: &'a Wire,
    pub(super) limits: &'a Limits,
    pub(super) now: Timestamp,
    /// Cancelled when the mesh ends.
    pub(super) stop: &'a CancellationToken,
}

impl Node {
    pub(super) fn new(place: usize) -> Self {
        Self { lives: Lives::new(), place, store: Some(MemoryStore::new()), process: None }
    }

    /// Starts its process, unless it runs.
    pub(super) fn start(&mut self, around: &Around<'_>, rng: &mut Rng) {
        let Some(store) = self.store.take() else { return };
        let (place, wire) = (self.place, around.wire.clone());
        let identity = around.members.identity(place);
        let setup = Setup {
            node: identity.node_id(),
            nonce: rng.draw(),
            store_id: rng.draw(),
            seed: rng.draw(),
            wall: around.now,
            limits: around.limits.clone(),
        };
        let engine = Engine::open(store, setup).expect("a store in memory opens");
        let clock = Clock::of_timers(engine.now());
        let dies = Arc::new(AtomicBool::new(false));
        let machine = Mortal { engine, dies: Arc::clone(&dies) };
        let out = wire.clone();
        let (handle, engine) =
            runtime::spawn_task(machine, clock, move |output| out.outbound(place, output));
        let (news, _) = broadcast::channel(LINK_NEWS_MAX);
        let gatekeeper = around.members.gatekeeper(place);
        let metrics = Arc::new(Metrics::default());
        let (own, events) = (identity.node_id(), handle.events());
        let counting = tokio::spawn(Arc::clone(&metrics).follow(events, own, handle.clone()));
        let stop = around.stop.child_token();
        self.lives.set(Some(Service::new(Parts {
            handle: handle.clone(),
            identity,
            gatekeeper: Arc::clone(&gatekeeper),
            links: Arc::new(VirtualLinks { place, wire: wire.clone() }),
            link_news: news.clone(),
            stop: stop.clone(),
            metrics,
            socket: String::new(),
            body_bytes: around.limits.body_bytes,
            // Those of HTTP, for which there is no door.
            streams: 0,
        })));
        wire.starts(place, Port { handle: handle.clone(), gatekeeper, news });
        self.process = Some(Process { handle, stop, dies, engine, counting });
    }

    /// Kills its process, if it runs: what was not committed is gone.
    pub(super) async fn crash(&mut self, wire: &Wire) {
        let Some(process) = self.process.take() else { return };
        wire.dies(self.place);
        process.dies.store(true, Ordering::Relaxed);
        self.lives.set(None);
        process.stop.cancel();
        process.handle.stop().await;
        process.counting.abort();
        let machine = process.engine.await.expect("the engine does not panic");
        let mut store = machine.engine.into_storage();
        store.crash();
        self.store = Some(store);
    }

    /// Ends its process without waiting; it does not start again.
    pub(super) fn end(&mut self) {
        self.lives.set(None);
        let Some(process) = self.process.take() else { return };
        process.engine.abort();
        process.counting.abort();
    }
}

/// An engine that does nothing any more once it is to die.
struct Mortal {
    engine: Engine<MemoryStore>,
    dies: Arc<AtomicBool>,
}

impl Machine for Mortal {
    type Error = String;

    fn process(&mut self, now: Timestamp, inputs: Vec<Input>) -> Result<Vec<Output>, String> {
        if self.dies.load(Ordering::Relaxed) {
            return Err("it was killed".to_owned());
        }
        self.engine.process(now, inputs).map_err(|why| why.to_string())
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.engine.deadline()
    }

    fn compact(&mut self) -> Result<Compaction, String> {
        self.engine.compact().map_err(|why| why.to_string())
    }

    fn stats(&self) -> StorageStats {
        self.engine.storage().stats()
    }
}

/// The links as the service sees them.
struct VirtualLinks {
    place: usize,
    wire: Wire,
}

impl Links for VirtualLinks {
    fn links(&self) -> Vec<Link> {
        let link = |node: NodeId| Link {
            node,
            address: node.to_string(),
            rtt_ms: None,
            clock_skew_ms: None,
        };
        self.wire.linked(self.place).into_iter().map(link).collect()
    }

    fn traffic(&self) -> Vec<Traffic> {
        Vec::new()
    }

    fn heard_ms(&self, _: NodeId) -> Option<u64> {
        None
    }

    fn strangers(&self) -> Vec<Sighting> {
        Vec::new()
    }

    fn discovery(&self) -> Discovery {
        Discovery::Off
    }

    fn listening(&self) -> Vec<SocketAddr> {
        Vec::new()
    }

    fn join(&self, _: Token, _: NodeName) -> JoinFuture<'_> {
        let why = "a mesh in virtual time takes no further nodes".to_owned();
        Box::pin(async move { Err(JoinFailure::Unreachable(why)) })
    }
}
