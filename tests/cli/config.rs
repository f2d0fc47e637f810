//! The configuration as a person meets it: shown with its sources, checked, refused with its place.

use super::node::{Node, Ran, command, objects, output};
use serde_json::{Value, json};
use std::path::Path;

fn meshmq(file: &Path, args: &[&str]) -> Ran {
    let mut command = command(Path::new("/nowhere"));
    command.args(args).env("MESHMQ_CONFIG", file).env_remove("MESHMQ_LOG");
    output(command, b"")
}

fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("config.toml");
    std::fs::write(&path, text).expect("the directory is writable");
    (dir, path)
}

fn row(ran: &Ran, key: &str) -> Value {
    let rows = objects(&ran.stdout);
    rows.into_iter().find(|row| row["key"] == key).expect("a row")
}

#[test]
fn every_value_is_shown_with_its_source() {
    let (_dir, path) = file("name = \"pc-a\"\n[limits]\nrelay_bytes = \"1GiB\"\n");
    let shown = meshmq(&path, &["config", "show", "--json", "--no-discovery"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    let from = |line| json!({"file": path, "line": line, "source": "file"});
    let with = |key: &str, value: Value, mut rest: Value| {
        rest["key"] = key.into();
        rest["value"] = value;
        rest
    };
    assert_eq!(row(&shown, "name"), with("name", "pc-a".into(), from(1)));
    let relay = with("limits.relay_bytes", (1_u64 << 30).into(), from(3));
    assert_eq!(row(&shown, "limits.relay_bytes"), relay);
    let data = json!({"source": "env", "variable": "MESHMQ_DATA"});
    assert_eq!(row(&shown, "data"), with("data", "/nowhere".into(), data));
    let flag = json!({"source": "flag"});
    assert_eq!(row(&shown, "discovery"), with("discovery", false.into(), flag));
    let default = json!({"source": "default"});
    assert_eq!(row(&shown, "log_format"), with("log_format", "auto".into(), default));

    let people = meshmq(&path, &["config", "show"]);
    let line = people.stdout.lines().find(|line| line.starts_with("name ")).expect("a line");
    assert!(line.ends_with(&format!("{}:1", path.display())), "{line}");
}

#[test]
fn the_printed_file_is_a_file_and_says_the_same() {
    let (_dir, path) = file("peers = [\"pc-b:7670\"]\nlimits.queue_messages = 5\n");
    let printed = meshmq(&path, &["config", "show", "--toml"]);
    let (_again, again) = file(&printed.stdout);
    let checked = meshmq(&again, &["config", "check", "--json"]);
    assert_eq!(checked.code, 0, "{}{}", checked.stderr, printed.stdout);
    // The directory of MESHMQ_DATA, the peers and the limit.
    assert_eq!(objects(&checked.stdout)[0]["settings"], 3, "{}", printed.stdout);
    let uncommented = printed.stdout.replace("\n# limits", "\nlimits");
    assert!(uncommented.contains("queue_messages = 5\n"), "{uncommented}");
}

#[test]
fn a_file_with_mistakes_is_refused_by_every_command_that_reads_it() {
    let (_dir, path) = file("name = \"a\"\n\n  lisen = [\"x\"]\ndiscovery = 3\n");
    let place = format!("{}:3:3: there is no key `lisen`", path.display());
    for args in [&["up"][..], &["config", "show"]] {
        let refused = meshmq(&path, args);
        assert_eq!(refused.code, 78, "{args:?}");
        assert!(refused.stderr.contains(&place), "{}", refused.stderr);
        assert!(refused.stderr.contains("meshmq config check"), "{}", refused.stderr);
    }
    let checked = meshmq(&path, &["config", "check"]);
    assert_eq!(checked.code, 78);
    assert_eq!(checked.stdout.lines().count(), 2, "{}", checked.stdout);
    assert!(checked.stdout.starts_with(&place), "{}", checked.stdout);
    let json = meshmq(&path, &["config", "check", "--json"]);
    let second = &objects(&json.stdout)[1];
    assert_eq!((&second["line"], &second["column"]), (&json!(4), &json!(13)));
}

#[test]
fn a_value_that_the_node_would_refuse_is_found_by_the_check() {
    let (_dir, path) = file("name = \"Not A Name\"\n");
    let checked = meshmq(Path::new("/dev/null"), &["config", "check", &path.display().to_string()]);
    assert_eq!(checked.code, 78, "{}", checked.stdout);
}

#[test]
fn a_file_that_was_named_and_is_not_there_is_an_error() {
    let refused = meshmq(Path::new("/nowhere/config.toml"), &["config", "show"]);
    assert_eq!(refused.code, 78);
    let shown = meshmq(Path::new("/nowhere/config.toml"), &["config", "path"]);
    assert_eq!((shown.code, shown.stdout.as_str()), (0, "/nowhere/config.toml\n"));
}

#[test]
fn a_node_keeps_to_the_limits_of_its_file() {
    let (_dir, path) = file("limits.queue_messages = 3\n");
    let node = Node::start_with("pc-a", &["--config", &path.display().to_string()]);
    let made = node.run(&["queue", "create", "orders", "--json"]);
    assert_eq!(objects(&made.stdout)[0]["max_messages"], 3);
}
