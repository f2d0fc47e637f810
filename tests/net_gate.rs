//! What strangers can and cannot do to a node.

#[allow(dead_code, reason = "each test file uses its part")]
#[path = "common/nodes.rs"]
mod nodes;
#[allow(dead_code, reason = "each test file uses its part")]
#[path = "common/throttle.rs"]
mod throttle;

use futures::StreamExt;
use libp2p::core::upgrade::Version;
use libp2p::request_response::{self, OutboundFailure, ProtocolSupport};
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent, dummy};
use libp2p::{Multiaddr, StreamProtocol, Swarm, SwarmBuilder, noise, tcp, yamux};
use meshmq::engine::step::Input;
use meshmq::net::{GateLimits, NetConfig};
use nodes::{PATIENCE, TestNode, admitted, founder, hail, quiet, until};
use std::net::SocketAddr;
use std::time::Duration;
use throttle::{Pace, Throttle};
use tokio::net::TcpStream;
use tokio::time::timeout;

fn multiaddr(address: SocketAddr) -> Multiaddr {
    format!("/ip4/{}/tcp/{}", address.ip(), address.port()).parse().expect("a multiaddr")
}

/// A libp2p program that is no node: it speaks `behaviour`.
fn stranger<B: NetworkBehaviour>(behaviour: B) -> Swarm<B> {
    SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .expect("a transport")
        .with_behaviour(|_| behaviour)
        .expect("a behaviour")
        .with_swarm_config(|config| {
            config
                .with_idle_connection_timeout(Duration::from_secs(3_600))
                .with_substream_upgrade_protocol_override(Version::V1Lazy)
        })
        .build()
}

/// Sends raw bytes as a request of the hop protocol.
#[derive(Clone, Default)]
struct Raw;

