//! `meshmq up`: this process becomes the node.

use super::context::{Context, Globals};
use super::error::{CliError, Exit};
use super::flags::{NodeFlags, options};
use super::output::{FAINT, GOOD, STRONG, TYPED, WARN, styled};
use crate::client::json::ReadyEvent;
use crate::config::{NODE_FILE, data_dir};
use crate::daemon::{self, DaemonError, UpOptions};
use crate::telemetry;
use clap::Args;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Where the founder of a mesh keeps the key that makes inviters.
const AUTHORITY_KEY: &str = "authority.key";

/// Start this machine's node, in the foreground.
///
/// The first start makes the node's identity and a mesh of its own; `meshmq invite` lets other
/// machines in. The node stops at Ctrl-C, SIGTERM or `meshmq down`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  meshmq up                                     first machine
  meshmq up --join TOKEN                        second machine, with the token of `meshmq invite`
  meshmq up --no-discovery --peer pc-a:7670     where nodes cannot find each other by themselves")]
pub(super) struct UpArgs {
    #[command(flatten)]
    flags: Box<NodeFlags>,
    /// Join the mesh of this token first
    #[arg(long, value_name = "TOKEN")]
    join: Option<String>,
    /// Stop when standard input ends
    #[arg(long, hide = true)]
    exit_with_stdin: bool,
}

/// Runs the node until it is told to stop.
pub(super) async fn run(args: UpArgs, context: &mut Context) -> Result<Exit, CliError> {
    let settings = context.settings(args.flags.given()?)?;
    let filter = settings.text("log").unwrap_or_else(|| log_filter(&context.globals).to_owned());
    let format = settings.text("log_format").unwrap_or_default();
    telemetry::start(&filter, &format);
    let data = data_dir(settings.text("data").map(PathBuf::from).as_deref())?;
    let first = args.join.is_none() && !data.join(NODE_FILE).exists();
    let options = UpOptions {
        join: args.join,
        exit_with_stdin: args.exit_with_stdin,
        ..options(&settings, data.clone())?
    };
    let mut said = Ok(());
    daemon::run(options, |ready| said = greet(context, ready, &data, first)).await?;
    said?;
    Ok(Exit::Done)
}

impl From<DaemonError> for CliError {
    fn from(why: DaemonError) -> Self {
        Self { code: why.code.to_owned(), message: why.message, hint: why.hint, exit: why.exit }
    }
}

/// What is logged. A terminal shows the ready lines anyway, so that it gets less.
fn log_filter(globals: &Globals) -> &'static str {
    match (globals.quiet, globals.verbose) {
        (true, _) => "error",
        (_, 0) if std::io::stderr().is_terminal() => "warn",
        (_, 0 | 1) => "warn,meshmq=info",
        (_, 2) => "info,meshmq=debug",
        _ => "debug,meshmq=trace",
    }
}

/// Says that the node is ready, and what comes next.
fn greet(
    context: &mut Context,
    ready: &daemon::Ready,
    data: &Path,
    first: bool,
) -> Result<(), CliError> {
    let out = &mut context.out;
    // The key lies only where the mesh was founded.
    let key = Some(data.join(AUTHORITY_KEY)).filter(|key| first && key.exists());
    if out.json {
        out.object(&ReadyEvent::new(ready.clone()))?;
        return key.map_or(Ok(()), |key| {
            out.object(&serde_json::json!({"event": "authority_backup_due", "file": key}))
        });
    }
    let name = styled(STRONG, &ready.name);
    out.say(format!("node {name} is {} in mesh {}", styled(GOOD, "ready"), ready.mesh))?;
    for address in &ready.listen {
        out.say(styled(FAINT, format!("  listens on {address}")))?;
    }
    if let Some(url) = &ready.http {
        out.say(styled(FAINT, format!("  serves HTTP on {url}")))?;
    }
    out.say(styled(FAINT, format!("  keeps its data in {}", data.display())))?;
    if first {
        out.say(format!("  let another machine in: {}", styled(TYPED, "meshmq invite")))?;
    }
    if let Some(key) = key {
        out.note(format!(
            "{} the mesh's authority key, {}, wants a backup: copy it to a safe\n\
             place. Whoever has it can make inviters when this machine is lost. A second inviter\n\
             does as well: {}",
            styled(WARN, "note:"),
            key.display(),
            styled(TYPED, "meshmq invite --admin"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
