//! Exit codes, as scripts rely on them.

use super::node::{Node, bytes, meshmq, run};
use meshmq::cli::error::exit_of;
use meshmq::engine::address::QueueName;
use meshmq::engine::rejection::Rejection;
use meshmq::security::{Denial, ResolveError, SecurityError, TokenError};
use meshmq::service::ServiceError;

/// A command that asks a running node and one that is the node (`up --join`) exit alike.
#[test]
fn the_node_and_its_callers_know_the_same_exits() {
    let queue: QueueName = "q".parse().expect("a name");
    let text = || "x".to_owned();
    let errors: [ServiceError; 42] = [
        Rejection::NoSuchQueue(queue.clone()).into(),
        Rejection::QueueExists(queue.clone()).into(),
        Rejection::WrongKind { queue: queue.clone(), transactional: true }.into(),
        Rejection::QueueFull(queue).into(),
        Rejection::OutgoingFull { messages: 1, bytes: 1 }.into(),
        Rejection::ExpressFull(1).into(),
        Rejection::DiskLow { free: 0, reserve: 1 }.into(),
        Rejection::TooLarge { size: 2, limit: 1 }.into(),
        Rejection::TooManyEpochs(1).into(),
        Rejection::OutOfBounds { what: "x", bounds: "y" }.into(),
        Rejection::TooMany { what: "x", limit: 1 }.into(),
        Rejection::LockGone.into(),
        Rejection::NoSuchMessage.into(),
        Rejection::MayDuplicate.into(),
        Rejection::KeyReused.into(),
        Rejection::RowPast(2).into(),
        ServiceError::Stopping,
        ServiceError::BadAddress(text()),
        ServiceError::BadId(text()),
        ServiceError::bad_value("x", "y"),
        ResolveError::Unknown(text()).into(),
        ResolveError::Left(text()).into(),
        ResolveError::Ambiguous(text()).into(),
        ServiceError::Elsewhere(text()),
        ServiceError::NoMesh,
        ServiceError::NoSuchLetter(text()),
        ServiceError::TooManyTokens(1),
        ServiceError::TooManyStreams(1),
        ServiceError::NoSuchToken(text()),
        SecurityError::NotAdmin.into(),
        SecurityError::Damaged("x").into(),
        SecurityError::TooManyInvites(1).into(),
        TokenError::NotAToken.into(),
        Denial::TokenExpired { ago_ms: 1 }.into(),
        Denial::TokenBurned.into(),
        Denial::OtherMesh.into(),
        Denial::NameTaken("x".parse().expect("a name")).into(),
        Denial::Limit("x").into(),
        ServiceError::InviterUnreachable(text()),
        ServiceError::Busy,
        ServiceError::MeshInUse(text()),
        ServiceError::Internal(text()),
    ];
    for error in errors {
        let verdict = error.verdict();
        assert_eq!(exit_of(verdict.code, verdict.status) as u8, verdict.exit, "{error:?}");
    }
}

#[test]
fn without_a_node_every_command_says_so_or_what_is_wrong_with_it() {
    let table: &[(&[&str], i32)] = &[
        (&["version"], 0),
        (&["--version"], 0),
        (&["--help"], 0),
        (&["send", "--help"], 0),
        (&[], 64),
        (&["bogus"], 64),
        (&["send"], 64),
        (&["send", "orders", "x", "--priority", "8"], 64),
        (&["send", "orders", "x", "--delivery", "soon"], 64),
        (&["send", "orders", "x", "--wait", "never"], 64),
        (&["send", "orders", "x", "--ttl", "1y"], 64),
        (&["send", "orders", "x", "-H", "novalue"], 64),
        (&["send", "orders", "@/nonexistent/file"], 66),
        (&["recv", "orders", "-n", "0"], 64),
        (&["queue", "create", "orders", "--max-bytes", "much"], 64),
        (&["dead", "retry"], 64),
        (&["status"], 69),
        (&["down"], 69),
        (&["invite"], 69),
        (&["join", "token"], 69),
        (&["leave"], 69),
        (&["peers"], 69),
        (&["queue", "ls"], 69),
        (&["queue", "show", "orders"], 69),
        (&["queue", "create", "orders"], 69),
        (&["queue", "rm", "orders"], 69),
        (&["queue", "purge", "orders"], 69),
        (&["send", "orders", "x"], 69),
        (&["send", "orders", "--lines"], 69),
        (&["recv", "orders"], 69),
        (&["peek", "orders"], 69),
        (&["outgoing"], 69),
        (&["dead", "ls"], 69),
        (&["dead", "retry", "a-b-1"], 69),
        (&["dead", "purge"], 69),
        (&["status", "--wait", "ready", "--timeout", "100ms"], 75),
    ];
    for (args, code) in table {
        let ran = meshmq(args);
        assert_eq!(ran.code, *code, "{args:?}: {}", ran.stderr);
    }
}

#[test]
fn a_large_body_goes_through_and_one_over_the_limit_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let config = dir.path().join("config.toml");
    std::fs::write(&config, "limits.body_bytes = \"4MiB\"\n").expect("a file");
    let node = Node::start_with("pc-a", &["--config", &config.display().to_string()]);
    node.ok(&["queue", "create", "q"]);
    let body: Vec<u8> = (0..3_000_000_u32).map(|at| (at / 17 % 251) as u8).collect();
    let sent = run(node.data(), &["send", "q", "-"], &body);
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    let file = node.data().join("large");
    std::fs::write(&file, &body).expect("a file");
    node.ok(&["send", "q", &format!("@{}", file.display())]);
    let over = run(node.data(), &["send", "q", "-"], &[body.clone(), body.clone()].concat());
    assert_eq!(over.code, 65, "{}", over.stderr);
    let json = node.run(&["recv", "q", "--json"]);
    assert_eq!(json.code, 65, "it is not lost in JSON: {}", json.stderr);
    let got = node.data().join("got");
    let cat = format!("cat > {}", got.display());
    assert_eq!(node.run(&["recv", "q", "--exec", &cat]).code, 0);
    assert!(std::fs::read(&got).expect("a file") == body);
    let out = bytes(node.data(), &["recv", "q"]);
    assert!(out == body, "{} bytes", out.len());
    assert_eq!(node.run(&["recv", "q"]).code, 1, "both are gone");
}

#[test]
fn an_error_in_json_has_code_message_and_hint() {
    for args in [&["--json", "status"][..], &["send", "--json"], &["join", "t", "--json"]] {
        let ran = meshmq(args);
        assert_eq!(ran.stdout, "");
        let error: serde_json::Value = serde_json::from_str(&ran.stderr).expect("one object");
        for field in ["code", "message", "hint"] {
            assert!(error["error"][field].is_string(), "{args:?}: {error}");
        }
    }
    let ran = meshmq(&["join", "mq1token"]);
    assert!(ran.stderr.contains("meshmq up --join mq1token"), "{}", ran.stderr);
}
