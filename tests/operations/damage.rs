//! Each file of a node's directory is damaged in turn: the node refuses to start with a way out, says
//! the same again at the next start, or goes on without what is lost and says so.

use super::node::{Ran, command, objects, output, run};
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Arguments of a node that nobody can find, which ends once it has started.
pub(crate) const UP: [&str; 7] =
    ["up", "--json", "--listen", "127.0.0.1:0", "--no-discovery", "--exit-with-stdin", "--http"];

/// A directory in which a node has run, with two messages in `orders`: one in sled, one in the log.
pub(crate) fn home() -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let node = Background::start(dir.path());
    node.ok(&["queue", "create", "orders"]);
    node.ok(&["send", "orders", "small"]);
    node.ok(&["send", "orders", &"x".repeat(20_000)]);
    drop(node);
    dir
}

/// A node on a directory that outlives it.
pub(crate) struct Background {
    dir: PathBuf,
    child: std::process::Child,
}

impl Background {
    pub(crate) fn start(dir: &Path) -> Self {
        use std::process::Stdio;
        let mut up = command(dir);
        up.args(UP).arg("off").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = up.spawn().expect("the program was built");
        let node = Self { dir: dir.to_owned(), child };
        node.ok(&["status", "--wait", "ready", "--timeout", "60s"]);
        node
    }

    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let ran = run(&self.dir, args, b"");
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
        ran.stdout
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

pub(crate) fn up(dir: &Path) -> Ran {
    run(dir, &[&UP[..], &["127.0.0.1:0"]].concat(), b"")
}

/// The start is refused in these words, the next one too, and nothing panics.
#[track_caller]
fn assert_refused(dir: &Path, exit: i32, code: &str) {
    for _ in 0..2 {
        let ran = up(dir);
        assert_eq!(ran.code, exit, "{}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        let last = ran.stderr.lines().last().expect("a reason");
        let said: serde_json::Value = serde_json::from_str(last).expect("an object");
        assert_eq!(said["error"]["code"], code, "{last}");
        let way_out = format!("{}{}", said["error"]["message"], said["error"]["hint"]);
        assert!(way_out.len() > 60, "{way_out}");
    }
}

#[track_caller]
fn assert_starts(dir: &Path) {
    let ran = up(dir);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
}

fn change(path: &Path, how: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("it is there");
    how(&mut bytes);
    fs::write(path, bytes).expect("it can be written");
}

#[test]
fn a_damaged_engine_is_quarantined_and_refused_until_somebody_decides() {
    let wholes: [fn(&mut Vec<u8>); 4] = [
        |bytes| bytes[20..4_000].fill(0x5a),
        |bytes| bytes.truncate(3_000),
        Vec::clear,
        |bytes| bytes.fill(0),
    ];
    for (case, damage) in wholes.into_iter().enumerate() {
        let dir = home();
        change(&dir.path().join("store/sled/db"), damage);
        println!("case {case}");
        assert_refused(dir.path(), 74, "store_damaged");
        let names = fs::read_dir(dir.path().join("store")).expect("a directory");
        let aside =
            names.flatten().find(|n| n.file_name().to_string_lossy().starts_with("quarantine-"));
        let aside = aside.expect("it was moved aside").path();
        fs::rename(aside, dir.path().join("kept")).expect("a person moves it away");
        assert_starts(dir.path());
    }
}

#[test]
fn a_store_of_a_later_version_and_an_unreadable_one_are_told_apart() {
    let dir = home();
    let format = dir.path().join("store/format");
    fs::write(&format, "meshmq-store 7\n").expect("it can be written");
    assert_refused(dir.path(), 78, "store_too_new");
    fs::write(&format, "something else").expect("it can be written");
    assert_refused(dir.path(), 74, "store_damaged");
    fs::write(&format, "meshmq-store 1\n").expect("it can be written");
    assert_starts(dir.path());
}

#[test]
fn what_can_be_made_again_does_not_keep_a_node_down() {
    for (name, text) in [
        ("store/sled/snap.FFFFFFFFFFFFFFFF", "half"),
        ("store/sled/snap.FFFFFFFFFFFFFFFF.generating", "half"),
        ("store/sled/witness", "garbage"),
        ("store/sled/packed", "garbage"),
        ("node.json", "{"),
    ] {
        let dir = home();
        fs::write(dir.path().join(name), text).expect("it can be written");
        let node = Background::start(dir.path());
        assert_eq!(objects(&node.ok(&["peek", "orders", "--json"])).len(), 2, "{name}");
    }
}

#[test]
fn damaged_secrets_are_refused_and_never_replaced() {
    for (name, exit, code) in [("identity", 74, "key_file"), ("token", 78, "bad_token_file")] {
        let dir = home();
        // The first start without `--http off` makes the token.
        assert_starts(dir.path());
        let path = dir.path().join(name);
        // No digit of either: one of a token that was changed to another digit is another token.
        change(&path, |bytes| {
            let last = bytes.len() - 3;
            bytes[last] = b'!';
        });
        let damaged = fs::read(&path).expect("it is there");
        assert_refused(dir.path(), exit, code);
        change(&path, |bytes| bytes.truncate(10));
        assert_refused(dir.path(), exit, code);
        change(&path, |bytes| *bytes = damaged);
        assert_refused(dir.path(), exit, code);
    }
}

#[test]
fn a_lost_token_is_made_anew_and_the_old_one_opens_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("token");
    assert_starts(dir.path());
    let old = fs::read_to_string(&path).expect("a token");
    fs::remove_file(&path).expect("it can be removed");
    let node = super::node::Node::start_in(dir, "pc-a", &[]);
    let new = fs::read_to_string(&path).expect("another token");
    assert_ne!(old, new);
    let url = node.ready["http"].as_str().expect("a URL");
    let at = url.strip_prefix("http://").expect("it is not encrypted");
    let asked = |token: &str| {
        let mut wire = std::net::TcpStream::connect(at).expect("it listens");
        let token = token.trim();
        let ask = format!(
            "GET /v1/status HTTP/1.1\r\nhost: {at}\r\nauthorization: Bearer {token}\r\n\
             connection: close\r\n\r\n"
        );
        wire.write_all(ask.as_bytes()).expect("it reads");
        let mut said = String::new();
        wire.read_to_string(&mut said).expect("text");
        said
    };
    assert!(asked(&new).starts_with("HTTP/1.1 200"), "{}", asked(&new));
    let refused = asked(&old);
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    assert!(refused.contains("unauthorized") && refused.contains("hint"), "{refused}");
    // Over the socket nobody needs one, even while the file is lost.
    fs::remove_file(&path).expect("it can be removed");
    node.ok(&["status"]);
}

#[test]
fn a_wrong_configuration_is_refused_with_its_place() {
    for (text, word) in [
        ("nonsense = 1\n", "nonsense"),
        ("data = \n", "1"),
        ("\u{0}", "1"),
        ("[limits]\nhttp_connections = 0\n", "config.toml:2:20"),
        ("limits.relay_bytes = \"much\"\n", "config.toml:1:22"),
        ("http_cert = \"a.pem\"\n", "http_cert"),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("config.toml");
        fs::write(&file, text).expect("it can be written");
        let mut up = command(&dir.path().join("home"));
        up.env("MESHMQ_CONFIG", &file).args(UP).arg("off");
        let ran = output(up, b"");
        assert_eq!(ran.code, 78, "{}", ran.stderr);
        assert!(ran.stderr.contains(word) && ran.stderr.contains("config"), "{}", ran.stderr);
        assert!(!dir.path().join("home").exists(), "nothing was made");
    }
}

/// The content that is damaged ends as a dead letter with that reason; all others are delivered.
#[test]
fn a_damaged_content_becomes_a_dead_letter_and_others_go_on() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 4] = [
        ("flipped", |path| change(path, |bytes| bytes[100] ^= 1)),
        ("cut off", |path| change(path, |bytes| bytes.truncate(100))),
        ("zeroed", |path| change(path, |bytes| bytes.fill(0))),
        ("missing", |path| fs::remove_file(path).expect("it can be removed")),
    ];
    for (name, damage) in damages {
        let dir = home();
        let mut segments = fs::read_dir(dir.path().join("store/bodies")).expect("a directory");
        damage(&segments.next().expect("a segment").expect("it is listed").path());
        let node = Background::start(dir.path());
        let got = objects(&node.ok(&["recv", "orders", "-n", "2", "--wait", "2s", "--json"]));
        let bodies: Vec<&str> = got.iter().filter_map(|message| message["body"].as_str()).collect();
        assert_eq!(bodies, ["small"], "{name}: {got:?}");
        let dead = objects(&node.ok(&["dead", "ls", "--json"]));
        assert_eq!(dead.len(), 1, "{name}: {dead:?}");
        assert_eq!(dead[0]["reason"], "damaged", "{name}: {dead:?}");
        node.ok(&["send", "orders", "after"]);
        let got = objects(&node.ok(&["recv", "orders", "--json"]));
        assert_eq!(got[0]["body"], "after", "{name}");
    }
}
