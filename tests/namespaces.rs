//! Real nodes on machines of their own: network namespaces on a bridge. Needs root and `ip`.

#[allow(dead_code, reason = "each test file uses its part")]
#[path = "common/netns.rs"]
mod netns;

use netns::{Lan, Up, can_run, meshmq, until};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Two members, pc-a on machine 1 and pc-b on machine 2, that have joined and stopped again.
struct Members {
    lan: Lan,
    a: TempDir,
    b: TempDir,
}

fn members() -> Members {
    let lan = Lan::of(2);
    let (a, b) = (TempDir::new().expect("a directory"), TempDir::new().expect("a directory"));
    let up_a = Up::start(&lan, 1, a.path(), &["--name", "pc-a", "--listen", "0.0.0.0:7671"]);
    let token = meshmq(a.path(), &["invite"]).expect("a token");
    let join = ["--name", "pc-b", "--listen", "0.0.0.0:7671", "--join", &token];
    let up_b = Up::start(&lan, 2, b.path(), &join);
    assert_eq!(up_a.ready["mesh"], up_b.ready["mesh"]);
    linked(b.path(), "pc-a");
    meshmq(b.path(), &["queue", "create", "orders"]).expect("a queue");
    for dir in [&a, &b] {
        meshmq(dir.path(), &["down"]).expect("it stops");
    }
    Members { lan, a, b }
}

/// Waits until a node has a link to another.
fn linked(data: &Path, to: &str) {
    until(&format!("{to} is up"), || {
        let peers = meshmq(data, &["peers", "--json"]).ok()?;
        let mut peers = peers.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        peers.find(|peer| peer["name"] == to && peer["state"] == "up" && peer["path"] == "direct")
    });
}

/// Sends from pc-a; returns when it has arrived at pc-b.
fn deliver(a: &Path, b: &Path, text: &str) {
    let arrived = ["send", "orders@pc-b", text, "--wait", "arrived", "--timeout", "60s"];
    meshmq(a, &arrived).expect("it arrives");
    assert_eq!(meshmq(b, &["recv", "orders"]).as_deref(), Ok(text));
}

#[test]
fn two_members_find_each_other_by_mdns_alone_and_deliver() {
    if !can_run("two_members_find_each_other_by_mdns_alone_and_deliver") {
        return;
    }
    let Members { lan, a, b } = members();
    // Everything that either knows of the other is wrong from here on: addresses and ports.
    lan.address(1, "10.78.0.11");
    lan.address(2, "10.78.0.12");
    let up_a = Up::start(&lan, 1, a.path(), &["--listen", "0.0.0.0:7681"]);
    let _up_b = Up::start(&lan, 2, b.path(), &["--listen", "0.0.0.0:7682"]);
    let listens = up_a.ready["listen"].to_string();
    assert!(listens.contains("10.78.0.11:7681") && !listens.contains("10.77"), "{listens}");
    linked(a.path(), "pc-b");
    deliver(a.path(), b.path(), "found by multicast");
}

#[test]
fn without_discovery_no_multicast_socket_is_open() {
    if !can_run("without_discovery_no_multicast_socket_is_open") {
        return;
    }
    let Members { lan, a, b } = members();
    let peer = ["--listen", "0.0.0.0:7671", "--no-discovery", "--peer", "10.77.0.2:7671"];
    let up_a = Up::start(&lan, 1, a.path(), &peer);
    let _up_b = Up::start(&lan, 2, b.path(), &["--listen", "0.0.0.0:7671", "--no-discovery"]);
    linked(a.path(), "pc-b");
    let sockets = |table: &str| {
        std::fs::read_to_string(format!("/proc/{}/net/{table}", up_a.pid())).expect("a table")
    };
    // 5353 in hexadecimal, and the group 224.0.0.251 as the kernel writes it.
    assert!(!sockets("udp").contains(":14E9"), "{}", sockets("udp"));
    assert!(!sockets("igmp").contains("FB0000E0"), "{}", sockets("igmp"));
    deliver(a.path(), b.path(), "by its address");
}

#[test]
fn a_cut_cable_is_noticed_and_what_waited_moves_soon_after_it_is_back() {
    if !can_run("a_cut_cable_is_noticed_and_what_waited_moves_soon_after_it_is_back") {
        return;
    }
    let Members { lan, a, b } = members();
    let _up_a = Up::start(&lan, 1, a.path(), &["--listen", "0.0.0.0:7671"]);
    let _up_b = Up::start(&lan, 2, b.path(), &["--listen", "0.0.0.0:7671"]);
    linked(a.path(), "pc-b");
    deliver(a.path(), b.path(), "before");

    lan.connected(2, false);
    let cut = Instant::now();
    until("the cut is noticed", || {
        let status = meshmq(a.path(), &["status", "--json"]).ok()?;
        let status: Value = serde_json::from_str(&status).ok()?;
        (status["peers_up"] == 0).then_some(())
    });
    let noticed = cut.elapsed();
    meshmq(a.path(), &["send", "orders@pc-b", "meanwhile"]).expect("it is stored");
    lan.connected(2, true);
    let healed = Instant::now();
    let got = meshmq(b.path(), &["recv", "orders", "--wait", "30s"]);
    let moved = healed.elapsed();
    assert_eq!(got.as_deref(), Ok("meanwhile"));
    eprintln!(
        "the cut was noticed after {noticed:?}; the message moved {moved:?} after the healing"
    );
    assert!(noticed < Duration::from_secs(10), "{noticed:?}");
    assert!(moved < Duration::from_secs(10), "{moved:?}");
}
