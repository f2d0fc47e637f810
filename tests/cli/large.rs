//! Large bodies between real processes: over a relay, never held whole.

use super::mesh::{peer, token, until};
use super::node::{Node, bytes};
use std::path::Path;

/// Bytes of the body.
const LARGE: usize = 96 << 20;
/// How much the memory of a node may grow for it.
const GROWTH_MAX: u64 = 32 << 20;

/// Largest resident memory of a process so far, in bytes.
fn most_memory(node: &Node) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1_024)
}

/// What memory a node may have at most from now on.
fn bound(node: &Node) -> Option<u64> {
    most_memory(node).map(|most| most + GROWTH_MAX)
}

fn write(path: &Path) -> Vec<u8> {
    let body: Vec<u8> = (0..LARGE).map(|at| (at / 61 % 251) as u8).collect();
    std::fs::write(path, &body).expect("there is room");
    body
}

/// a and b know r only, so that everything goes by r.
#[test]
fn a_large_body_crosses_a_relay_in_little_memory() {
    let a = Node::start("pc-a");
    let r = Node::start_with("pc-r", &["--join", a.ok(&["invite", "--admin"]).trim()]);
    let b = Node::start_with("pc-b", &["--join", &token(&r)]);
    until("a has heard of b", || peer(&a, "pc-b"));
    until("r sees both", || {
        let up = |name| peer(&r, name).is_some_and(|peer| peer["state"] == "up");
        (up("pc-a") && up("pc-b")).then_some(())
    });
    b.ok(&["queue", "create", "files"]);
    let file = a.data().join("body");
    let body = write(&file);
    let bounds = [&a, &r, &b].map(bound);
    a.ok(&["send", "files@pc-b", &format!("@{}", file.display())]);
    a.ok(&[
        "send",
        "files@pc-b",
        "urgent",
        "--priority",
        "7",
        "--wait",
        "arrived",
        "--timeout",
        "20s",
    ]);
    until("both are there", || {
        (b.json(&["queue", "show", "files"])[0]["ready"] == 2).then_some(())
    });
    assert_eq!(bytes(b.data(), &["recv", "files"]), b"urgent");
    assert!(bytes(b.data(), &["recv", "files"]) == body, "it came out as it went in");
    for (node, bound) in [&a, &r, &b].into_iter().zip(bounds) {
        let (most, Some(bound)) = (most_memory(node), bound) else {
            println!("skipped: this system does not tell a process's memory");
            return;
        };
        assert!(most <= Some(bound), "{}: {most:?} of {bound}", node.ready["name"]);
    }
}
