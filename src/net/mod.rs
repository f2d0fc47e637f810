//! Links to other nodes, on libp2p: who is let in, how links are kept, how bytes travel.
//!
//! It decides nothing about messages. It calls the gatekeeper and the codec and speaks the
//! engine's vocabulary; it does not know the runtime or the store, which it reaches through
//! [`NetEvent`]s. `docs/explanation/links.md` tells how links live and die.

mod behaviour;
mod clock;
mod config;
mod discovery;
mod door;
mod event;
mod forward;
mod gate;
mod greeter;
mod handle;
mod hop;
mod ids;
mod keeper;
mod link;
mod liveness;
#[cfg(test)]
mod pipe;
mod proven;
mod session;
mod swarm;
mod transport;
mod view;

pub use config::{
    ADDRESS_RECORD_PREFIX, BadAddr, DEFAULT_PORT, ListenAddr, NetConfig, PeerAddr, WallClock,
};
pub use event::{
    DiscoveryState, JoinError, Joined, LinkView, NetError, NetEvent, StrangerView, TrafficView,
};
pub use gate::GateLimits;
pub use handle::{NetHandle, OUTBOX};

use crate::security::{Gatekeeper, random};
use behaviour::Node;
use clock::Clock;
use door::Door;
use handle::Spilled;
use keeper::{Book, Keeper};
use libp2p::Swarm;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use session::Surroundings;
use std::sync::Arc;
use std::time::Duration;
use swarm::{Inbox, Links, NEWS_MAX, State, listening};
use tokio::sync::{mpsc, oneshot};
use transport::Wires;
use view::View;
use zeroize::Zeroizing;

/// Orders, reports and the like that wait for the task.
const INBOX: usize = 256;
/// How long the first addresses may take to be known.
const LISTENING_LIMIT: Duration = Duration::from_secs(5);
/// libp2p's own idea of idleness; whether a link stays is decided here.
const IDLE: Duration = Duration::from_secs(86_400);

/// Starts the links. When it returns, the node listens and its addresses are known.
///
/// `secret` is the node's Ed25519 secret key, `events` leads to whoever feeds the engine.
///
/// # Errors
/// [`NetError`]: a listen address that was asked for cannot be had, or the key does not fit.
pub async fn start(
    config: NetConfig,
    secret: Zeroizing<[u8; 32]>,
    gatekeeper: Arc<Gatekeeper>,
    events: mpsc::Sender<NetEvent>,
) -> Result<NetHandle, NetError> {
    let mut secret = secret;
    let keypair = Keypair::ed25519_from_bytes(&mut *secret).map_err(|_| NetError::Key)?;
    let peer = keypair.public().to_peer_id();
    let me = gatekeeper.node();
    if ids::node_of(&peer) != Some(me) {
        return Err(NetError::Key);
    }
    let clock = Clock::start();
    let wires = Wires::new(clock);
    let door = Arc::new(Door::new(gatekeeper, clock));
    let view = Arc::new(View::new(clock));
    let unproven_age_ms = config.gate.unproven_age_ms;
    let (node, no_discovery) = Node::new(&door, clock, config.gate, config.discovery, peer);
    let swarm_config = libp2p::swarm::Config::with_tokio_executor()
        .with_idle_connection_timeout(IDLE)
        .with_substream_upgrade_protocol_override(Version::V1Lazy);
    let transport = transport::build(&keypair, wires.clone())?;
    let mut swarm = Swarm::new(transport, node, peer, swarm_config);
    let (ready, listens) = oneshot::channel();
    let mut listening = listening::open(&mut swarm, &config.listen, ready).await?;
    listening.announce = config.announce;

    let news = herald(events.clone());
    tell_discovery(&view, &news, config.discovery, no_discovery);
    let seed = u64::from_le_bytes(random::<8>());
    let book = Book::read(&config.addresses);
    let keeper = Keeper::new(me, book, config.peers, seed, clock.now_ms());
    let (outbox, outbox_queue) = mpsc::channel(OUTBOX);
    let (orders, orders_queue) = mpsc::channel(INBOX);
    let (reports, reports_queue) = mpsc::channel(INBOX);
    let (inner, inner_queue) = mpsc::channel(INBOX);
    let around =
        Arc::new(Surroundings { door: door.clone(), clock, wall: config.wall, events, reports });
    let spilled = Arc::new(Spilled::default());
    let handle = NetHandle { outbox, orders, spilled: spilled.clone(), view: view.clone() };
    let inbox = Inbox {
        outbox: outbox_queue,
        orders: orders_queue,
        reports: reports_queue,
        inner: inner_queue,
    };
    let links = Links {
        swarm,
        clock,
        wires,
        door,
        view,
        keeper,
        around,
        spilled,
        inner,
        news,
        unproven_age_ms,
        listening,
        state: State::default(),
    };
    tokio::spawn(links.run(inbox));
    // Without an address yet (no interface is up) the node starts all the same.
    let _ = tokio::time::timeout(LISTENING_LIMIT, listens).await;
    Ok(handle)
}

/// Passes news on to the daemon, so that the task that owns the links need not wait for it.
fn herald(events: mpsc::Sender<NetEvent>) -> mpsc::Sender<NetEvent> {
    let (news, mut queue) = mpsc::channel(NEWS_MAX);
    tokio::spawn(async move {
        while let Some(event) = queue.recv().await {
            if events.send(event).await.is_err() {
                break;
            }
        }
    });
    news
}

fn tell_discovery(
    view: &View,
    news: &mpsc::Sender<NetEvent>,
    wanted: bool,
    failure: Option<String>,
) {
    let state = match failure {
        Some(why) => {
            tracing::warn!(%why, "neighbours cannot be found by themselves; use --peer");
            let _ = news.try_send(NetEvent::Warning(format!("no discovery: {why}")));
            DiscoveryState::Failed(why)
        }
        None if wanted => DiscoveryState::On,
        None => DiscoveryState::Off,
    };
    view.note_discovery(state);
}
