use super::*;
use crate::net::clock::Clock;

#[test]
fn bytes_of_all_connections_of_a_neighbour_are_added_up() {
    let clock = Clock::start();
    let (first, second) = (Arc::new(Wire::new(clock)), Arc::new(Wire::new(clock)));
    let node = NodeId::from_bytes([7; 32]);
    let mut traffic = Traffic::default();
    first.came(10);
    traffic.opened(node, first.clone());
    traffic.link_up(node);
    first.went(3);
    traffic.closed(node, &first);
    traffic.closed(node, &first);
    assert_eq!(traffic.shown()[0].reconnects, 0);
    traffic.opened(node, second.clone());
    traffic.link_up(node);
    second.came(5);
    second.went(4);
    let shown = TrafficView { node, received_bytes: 15, sent_bytes: 7, reconnects: 1 };
    assert_eq!(traffic.shown(), [shown]);
}
