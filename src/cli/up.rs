//! `meshmq up`: this process becomes the node.

use super::context::{Context, Globals};
use super::error::{CliError, Exit};
use super::output::{FAINT, GOOD, STRONG, TYPED, WARN, styled};
use crate::client::json::ReadyEvent;
use crate::daemon::{self, DaemonError, HttpWish, TlsFiles, UpOptions};
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
    /// Name of the node in its mesh, 1 to 63 of a-z 0-9 - [default: the host's name]
    #[arg(long)]
    name: Option<String>,
    /// Listen here: host:port or a multiaddr [default: every interface, port 7670 or a free one]
    #[arg(long, value_name = "ADDR")]
    listen: Vec<String>,
    /// Keep a link with the node there: host:port or a multiaddr; may be given several times
    #[arg(long, value_name = "ADDR")]
    peer: Vec<String>,
    /// Neither look for nodes on the local network nor show this one
    #[arg(long)]
    no_discovery: bool,
    /// Serve HTTP here too: IP:PORT or `off` [default: 127.0.0.1:7671, or a free port]
    #[arg(long, value_name = "ADDR")]
    http: Option<HttpWish>,
    /// Certificate chain in PEM for --http; an address that other machines reach needs one
    #[arg(long, value_name = "FILE", requires = "http_key")]
    http_cert: Option<PathBuf>,
    /// Key of the certificate in PEM
    #[arg(long, value_name = "FILE", requires = "http_cert")]
    http_key: Option<PathBuf>,
    /// Let members of this group use the node too
    #[arg(long, value_name = "GROUP")]
    socket_group: Option<String>,
    /// Join the mesh of this token first
    #[arg(long, value_name = "TOKEN")]
    join: Option<String>,
    /// Tell other nodes these addresses instead of those listened on: host:port
    #[arg(long, hide = true, value_name = "ADDR")]
    announce: Vec<String>,
    /// Stop when standard input ends
    #[arg(long, hide = true)]
    exit_with_stdin: bool,
}

/// Runs the node until it is told to stop.
pub(super) async fn run(args: UpArgs, context: &mut Context) -> Result<Exit, CliError> {
    crate::telemetry::init_with(log_filter(&context.globals));
    let data = context.data()?;
    let first = args.join.is_none() && !data.join(crate::config::NODE_FILE).exists();
    let options = UpOptions {
        data: data.clone(),
        name: args.name,
        listen: args.listen,
        peers: args.peer,
        discovery: !args.no_discovery,
        announce: args.announce,
        http: args.http.unwrap_or(HttpWish::Usual),
        http_tls: args
            .http_cert
            .zip(args.http_key)
            .map(|(certificate, key)| TlsFiles { certificate, key }),
        socket_group: args.socket_group,
        join: args.join,
        exit_with_stdin: args.exit_with_stdin,
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
