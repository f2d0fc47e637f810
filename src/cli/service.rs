//! `meshmq service`: the node as a service of systemd.

mod unit;

use super::context::Context;
use super::error::{CliError, Exit};
use super::output::{FAINT, TYPED, styled};
use crate::os;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::Command;
use unit::Scope;

/// Where the unit of the machine's node lies.
const SYSTEM_UNIT: &str = "/etc/systemd/system/meshmq.service";
/// The machine's node keeps its data there.
const SYSTEM_DATA: &str = "/var/lib/meshmq";
/// Name of the unit.
const UNIT: &str = "meshmq.service";
/// The user and group that the machine's node runs as.
const USER: &str = "meshmq";

/// Run the node as a service of systemd: at boot, restarted when it fails, watched.
#[derive(Subcommand, Debug)]
#[command(disable_help_subcommand = true)]
pub(super) enum ServiceCommand {
    Install(InstallArgs),
    Uninstall(UninstallArgs),
    Status(StatusArgs),
}

/// Install or upgrade the service, and start it.
///
/// For the machine as root: the node runs as the user `meshmq`, keeps its data in /var/lib/meshmq,
/// and the members of the group `meshmq` may use it. With --user: as you, with your own data.
/// Installed again after the program was replaced, it restarts the node with the new one.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  sudo meshmq service install
  sudo meshmq service install -- --no-discovery --peer pc-a:7670
  meshmq service install --user
  meshmq service install --user --dry-run      show the unit and the commands, and do nothing")]
pub(super) struct InstallArgs {
    /// For the own user, without root
    #[arg(long)]
    user: bool,
    /// Show what would be done
    #[arg(long)]
    dry_run: bool,
    /// Further flags of `meshmq up`, after --
    #[arg(last = true, value_name = "FLAGS")]
    flags: Vec<String>,
}

/// Stop the service and remove it; the node's data stay.
#[derive(Args, Debug)]
pub(super) struct UninstallArgs {
    /// That of the own user
    #[arg(long)]
    user: bool,
    /// Show what would be done
    #[arg(long)]
    dry_run: bool,
}

/// Tell whether the service is installed and runs.
///
/// Ends with 0 if it runs, else with 69.
#[derive(Args, Debug)]
pub(super) struct StatusArgs {
    /// That of the own user
    #[arg(long)]
    user: bool,
}

/// Does one of them.
pub(super) fn run(command: ServiceCommand, context: &mut Context) -> Result<Exit, CliError> {
    match command {
        ServiceCommand::Install(args) => install(&args, context),
        ServiceCommand::Uninstall(args) => uninstall(&args, context),
        ServiceCommand::Status(args) => status(&args, context),
    }
}

/// Where and for whom.
struct Place {
    scope: Scope,
    file: PathBuf,
}

impl Place {
    fn of(user: bool) -> Result<Self, CliError> {
        if !user {
            return Ok(Self { scope: Scope::System, file: SYSTEM_UNIT.into() });
        }
        let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
        let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".config"));
        let folder = config.filter(|path| path.is_absolute()).or_else(home).ok_or_else(|| {
            CliError::new(Exit::Configuration, "no_home", "this user has no home directory")
                .hint("set HOME or XDG_CONFIG_HOME")
        })?;
        Ok(Self { scope: Scope::User, file: folder.join("systemd/user").join(UNIT) })
    }

    /// `systemctl`, for the machine or the user.
    fn systemctl(&self, words: &[&str]) -> Vec<String> {
        let scope = (self.scope == Scope::User).then_some("--user");
        let all = ["systemctl"].into_iter().chain(scope).chain(words.iter().copied());
        all.map(str::to_owned).collect()
    }

    fn check_root(&self) -> Result<(), CliError> {
        if self.scope == Scope::User || os::user_id() == 0 {
            return Ok(());
        }
        let what = "the machine's service is for root to change";
        Err(CliError::new(Exit::Denied, "not_root", what)
            .hint("run it with sudo, or give --user for a service of your own"))
    }

    /// A file of that name that somebody else made is not touched.
    fn check_file(&self) -> Result<(), CliError> {
        match std::fs::read_to_string(&self.file) {
            Ok(text) if !text.starts_with(unit::MADE_BY) => {
                let what = format!("{} was not made by this command", self.file.display());
                Err(CliError::new(Exit::Exists, "foreign_unit", what).hint("move it away first"))
            }
            _ => Ok(()),
        }
    }
}

