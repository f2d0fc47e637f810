use super::{MDNS_PORT, start};
use libp2p::PeerId;
use std::net::UdpSocket;

#[tokio::test]
async fn a_port_that_is_not_shared_is_told_and_not_passed_over() {
    // Without the flags for sharing, as a program that wants the port for itself.
    let Ok(_holder) = UdpSocket::bind(("0.0.0.0", MDNS_PORT)) else {
        eprintln!("SKIPPED: another program has port {MDNS_PORT} here");
        return;
    };
    let Err(why) = start(PeerId::random()) else { panic!("the port is taken") };
    assert!(why.contains("5353"), "{why}");
}
