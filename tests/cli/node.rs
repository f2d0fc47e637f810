//! Runs the program; a node for it in a temporary directory.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// What a command left.
pub(crate) struct Ran {
    /// Its exit code; -1 if a signal ended it.
    pub(crate) code: i32,
    /// Its standard output.
    pub(crate) stdout: String,
    /// Its standard error.
    pub(crate) stderr: String,
}

/// Runs the program with nothing on its standard input and no node anywhere near.
pub(crate) fn meshmq(args: &[&str]) -> Ran {
    run(Path::new("/nonexistent/meshmq"), args, b"")
}

/// Runs the program for the node of a directory, with this standard input.
pub(crate) fn run(data: &Path, args: &[&str], input: &[u8]) -> Ran {
    let mut command = command(data);
    command.args(args);
    output(command, input)
}

/// What a command writes, where that is no text.
pub(crate) fn bytes(data: &Path, args: &[&str]) -> Vec<u8> {
    let ran = command(data).args(args).stdin(Stdio::null()).output().expect("it runs");
    assert!(ran.status.success(), "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
    ran.stdout
}

/// Runs a command to its end, with this standard input.
pub(crate) fn output(mut command: Command, input: &[u8]) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program was built");
    let mut stdin = child.stdin.take().expect("it is piped");
    let input = input.to_vec();
    // A command that does not read its input may end before it is written.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let ran = child.wait_with_output().expect("it runs");
    writer.join().expect("it only writes");
    Ran {
        code: ran.status.code().unwrap_or(-1),
        stdout: String::from_utf8(ran.stdout).expect("text"),
        stderr: String::from_utf8(ran.stderr).expect("text"),
    }
}

/// The program in the surroundings of all tests.
pub(crate) fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshmq"));
    command.env("COLUMNS", "100").env("NO_COLOR", "1").env("MESHMQ_DATA", data);
    command.env("MESHMQ_LOG", "error").env("MESHMQ_CONFIG", "/dev/null");
    command
}

/// The objects of an output with one on each line.
pub(crate) fn objects(lines: &str) -> Vec<serde_json::Value> {
    lines.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect()
}

/// A running node, stopped when dropped.
pub(crate) struct Node {
    dir: TempDir,
    child: Child,
    /// The event that it printed when it was ready.
    pub(crate) ready: serde_json::Value,
}

impl Node {
    /// Starts a node that nobody can find.
    pub(crate) fn start(name: &str) -> Self {
        Self::start_with(name, &[])
    }

    /// The same with further arguments.
    pub(crate) fn start_with(name: &str, args: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().expect("a temporary directory"), name, args)
    }

    /// The same in a directory of its own.
    pub(crate) fn start_in(dir: TempDir, name: &str, args: &[&str]) -> Self {
        let program = command(dir.path());
        Self::run_as(program, dir, name, args)
    }

    /// Starts a node for which a shell has set limits before.
    pub(crate) fn start_under(limits: &str, name: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let plain = command(dir.path());
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{limits} && exec \"$0\" \"$@\"")]).arg(plain.get_program());
        shell.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Self::run_as(shell, dir, name, &[])
    }

    fn run_as(mut program: Command, dir: TempDir, name: &str, args: &[&str]) -> Self {
        let mut child = program
            .args(["up", "--json", "--name", name, "--listen", "127.0.0.1:0", "--no-discovery"])
            .args(["--http", "127.0.0.1:0"])
            .arg("--exit-with-stdin")
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program was built");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("it is text");
        let Ok(ready) = serde_json::from_str(&line) else {
            let mut log = String::new();
            let stderr = child.stderr.as_mut().expect("it is piped");
            stderr.read_to_string(&mut log).expect("it is text");
            panic!("the node did not start: {log}");
        };
        Self { dir, child, ready }
    }

    /// Its directory.
    pub(crate) fn data(&self) -> &Path {
        self.dir.path()
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Runs a command for it.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        run(self.data(), args, b"")
    }

    /// Runs a command that has to succeed; gives its standard output.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
        ran.stdout
    }

    /// Runs a command with `--json` that has to succeed; gives the objects that it printed.
    pub(crate) fn json(&self, args: &[&str]) -> Vec<serde_json::Value> {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        objects(&self.ok(&args))
    }

    /// Waits until it has stopped by itself; gives its exit code.
    pub(crate) fn wait(mut self) -> i32 {
        self.child.wait().expect("it runs").code().unwrap_or(-1)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
