//! `meshmq service`: runs the node under systemd.

mod unit;

use super::context::Context;
use super::error::{CliError, Exit};
use clap::{Args, Subcommand};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Name of the unit.
const UNIT: &str = "meshmq.service";
/// The configuration of the machine's node.
const CONFIG: &str = "/etc/meshmq/config.toml";
/// What it says at first.
const CONFIG_TEXT: &str = "data = \"/var/lib/meshmq\"\nsocket_group = \"meshmq\"\n";

/// Run the node as a service of systemd.
#[derive(Subcommand, Debug)]
pub(super) enum ServiceCommand {
    /// Write the unit, and start the node now and at every boot
    #[command(after_help = "\
Examples:
  meshmq service install                       for this user; as root, for the machine
  sudo meshmq service install --system --dry-run")]
    Install(ServiceArgs),
    /// Stop the node and remove the unit; the node's data stay
    Uninstall(ServiceArgs),
    /// Tell how the service is; 1 if it does not run
    Status(WhichArgs),
}

/// Whose service.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct WhichArgs {
    /// The service of this user [default unless root]
    #[arg(long, conflicts_with = "system")]
    user: bool,
    /// The service of the machine, as the user meshmq [default for root]
    #[arg(long)]
    system: bool,
}

/// Arguments of what changes something.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct ServiceArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// Print what would be written and run, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl WhichArgs {
    fn is_system(self) -> bool {
        self.system || !self.user && crate::os::user_id() == 0
    }
}

/// One thing to do.
enum Act {
    Write(PathBuf, String),
    Remove(PathBuf),
    Run(Vec<String>),
}

/// Does what is asked.
pub(super) fn run(command: ServiceCommand, context: &mut Context) -> Result<Exit, CliError> {
    match command {
        ServiceCommand::Install(args) => {
            let acts = install(args.which.is_system())?;
            carry_out(&acts, args.dry_run, context)?;
            if !args.dry_run {
                context.out.say("the node runs, and starts at every boot")?;
                if !args.which.is_system() {
                    context.out.note("until you log out, unless: loginctl enable-linger");
                }
            }
            Ok(Exit::Done)
        }
        ServiceCommand::Uninstall(args) => {
            let is_system = args.which.is_system();
            let acts = uninstall(is_system)?;
            carry_out(&acts, args.dry_run, context)?;
            if !args.dry_run {
                context.out.say("the service is gone; the node's data and configuration stay")?;
            }
            Ok(Exit::Done)
        }
        ServiceCommand::Status(which) => status(which.is_system(), context),
    }
}

fn install(is_system: bool) -> Result<Vec<Act>, CliError> {
    let program = std::env::current_exe().map_err(|why| {
        CliError::new(
            Exit::Defect,
            "no_program",
            format!("where this program lies is unknown: {why}"),
        )
    })?;
    let mut acts = Vec::new();
    let arguments = if is_system { format!("up --config {CONFIG}") } else { "up".to_owned() };
    if is_system {
        if !has_user("meshmq") {
            let words = "useradd --system --user-group --home-dir /var/lib/meshmq \
                         --shell /usr/sbin/nologin meshmq";
            acts.push(run_of(words));
        }
        if !Path::new(CONFIG).exists() {
            acts.push(Act::Write(PathBuf::from(CONFIG), CONFIG_TEXT.to_owned()));
        }
    }
    acts.push(Act::Write(place(is_system)?, unit::text(is_system, &program, &arguments)));
    acts.push(systemctl(is_system, "daemon-reload"));
    acts.push(systemctl(is_system, &format!("enable {UNIT}")));
    // An upgrade installs over what runs.
    acts.push(systemctl(is_system, &format!("restart {UNIT}")));
    Ok(acts)
}

fn uninstall(is_system: bool) -> Result<Vec<Act>, CliError> {
    let place = place(is_system)?;
    if !place.exists() {
        let message = format!("there is no {}", place.display());
        return Err(CliError::new(Exit::Unknown, "no_such_service", message));
    }
    Ok(vec![
        systemctl(is_system, &format!("disable --now {UNIT}")),
        Act::Remove(place),
        systemctl(is_system, "daemon-reload"),
    ])
}

