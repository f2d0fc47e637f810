//! Machines that are network namespaces on a bridge, gone again with the value that made them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long anything may take on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// Why there can be no namespaces here, if so.
pub(crate) fn missing() -> Option<String> {
    let tag = unique();
    let probe = ip(&["netns", "add", &tag]);
    let gone = ip(&["netns", "del", &tag]);
    match (probe, gone) {
        (Ok(()), Ok(())) => None,
        (Err(why), _) | (_, Err(why)) => Some(format!("no network namespaces here: {why}")),
    }
}

/// Whether the test can go on. A skip is said, and is a failure where it is not allowed.
pub(crate) fn can_run(test: &str) -> bool {
    let Some(why) = missing() else { return true };
    assert!(
        std::env::var_os("MESHMQ_REQUIRE_NETNS").is_none(),
        "{test} must not be skipped: {why}"
    );
    eprintln!("SKIPPED {test}: {why}");
    false
}

/// A name that no other test has, in this process or another.
fn unique() -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    format!("mq{}x{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst))
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(arguments).output();
    let output = output.map_err(|error| format!("ip: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("ip {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}

fn must(arguments: &[&str]) {
    ip(arguments).expect("network namespaces work");
}

/// Some machines and the bridge between them.
pub(crate) struct Lan {
    tag: String,
    names: Vec<String>,
}

impl Lan {
    /// So many machines, `10.77.0.1` and on, with a bridge between them.
    pub(crate) fn of(machines: usize) -> Self {
        let mut lan = Self { tag: unique(), names: Vec::new() };
        let hub = lan.add("hub");
        must(&["-n", &hub, "link", "add", "br0", "type", "bridge"]);
        must(&["-n", &hub, "link", "set", "br0", "up"]);
        for machine in 1..=machines {
            let name = lan.add(&machine.to_string());
            let port = port(machine);
            must(&[
                "-n", &hub, "link", "add", &port, "type", "veth", "peer", "name", "eth0", "netns",
                &name,
            ]);
            must(&["-n", &hub, "link", "set", &port, "master", "br0", "up"]);
            must(&["-n", &name, "link", "set", "lo", "up"]);
            must(&["-n", &name, "link", "set", "eth0", "up"]);
            lan.address(machine, &format!("10.77.0.{machine}"));
        }
        lan
    }

    fn add(&mut self, what: &str) -> String {
        let name = format!("{}{what}", self.tag);
        must(&["netns", "add", &name]);
        self.names.push(name.clone());
        name
    }

    fn name(&self, machine: usize) -> &str {
        &self.names[machine]
    }

    /// Gives a machine this address and no other.
    pub(crate) fn address(&self, machine: usize, address: &str) {
        let name = self.name(machine);
        must(&["-n", name, "addr", "flush", "dev", "eth0"]);
        must(&["-n", name, "addr", "add", &format!("{address}/24"), "dev", "eth0"]);
    }

    /// Takes a machine off the bridge, without a word to anybody, or puts it back.
    pub(crate) fn connected(&self, machine: usize, connected: bool) {
        let state = if connected { "up" } else { "down" };
        must(&["-n", self.name(0), "link", "set", &port(machine), state]);
    }

    /// A command that runs on a machine.
    pub(crate) fn on(&self, machine: usize, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", self.name(machine), program]);
        command
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        for name in &self.names {
            if let Err(why) = ip(&["netns", "del", name]) {
                eprintln!("a network namespace is left: {why}");
            }
        }
    }
}

fn port(machine: usize) -> String {
    format!("port{machine}")
}

/// A running node. It is killed with the value.
pub(crate) struct Up {
    child: Child,
    /// What it printed first.
    pub(crate) ready: serde_json::Value,
}

impl Up {
    /// Starts a node on a machine and waits until it is ready.
    pub(crate) fn start(lan: &Lan, machine: usize, data: &Path, arguments: &[&str]) -> Self {
        let mut command = lan.on(machine, env!("CARGO_BIN_EXE_meshmq"));
        command.arg("up").arg("--json").arg("--data").arg(data).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the node starts");
        let stdout = child.stdout.take().expect("a pipe");
        let (lines, printed) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    break;
                }
            }
        });
        let mut node = Self { child, ready: serde_json::Value::Null };
        node.ready = first(&printed);
        node
    }

    /// The process, for what the system says of it.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

fn first(printed: &Receiver<String>) -> serde_json::Value {
    let line = printed.recv_timeout(SOON).expect("the node is ready in time");
    let ready: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
    assert_eq!(ready["event"], "ready", "{line}");
    ready
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the program against a node's directory; its output.
pub(crate) fn meshmq(data: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshmq"));
    command.env("MESHMQ_CONFIG", "/dev/null");
    command.args(arguments).arg("--data").arg(data).stdin(Stdio::null());
    let output = command.output().expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Asks again and again until there is an answer.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let (_never, pause) = channel::<()>();
    let begun = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(begun.elapsed() < SOON, "it took too long until {what}");
        let _ = pause.recv_timeout(Duration::from_millis(50));
    }
}