fn install(args: &InstallArgs, context: &mut Context) -> Result<Exit, CliError> {
    let place = Place::of(args.user)?;
    let program = program(place.scope)?;
    let text = unit::text(place.scope, &program, &args.flags);
    let mut steps = Vec::new();
    if place.scope == Scope::System && os::group_id(USER).is_err() {
        steps.push(words(&[
            "useradd",
            "--system",
            "--user-group",
            "--home-dir",
            SYSTEM_DATA,
            "--no-create-home",
            "--shell",
            "/usr/sbin/nologin",
            USER,
        ]));
    }
    let after = [
        place.systemctl(&["daemon-reload"]),
        place.systemctl(&["enable", UNIT]),
        // Also what runs already: it may be another program by now.
        place.systemctl(&["restart", UNIT]),
    ];
    if args.dry_run {
        return show(context, &place, Some(&text), steps.iter().chain(&after));
    }
    place.check_root()?;
    place.check_file()?;
    steps.iter().try_for_each(|step| perform(step))?;
    write(&place.file, &text)?;
    after.iter().try_for_each(|step| perform(step))?;
    let data = (place.scope == Scope::System).then_some(SYSTEM_DATA);
    if context.out.json {
        context.out.object(&Installed { unit: &place.file, program: &program, data })?;
        return Ok(Exit::Done);
    }
    context.out.say(format!("installed and started {}", place.file.display()))?;
    if let Some(data) = data {
        let note = [
            format!("  its data are in {data}; who may use it: usermod -aG {USER} USER"),
            format!("  your commands find it by: export MESHMQ_DATA={data}"),
        ];
        note.iter().try_for_each(|line| context.out.say(styled(FAINT, line)))?;
    }
    context.out.say(styled(
        FAINT,
        "  between machines 7670/tcp and, for discovery, 5353/udp must be open",
    ))?;
    Ok(Exit::Done)
}

fn uninstall(args: &UninstallArgs, context: &mut Context) -> Result<Exit, CliError> {
    let place = Place::of(args.user)?;
    let before = place.systemctl(&["disable", "--now", UNIT]);
    let after = place.systemctl(&["daemon-reload"]);
    if args.dry_run {
        return show(context, &place, None, [&before, &after].into_iter());
    }
    place.check_root()?;
    if !place.file.exists() {
        let what = format!("there is no {}", place.file.display());
        return Err(CliError::new(Exit::Unknown, "not_installed", what)
            .hint("a service of your own user is named with --user"));
    }
    place.check_file()?;
    perform(&before)?;
    std::fs::remove_file(&place.file).map_err(|why| unwritable(&place.file, &why))?;
    perform(&after)?;
    if context.out.json {
        context.out.object(&serde_json::json!({"removed": place.file}))?;
    }
    let stay = if place.scope == Scope::System { SYSTEM_DATA } else { "your data directory" };
    context
        .out
        .say(format!("stopped and removed {}; {stay} is as it was", place.file.display()))?;
    Ok(Exit::Done)
}