impl request_response::Codec for Raw {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, _: &mut T) -> std::io::Result<Vec<u8>>
    where
        T: futures::AsyncRead + Unpin + Send,
    {
        Ok(Vec::new())
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> std::io::Result<Vec<u8>>
    where
        T: futures::AsyncRead + Unpin + Send,
    {
        let mut bytes = Vec::new();
        futures::AsyncReadExt::read_to_end(io, &mut bytes).await?;
        Ok(bytes)
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> std::io::Result<()>
    where
        T: futures::AsyncWrite + Unpin + Send,
    {
        futures::AsyncWriteExt::write_all(io, &bytes).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        _: &mut T,
        _: Vec<u8>,
    ) -> std::io::Result<()>
    where
        T: futures::AsyncWrite + Unpin + Send,
    {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stranger_reaches_no_hop_decoder() {
    let a = founder("pc-a").start(quiet(&[]), true).await;
    let hop = StreamProtocol::new("/meshmq/hop/1");
    let mut swarm = stranger(request_response::Behaviour::with_codec(
        Raw,
        [(hop, ProtocolSupport::Outbound)],
        request_response::Config::default(),
    ));
    let peer = libp2p::PeerId::from_public_key(&key_of(&a));
    swarm.add_peer_address(peer, multiaddr(a.address()));
    swarm.behaviour_mut().send_request(&peer, vec![0; 8]);
    let failure = timeout(PATIENCE, async {
        loop {
            if let SwarmEvent::Behaviour(request_response::Event::OutboundFailure {
                error, ..
            }) = swarm.select_next_some().await
            {
                return error;
            }
        }
    });
    let failure = failure.await.expect("an outcome");
    // The protocol is not there. A decoder that reads the bytes gives no answer at all.
    let OutboundFailure::Io(error) = &failure else { panic!("{failure:?}") };
    assert_eq!(format!("{error:?}"), "Custom { kind: Other, error: Failed }", "not negotiated");
    assert!(a.heard().inputs.is_empty(), "the engine hears nothing of it");
    assert!(a.handle.links().is_empty());
}

fn key_of(node: &TestNode) -> libp2p::identity::PublicKey {
    libp2p::identity::ed25519::PublicKey::try_from_bytes(node.id().as_bytes())
        .expect("a node's id is its key")
        .into()
}

/// Strangers that connect, exchange keys and then say nothing, for as long as they can.
async fn flood(
    address: SocketAddr,
    connections: usize,
) -> (Swarm<dummy::Behaviour>, Vec<TcpStream>) {
    let mut half_open = Vec::new();
    for _ in 0..connections / 4 {
        half_open.push(TcpStream::connect(address).await.expect("a connection"));
    }
    let mut swarm = stranger(dummy::Behaviour);
    for _ in 0..connections {
        let options = DialOpts::unknown_peer_id().address(multiaddr(address)).build();
        swarm.dial(options).expect("a dial");
    }
    (swarm, half_open)
}

fn with_limits(peers: &[SocketAddr], gate: GateLimits) -> NetConfig {
    NetConfig { gate, ..quiet(peers) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unproven_flood_leaves_members_served() {
    let a = founder("pc-a");
    let c = admitted(&a, "pc-c");
    let b = admitted(&a, "pc-b").start(quiet(&[]), true).await;
    let limits = GateLimits { unproven: 8, ..GateLimits::default() };
    let a = a.start(with_limits(&[b.address()], limits), true).await;
    a.link_up(b.id()).await;

    let (mut swarm, half_open) = flood(a.address(), 100).await;
    let flooding = tokio::spawn(async move {
        loop {
            let _ = swarm.select_next_some().await;
        }
    });
    // A link that stands is served all the while.
    for exchange in 0..50 {
        let outcome = a.exchange(b.id(), exchange, vec![hail()]).await;
        assert!(matches!(outcome, Input::Answered { .. }), "{outcome:?}");
    }
    // A member that comes later gets in.
    let c = c.start(quiet(&[a.address()]), true).await;
    c.link_up(a.id()).await;
    let outcome = c.exchange(a.id(), 1_000, vec![hail()]).await;
    assert!(matches!(outcome, Input::Answered { .. }), "{outcome:?}");
    assert_eq!(a.turns(b.id()), (1, 0), "the link that stood still stands");
    flooding.abort();
    drop(half_open);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_say_hello_is_closed() {
    let limits = GateLimits { unproven_age_ms: 1_000, ..GateLimits::default() };
    let a = founder("pc-a").start(with_limits(&[], limits), true).await;
    let mut swarm = stranger(dummy::Behaviour);
    swarm
        .dial(DialOpts::unknown_peer_id().address(multiaddr(a.address())).build())
        .expect("a dial");
    let closed = timeout(PATIENCE, async {
        loop {
            if let SwarmEvent::ConnectionClosed { .. } = swarm.select_next_some().await {
                return;
            }
        }
    });
    closed.await.expect("it is closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_another_mesh_are_shown_as_strangers_and_never_linked() {
    let other = founder("other").start(quiet(&[]), true).await;
    let a = founder("pc-a").start(quiet(&[other.address()]), true).await;
    let seen = until(PATIENCE, "a stranger", || a.handle.strangers().first().cloned()).await;
    assert_eq!(seen.node, other.id());
    let seen = until(PATIENCE, "a stranger", || other.handle.strangers().first().cloned()).await;
    assert_eq!(seen.node, a.id());
    assert!(a.heard().inputs.is_empty() && other.heard().inputs.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_fails_again_and_again_is_not_heard_for_a_while() {
    let a = founder("pc-a").start(quiet(&[]), true).await;
    let mut swarm = stranger(dummy::Behaviour);
    // It exchanges keys and goes, without a word, each time.
    let mut refused = false;
    let tries = async {
        while !refused {
            swarm
                .dial(DialOpts::unknown_peer_id().address(multiaddr(a.address())).build())
                .expect("a dial");
            loop {
                match swarm.select_next_some().await {
                    SwarmEvent::ConnectionEstablished { peer_id, .. } => {
                        refused = matches!(
                            timeout(Duration::from_millis(300), swarm.select_next_some()).await,
                            Ok(SwarmEvent::ConnectionClosed { .. })
                        );
                        let _ = swarm.disconnect_peer_id(peer_id);
                        if refused {
                            break;
                        }
                    }
                    SwarmEvent::ConnectionClosed { .. }
                    | SwarmEvent::OutgoingConnectionError { .. } => break,
                    _ => {}
                }
            }
        }
    };
    timeout(PATIENCE, tries).await.expect("it is refused in the end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_connection_takes_no_request_with_it() {
    let a = founder("pc-a");
    let limits = GateLimits { per_peer: 1, ..GateLimits::default() };
    let b = admitted(&a, "pc-b").start(with_limits(&[], limits), true).await;
    // Two ways to one node: both are dialed at once, and the second connection is refused.
    let first = Throttle::before(b.address(), Pace::NONE).await;
    let second = Throttle::before(b.address(), Pace::NONE).await;
    let a = a.start(quiet(&[first.address(), second.address()]), true).await;
    b.link_up(a.id()).await;
    a.link_up(b.id()).await;
    until(PATIENCE, "both ways tried", || {
        (first.accepted() > 0 && second.accepted() > 0).then_some(())
    })
    .await;
    for exchange in 0..20 {
        let outcome = b.exchange(a.id(), exchange, vec![hail()]).await;
        assert!(matches!(outcome, Input::Answered { .. }), "{outcome:?}");
    }
}
