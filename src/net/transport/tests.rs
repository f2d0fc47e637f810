use super::{Wire, WireStream, Wires};
use crate::net::clock::Clock;
use crate::net::pipe::pipe;
use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::Multiaddr;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(30);

fn at(port: u16) -> Multiaddr {
    format!("/ip4/192.0.2.1/tcp/{port}").parse().expect("a multiaddr")
}

#[tokio::test]
async fn a_byte_that_comes_is_a_sign_of_life() {
    let wire = Arc::new(Wire::new(Clock::start()));
    let (mut far, near) = pipe(64);
    let mut near = WireStream::new(near, wire.clone());
    let before = wire.heard_ms();
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    ticks.tick().await;
    ticks.tick().await;
    far.write_all(b"x").await.expect("written");
    near.read_exact(&mut [0]).await.expect("read");
    assert!(wire.heard_ms() > before);
    let heard = wire.heard_ms();
    ticks.tick().await;
    near.write_all(b"x").await.expect("written");
    assert_eq!(wire.heard_ms(), heard, "what is sent is none");
}

#[tokio::test]
async fn a_cut_ends_reading_and_writing_that_wait() {
    let wire = Arc::new(Wire::new(Clock::start()));
    let (_far, near) = pipe(4);
    let (mut reader, mut writer) = WireStream::new(near, wire.clone()).split();
    let reading = tokio::spawn(async move { reader.read_exact(&mut [0]).await });
    let writing = tokio::spawn(async move { writer.write_all(&[0; 64]).await });
    tokio::task::yield_now().await;
    wire.cut();
    let read = timeout(SOON, reading).await.expect("it ends").expect("no panic");
    assert_eq!(read.expect_err("cut").kind(), ErrorKind::ConnectionAborted);
    let written = timeout(SOON, writing).await.expect("it ends").expect("no panic");
    assert_eq!(written.expect_err("cut").kind(), ErrorKind::ConnectionAborted);
}

#[test]
fn each_connection_has_its_own_counter() {
    let wires = Wires::new(Clock::start());
    let first = wires.arriving(&at(7670), &at(1));
    let second = wires.arriving(&at(7670), &at(2));
    let found = wires.arrived(&at(7670), &at(1)).expect("it arrived");
    assert!(Arc::ptr_eq(&found, &first) && !Arc::ptr_eq(&found, &second));
    assert!(wires.arrived(&at(7670), &at(1)).is_none(), "asked for once");
    assert!(wires.arrived(&at(7670), &at(3)).is_none());
}

#[test]
fn what_came_to_nothing_is_forgotten() {
    let wires = Wires::new(Clock::start());
    for port in 1..1_000 {
        drop(wires.arriving(&at(7670), &at(port)));
    }
    assert!(wires.arrivals.lock().expect("no panic").len() <= 1);
}

#[test]
fn only_ordered_dials_are_made() {
    let wires = Wires::new(Clock::start());
    assert!(wires.ordered().is_none());
    let wire = wires.order(SOON);
    assert!(Arc::ptr_eq(&wires.ordered().expect("ordered").wire, &wire));
    wires.ordered_no_more();
    assert!(wires.ordered().is_none());
}
