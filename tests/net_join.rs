//! Being let into a mesh, over real links.

#[allow(dead_code, reason = "each test file uses its part")]
#[path = "common/nodes.rs"]
mod nodes;

use meshmq::engine::step::Input;
use meshmq::net::{JoinError, NetConfig, WallClock};
use meshmq::security::Denial;
use nodes::{admitted, founder, hail, invite, name, quiet, unix_ms, unjoined};
use std::net::SocketAddr;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_lets_one_node_in_and_it_is_linked_at_once() {
    let a = founder("pc-a").start(quiet(&[]), true).await;
    let b = unjoined().start(quiet(&[]), true).await;
    let token = invite(&a.gatekeeper, vec![a.address()]);
    let joined = b.handle.join(token, name("pc-b")).await.expect("joined");
    assert_eq!(joined.inviter, a.id());
    assert_eq!(b.mesh(), a.mesh());
    b.link_up(a.id()).await;
    a.link_up(b.id()).await;
    let outcome = b.exchange(a.id(), 1, vec![hail()]).await;
    assert!(matches!(outcome, Input::Answered { .. }), "{outcome:?}");
    assert!(b.heard().kept.len() > 1, "the membership was made durable");
    let book = b.until("the address book", |heard| {
        let of_book = |(name, _): &&(String, _)| name.starts_with("address.");
        heard.kept.iter().find(of_book).cloned()
    });
    assert_eq!(book.await.0, format!("address.{}", a.id()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_refused_to_a_second_node() {
    let a = founder("pc-a").start(quiet(&[]), true).await;
    let token = invite(&a.gatekeeper, vec![a.address()]);
    let text = token.reveal();
    let b = unjoined().start(quiet(&[]), true).await;
    b.handle.join(token, name("pc-b")).await.expect("joined");
    let c = unjoined().start(quiet(&[]), true).await;
    let refused = c.handle.join(text.parse().expect("a token"), name("pc-c")).await;
    let Err(JoinError::Refused(Denial::TokenUsed { by, .. })) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(by, name("pc-b"));
    assert_eq!(c.mesh(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_token_is_refused_with_the_reason() {
    let later: WallClock = Arc::new(|| unix_ms() + 20 * 60_000);
    let a = founder("pc-a").start(NetConfig { wall: later, ..quiet(&[]) }, true).await;
    let b = unjoined().start(quiet(&[]), true).await;
    let refused = b.handle.join(invite(&a.gatekeeper, vec![a.address()]), name("pc-b")).await;
    assert!(matches!(refused, Err(JoinError::Refused(Denial::TokenExpired { .. }))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inviter_that_is_not_there_is_unreachable_and_nothing_else() {
    let a = founder("pc-a");
    let nobody: SocketAddr = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("an address")
    };
    let b = unjoined().start(quiet(&[]), true).await;
    let failed = b.handle.join(invite(&a.gatekeeper, vec![nobody]), name("pc-b")).await;
    assert!(matches!(failed, Err(JoinError::Unreachable(_))), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_machine_at_the_tokens_address_is_told_apart() {
    let a = founder("pc-a");
    let other = founder("other").start(quiet(&[]), true).await;
    let b = unjoined().start(quiet(&[]), true).await;
    let token = invite(&a.gatekeeper, vec![other.address()]);
    let failed = b.handle.join(token, name("pc-b")).await;
    assert!(matches!(failed, Err(JoinError::Refused(Denial::WrongInviter))), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_address_in_the_token_does_no_harm() {
    let a = founder("pc-a").start(quiet(&[]), true).await;
    let other = founder("other").start(quiet(&[]), true).await;
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    let b = unjoined().start(quiet(&[]), true).await;
    let token = invite(&a.gatekeeper, vec![nobody, other.address(), a.address()]);
    b.handle.join(token, name("pc-b")).await.expect("joined");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_knocked_before_joining_is_let_in() {
    // The usual order of things on a LAN: seen and knocked at as a stranger, then invited.
    let a = founder("pc-a").start(quiet(&[]), true).await;
    let b = founder("pc-b").start(quiet(&[a.address()]), true).await;
    let stranger = nodes::until(nodes::PATIENCE, "a knock", || {
        a.handle.strangers().first().map(|view| view.node)
    });
    assert_eq!(stranger.await, b.id());
    let token = invite(&a.gatekeeper, vec![a.address()]);
    b.handle.join(token, name("pc-b")).await.expect("joined");
    a.link_up(b.id()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_members_who_never_met_know_each_other_by_their_mesh() {
    let a = founder("pc-a");
    let b = admitted(&a, "pc-b").start(quiet(&[]), true).await;
    let c = admitted(&a, "pc-c").start(quiet(&[b.address()]), true).await;
    c.link_up(b.id()).await;
    b.link_up(c.id()).await;
    let outcome = c.exchange(b.id(), 1, vec![hail()]).await;
    assert!(matches!(outcome, Input::Answered { .. }), "{outcome:?}");
}
