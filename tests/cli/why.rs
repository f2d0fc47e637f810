//! Questions of a person whose message does not arrive: why, where is it, is the machine well.

use super::mesh::{SOON, pair, peer, until};
use super::node::{Node, meshmq, objects};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The outcome of every check, in order.
fn outcomes(why: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let checks = why["checks"].as_array().expect("a list");
    checks.iter().map(|check| (text(&check["check"]), text(&check["outcome"]))).collect()
}

fn failing(why: &Value) -> Option<String> {
    outcomes(why).into_iter().find(|(_, outcome)| outcome == "fail").map(|(check, _)| check)
}

fn send(node: &Node, queue: &str, more: &[&str]) -> String {
    let args: Vec<&str> = ["send", queue, "x"].iter().chain(more).copied().collect();
    node.json(&args)[0]["id"].as_str().expect("an id").to_owned()
}

#[test]
fn the_first_check_that_fails_is_marked_and_ends_when_the_node_is_back() {
    let (a, b) = pair();
    b.ok(&["queue", "create", "orders"]);
    assert_eq!(failing(&a.json(&["why", "pc-b"])[0]), None);
    let id = send(&a, "orders@pc-b", &[]);
    until("it has arrived", || (a.json(&["trace", &id])[0]["state"] == "arrived").then_some(()));
    drop(b);
    until("b is away", || peer(&a, "pc-b").filter(|peer| peer["state"] == "away"));
    let waits = send(&a, "orders@pc-b", &[]);
    for subject in ["pc-b", &waits] {
        let why = &a.json(&["why", subject])[0];
        assert_eq!(why["waiting"], 1, "{why}");
        let found: BTreeMap<_, _> = outcomes(why).into_iter().collect();
        let wanted =
            [("name", "ok"), ("path", "fail"), ("seen", "ok"), ("session", "open"), ("time", "ok")];
        for (check, outcome) in wanted {
            assert_eq!(found.get(check).map(String::as_str), Some(outcome), "{check}: {why}");
        }
    }
    let people = a.ok(&["why", &waits]);
    assert_eq!(people.matches("FAIL").count(), 1, "{people}");
    assert!(people.contains("3 FAIL  path"), "{people}");
    // What has arrived has nothing to wait for.
    assert_eq!(a.json(&["why", &id])[0]["checks"], json!([]));
}

#[test]
fn a_name_that_nobody_has_fails_the_first_check_and_an_id_that_nobody_has_is_unknown() {
    let node = Node::start("pc-a");
    assert_eq!(failing(&node.json(&["why", "pc-z"])[0]).as_deref(), Some("name"));
    let unknown = node.run(&["why", "0-1-2"]);
    assert_eq!(unknown.code, 66, "{}", unknown.stderr);
    assert_eq!(node.run(&["trace", "0-1-2"]).code, 66);
    assert_eq!(node.run(&["trace", "nonsense"]).code, 64);
}

#[test]
fn a_full_queue_at_the_other_end_is_the_reason() {
    let (a, b) = pair();
    b.ok(&["queue", "create", "small", "--max-messages", "1"]);
    send(&a, "small@pc-b", &["--wait", "arrived"]);
    let id = send(&a, "small@pc-b", &[]);
    let why = until("b says that it is full", || {
        let why = a.json(&["why", &id]).remove(0);
        (failing(&why).as_deref() == Some("room")).then_some(why)
    });
    assert!(why["next_try_s"].as_f64().is_some_and(|seconds| seconds <= 60.0), "{why}");
}

#[test]
fn a_trace_tells_the_steps_with_the_times_that_are_known() {
    let (a, b) = pair();
    b.ok(&["queue", "create", "orders"]);
    let id = send(&a, "orders@pc-b", &["--wait", "arrived"]);
    let follower = std::thread::scope(|scope| {
        let following = scope.spawn(|| a.json(&["trace", &id, "--follow"]));
        b.ok(&["recv", "orders"]);
        following.join().expect("it ends when the message was received")
    });
    let last = follower.last().expect("an object");
    assert_eq!(last["state"], "received");
    let steps: Vec<_> = last["steps"].as_array().expect("a list").iter().collect();
    let names: Vec<_> = steps.iter().map(|step| (&step["step"], &step["node"])).collect();
    let wanted =
        [json!(["stored", "pc-a"]), json!(["arrived", "pc-b"]), json!(["received", "pc-b"])];
    assert_eq!(json!(names), json!(wanted));
    assert!(steps[0]["at"].is_string() && steps[1]["at"].is_null(), "{last}");
    assert_eq!(last["to"], "orders@pc-b");

    let lost = send(&a, "nowhere@pc-b", &[]);
    until("it is dead", || (a.json(&["trace", &lost])[0]["state"] == "dead").then_some(()));
    let dead = &a.json(&["trace", &lost])[0];
    assert_eq!(
        (&dead["reason"], &dead["steps"][1]["step"]),
        (&json!("no_such_queue"), &json!("dead"))
    );
    assert!(dead["steps"][1]["at"].is_string(), "{dead}");
}

#[test]
fn the_doctor_looks_at_the_machine_with_and_without_a_node() {
    let node = Node::start("pc-a");
    let found: BTreeMap<String, String> = node
        .json(&["doctor", "--timeout", &SOON.as_secs().to_string()])
        .iter()
        .map(|check| (check["check"].to_string(), check["outcome"].to_string()))
        .collect();
    let checks = [
        "clock",
        "configuration",
        "cost",
        "descriptors",
        "discovery",
        "firewall",
        "node",
        "socket",
        "space",
        "sync",
    ];
    assert_eq!(found.keys().map(|key| key.trim_matches('"')).collect::<Vec<_>>(), checks);
    assert_eq!(
        (found["\"socket\""].as_str(), found["\"discovery\""].as_str()),
        ("\"ok\"", "\"warn\"")
    );

    let alone = meshmq(&["doctor", "--json"]);
    assert_eq!(alone.code, 1, "{}", alone.stderr);
    let socket = objects(&alone.stdout).into_iter().find(|check| check["check"] == "socket");
    assert_eq!(socket.expect("a check")["outcome"], "fail");
}

#[test]
fn completions_and_pages_are_made_from_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = meshmq(&["completion", shell]);
        assert_eq!(script.code, 0, "{}", script.stderr);
        assert!(script.stdout.contains("outgoing"), "{shell}");
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let pages = dir.path().join("man1");
    let made = meshmq(&["man", &pages.display().to_string()]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    for (page, word) in [
        ("meshmq.1", "meshmq\\-send"),
        ("meshmq-send.1", "reach"),
        ("meshmq-queue-create.1", "transactional"),
    ] {
        let text = std::fs::read_to_string(pages.join(page)).expect(page);
        assert!(text.contains(word), "{page} lacks {word}");
    }
}
