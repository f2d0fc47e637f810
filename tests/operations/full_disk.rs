//! A real small disk that another program fills: sends are refused, everything else goes on, and the
//! node recovers by itself.

use super::node::{Ran, command, objects, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A file system in memory of 192 MiB: the ballast is made where eight times its size is free.
struct Disk {
    dir: TempDir,
}

impl Disk {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=192m", "meshmq-test"]).arg(dir.path());
        let mounted = mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        if !mounted {
            println!("skipped: a file system can be mounted by root only");
        }
        mounted.then_some(Self { dir })
    }

    fn home(&self) -> PathBuf {
        self.dir.path().join("node")
    }

    fn free(&self) -> u64 {
        fs4::available_space(self.dir.path()).expect("it tells")
    }

    /// Leaves nothing free.
    fn fill(&self) {
        let filler = fs::File::create(self.dir.path().join("filler")).expect("a file");
        let mut filler = std::io::BufWriter::new(filler);
        let block = vec![0xa5; 1 << 16];
        while std::io::Write::write_all(&mut filler, &block).is_ok() {}
        // What did not fit is not wanted.
        drop(filler.into_parts());
        assert!(self.free() < 1 << 16, "{}", self.free());
    }

    fn empty(&self) {
        fs::remove_file(self.dir.path().join("filler")).expect("it goes");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.dir.path()).status();
    }
}

struct Running {
    home: PathBuf,
    child: Child,
}

impl Running {
    fn start(home: &Path) -> Self {
        let mut up = command(home);
        up.args(["up", "--listen", "127.0.0.1:0", "--no-discovery", "--http", "off"]);
        up.env("MESHMQ_LIMITS_DISK_RESERVE_BYTES", "8MiB").arg("--exit-with-stdin");
        up.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = up.spawn().expect("the program was built");
        let node = Self { home: home.to_owned(), child };
        node.ok(&["status", "--wait", "ready", "--timeout", "60s"]);
        node
    }

    fn run(&self, args: &[&str]) -> Ran {
        run(&self.home, args, b"")
    }

    fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
        ran.stdout
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
fn a_full_disk_refuses_sends_lets_programs_receive_and_ends_when_there_is_room() {
    let Some(disk) = Disk::mount() else { return };
    let node = Running::start(&disk.home());
    node.ok(&["queue", "create", "orders"]);
    for number in 0..20 {
        let body = format!("{number} {}", "x".repeat(if number % 2 == 0 { 10 } else { 20_000 }));
        node.ok(&["send", "orders", &body]);
    }
    let ballast = disk.home().join("store/ballast");
    assert!(ballast.exists(), "a new store has a ballast");

    disk.fill();
    let ran = node.run(&["send", "orders", "more", "--json"]);
    assert_eq!(ran.code, 74, "{}", ran.stderr);
    assert_eq!(objects(&ran.stderr)[0]["error"]["code"], "disk_low", "{}", ran.stderr);
    let status = node.ok(&["status"]);
    assert!(status.contains("sends are refused"), "{status}");
    // Receiving writes too, and must not need what is not there.
    let got = objects(&node.ok(&["recv", "orders", "-n", "15", "--json"]));
    assert_eq!(got.len(), 15);
    assert!(!ballast.exists(), "the ballast was given up for it");
    node.ok(&["compact"]);
    assert_eq!(
        node.run(&["send", "orders", "more"]).code,
        if disk.free() < 8 << 20 { 74 } else { 0 }
    );

    disk.empty();
    node.ok(&["send", "orders", "after"]);
    assert!(!node.ok(&["status"]).contains("sends are refused"));
    assert!(ballast.exists(), "it is made again once there is plenty of room");
    let rest = objects(&node.ok(&["recv", "orders", "-n", "10", "--wait", "1s", "--json"]));
    assert!((6..=7).contains(&rest.len()), "{rest:?}");
    drop(node);
    // Nothing of what was received comes back.
    let node = Running::start(&disk.home());
    assert_eq!(node.run(&["recv", "orders"]).code, 1);
}

/// A store that meets the end of the disk while it starts says so, and starts once there is room.
#[test]
fn a_start_on_a_full_disk_says_so_or_works() {
    let Some(disk) = Disk::mount() else { return };
    let node = Running::start(&disk.home());
    node.ok(&["queue", "create", "orders"]);
    node.ok(&["send", "orders", "kept"]);
    drop(node);
    fs::remove_file(disk.home().join("store/ballast")).expect("it is there");
    disk.fill();
    let args = ["up", "--json", "--listen", "127.0.0.1:0", "--no-discovery", "--exit-with-stdin"];
    let ran = run(&disk.home(), &args, b"");
    if ran.code != 0 {
        assert_eq!(ran.code, 75, "{}", ran.stderr);
        let last = ran.stderr.lines().last().expect("a reason");
        assert!(last.contains("\"disk_full\"") && last.contains("free some space"), "{last}");
    }
    disk.empty();
    let node = Running::start(&disk.home());
    assert_eq!(objects(&node.ok(&["recv", "orders", "--json"])).len(), 1);
}
