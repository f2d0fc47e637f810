//! What every command prints, for people and for programs, against a real node.

use super::node::{Node, run};
use super::transcript::{Transcript, clean};

/// The commands of both sessions, in order.
fn play(session: &mut Transcript<'_>, json: bool) -> String {
    let mut run = |args: &[&str]| {
        let flags: &[&str] = if json { &["--json"] } else { &[] };
        session.run(&[args, flags].concat());
    };
    run(&["version"]);
    run(&["queue", "ls"]);
    run(&["queue", "create", "orders"]);
    run(&["queue", "create", "orders"]);
    run(&["queue", "create", "ledger", "--transactional", "--max-messages", "2"]);
    run(&["send", "orders", "two boxes", "--label", "sale", "-H", "k=v", "--priority", "5"]);
    run(&["send", "orders@pc-a", "more", "--reply-to", "answers", "--correlation", "c-1"]);
    run(&["send", "orders", "x", "--delivery", "transactional"]);
    run(&["send", "ledger", "one"]);
    run(&["send", "ledger", "one", "--delivery", "transactional", "--wait", "arrived"]);
    run(&["send", "ledger", "2", "--delivery", "transactional"]);
    run(&["send", "ledger", "3", "--delivery", "transactional"]);
    run(&["send", "ledger", "4", "--delivery", "transactional", "--wait", "received"]);
    run(&["send", "nowhere", "x"]);
    run(&["send", "orders@nobody", "x"]);
    run(&["send", "or ders", "x"]);
    run(&["queue", "ls"]);
    run(&["queue", "show", "ledger"]);
    run(&["queue", "show", "nowhere"]);
    run(&["peek", "orders"]);
    run(&["peek", "orders", "-n", "1"]);
    run(&["recv", "orders"]);
    run(&["recv", "orders", "--ack", "manual"]);
    run(&["recv", "ledger", "-n", "5"]);
    run(&["recv", "ledger"]);
    run(&["recv", "nowhere"]);
    run(&["queue", "purge", "orders", "--yes"]);
    run(&["peek", "orders"]);
    run(&["outgoing"]);
    run(&["peers"]);
    run(&["peers", "--strangers"]);
    run(&["dead", "ls"]);
    run(&["dead", "retry", "a-b-1"]);
    run(&["dead", "retry", "--all"]);
    run(&["dead", "purge", "--yes"]);
    run(&["join", "notatoken"]);
    run(&["queue", "rm", "orders", "--yes"]);
    run(&["queue", "rm", "orders", "--yes"]);
    run(&["status"]);
    session.clean()
}

#[test]
fn people_read_sentences_and_tables() {
    let node = Node::start("pc-a");
    let session = play(&mut Transcript::at(&node), false);
    snapbox::assert_data_eq!(session, snapbox::file!["snapshots/people.txt"]);
}

#[test]
fn programs_read_one_object_a_line() {
    let node = Node::start("pc-a");
    let session = play(&mut Transcript::at(&node), true);
    snapbox::assert_data_eq!(session, snapbox::file!["snapshots/programs.txt"]);
}

#[test]
fn up_says_what_comes_next_and_that_the_key_wants_a_backup() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let args = ["up", "--name", "pc-a", "--listen", "127.0.0.1:0", "--no-discovery"];
    let args = [&args[..], &["--http", "127.0.0.1:0", "--exit-with-stdin"]].concat();
    let first = run(dir.path(), &args, b"");
    let (out, err) = (clean(dir.path(), &first.stdout), clean(dir.path(), &first.stderr));
    snapbox::assert_data_eq!(format!("{out}{err}"), snapbox::file!["snapshots/up.txt"]);
    let second = run(dir.path(), &args, b"");
    assert!(second.stdout.contains("is ready"), "{}", second.stdout);
    assert_eq!(second.stderr, "", "said once is enough");
}

#[test]
fn up_in_json_begins_with_the_ready_event() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let args = ["up", "--json", "--listen", "127.0.0.1:0", "--no-discovery", "--exit-with-stdin"];
    let ran = run(dir.path(), &args, b"");
    let events: Vec<serde_json::Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert_eq!(events[0]["event"], "ready");
    assert_eq!(events[1]["event"], "authority_backup_due");
    let file = events[1]["file"].as_str().expect("a path");
    assert!(std::path::Path::new(file).exists(), "{file}");
}

