//! A node that has no descriptors left.

use super::node::Node;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

#[test]
fn a_node_out_of_descriptors_lives_and_goes_on_when_there_are_some() {
    let node = Node::start_under("ulimit -n 80", "pc-a");
    node.ok(&["queue", "create", "orders"]);
    node.ok(&["send", "orders", "before"]);
    let socket = node.ready["socket"].as_str().expect("a path").to_owned();
    let held: Vec<UnixStream> =
        (0..120).map(|_| UnixStream::connect(&socket).expect("it listens")).collect();
    let late = node.run(&["status", "--timeout", "2s"]);
    assert_eq!(late.code, 75, "it has no descriptor for one more: {}{}", late.stdout, late.stderr);
    drop(held);
    let until = Instant::now() + Duration::from_secs(60);
    while node.run(&["status", "--timeout", "2s"]).code != 0 {
        assert!(Instant::now() < until, "it does not recover");
    }
    assert_eq!(node.ok(&["recv", "orders"]), "before");
    node.ok(&["send", "orders", "after"]);
    assert_eq!(node.ok(&["recv", "orders"]), "after");
}
