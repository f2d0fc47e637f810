//! The node as a service: the unit, and what the service manager hears.

use super::node::{command, objects, output, run};
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

fn hear(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 512];
    let length = socket.recv(&mut bytes).expect("the node says something in time");
    String::from_utf8(bytes[..length].to_vec()).expect("text")
}

#[test]
fn the_service_manager_hears_ready_alive_and_stopping() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a deadline");
    let mut child = command(&dir.path().join("data"))
        .args([
            "up",
            "--name",
            "pc-a",
            "--listen",
            "127.0.0.1:0",
            "--no-discovery",
            "--http",
            "off",
        ])
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "200000")
        .env_remove("WATCHDOG_PID")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program was built");
    let ready = hear(&socket);
    assert!(ready.starts_with("READY=1\nSTATUS=node pc-a in mesh "), "{ready}");
    assert_eq!([hear(&socket), hear(&socket)], ["WATCHDOG=1", "WATCHDOG=1"]);
    let down = run(&dir.path().join("data"), &["down"], b"");
    assert_eq!(down.code, 0, "{}", down.stderr);
    let last = std::iter::repeat_with(|| hear(&socket)).find(|said| said != "WATCHDOG=1");
    assert_eq!(last.expect("it says so"), "STOPPING=1\nSTATUS=stopping");
    assert!(child.wait().expect("it ran").success());
}

#[test]
fn the_unit_is_as_reviewed_and_nothing_is_done_on_trial() {
    let home = tempfile::tempdir().expect("a directory");
    let dry = |args: &[&str]| {
        let mut install = command(home.path());
        install.env("XDG_CONFIG_HOME", home.path()).args(["service", "install", "--dry-run"]);
        install.args(args);
        output(install, b"")
    };
    let shown = dry(&["--user", "--", "--peer", "pc-b:7670", "--name", "my node"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    let program = std::fs::canonicalize(env!("CARGO_BIN_EXE_meshmq")).expect("it was built");
    let text = shown.stdout.replace(&program.display().to_string(), "[PROGRAM]");
    let text = text.replace(&home.path().display().to_string(), "[CONFIG]");
    snapbox::assert_data_eq!(text, snapbox::file!["snapshots/unit.txt"]);
    assert!(!home.path().join("systemd").exists());
    let json = dry(&["--user", "--json"]);
    assert!(objects(&json.stdout)[0]["text"].as_str().expect("a unit").contains("Type=notify"));
}

/// systemd itself reads the unit, where it is there.
#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut install = command(dir.path());
    install.env("XDG_CONFIG_HOME", dir.path());
    install.args(["service", "install", "--user", "--dry-run", "--json"]);
    let shown = output(install, b"");
    let unit = objects(&shown.stdout)[0]["text"].as_str().expect("a unit").to_owned();
    let file = dir.path().join("meshmq.service");
    std::fs::File::create(&file).and_then(|mut it| it.write_all(unit.as_bytes())).expect("a file");
    let Ok(checked) =
        Command::new("systemd-analyze").arg("verify").arg("--man=no").arg(&file).output()
    else {
        println!("skipped: systemd-analyze is not here");
        return;
    };
    let said = String::from_utf8_lossy(&checked.stderr);
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("meshmq.service")).collect();
    assert!(ours.is_empty(), "{ours:?}");
}

#[test]
fn a_foreign_unit_and_a_service_that_is_not_there_are_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let of_user = |args: &[&str]| {
        let mut command = command(dir.path());
        command.env("XDG_CONFIG_HOME", dir.path()).args(args);
        output(command, b"")
    };
    let gone = of_user(&["service", "uninstall", "--user"]);
    assert_eq!(gone.code, 66, "{}", gone.stderr);
    let units = dir.path().join("systemd/user");
    std::fs::create_dir_all(&units).expect("a folder");
    std::fs::write(units.join("meshmq.service"), "[Unit]\n").expect("a file");
    for args in [&["service", "install", "--user"][..], &["service", "uninstall", "--user"]] {
        let refused = of_user(args);
        assert_eq!(refused.code, 73, "{args:?}: {}", refused.stderr);
    }
    let status = of_user(&["service", "status", "--user", "--json"]);
    assert_eq!(status.code, 69);
    assert_eq!(objects(&status.stdout)[0]["installed"], true);
}