#[test]
fn the_ready_event_and_the_status_name_the_node_alike() {
    let node = Node::start("pc-a");
    let status = &node.json(&["status", "--wait", "ready"])[0];
    assert_eq!(node.ready["event"], "ready");
    for field in ["name", "node_id", "mesh", "listen", "socket"] {
        assert_eq!(node.ready[field], status[field], "{field}");
        assert!(!status[field].is_null(), "{field}");
    }
    assert_eq!(status["name"], "pc-a");
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    for field in ["uptime_s", "peers_up", "peers_away", "messages", "outgoing"] {
        assert!(status[field].is_number(), "{field}");
    }
}

#[test]
fn an_invitation_is_the_token_alone() {
    let node = Node::start("pc-a");
    let ran = node.run(&["invite"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), 1);
    assert!(!ran.stdout.trim().contains(' '), "{}", ran.stdout);
    let invited = &node.json(&["invite", "--ttl", "5m"])[0];
    for field in ["token", "expires_at", "mesh"] {
        assert!(invited[field].is_string(), "{field}");
    }
}

#[test]
fn an_access_token_is_shown_once_and_can_be_ended() {
    let node = Node::start("pc-a");
    let made = node.run(&["token", "create", "--label", "backup"]);
    assert_eq!((made.code, made.stdout.lines().count()), (0, 1), "{}", made.stderr);
    let listed = &node.json(&["token", "ls"])[0];
    assert_eq!(listed["label"], "backup");
    assert!(listed["created_at"].is_string() && listed.get("token").is_none(), "{listed}");
    let id = listed["id"].as_str().expect("an id");
    assert!(node.run(&["token", "ls"]).stdout.contains(id));
    assert!(made.stderr.contains(id), "{}", made.stderr);
    node.ok(&["token", "revoke", id]);
    assert_eq!(node.run(&["token", "revoke", id]).code, 66);
    assert!(node.run(&["token", "ls"]).stdout.starts_with("no access tokens"));
}

#[test]
fn doors_that_cannot_be_say_what_to_do() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let up = |http: &str| {
        let args = ["up", "--listen", "127.0.0.1:0", "--no-discovery", "--exit-with-stdin"];
        run(dir.path(), &[&args[..], &["--http", http]].concat(), b"")
    };
    let open = up("0.0.0.0:0");
    assert_eq!(open.code, 78, "{}", open.stderr);
    assert!(open.stderr.contains("--http-cert"), "{}", open.stderr);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = up(&taken.local_addr().expect("it is bound").to_string());
    assert_eq!(taken.code, 78, "{}", taken.stderr);
    assert!(taken.stderr.contains("--http off"), "{}", taken.stderr);
    assert_eq!(up("everywhere").code, 64);
    assert_eq!(up("off").code, 0);
}

#[test]
fn down_waits_until_the_node_has_gone() {
    let node = Node::start("pc-a");
    let data = node.data().to_owned();
    node.ok(&["down"]);
    assert_eq!(run(&data, &["status"], b"").code, 69);
    let again = ["up", "-q", "--listen", "127.0.0.1:0", "--no-discovery", "--exit-with-stdin"];
    let ran = run(&data, &again, b"");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert_eq!(node.wait(), 0);
}

#[test]
fn a_second_node_on_a_directory_is_refused() {
    let node = Node::start("pc-a");
    let args = ["up", "--listen", "127.0.0.1:0", "--no-discovery", "--exit-with-stdin"];
    let ran = run(node.data(), &args, b"");
    assert_eq!(ran.code, 73, "{}", ran.stderr);
}

#[test]
fn a_port_that_was_asked_for_and_is_taken_is_refused() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it is bound").to_string();
    let dir = tempfile::tempdir().expect("a temporary directory");
    let args = ["up", "--listen", &address, "--no-discovery", "--exit-with-stdin"];
    let ran = run(dir.path(), &args, b"");
    assert_eq!(ran.code, 78, "{}", ran.stderr);
}
