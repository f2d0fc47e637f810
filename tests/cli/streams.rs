//! Streams in and out: lines, bodies as they are, commands for every message, broken pipes.

use super::node::{Node, command, run};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

fn numbers(from: u64, to: u64) -> Vec<u8> {
    (from..=to).flat_map(|n| format!("{n}\n").into_bytes()).collect()
}

fn node_with(queue: &[&str]) -> Node {
    let node = Node::start("pc-a");
    node.ok(&[&["queue", "create"], queue].concat());
    node
}

#[test]
fn a_body_comes_out_as_it_went_in() {
    let node = node_with(&["blobs"]);
    let bytes: Vec<u8> = (0..=255).collect();
    let sent = run(node.data(), &["send", "blobs"], &bytes);
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    let file = node.data().join("body.bin");
    std::fs::write(&file, &bytes).expect("a writable directory");
    node.ok(&["send", "blobs", &format!("@{}", file.display())]);
    for _ in 0..2 {
        let out = command(node.data()).args(["recv", "blobs"]).output().expect("it runs");
        assert_eq!(out.stdout, bytes);
    }
    node.ok(&["send", "blobs", "text"]);
    node.ok(&["send", "blobs", &format!("@{}", file.display())]);
    let messages = node.json(&["recv", "blobs", "-n", "2"]);
    assert_eq!(messages[0]["body"], "text");
    assert!(messages[1]["body"].is_null());
    assert!(messages[1]["body_base64"].as_str().expect("base64").starts_with("AAECAwQF"));
}

#[test]
fn every_line_becomes_a_message_in_order() {
    let node = node_with(&["ledger", "--transactional"]);
    let args = ["send", "ledger", "--lines", "--delivery", "transactional"];
    let sent = run(node.data(), &args, &numbers(1, 600));
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    assert_eq!(sent.stdout, "600 messages arrived → ledger\n");
    let first = node.ok(&["recv", "ledger", "-n", "100"]);
    let rest = node.ok(&["recv", "ledger", "-n", "1000"]);
    assert_eq!(format!("{first}{rest}").into_bytes(), numbers(1, 600));
    assert_eq!(node.run(&["recv", "ledger"]).code, 1);
}

#[test]
fn lines_in_json_are_answered_one_by_one() {
    let node = node_with(&["orders"]);
    let sent = run(node.data(), &["send", "orders", "--lines", "--json"], b"a\nb\n");
    let lines: Vec<serde_json::Value> =
        sent.stdout.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert_eq!(lines.len(), 2);
    assert_ne!(lines[0]["id"], lines[1]["id"]);
    assert!(lines.iter().all(|line| line["state"].is_string()));
}

#[test]
fn a_full_queue_tells_how_many_lines_are_stored() {
    let node = node_with(&["small", "--max-messages", "300"]);
    let sent = run(node.data(), &["send", "small", "--lines"], &numbers(1, 1_000));
    assert_eq!(sent.code, 75, "{}", sent.stderr);
    let stored = node.json(&["queue", "show", "small"])[0]["ready"].as_u64().expect("a number");
    assert!(stored <= 300);
    let told = format!("{stored} messages stored before it");
    assert!(sent.stderr.contains(&told), "{stored}: {}", sent.stderr);
}

#[test]
fn a_command_decides_what_becomes_of_each_message() {
    let node = node_with(&["jobs"]);
    for body in ["good", "later", "bad"] {
        node.ok(&["send", "jobs", body, "--label", body]);
    }
    let decide = r#"case "$(cat)" in good) exit 0;; later) exit 75;; *) exit 3;; esac"#;
    let ran = node.run(&["recv", "jobs", "-n", "3", "--exec", decide]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("exited with 3"), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    let left = node.ok(&["recv", "jobs", "-n", "2", "--wait", "10s"]);
    let mut left: Vec<&str> = left.lines().collect();
    left.sort_unstable();
    assert_eq!(left, ["bad", "later"]);
    let none = node.run(&["recv", "jobs", "--exec", "exit 0"]);
    assert_eq!(none.code, 1);
}

#[test]
fn a_reader_that_goes_away_loses_nothing() {
    let node = node_with(&["ledger", "--transactional"]);
    let args = ["send", "ledger", "--lines", "--delivery", "transactional"];
    let line = "x".repeat(1_000);
    let input: String = (0..500).map(|n| format!("{n} {line}\n")).collect();
    assert_eq!(run(node.data(), &args, input.as_bytes()).code, 0);
    let mut child = command(node.data())
        .args(["recv", "ledger", "-n", "500"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut reader = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut line = String::new();
    reader.read_line(&mut line).expect("text");
    assert!(line.starts_with("0 "));
    drop(reader);
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    let queue = &node.json(&["queue", "show", "ledger"])[0];
    assert_eq!(queue["locked"], 0, "what was not written has returned");
    assert!(queue["ready"].as_u64().expect("a number") > 300, "{queue}");
}

#[test]
fn a_follower_gets_what_comes_and_ends_at_a_signal() {
    let node = node_with(&["orders"]);
    let mut child = command(node.data())
        .args(["recv", "orders", "--follow"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut reader = BufReader::new(child.stdout.take().expect("it is piped"));
    for body in ["one", "two"] {
        node.ok(&["send", "orders", body, "--wait", "arrived"]);
        let mut line = String::new();
        reader.read_line(&mut line).expect("text");
        assert_eq!(line, format!("{body}\n"));
    }
    let killed = std::process::Command::new("kill").arg(child.id().to_string()).status();
    assert!(killed.expect("kill is there").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert_eq!(node.json(&["queue", "show", "orders"])[0]["ready"], 0);
}

#[test]
fn lines_are_sent_as_they_come() {
    let node = node_with(&["orders"]);
    let mut child = command(node.data())
        .args(["send", "orders", "--lines"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("it runs");
    let mut input = child.stdin.take().expect("it is piped");
    input.write_all(b"first\n").expect("it reads");
    assert_eq!(node.ok(&["recv", "orders", "--wait", "20s"]), "first");
    drop(input);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn events_are_shown_as_they_happen() {
    let node = node_with(&["orders"]);
    let none = node.run(&["events", "--timeout", "100ms"]);
    assert_eq!((none.code, none.stdout.as_str()), (1, ""));
    assert_eq!(none.stderr, "nothing happened\n");
    let mut child = command(node.data())
        .args(["events", "--follow", "--json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let reader = BufReader::new(child.stdout.take().expect("it is piped"));
    let (to, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in reader.lines().map_while(Result::ok) {
            // The test may have seen enough.
            let _ = to.send(line);
        }
    });
    let until = Instant::now() + Duration::from_secs(60);
    // Nobody tells when it has begun to listen.
    let (id, line) = loop {
        assert!(Instant::now() < until, "no event came");
        let sent = node.json(&["send", "orders", "x"])[0]["id"].as_str().expect("text").to_owned();
        if let Ok(line) = lines.recv_timeout(Duration::from_millis(200)) {
            break (sent, line);
        }
    };
    let event: serde_json::Value = serde_json::from_str(&line).expect("an object");
    assert_eq!(
        (&event["event"], &event["queue"]),
        (&"entered".into(), &"orders".into()),
        "{event}"
    );
    assert_eq!(event["id"].as_str(), Some(&*id));
    let killed = std::process::Command::new("kill").arg(child.id().to_string()).status();
    assert!(killed.expect("kill is there").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}
