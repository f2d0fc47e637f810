//! Links that are slow, far, or cut without a word.

#[allow(dead_code, reason = "each test file uses its part")]
#[path = "common/nodes.rs"]
mod nodes;
#[allow(dead_code, reason = "each test file uses its part")]
#[path = "common/throttle.rs"]
mod throttle;

use meshmq::engine::limits::WHOLE_BODY_MAX;
use meshmq::engine::step::Input;
use meshmq::net::{GateLimits, NetConfig};
use nodes::{admitted, founder, hail, quiet, transfer};
use std::time::{Duration, Instant};
use throttle::{Pace, Throttle};

/// 256 kbit/s and a satellite's round trip.
const SATELLITE: Pace = Pace { bits_per_s: 256_000, round_trip: Duration::from_millis(700) };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mebibyte_crosses_a_slow_link_without_a_reconnect() {
    let a = founder("pc-a");
    let b = admitted(&a, "pc-b").start(quiet(&[]), true).await;
    let proxy = Throttle::before(b.address(), SATELLITE).await;
    let a = a.start(quiet(&[proxy.address()]), true).await;
    a.link_up(b.id()).await;
    b.link_up(a.id()).await;
    // HELLO told the direct address too; what matters is that the link in use stays.
    assert_eq!(a.handle.links()[0].address, proxy.address().to_string());

    let limit = Duration::from_secs(120);
    a.ask(b.id(), 1, vec![transfer(a.id(), b.id(), 1, WHOLE_BODY_MAX)]);
    let outcome = a.until_within(limit, "the answer", |heard| heard.outcome(1)).await;
    assert!(matches!(outcome, Input::Answered { .. }), "{outcome:?}");
    let (_, _, frames) = b.heard().requests().remove(0);
    assert_eq!(frames.len(), 1, "whole and checked");
    assert_eq!(a.turns(b.id()), (1, 0), "one link all along");
    assert_eq!(b.turns(a.id()), (1, 0), "one link all along");
    assert_eq!(a.handle.links()[0].address, proxy.address().to_string(), "the same link");
    let rtt = a.handle.links()[0].rtt_ms.expect("measured while it was idle");
    assert!((650.0..5_000.0).contains(&rtt), "{rtt}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_cut_without_a_word_is_found_dead_and_made_again() {
    let a = founder("pc-a");
    let b = admitted(&a, "pc-b").start(quiet(&[]), true).await;
    let proxy = Throttle::before(b.address(), Pace::NONE).await;
    let a = a.start(quiet(&[proxy.address()]), true).await;
    a.link_up(b.id()).await;
    b.link_up(a.id()).await;
    proxy.cut();
    a.ask(b.id(), 1, vec![hail()]);
    a.link_down(b.id(), 1).await;
    proxy.heal();
    a.until("the link again", |heard| (heard.ups(b.id()) == 2).then_some(())).await;
    let outcome = a.exchange(b.id(), 2, vec![hail()]).await;
    assert!(matches!(outcome, Input::Answered { .. }), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_exchange_costs_one_round_trip() {
    let a = founder("pc-a");
    let b = admitted(&a, "pc-b").start(quiet(&[]), true).await;
    let proxy = Throttle::before(b.address(), SATELLITE).await;
    let a = a.start(quiet(&[proxy.address()]), true).await;
    a.link_up(b.id()).await;
    b.link_up(a.id()).await;
    let mut best = Duration::MAX;
    for exchange in 0..5 {
        let begun = Instant::now();
        let outcome = a.exchange(b.id(), exchange, vec![hail()]).await;
        assert!(matches!(outcome, Input::Answered { .. }), "{outcome:?}");
        best = best.min(begun.elapsed());
    }
    assert!(best < 2 * SATELLITE.round_trip - Duration::from_millis(100), "{best:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_link_full_of_data_is_really_gone() {
    let a = founder("pc-a");
    let b = admitted(&a, "pc-b").start(quiet(&[]), true).await;
    let proxy = Throttle::before(b.address(), Pace::NONE).await;
    // A second connection is only let in when the first has been let go of.
    let gate = GateLimits { per_peer: 1, ..GateLimits::default() };
    let a = a.start(NetConfig { gate, ..quiet(&[proxy.address()]) }, true).await;
    a.link_up(b.id()).await;
    b.link_up(a.id()).await;
    proxy.cut();
    // More than all buffers on the way take.
    for exchange in 0..32 {
        a.ask(b.id(), exchange, vec![transfer(a.id(), b.id(), exchange + 1, WHOLE_BODY_MAX)]);
    }
    a.link_down(b.id(), 1).await;
    // Now by the address that HELLO told.
    a.until("the link again", |heard| (heard.turns(b.id()) == (2, 1)).then_some(())).await;
    let outcome = a.exchange(b.id(), 100, vec![hail()]).await;
    assert!(matches!(outcome, Input::Answered { .. }), "{outcome:?}");
}
