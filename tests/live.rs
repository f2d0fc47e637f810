//! Scenarios on real processes: promises are kept and breaches seen, nothing is left behind, and a
//! machine that cannot says so.

use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A cut that is noticed, a kill, and traffic all the while.
const SHORT: &str = r#"
proves = "A live run keeps its promises."
nodes = ["a", "b"]
queues = [{ name = "orders@b", transactional = true }, { name = "notes@a" }]
send = [
  { from = "a", to = "orders@b", at = "100ms", count = 60, every = "100ms", delivery = "transactional" },
  { from = "b", to = "notes@a", at = "100ms", count = 30, every = "200ms" },
]
receive = [{ from = "orders@b", nack = 0.1 }, { from = "notes@a" }]
steps = [
  { at = "500ms", cut = [["a"], ["b"]] },
  { at = "4500ms", heal = "all" },
  { at = "6s", crash = "b", down = "500ms" },
]
"#;

/// Messages lie in a queue when their node is killed; nobody receives them before.
const LEFT_LYING: &str = r#"
proves = "A store that is gone is seen."
nodes = ["a", "b"]
queues = [{ name = "notes@b" }]
send = [{ from = "a", to = "notes@b", at = "100ms", count = 5, every = "20ms" }]
receive = [{ from = "notes@b", at = "60s" }]
steps = [{ at = "3s", crash = "b", down = "100ms" }]
"#;

/// A node whose machine has lost its disk whenever it starts again.
const FORGETFUL: &str = r#"#!/bin/sh
wanted=
for word; do
  if [ "$wanted" ]; then data=$word; fi
  wanted=
  if [ "$word" = --data ]; then wanted=yes; fi
done
case $data in
  */b)
    if [ -e "$data.started" ]; then rm -rf "$data"; fi
    : >"$data.started"
    ;;
esac
exec "$NODE" "$@"
"#;

/// How long anything may take on a busy machine.
const SOON: Duration = Duration::from_secs(120);

/// A directory with a scenario in it, where also the run keeps what it writes.
struct Place(TempDir);

impl Place {
    fn new(scenario: &str) -> Self {
        let folder = TempDir::new().expect("a directory");
        std::fs::write(folder.path().join("it.toml"), scenario).expect("a writable directory");
        Self(folder)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshmq-sim"));
        command.arg("live").arg(self.0.path().join("it.toml")).env("TMPDIR", self.0.path());
        command.env("NODE", env!("CARGO_BIN_EXE_meshmq")).stdin(Stdio::null());
        command
    }

    /// What lies here, but for the scenario.
    fn left(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.0.path()).expect("a readable directory");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.filter(|path| path.extension().is_none()).collect()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether it ran. A skip is said, and is a failure where it is not allowed.
fn ran(test: &str, output: &Output) -> bool {
    if output.status.code() != Some(77) {
        return true;
    }
    let why = text(&output.stderr);
    assert!(
        std::env::var_os("MESHMQ_REQUIRE_NETNS").is_none(),
        "{test} must not be skipped: {why}"
    );
    eprintln!("SKIPPED {test}: {why}");
    false
}

#[test]
fn a_cut_and_a_kill_keep_every_promise() {
    let place = Place::new(SHORT);
    let output = place.command().arg("--json").output().expect("it starts");
    if !ran("a_cut_and_a_kill_keep_every_promise", &output) {
        return;
    }
    let object: Value = serde_json::from_slice(&output.stdout).expect("an object");
    // A gate is a figure: a busy machine may miss it.
    assert!(matches!(object["verdict"].as_str(), Some("ok" | "gate missed")), "{object:#}");
    assert!(matches!(output.status.code(), Some(0 | 13)), "{object:#}");
    assert_eq!((&object["tally"]["sent"], &object["tally"]["received"]), (&90.into(), &90.into()));
    assert_eq!((&object["tally"]["cuts"], &object["tally"]["kills"]), (&1.into(), &1.into()));
    assert_eq!(object["cut_noticed"]["count"], 2, "{object:#}");
    assert_eq!(object["first_after_heal"]["count"], 1, "{object:#}");
    assert_eq!(place.left(), Vec::<PathBuf>::new());
}

#[test]
fn a_store_that_is_gone_is_seen() {
    let place = Place::new(LEFT_LYING);
    let program = place.0.path().join("forgetful.sh");
    std::fs::write(&program, FORGETFUL).expect("a writable directory");
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&program, executable).expect("an own file");
    let output = place.command().arg("--meshmq").arg(&program).output().expect("it starts");
    if !ran("a_store_that_is_gone_is_seen", &output) {
        return;
    }
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(10), "{said}");
    assert!(said.contains("G2 nothing vanishes: it left its queue, but no program"), "{said}");
    assert_eq!(place.left(), Vec::<PathBuf>::new());
}

#[test]
fn who_interrupts_a_run_finds_nothing_left() {
    let place = Place::new(SHORT);
    let mut child = place.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.as_mut().expect("it starts");
    let both =
        |folder: &Path| folder.join("a/node.sock").exists() && folder.join("b/node.sock").exists();
    let runs = until(|| {
        let ended = child.try_wait().expect("a child").is_some();
        (ended || place.left().iter().any(|folder| both(folder))).then_some(!ended)
    });
    if runs {
        let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(sent.expect("the tool is there").success());
    }
    let code = ended(mut child);
    assert!(code == 130 || !runs && code == 77, "{code}");
    assert_eq!(place.left(), Vec::<PathBuf>::new());
    assert_eq!(processes_of(place.0.path()), Vec::<String>::new());
}

fn ended(child: &mut Child) -> i32 {
    until(|| child.try_wait().expect("a child")).code().expect("it ends by itself")
}

/// Asks again and again until there is an answer.
fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let (_never, pause) = channel::<()>();
    let begun = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(begun.elapsed() < SOON, "it took too long");
        let _ = pause.recv_timeout(Duration::from_millis(20));
    }
}

/// Command lines that name a directory.
fn processes_of(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("a list of processes");
    let line = |entry: std::io::Result<std::fs::DirEntry>| {
        let bytes = std::fs::read(entry.ok()?.path().join("cmdline")).ok()?;
        let line = text(&bytes).replace('\0', " ");
        line.contains(&*folder.to_string_lossy()).then_some(line)
    };
    entries.filter_map(line).collect()
}

#[test]
fn a_machine_without_the_tools_is_told() {
    let place = Place::new(SHORT);
    let output = place.command().env("PATH", place.0.path()).output().expect("it starts");
    assert_eq!(output.status.code(), Some(77));
    let said = text(&output.stderr);
    assert!(said.contains("SKIPPED") && said.contains("`ip` (iproute2) is not there"), "{said}");
    assert!(output.stdout.is_empty());
    assert_eq!(place.left(), Vec::<PathBuf>::new());
}

#[test]
fn what_cannot_be_played_is_refused_before_anything_starts() {
    let large = SHORT.replace("count = 30,", "count = 30, batch = 9, body_bytes = 500000,");
    let full =
        SHORT.replace("crash = \"b\", down = \"500ms\"", "corrupt = { nodes = \"b\", bodies = 1 }");
    for (scenario, why) in [(large, "requests of more than"), (full, "the step `corrupt`")] {
        let place = Place::new(&scenario);
        let output = place.command().output().expect("it starts");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(77), "{said}");
        assert!(said.contains(&format!("it.toml: not played live: {why}")), "{said}");
    }
}
