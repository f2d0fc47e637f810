//! Links between members in one process, on loopback.

#[allow(dead_code, reason = "each test file uses its part")]
#[path = "common/nodes.rs"]
mod nodes;
#[allow(dead_code, reason = "each test file uses its part")]
#[path = "common/throttle.rs"]
mod throttle;

use meshmq::engine::frame::Answer;
use meshmq::engine::frame::Frame;
use meshmq::engine::step::{Input, Output};
use meshmq::net::{DiscoveryState, ListenAddr, NetConfig, NetError};
use nodes::{PATIENCE, admitted, founder, hail, quiet, transfer, until};
use std::net::SocketAddr;
use throttle::{Pace, Throttle};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_exchange_what_was_checked_and_signed() {
    let a = founder("pc-a");
    let b = admitted(&a, "pc-b").start(quiet(&[]), false).await;
    let a = a.start(quiet(&[b.address()]), false).await;
    a.link_up(b.id()).await;
    b.link_up(a.id()).await;

    a.ask(b.id(), 41, vec![hail(), transfer(a.id(), b.id(), 1, 100)]);
    let (peer, exchange, frames) =
        b.until("the request", |heard| heard.requests().into_iter().next()).await;
    assert_eq!(peer, a.id());
    assert_eq!(frames[0], hail());
    let Frame::Transfer(arrived) = &frames[1] else { panic!("a transfer") };
    assert_eq!(arrived.queue, Some("q".parse().unwrap()), "filled in at the edge");
    assert_ne!(arrived.digest, Default::default(), "filled in at the edge");

    let answer = Answer { outcomes: Vec::new(), frames: vec![hail()] };
    b.handle.try_send(Output::Answer { peer, exchange, answer: answer.clone() });
    let outcome = a.until("the answer", |heard| heard.outcome(41)).await;
    assert_eq!(outcome, Input::Answered { peer: b.id(), exchange: 41, answer });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_far_the_clock_of_the_other_end_is_ahead_is_told() {
    let a = founder("pc-a");
    let mut config = quiet(&[]);
    config.wall = std::sync::Arc::new(|| nodes::unix_ms() + 7_200_000);
    let b = admitted(&a, "pc-b").start(config, false).await;
    let a = a.start(quiet(&[b.address()]), false).await;
    let skew = |node: &nodes::TestNode| node.handle.links().first()?.clock_skew_ms;
    until(PATIENCE, "the clock of b", || skew(&a).filter(|ms| (7_100_000..7_300_000).contains(ms)))
        .await;
    until(PATIENCE, "the clock of a", || {
        skew(&b).filter(|ms| (-7_300_000..-7_100_000).contains(ms))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_ends_takes_its_exchanges_with_it_and_comes_again() {
    let a = founder("pc-a");
    let b = admitted(&a, "pc-b").start(quiet(&[]), false).await;
    let a = a.start(quiet(&[b.address()]), true).await;
    a.link_up(b.id()).await;
    a.ask(b.id(), 1, vec![hail()]);
    b.until("the request", |heard| heard.requests().into_iter().next()).await;

    let address = b.address();
    let (id, member) = (b.id(), b.stop().await);
    a.link_down(id, 1).await;
    assert!(a.heard().outcome(1).is_none(), "`LinkDown` says it");
    assert!(a.handle.links().is_empty());

    let mut config = quiet(&[]);
    config.listen = vec![address.to_string().parse().unwrap()];
    let b = member.start(config, true).await;
    a.until("the link again", |heard| (heard.ups(id) == 2).then_some(())).await;
    let outcome = a.exchange(id, 2, vec![hail()]).await;
    assert!(matches!(outcome, Input::Answered { .. }), "{outcome:?}");
    let back = b.exchange(a.id(), 3, vec![hail()]).await;
    assert!(matches!(back, Input::Answered { .. }), "{back:?}");
}

/// An address on which nobody listens yet.
fn free() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_dial_each_other_keep_the_connection_of_the_smaller() {
    let a = founder("pc-a");
    let b = admitted(&a, "pc-b");
    let (at_a, at_b) = (free(), free());
    let to_a = Throttle::before(at_a, Pace::NONE).await;
    let to_b = Throttle::before(at_b, Pace::NONE).await;
    // Only the ways through the proxies are known.
    let on = |at: SocketAddr, this: &Throttle, other: &Throttle| NetConfig {
        listen: vec![at.to_string().parse().expect("an address")],
        announce: vec![this.address()],
        ..quiet(&[other.address()])
    };
    let (config_a, config_b) = (on(at_a, &to_a, &to_b), on(at_b, &to_b, &to_a));
    let (a, b) = tokio::join!(a.start(config_a, true), b.start(config_b, true));
    a.link_up(b.id()).await;
    b.link_up(a.id()).await;
    until(PATIENCE, "both have dialed", || {
        (to_a.accepted() > 0 && to_b.accepted() > 0).then_some(())
    })
    .await;
    let (stays, goes) = if a.id() < b.id() { (&to_b, &to_a) } else { (&to_a, &to_b) };
    until(PATIENCE, "one connection", || (stays.open() == 1 && goes.open() == 0).then_some(()))
        .await;
    for exchange in 10..20 {
        let outcome = a.exchange(b.id(), exchange, vec![hail()]).await;
        assert!(matches!(outcome, Input::Answered { .. }), "{outcome:?}");
    }
    assert_eq!((stays.open(), goes.open()), (1, 0), "it is the one that stays");
    assert_eq!(a.turns(b.id()), (1, 0), "the link never went down");
    assert_eq!(b.turns(a.id()), (1, 0), "the link never went down");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beats_measure_the_round_trip_and_show_life() {
    let a = founder("pc-a");
    let b = admitted(&a, "pc-b").start(quiet(&[]), true).await;
    let a = a.start(quiet(&[b.address()]), true).await;
    a.link_up(b.id()).await;
    let rtt = until(PATIENCE, "a round trip", || a.handle.links().first()?.rtt_ms).await;
    assert!(rtt > 0.0 && rtt < 3_000.0, "{rtt}");
    assert!(a.handle.heard_ms(b.id()).is_some());
    assert_eq!(a.handle.heard_ms(a.id()), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_was_asked_for_does_not_move() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = holder.local_addr().expect("an address");
    let asked: ListenAddr = taken.to_string().parse().expect("an address");
    let start = |listen| {
        let (events, queue) = tokio::sync::mpsc::channel(64);
        let member = founder("pc-a");
        let config = NetConfig { listen: vec![listen], ..quiet(&[]) };
        let secret = member.identity.to_bytes();
        async move { (meshmq::net::start(config, secret, member.gatekeeper, events).await, queue) }
    };
    let (refused, _queue) = start(asked.clone()).await;
    assert!(matches!(refused, Err(NetError::Listen { .. })));
    let (moved, _queue) = start(asked.clone().or_free_port()).await;
    let at = moved.expect("it moves").listening()[0];
    assert_ne!(at.port(), taken.port());
    drop(holder);
    // Two nodes do not share a port, though libp2p would let them.
    let (first, _queue) = start(asked.clone()).await;
    let first = first.expect("it is free");
    let (second, _queue) = start(asked).await;
    assert!(matches!(second, Err(NetError::Listen { .. })));
    first.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discovery_that_cannot_start_is_a_warning() {
    let Ok(_holder) = std::net::UdpSocket::bind("0.0.0.0:5353") else {
        eprintln!("SKIPPED: another program has port 5353 here");
        return;
    };
    let config = NetConfig { discovery: true, ..quiet(&[]) };
    let a = founder("pc-a").start(config, true).await;
    assert!(matches!(a.handle.discovery(), DiscoveryState::Failed(_)));
    let warning = a.until("a warning", |heard| heard.warnings.first().cloned()).await;
    assert!(warning.contains("5353"), "{warning}");
    let b = founder("pc-b").start(quiet(&[]), true).await;
    assert_eq!(b.handle.discovery(), DiscoveryState::Off);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_left_is_cut_and_not_let_in_again() {
    let a = founder("pc-a");
    let b = admitted(&a, "pc-b").start(quiet(&[]), true).await;
    let a = a.start(quiet(&[b.address()]), true).await;
    a.link_up(b.id()).await;
    b.link_up(a.id()).await;
    // Long enough for the links to have seen that the directory knows the other.
    until(PATIENCE, "a link of some age", || {
        (a.handle.links().first()?.since_ms > 2_500).then_some(())
    })
    .await;
    let departure = b.gatekeeper.leave(nodes::unix_ms()).expect("a member");
    departure.directory.iter().for_each(|record| a.gatekeeper.learned(record));
    a.link_down(b.id(), 1).await;
    b.link_down(a.id(), 1).await;
    until(PATIENCE, "the one that left as a stranger", || {
        a.handle.strangers().iter().any(|seen| seen.node == b.id()).then_some(())
    })
    .await;
    assert_eq!(a.turns(b.id()), (1, 1), "not let in again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_gatekeeper_makes_all_links_anew() {
    let a = founder("pc-a");
    let b = admitted(&a, "pc-b").start(quiet(&[]), true).await;
    let a = a.start(quiet(&[b.address()]), true).await;
    a.link_up(b.id()).await;
    a.handle.reopen(a.gatekeeper.clone()).await;
    a.until("the link again", |heard| (heard.turns(b.id()) == (2, 1)).then_some(())).await;
    let outcome = a.exchange(b.id(), 1, vec![hail()]).await;
    assert!(matches!(outcome, Input::Answered { .. }), "{outcome:?}");
}