fn status(args: &StatusArgs, context: &mut Context) -> Result<Exit, CliError> {
    let place = Place::of(args.user)?;
    let ask = |what: &str| {
        let words = place.systemctl(&[what, UNIT]);
        let asked = Command::new(&words[0]).args(&words[1..]).output();
        let told = asked.map(|told| String::from_utf8_lossy(&told.stdout).trim().to_owned());
        told.ok().filter(|told| !told.is_empty()).unwrap_or_else(|| "unknown".to_owned())
    };
    let installed = place.file.exists();
    let (active, enabled) = (ask("is-active"), ask("is-enabled"));
    let exit = if active == "active" { Exit::Done } else { Exit::Unreachable };
    if context.out.json {
        let object = serde_json::json!({
            "unit": place.file, "installed": installed, "active": active, "enabled": enabled,
        });
        context.out.object(&object)?;
        return Ok(exit);
    }
    let there = if installed { "installed" } else { "not installed" };
    context.out.result(format!("{there} · {active} · {enabled} · {}", place.file.display()))?;
    Ok(exit)
}

#[derive(Serialize)]
struct Installed<'a> {
    unit: &'a Path,
    program: &'a Path,
    data: Option<&'a str>,
}

/// This program, if the service can run it where it lies.
fn program(scope: Scope) -> Result<PathBuf, CliError> {
    let found = std::env::current_exe().and_then(std::fs::canonicalize).map_err(|why| {
        CliError::new(Exit::Defect, "no_program", format!("this program cannot be found: {why}"))
    })?;
    let hidden = ["/home", "/root", "/run/user", "/tmp"].iter().any(|it| found.starts_with(it));
    if scope == Scope::System && hidden {
        let what = format!("the service could not see {}", found.display());
        return Err(CliError::new(Exit::Configuration, "hidden_program", what)
            .hint("install it first: install -m 755 meshmq /usr/local/bin/, then run that one"));
    }
    Ok(found)
}

/// Prints the unit and the commands.
fn show<'a>(
    context: &mut Context,
    place: &Place,
    text: Option<&str>,
    steps: impl Iterator<Item = &'a Vec<String>>,
) -> Result<Exit, CliError> {
    let steps: Vec<String> = steps.map(|words| words.join(" ")).collect();
    if context.out.json {
        let object = serde_json::json!({"unit": place.file, "text": text, "commands": steps});
        context.out.object(&object)?;
        return Ok(Exit::Done);
    }
    if let Some(text) = text {
        context.out.result(styled(TYPED, format!("write {}", place.file.display())))?;
        context.out.result(text)?;
    }
    steps.iter().try_for_each(|step| context.out.result(styled(TYPED, step)))?;
    Ok(Exit::Done)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Runs a command that has to succeed.
fn perform(words: &[String]) -> Result<(), CliError> {
    let line = words.join(" ");
    let failed = |why: String| {
        CliError::new(Exit::Disk, "command_failed", format!("`{line}` failed: {why}"))
            .hint("see with `journalctl -u meshmq` what the node said, if it got so far")
    };
    let ran = Command::new(&words[0]).args(&words[1..]).output();
    match ran {
        Ok(ran) if ran.status.success() => Ok(()),
        Ok(ran) => Err(failed(String::from_utf8_lossy(&ran.stderr).trim().to_owned())),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
            let what = format!("there is no `{}` here", words[0]);
            Err(CliError::new(Exit::Configuration, "no_systemd", what)
                .hint("any other supervisor can run `meshmq up`: it stays in the foreground"))
        }
        Err(why) => Err(failed(why.to_string())),
    }
}

/// Writes a file beside the one that is there, and puts it in its place.
fn write(file: &Path, text: &str) -> Result<(), CliError> {
    let folder = file.parent().unwrap_or_else(|| Path::new("/"));
    let fresh = file.with_extension("service.new");
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&fresh, text))
        .and_then(|()| std::fs::rename(&fresh, file))
        .map_err(|why| unwritable(file, &why))
}

fn unwritable(file: &Path, why: &std::io::Error) -> CliError {
    CliError::new(Exit::Disk, "unwritable", format!("{} cannot be changed: {why}", file.display()))
}
