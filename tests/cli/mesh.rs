//! Several nodes: inviting, joining, peers, what waits, what dies, leaving.

use super::node::{Node, run};
use super::transcript::Transcript;
use serde_json::Value;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long anything between two nodes of one machine may take.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Asks again and again until the answer is as wanted.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let (_never, pause) = mpsc::channel::<()>();
    let begun = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(begun.elapsed() < SOON, "it took too long until {what}");
        let _ = pause.recv_timeout(Duration::from_millis(50));
    }
}

pub(crate) fn token(inviter: &Node) -> String {
    inviter.ok(&["invite"]).trim().to_owned()
}

/// Two members, each known to the other and up.
pub(crate) fn pair() -> (Node, Node) {
    let a = Node::start("pc-a");
    let b = Node::start_with("pc-b", &["--join", &token(&a)]);
    until("a knows b", || peer(&a, "pc-b").filter(|peer| peer["state"] == "up"));
    until("b knows a", || peer(&b, "pc-a").filter(|peer| peer["state"] == "up"));
    (a, b)
}

pub(crate) fn peer(node: &Node, name: &str) -> Option<Value> {
    node.json(&["peers"]).into_iter().find(|peer| peer["name"] == name)
}

#[test]
fn what_waits_for_a_node_that_is_away_is_told() {
    let (a, b) = pair();
    b.ok(&["queue", "create", "orders"]);
    let peer_of_a = peer(&a, "pc-b").expect("a member");
    for field in ["name", "node_id", "state", "path", "rtt_ms", "outgoing", "seen_s"] {
        assert!(peer_of_a.get(field).is_some(), "{field}: {peer_of_a}");
    }
    assert_eq!((&peer_of_a["path"], &peer_of_a["outgoing"]), (&"direct".into(), &0.into()));
    let sent = &a.json(&["send", "orders@pc-b", "x", "--wait", "arrived"])[0];
    assert_eq!(sent["state"], "arrived");
    let status = &a.json(&["status"])[0];
    assert_eq!((&status["peers_up"], &status["peers_away"]), (&1.into(), &0.into()));

    drop(b);
    until("b is away", || peer(&a, "pc-b").filter(|peer| peer["state"] == "away"));
    let mut session = Transcript::at(&a);
    session.run(&["send", "orders@pc-b", "later", "--wait", "arrived", "--timeout", "200ms"]);
    session.run(&["outgoing"]).run(&["outgoing", "--json"]);
    session.run(&["peers"]).run(&["peers", "--json"]);
    session.run(&["status"]);
    snapbox::assert_data_eq!(session.clean(), snapbox::file!["snapshots/away.txt"]);
}

#[test]
fn what_cannot_be_delivered_is_told_with_its_reason() {
    let (a, _b) = pair();
    let gone = a.run(&["send", "nowhere@pc-b", "x", "--label", "lost", "--wait", "arrived"]);
    assert_eq!(gone.code, 66, "{}", gone.stderr);
    let mut session = Transcript::at(&a);
    session.run(&["dead", "ls"]).run(&["dead", "ls", "--json"]);
    session.run(&["dead", "retry", "--all"]);
    until("the second is dead too", || Some(()).filter(|()| a.json(&["dead", "ls"]).len() == 1));
    session.run(&["dead", "purge", "--yes"]).run(&["dead", "ls"]);
    snapbox::assert_data_eq!(session.clean(), snapbox::file!["snapshots/dead.txt"]);
}

#[test]
fn a_letter_that_may_have_arrived_is_not_sent_twice_unasked() {
    let (a, b) = pair();
    b.ok(&["queue", "create", "orders"]);
    drop(b);
    until("b is away", || peer(&a, "pc-b").filter(|peer| peer["state"] == "away"));
    a.ok(&["send", "orders@pc-b", "x", "--reach-within", "1s"]);
    let letter = until("it is dead", || a.json(&["dead", "ls"]).pop());
    assert_eq!(letter["destination"], "orders@pc-b");
    assert_eq!(letter["reason"], "reach_time_expired");
    if letter["unconfirmed"] == true {
        let id = letter["id"].as_str().expect("an id");
        let refused = a.run(&["dead", "retry", id]);
        assert_eq!(refused.code, 75, "{}", refused.stderr);
        assert!(refused.stderr.contains("--may-duplicate"), "{}", refused.stderr);
        a.ok(&["dead", "retry", id, "--may-duplicate"]);
    }
}

#[test]
fn a_token_lets_one_node_in_and_no_second() {
    let a = Node::start("pc-a");
    let once = token(&a);
    let b = Node::start("pc-b");
    let joined = &b.json(&["join", &once])[0];
    assert_eq!((&joined["name"], &joined["mesh"]), (&"pc-b".into(), &a.ready["mesh"]));
    let c = Node::start("pc-c");
    let refused = c.run(&["join", &once, "--json"]);
    assert_eq!(refused.code, 77, "{}", refused.stderr);
    let error: Value = serde_json::from_str(&refused.stderr).expect("an object");
    assert_eq!(error["error"]["code"], "token_used");
    let forged =
        format!("{}{}", &once[..once.len() - 1], if once.ends_with('0') { '1' } else { '0' });
    assert_eq!(c.run(&["join", &forged]).code, 77);
    let dir = tempfile::tempdir().expect("a temporary directory");
    let args = ["up", "--listen", "127.0.0.1:0", "--no-discovery", "--join", &once];
    let refused = run(dir.path(), &args, b"");
    assert_eq!(refused.code, 77, "{}", refused.stderr);
}

#[test]
fn an_inviter_that_is_gone_is_unreachable() {
    let a = Node::start("pc-a");
    let token = token(&a);
    drop(a);
    let b = Node::start("pc-b");
    let refused = b.run(&["join", &token]);
    assert_eq!(refused.code, 69, "{}", refused.stderr);
}

#[test]
fn a_node_with_members_does_not_move() {
    let (_a, b) = pair();
    let c = Node::start("pc-c");
    let refused = b.run(&["join", &token(&c)]);
    assert_eq!(refused.code, 73, "{}", refused.stderr);
    assert!(refused.stderr.contains("hint"), "{}", refused.stderr);
}

#[test]
fn who_has_left_stays_in_the_list() {
    let (a, b) = pair();
    assert_eq!(b.ok(&["leave", "--yes"]), "left the mesh\n");
    until("a has heard", || peer(&a, "pc-b").filter(|peer| peer["state"] == "left"));
}

#[test]
fn who_has_left_knows_it() {
    let (_a, b) = pair();
    b.ok(&["leave", "--yes"]);
    assert_eq!(b.run(&["leave", "--yes"]).code, 69);
    assert_eq!(b.run(&["invite"]).code, 69);
    assert_eq!(b.run(&["send", "q@pc-a", "hello"]).code, 66);
    assert_eq!(b.ok(&["peers", "--json"]), "");
    assert!(b.ok(&["status"]).contains("in no mesh"));
}
