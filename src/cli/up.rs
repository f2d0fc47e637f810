//! `meshmq up`: this process becomes the node.

use super::context::Context;
use super::error::{CliError, Exit};
use super::output::{FAINT, GOOD, STRONG, TYPED, styled};
use crate::client::json;
use crate::daemon::{self, DaemonError, UpOptions};
use clap::Args;
use std::path::Path;

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
    crate::telemetry::init();
    let data = context.data()?;
    let first = args.join.is_none() && !data.join(crate::config::NODE_FILE).exists();
    let options = UpOptions {
        data: data.clone(),
        name: args.name,
        listen: args.listen,
        peers: args.peer,
        discovery: !args.no_discovery,
        announce: args.announce,
        socket_group: args.socket_group,
        join: args.join,
        exit_with_stdin: args.exit_with_stdin,
    };
    let mut said = Ok(());
    daemon::run(options, |ready| said = greet(context, ready, &data, first)).await?;
    said?;
    context.out.note("stopped");
    Ok(Exit::Done)
}

impl From<DaemonError> for CliError {
    fn from(why: DaemonError) -> Self {
        Self { code: why.code.to_owned(), message: why.message, hint: why.hint, exit: why.exit }
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
    if out.json {
        return out.object(&json::ReadyEvent::new(json::Ready {
            name: ready.name.clone(),
            node_id: ready.node_id.clone(),
            mesh: ready.mesh.clone(),
            listen: ready.listen.clone(),
            socket: ready.socket.clone(),
        }));
    }
    let name = styled(STRONG, &ready.name);
    out.say(format!("node {name} is {} in mesh {}", styled(GOOD, "ready"), ready.mesh))?;
    for address in &ready.listen {
        out.say(styled(FAINT, format!("  listens on {address}")))?;
    }
    out.say(styled(FAINT, format!("  keeps its data in {}", data.display())))?;
    if first {
        out.say(format!("  let another machine in: {}", styled(TYPED, "meshmq invite")))?;
        out.note(format!(
            "This node holds the mesh's authority key: only with it can inviters be made. So that the\n\
             mesh outlives this disk, make a second inviter soon ({}), or\n\
             stop the node and keep a copy of {} in a safe place.",
            styled(TYPED, "meshmq invite --admin"),
            data.display()
        ));
    }
    Ok(())
}
