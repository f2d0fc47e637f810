//! The examples, run as a reader would run them, with what they print.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long an example may take.
const TIME_MAX: Duration = Duration::from_secs(60);
/// Lines of an example at most.
const LINES_MAX: usize = 60;

/// The program of an example: cargo builds it beside the others before any test runs.
fn program(name: &str) -> PathBuf {
    let beside = Path::new(env!("CARGO_BIN_EXE_meshmq")).parent().expect("a folder");
    let program = beside.join("examples").join(name);
    assert!(program.exists(), "`cargo build --examples` makes {}", program.display());
    program
}

/// Runs an example to its end; what it printed.
fn run(name: &str, argument: Option<&Path>, data: &Path) -> String {
    let mut command = Command::new(program(name));
    command.args(argument).env("MESHMQ_DATA", data).env("MESHMQ_CONFIG", "/dev/null");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("it starts");
    let id = child.id().to_string();
    let (ended, end) = std::sync::mpsc::channel();
    std::thread::spawn(move || ended.send(child.wait_with_output()));
    let begun = Instant::now();
    let Ok(output) = end.recv_timeout(TIME_MAX) else {
        let _ = Command::new("kill").args(["-9", &id]).status();
        panic!("{name} has not ended after {:?}", begun.elapsed());
    };
    let output = output.expect("it runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

/// A node of a directory, stopped when dropped.
struct Node(Child);

impl Node {
    fn start(data: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshmq"));
        command.args(["up", "--no-discovery", "--listen", "127.0.0.1:0", "--exit-with-stdin"]);
        command.arg("--data").arg(data).env("MESHMQ_CONFIG", "/dev/null");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let node = Self(command.spawn().expect("it starts"));
        let mut status = Command::new(env!("CARGO_BIN_EXE_meshmq"));
        status.args(["status", "--quiet", "--wait", "ready"]).stdout(Stdio::null());
        let ready = status.arg("--data").arg(data).status().expect("it runs");
        assert!(ready.success(), "the node is ready");
        node
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[test]
fn the_examples_of_a_client_run_again_and_again() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let _node = Node::start(dir.path());
    for _ in 0..2 {
        let said = run("hello_queue", None, dir.path());
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines[0].ends_with(" is safe on this disk"), "{said}");
        assert_eq!(lines[1..], ["first: hello, queue", "and its sender knows"]);
        assert_eq!(run("request_reply", None, dir.path()), "20 + 22 = 42\n");
    }
}

#[test]
fn the_embedded_nodes_run_again_and_again() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for _ in 0..2 {
        let said = run("embedded_node", Some(dir.path()), Path::new("/nowhere"));
        let wanted = "100 sales are safe at the till\n\
                      the head office has them all, in order: 5050\n";
        assert_eq!(said, wanted);
    }
}

#[test]
fn what_is_sent_to_a_node_that_is_away_arrives_when_it_is_back() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let said = run("offline_delivery", Some(dir.path()), Path::new("/nowhere"));
    let lines: Vec<&str> = said.lines().collect();
    let first = [
        "the truck is away",
        "10 orders are safe on the laptop",
        "the truck is back, and they have arrived",
    ];
    assert_eq!(lines[..3], first);
    let mut orders: Vec<&str> = lines[3..].to_vec();
    orders.sort_unstable_by_key(|order| order.len());
    assert_eq!(orders.len(), 10, "{said}");
    assert_eq!((orders[0].len(), orders[9]), ("order 1".len(), "order 10"));
}

#[test]
#[cfg(feature = "testing")]
fn days_of_a_virtual_mesh_pass_in_no_time() {
    let said = run("virtual_mesh", None, Path::new("/nowhere"));
    assert_eq!(said, "after 3 days all 10 sales are in the ledger\n");
}

#[test]
fn examples_are_short() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for file in std::fs::read_dir(folder).expect("the folder is there") {
        let path = file.expect("readable").path();
        let lines = std::fs::read_to_string(&path).expect("text").lines().count();
        assert!(lines < LINES_MAX, "{} has {lines} lines", path.display());
    }
}
