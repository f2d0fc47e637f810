//! Room on the disk, by the real program: a node gives it back while it runs.

use super::node::{Node, run};

/// Messages of the backlog, of 1,000 bytes each.
const MESSAGES: u64 = 10_000;
/// What the files may have beyond twice of what lives in them: of sled's part and of the body log.
const SLACK: u64 = 2 * (4 << 20);

#[test]
fn a_node_in_use_gives_back_room_when_asked() {
    let node = Node::start("a");
    node.ok(&["queue", "create", "orders"]);
    let lines = format!("{}\n", "x".repeat(1_000)).repeat(MESSAGES as usize);
    let sent = run(node.data(), &["send", "orders", "--lines"], lines.as_bytes());
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    node.ok(&["recv", "orders", "-n", &(MESSAGES - 1).to_string()]);
    let told = node.json(&["compact"]);
    let bytes = |name: &str| told[0][name].as_u64().expect("a number");
    let (before, after, live) = (bytes("before_bytes"), bytes("after_bytes"), bytes("live_bytes"));
    assert!(before > MESSAGES * 1_000, "{told:?}");
    assert!(live > 0 && after <= 2 * live + SLACK && after < before / 2, "{told:?}");
    // It is the same node, and what was left is in it.
    assert_eq!(node.ok(&["recv", "orders"]).trim(), "x".repeat(1_000));
}
