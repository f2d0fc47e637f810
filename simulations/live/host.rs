//! What this machine must have before namespaces can be made, and how programs of it are run.
//!
//! Refuses to install anything. Where root is not there, the whole program starts again in a user
//! namespace, in which it is.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

/// Set in the program that was started again in a user namespace.
const INSIDE: &str = "MESHMQ_SIM_INSIDE";

/// Why something cannot be done on this machine, in words.
pub(super) type Missing = String;

/// Makes sure that network namespaces can be made; starts the program again if that helps.
pub(super) fn enter() -> Result<(), Missing> {
    for program in ["ip", "tc", "unshare", "nsenter", "sh", "cat"] {
        if !is_there(program) {
            let of = if matches!(program, "ip" | "tc") { "iproute2" } else { "util-linux" };
            return Err(format!("the program `{program}` ({of}) is not there"));
        }
    }
    let Err(as_we_are) = run("unshare", ["--net", "true"], "") else { return Ok(()) };
    if std::env::var_os(INSIDE).is_some() {
        return Err(format!("no network namespaces in a user namespace: {as_we_are}"));
    }
    let user = ["--user", "--map-root-user", "--net", "true"];
    run("unshare", user, "").map_err(|why| {
        format!("no network namespaces: as root {as_we_are}; in a user namespace {why}")
    })?;
    let own = std::env::current_exe().map_err(|why| format!("the own program: {why}"))?;
    let mut again = Command::new("unshare");
    again.args(["--user", "--map-root-user"]).arg(own).args(std::env::args_os().skip(1));
    Err(format!("unshare: {}", again.env(INSIDE, "1").exec()))
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Runs a program to its end with this input; what it printed.
pub(super) fn run<S: AsRef<OsStr>>(
    program: &str,
    arguments: impl IntoIterator<Item = S>,
    input: &str,
) -> Result<String, Missing> {
    let failed = |why: std::io::Error| format!("{program}: {why}");
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // What a terminal sends to all of its programs would end it in the middle.
    let mut child = command.process_group(0).spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that has ended says so itself.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program}: {}", said.trim().replace('\n', "; ")))
}
