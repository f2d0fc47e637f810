//! A disk that fails or hangs while the node runs: the node ends with a clear message, and nothing that
//! it has acknowledged is lost.

use super::node::{command, objects, run};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Compiles the preloaded part, or says why there is none.
fn preload(dir: &Path) -> Option<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/operations/sync.c");
    let library = dir.join("sync.so");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source);
    match cc.status() {
        Ok(status) => {
            assert!(status.success(), "sync.c does not compile");
            Some(library.display().to_string())
        }
        Err(why) => {
            println!("skipped: there is no C compiler `cc`: {why}");
            None
        }
    }
}

/// The node's disk gets the order while it runs; gives how it ended and the last that it said.
fn end_by(order: &str) -> Option<(i32, serde_json::Value)> {
    let dir = tempfile::tempdir().expect("a directory");
    let library = preload(dir.path())?;
    let (home, file) = (dir.path().join("node"), dir.path().join("order"));
    let mut up = command(&home);
    up.args(["up", "--json", "--listen", "127.0.0.1:0", "--no-discovery", "--http", "off"]);
    up.env("LD_PRELOAD", library).env("MESHMQ_SYNC_ORDER", &file).arg("--exit-with-stdin");
    up.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = up.spawn().expect("the program was built");
    let keeps_it_up = child.stdin.take();
    assert_eq!(run(&home, &["status", "--wait", "ready", "--timeout", "60s"], b"").code, 0);
    assert_eq!(run(&home, &["queue", "create", "orders"], b"").code, 0);
    assert_eq!(run(&home, &["send", "orders", "kept"], b"").code, 0);
    fs::write(&file, order).expect("it can be written");
    let ran = run(&home, &["send", "orders", "lost", "--timeout", "60s"], b"");
    assert_ne!(ran.code, 0, "nothing is acknowledged that is not durable");
    let ended = child.wait_with_output().expect("it runs");
    drop(keeps_it_up);
    let said = String::from_utf8(ended.stderr).expect("text");
    assert!(!said.contains("panicked"), "{said}");
    let last = serde_json::from_str(said.lines().last().expect("a reason")).expect("an object");
    fs::remove_file(&file).expect("the disk works again");
    let mut again = command(&home);
    again.args(["up", "--listen", "127.0.0.1:0", "--no-discovery", "--http", "off"]);
    again
        .arg("--exit-with-stdin")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut again = again.spawn().expect("the program was built");
    assert_eq!(run(&home, &["status", "--wait", "ready", "--timeout", "60s"], b"").code, 0);
    let got = objects(&run(&home, &["recv", "orders", "--json"], b"").stdout);
    assert_eq!(got[0]["body"], "kept");
    drop(again.stdin.take());
    again.wait().expect("it ends");
    Some((ended.status.code().unwrap_or(-1), last))
}

#[test]
fn a_commit_that_fails_ends_the_node_with_a_clear_message() {
    let Some((exit, last)) = end_by("fail") else { return };
    assert_eq!((exit, &last["error"]["code"]), (75, &"store_failed".into()), "{last}");
    let hint = last["error"]["hint"].as_str().expect("a hint");
    assert!(hint.contains("nothing that was acknowledged is lost"), "{hint}");
}

#[test]
fn a_commit_that_hangs_ends_the_node_with_a_clear_message() {
    let Some((exit, last)) = end_by("hang") else { return };
    assert_eq!((exit, &last["error"]["code"]), (75, &"store_stuck".into()), "{last}");
    let hint = last["error"]["hint"].as_str().expect("a hint");
    assert!(hint.contains("nothing acknowledged is lost"), "{hint}");
}
