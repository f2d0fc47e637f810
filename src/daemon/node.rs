//! The parts of a running node below its doors, and what passes between them.

use super::DaemonError;
use super::clocks;
use super::core::Core;
use super::home::Home;
use super::links::{NetLinks, learn, pump};
use super::space;
use crate::engine::Engine;
use crate::engine::limits::Limits;
use crate::engine::step::Output;
use crate::net::{self, NetConfig, NetEvent, NetHandle};
use crate::runtime::{self, Clock, Handle, Timed, Watched};
use crate::security::{Gatekeeper, Identity};
use crate::service::{self, LinkNews, Metrics, Parts, Service};
use crate::store::SledStore;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Things said by the links that wait for the engine.
const NET_EVENTS_MAX: usize = 1_024;
/// News of links kept for a slow listener; then it is told that it missed some.
const LINK_NEWS_MAX: usize = 1_024;
/// How long the links may take to listen.
const LISTEN_TIME_MAX: Duration = Duration::from_secs(10);

/// Engine, links and what runs between them.
pub(super) struct Node {
    pub(super) home: Home,
    pub(super) handle: Handle,
    pub(super) gatekeeper: Arc<Gatekeeper>,
    pub(super) net: NetHandle,
    pub(super) stop: CancellationToken,
    identity: Arc<Identity>,
    metrics: Arc<Metrics>,
    announce: Vec<SocketAddr>,
    thread: std::thread::JoinHandle<Watched<Engine<Timed<SledStore>>>>,
    listening: watch::Receiver<()>,
    link_news: broadcast::Sender<LinkNews>,
    tasks: Vec<JoinHandle<()>>,
    body_bytes: u64,
}

impl Node {
    /// Starts links and engine.
    pub(super) async fn start(
        home: Home,
        core: Core,
        config: NetConfig,
        limits: &Limits,
        stop: CancellationToken,
    ) -> Result<Self, DaemonError> {
        let Core { engine, identity, gatekeeper, private, metrics, opened } = core;
        let clock = Clock::since(engine.now(), opened);
        let wall = clock.clone();
        let config = NetConfig {
            addresses: private,
            wall: Arc::new(move || wall.wall(wall.now())),
            ..config
        };
        let announce = config.announce.clone();
        let (events, from_net) = mpsc::channel::<NetEvent>(NET_EVENTS_MAX);
        let net = net::start(config, identity.to_bytes(), Arc::clone(&gatekeeper), events).await?;
        let outbound = net.clone();
        let engine = Watched::new(engine, metrics.work());
        // One for each message that comes in parts at most, whose number the engine bounds.
        let (wanted, checks) = mpsc::unbounded_channel();
        let (handle, thread) = runtime::spawn(engine, clock, move |output| match output {
            output @ Output::Check { .. } => {
                // Nobody checks any more while the node stops.
                let _ = wanted.send(output);
            }
            output => outbound.try_send(output),
        });
        let (listens, listening) = watch::channel(());
        let (link_news, _) = broadcast::channel(LINK_NEWS_MAX);
        let tasks = vec![
            tokio::spawn(learn(handle.events(), handle.clone(), Arc::clone(&gatekeeper))),
            tokio::spawn(Arc::clone(&metrics).follow(
                handle.events(),
                identity.node_id(),
                handle.clone(),
            )),
            tokio::spawn(pump(from_net, handle.clone(), listens, link_news.clone())),
            tokio::spawn(space::watch(home.dir().to_owned(), limits.disk_reserve_bytes)),
            tokio::spawn(clocks::watch(handle.clone())),
            tokio::spawn(check_all(checks, handle.clone())),
        ];
        Ok(Self {
            home,
            handle,
            gatekeeper,
            net,
            stop,
            identity,
            metrics,
            announce,
            thread,
            listening,
            link_news,
            tasks,
            body_bytes: limits.body_bytes,
        })
    }

    /// The application service over these parts, with so many streams at once.
    pub(super) fn service(&self, socket: &Path, streams: usize) -> Service {
        Service::new(Parts {
            handle: self.handle.clone(),
            identity: Arc::clone(&self.identity),
            gatekeeper: Arc::clone(&self.gatekeeper),
            links: Arc::new(NetLinks(self.net.clone(), self.announce.clone())),
            link_news: self.link_news.clone(),
            stop: self.stop.clone(),
            metrics: Arc::clone(&self.metrics),
            socket: socket.display().to_string(),
            body_bytes: self.body_bytes,
            streams,
        })
    }

    /// Waits until the links listen on so many addresses, or as many as there will be.
    pub(super) async fn listening(&self, count: usize) -> Result<Vec<SocketAddr>, DaemonError> {
        let mut news = self.listening.clone();
        let all = async {
            while self.net.listening().len() < count.max(1) && news.changed().await.is_ok() {}
        };
        // The addresses that are there by then are better than none.
        let _ = timeout(LISTEN_TIME_MAX, all).await;
        let listening = self.net.listening();
        if listening.is_empty() {
            return Err(DaemonError::defect("the links do not listen"));
        }
        Ok(listening)
    }

    /// Ends links and engine, and lets go of the store and the directory.
    pub(super) async fn shut_down(self) {
        self.net.shutdown().await;
        self.handle.stop().await;
        self.tasks.iter().for_each(JoinHandle::abort);
        let thread = self.thread;
        let closed = tokio::task::spawn_blocking(move || drop(thread.join()));
        if let Err(why) = closed.await {
            tracing::error!(%why, "the store was not closed");
        }
        self.home.tidy_up();
        drop(self.home);
    }
}

/// Checks what came in parts, one after the other.
async fn check_all(mut checks: mpsc::UnboundedReceiver<Output>, handle: Handle) {
    while let Some(output) = checks.recv().await {
        service::check(handle.clone(), output).await;
    }
}