/// Where the unit lies.
fn place(is_system: bool) -> Result<PathBuf, CliError> {
    if is_system {
        return Ok(Path::new("/etc/systemd/system").join(UNIT));
    }
    let set =
        std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config"));
    let base = set.or(home).ok_or_else(|| {
        CliError::new(Exit::Configuration, "no_home", "the user has no home directory")
    })?;
    Ok(base.join("systemd/user").join(UNIT))
}

fn has_user(name: &str) -> bool {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    users.lines().any(|line| line.split(':').next() == Some(name))
}

fn systemctl(is_system: bool, words: &str) -> Act {
    run_of(&format!("systemctl {}{words}", if is_system { "" } else { "--user " }))
}

fn run_of(words: &str) -> Act {
    Act::Run(words.split_whitespace().map(str::to_owned).collect())
}

fn carry_out(acts: &[Act], is_dry: bool, context: &mut Context) -> Result<(), CliError> {
    for act in acts {
        if is_dry {
            match act {
                Act::Write(path, text) => {
                    context.out.result(format!("# write {}\n{text}", path.display()))?;
                }
                Act::Remove(path) => context.out.result(format!("# remove {}", path.display()))?,
                Act::Run(words) => context.out.result(format!("# run {}", words.join(" ")))?,
            }
            continue;
        }
        match act {
            Act::Write(path, text) => write(path, text).map_err(|why| refused(path, &why))?,
            Act::Remove(path) => std::fs::remove_file(path).map_err(|why| refused(path, &why))?,
            Act::Run(words) => run_words(words)?,
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    std::fs::write(path, text)
}

fn refused(path: &Path, why: &io::Error) -> CliError {
    let message = format!("{}: {why}", path.display());
    match why.kind() {
        ErrorKind::PermissionDenied => CliError::new(Exit::Denied, "not_allowed", message)
            .hint("run it with sudo, or with --user for a service of your own"),
        _ => CliError::new(Exit::Disk, "io", message),
    }
}

fn run_words(words: &[String]) -> Result<(), CliError> {
    let ended = Command::new(&words[0]).args(&words[1..]).status();
    let failed = |why: String| {
        let message = format!("`{}` failed: {why}", words.join(" "));
        CliError::new(Exit::Unreachable, "service_failed", message)
            .hint("`journalctl -u meshmq` tells more; without systemd, let your supervisor run `meshmq up`")
    };
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed(status.to_string())),
        Err(why) => Err(failed(why.to_string())),
    }
}

/// What systemd says of the unit.
fn status(is_system: bool, context: &mut Context) -> Result<Exit, CliError> {
    let mut command = Command::new("systemctl");
    if !is_system {
        command.arg("--user");
    }
    let asked = [
        "show",
        UNIT,
        "--property=LoadState,ActiveState,SubState,StatusText,NRestarts,ExecMainStatus",
    ];
    let said = command.args(asked).output().map_err(|why| {
        CliError::new(Exit::Unreachable, "no_systemd", format!("systemctl cannot be run: {why}"))
            .hint("without systemd, let your supervisor run `meshmq up`")
    })?;
    if !said.status.success() {
        let why = String::from_utf8_lossy(&said.stderr);
        return Err(CliError::new(Exit::Unreachable, "no_systemd", why.trim().to_owned()));
    }
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let of = |name: &str| {
        let line =
            text.lines().find_map(|line| line.split_once('=').filter(|(key, _)| *key == name));
        line.map_or("", |(_, value)| value).to_owned()
    };
    let (state, restarts, exit) = (of("ActiveState"), of("NRestarts"), of("ExecMainStatus"));
    if context.out.json {
        context.out.object(&serde_json::json!({
            "state": state, "detail": of("SubState"), "restarts": restarts, "exit": exit,
            "installed": of("LoadState") == "loaded",
        }))?;
    } else if of("LoadState") == "loaded" {
        let status = of("StatusText");
        context.out.result(format!(
            "{state} ({}), {restarts} restarts, last exit {exit}. {status}",
            of("SubState")
        ))?;
    } else {
        context.out.result("not installed: `meshmq service install`")?;
    }
    Ok(if state == "active" { Exit::Done } else { Exit::Nothing })
}
