//! Between the links and the rest: what the service asks of them, and what they tell the engine.

use crate::engine::address::NodeId;
use crate::engine::command::{Command, Reply};
use crate::engine::step::{Event, Input};
use crate::net::{DiscoveryState, JoinError, NetEvent, NetHandle};
use crate::runtime::Handle;
use crate::security::{Gatekeeper, Keep, NodeName, Token};
use crate::service::{
    Discovery, JoinFailure, JoinFuture, Link, LinkNews, Links, Sighting, Traffic,
};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};

/// The links as the service sees them.
pub(super) struct NetLinks(pub(super) NetHandle, pub(super) Vec<SocketAddr>);

impl Links for NetLinks {
    fn links(&self) -> Vec<Link> {
        let links = self.0.links().into_iter();
        links
            .map(|link| Link {
                node: link.node,
                address: link.address,
                rtt_ms: link.rtt_ms,
                clock_skew_ms: link.clock_skew_ms,
            })
            .collect()
    }

    fn traffic(&self) -> Vec<Traffic> {
        let all = self.0.traffic().into_iter();
        all.map(|one| Traffic {
            node: one.node,
            received_bytes: one.received_bytes,
            sent_bytes: one.sent_bytes,
            reconnects: one.reconnects,
        })
        .collect()
    }

    fn heard_ms(&self, node: NodeId) -> Option<u64> {
        self.0.heard_ms(node)
    }

    fn strangers(&self) -> Vec<Sighting> {
        let strangers = self.0.strangers().into_iter();
        strangers
            .map(|seen| Sighting {
                node: seen.node,
                addresses: seen.addresses,
                seen_ms: seen.seen_ms,
            })
            .collect()
    }

    fn discovery(&self) -> Discovery {
        match self.0.discovery() {
            DiscoveryState::On => Discovery::On,
            DiscoveryState::Off => Discovery::Off,
            DiscoveryState::Failed(why) => Discovery::Failed(why),
        }
    }

    fn listening(&self) -> Vec<SocketAddr> {
        self.0.listening()
    }

    fn announced(&self) -> Vec<SocketAddr> {
        if self.1.is_empty() { self.listening() } else { self.1.clone() }
    }

    fn join(&self, token: Token, name: NodeName) -> JoinFuture<'_> {
        Box::pin(async move {
            let joined = self.0.join(token, name).await.map_err(|why| match why {
                JoinError::Unreachable(why) => JoinFailure::Unreachable(why),
                JoinError::Refused(denial) => JoinFailure::Denied(denial),
                JoinError::Busy => JoinFailure::Busy,
                JoinError::NotKept | JoinError::Stopped => JoinFailure::NotStored,
            })?;
            tracing::info!(mesh = joined.mesh, "joined a mesh");
            Ok(())
        })
    }
}

/// Passes what the links say to the engine, in order, until they have ended. `listens` changes with
/// the addresses they listen on.
pub(super) async fn pump(
    mut events: mpsc::Receiver<NetEvent>,
    handle: Handle,
    listens: watch::Sender<()>,
    news: broadcast::Sender<LinkNews>,
) {
    while let Some(event) = events.recv().await {
        match event {
            NetEvent::Input(input) => {
                let turned = match input {
                    Input::LinkUp(node) => Some(LinkNews { node, up: true }),
                    Input::LinkDown(node) => Some(LinkNews { node, up: false }),
                    _ => None,
                };
                handle.input(input).await;
                // Nobody may be listening.
                let _ = turned.map(|turned| news.send(turned));
            }
            NetEvent::Keep(keep, done) => {
                let Keep { private, directory, forget } = keep;
                let kept = handle.call(Command::Keep { private, directory, forget }).await;
                // Whoever asked may have given up.
                let _ = done.send(kept.is_ok());
            }
            NetEvent::Listening(addresses) => {
                tracing::info!(?addresses, "listening");
                listens.send_replace(());
            }
            NetEvent::Warning(what) => tracing::warn!("{what}"),
        }
    }
}

/// Tells the gatekeeper of every directory record that has become durable. `events` must have been
/// taken before the first record could come.
pub(super) async fn learn(
    mut events: Receiver<Event>,
    handle: Handle,
    gatekeeper: Arc<Gatekeeper>,
) {
    loop {
        match events.recv().await {
            Ok(Event::Learned(record)) => gatekeeper.learned(&record),
            Ok(Event::Damaged(id)) => {
                tracing::error!(messaging.message.id = %id, "a message does not read back from the disk; it is dead here");
            }
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => {
                let Ok(Reply::Kept { directory, .. }) = handle.call(Command::Kept).await else {
                    return;
                };
                directory.iter().for_each(|record| gatekeeper.learned(record));
            }
            Err(RecvError::Closed) => return,
        }
    }
}
