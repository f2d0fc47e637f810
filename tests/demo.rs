//! The demo keeps its promise, and leaves nothing behind however it ends.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long what is left of a demo may take to go away.
const CLEAN_WITHIN: Duration = Duration::from_secs(20);

fn demo(temporary: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshmq"));
    command.env("MESHMQ_CONFIG", "/dev/null");
    command.arg("demo").args(args).env("TMPDIR", temporary).env("NO_COLOR", "1");
    command.stdin(Stdio::null());
    command
}

/// Processes that name the directory in their arguments.
fn processes(temporary: &Path) -> Vec<String> {
    let named = temporary.to_str().expect("a plain path");
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let arguments = |entry: std::fs::DirEntry| std::fs::read(entry.path().join("cmdline")).ok();
    entries
        .filter_map(|entry| arguments(entry.ok()?))
        .map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "))
        .filter(|line| line.contains(named))
        .collect()
}

fn files(temporary: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(temporary).expect("the directory of the test");
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// Waits until neither a process nor a file is left.
fn expect_clean(temporary: &Path) {
    let (_never, pause) = mpsc::channel::<()>();
    let begun = Instant::now();
    loop {
        let (processes, files) = (processes(temporary), files(temporary));
        if processes.is_empty() && files.is_empty() {
            return;
        }
        assert!(begun.elapsed() < CLEAN_WITHIN, "left behind: {processes:?} {files:?}");
        let _ = pause.recv_timeout(Duration::from_millis(50));
    }
}

#[test]
fn a_thousand_messages_arrive_exactly_once_and_in_order() {
    let temporary = tempfile::tempdir().expect("a temporary directory");
    let begun = Instant::now();
    let ran = demo(temporary.path(), &["--json"]).output().expect("it runs");
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert_eq!(ran.status.code(), Some(0), "{out}{err}");
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    let last = out.lines().last().expect("an object");
    let outcome: serde_json::Value = serde_json::from_str(last).expect("an object");
    for (field, wanted) in
        [("sent", 1_000), ("delivered", 1_000), ("duplicates", 0), ("lost", 0), ("out_of_order", 0)]
    {
        assert_eq!(outcome[field], wanted, "{outcome}");
    }
    assert!(outcome["seconds"].is_number());
    expect_clean(temporary.path());
}

/// Starts a demo and waits until its nodes run.
fn begin(temporary: &Path) -> Child {
    let mut child = demo(temporary, &[]).stdout(Stdio::piped()).spawn().expect("it runs");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let sending = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("a sends")));
    assert!(sending.is_some(), "the demo ended early");
    assert!(processes(temporary).len() >= 4, "three nodes and a sweeper");
    // What it prints from here on goes nowhere; the pipe stays open.
    std::thread::spawn(move || lines.for_each(drop));
    child
}

#[test]
fn an_interrupted_demo_leaves_nothing_behind() {
    for (signal, code) in [("INT", Some(130)), ("TERM", Some(143)), ("KILL", None)] {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        let mut child = begin(temporary.path());
        let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
        assert!(sent.expect("kill is there").success());
        assert_eq!(child.wait().expect("it ends").code(), code, "{signal}");
        expect_clean(temporary.path());
    }
}
