//! A node that has no descriptors left, and how many it may have.

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

#[test]
fn a_node_allows_itself_the_descriptors_that_its_doors_want() {
    let allowed = |limits: &str| {
        let node = Node::start_under(limits, "pc-a");
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", node.pid()));
        let limits = limits.expect("the process is there");
        let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("a row");
        line.split_whitespace().nth(3).expect("the soft limit").to_owned()
    };
    let few = "ulimit -Sn 100 && export MESHMQ_LIMITS_HTTP_CONNECTIONS=20";
    assert_eq!(allowed(few), "552", "both doors and 512 more");
    assert_eq!(allowed("ulimit -n 400"), "400", "no more than it may");
}

#[test]
fn one_connection_more_than_configured_is_told_which_key_allows_more() {
    let node = Node::start_with("pc-a", &["--set", "limits.http_connections=2"]);
    let socket = node.ready["socket"].as_str().expect("a path");
    let _held: Vec<UnixStream> =
        (0..2).map(|_| UnixStream::connect(socket).expect("it listens")).collect();
    let refused = node.run(&["status"]);
    assert_eq!(refused.code, 75, "{}", refused.stderr);
    assert!(refused.stderr.contains("limits.http_connections"), "{}", refused.stderr);
}
