//! Under a supervisor: systemd's protocol over a real socket, and the unit.

use super::node::{Node, command, meshmq, output};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(60);

/// Reads until a datagram has this line; gives everything before it.
fn hear(socket: &UnixDatagram, line: &str) -> Vec<String> {
    let until = Instant::now() + DEADLINE;
    let mut heard = Vec::new();
    let mut bytes = [0; 4_096];
    while Instant::now() < until {
        let Ok(len) = socket.recv(&mut bytes) else { continue };
        let text = String::from_utf8_lossy(&bytes[..len]).into_owned();
        if text.lines().any(|found| found == line) {
            return heard;
        }
        heard.push(text);
    }
    panic!("no `{line}`, only {heard:?}");
}

#[test]
fn a_supervisor_hears_ready_alive_and_stopping_in_this_order() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("notify");
    let named = UnixDatagram::bind(&path).expect("a socket");
    let abstract_name = format!("meshmq-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&abstract_name).expect("a name");
    let hidden = UnixDatagram::bind_addr(&address).expect("a socket");
    let places = [(named, path.display().to_string()), (hidden, format!("@{abstract_name}"))];
    for (at, (socket, place)) in places.iter().enumerate() {
        socket.set_read_timeout(Some(Duration::from_secs(1))).expect("a timeout");
        let mut up = command(&dir.path().join(format!("node{at}")));
        up.args(["up", "--listen", "127.0.0.1:0", "--no-discovery", "--http", "off"]);
        up.env("NOTIFY_SOCKET", place).env("WATCHDOG_USEC", "300000");
        let mut child = up
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program was built");
        assert_eq!(hear(socket, "READY=1"), Vec::<String>::new());
        for _ in 0..3 {
            assert_eq!(hear(socket, "WATCHDOG=1"), Vec::<String>::new());
        }
        let pid = child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(told.success());
        let between = hear(socket, "STOPPING=1");
        assert!(between.iter().all(|text| text == "WATCHDOG=1"), "{between:?}");
        assert_eq!(child.wait().expect("it ends").code(), Some(0));
    }
}

/// Asked by `meshmq down`, a node tells its supervisor too, which then does not start it again.
#[test]
fn without_a_supervisor_nothing_is_told_and_nothing_is_missing() {
    let node = Node::start("pc-a");
    node.ok(&["down"]);
    assert_eq!(node.wait(), 0);
}

#[test]
fn systemd_takes_the_units() {
    for which in ["--system", "--user"] {
        let ran = meshmq(&["service", "install", which, "--dry-run"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.contains("\nType=notify\n"), "{}", ran.stdout);
        assert!(ran.stdout.contains("# run systemctl"), "{}", ran.stdout);
        let unit: String = {
            let from = ran.stdout.find("[Unit]").expect("a unit");
            let rest = &ran.stdout[from..];
            rest[..rest.find("# run").expect("what is run then")].to_owned()
        };
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("meshmq.service");
        // The test's user need not be there.
        std::fs::write(&path, unit.replace("=meshmq\n", "=root\n")).expect("it can be written");
        let mut verify = Command::new("systemd-analyze");
        let scope = if which == "--user" { "--user" } else { "--system" };
        verify.args(["verify", scope, "--man=no"]).arg(&path);
        if Command::new("systemd-analyze").arg("--version").output().is_err() {
            println!("skipped: there is no systemd-analyze here");
            return;
        }
        let ran = output(verify, b"");
        let about_it: Vec<&str> = ran.stderr.lines().filter(|l| l.contains("meshmq.service")).collect();
        assert!(about_it.is_empty(), "{which}: {}", ran.stderr);
    }
}
