//! `meshmq status`: the node in a few lines.

use super::context::Context;
use super::error::{CliError, Exit};
use super::output::{FAINT, GOOD, STRONG, WARN, styled};
use super::units::{count, span};
use crate::client::http::{Client, ClientError};
use crate::client::json::{Status, code};
use clap::{Args, ValueEnum};
use std::time::Duration;

/// Between two looks whether the node is ready.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Show how this machine's node is.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  meshmq status
  meshmq status --wait ready --timeout 10s     in scripts, after `meshmq up &`")]
pub(super) struct StatusArgs {
    /// Wait until the node is ready; 75 when --timeout runs out
    #[arg(long, value_name = "ready", value_enum, hide_possible_values = true)]
    wait: Option<WaitFor>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum WaitFor {
    /// It takes requests.
    Ready,
}

/// Asks and prints.
pub(super) async fn run(args: StatusArgs, context: &mut Context) -> Result<Exit, CliError> {
    let status = match args.wait {
        None => {
            let mut client = context.connect().await?;
            context.within(client.get::<Status>("/v1/status")).await?
        }
        Some(WaitFor::Ready) => wait_ready(context).await?,
    };
    if context.out.json {
        context.out.object(&status)?;
    } else {
        print(context, &status)?;
    }
    Ok(Exit::Done)
}

async fn wait_ready(context: &Context) -> Result<Status, CliError> {
    let asked = async {
        let mut again = tokio::time::interval(LOOK_AGAIN);
        loop {
            again.tick().await;
            // The socket of a long path is known only once the node has started.
            let Ok(mut client) = Client::connect(&context.socket()?).await else { continue };
            match client.get::<Status>("/v1/status").await {
                Ok(status) => return Ok(status),
                Err(ClientError::Broken(_)) => {}
                Err(ClientError::Problem(problem)) if problem.code == code::NOT_READY => {}
                Err(why) => return Err(CliError::from(why)),
            }
        }
    };
    let limit = context.timeout();
    tokio::time::timeout(limit, asked).await.unwrap_or_else(|_| {
        let message = format!("no node was ready within {} s", limit.as_secs_f64());
        Err(CliError::new(Exit::Later, "wait_ran_out", message)
            .hint("start one with `meshmq up`, or wait longer with --timeout"))
    })
}

fn print(context: &mut Context, status: &Status) -> Result<(), CliError> {
    let verbose = context.globals.verbose > 0;
    let out = &mut context.out;
    let away = match status.peers_away {
        0 => String::new(),
        n => format!(", {}", styled(WARN, format!("{n} away"))),
    };
    let dead = match status.dead {
        0 => String::new(),
        n => format!(" · {}", styled(WARN, format!("{n} dead: see `meshmq dead ls`"))),
    };
    let mesh = match status.ready.mesh.as_str() {
        "" => styled(WARN, "in no mesh: meshmq join TOKEN".to_owned()),
        mesh => format!("mesh {mesh}"),
    };
    out.result(format!(
        "{} {} for {} · {mesh} · {} up{away}",
        styled(STRONG, &status.ready.name),
        styled(GOOD, "up"),
        span(status.uptime_s),
        count(status.peers_up, "peer"),
    ))?;
    out.result(format!(
        "{} in {} · {} outgoing · {} carried for others{dead}",
        count(status.messages, "message"),
        count(status.queues, "queue"),
        status.outgoing,
        status.carried
    ))?;
    for address in &status.ready.listen {
        out.result(styled(FAINT, format!("listens on {address}")))?;
    }
    if let Some(url) = &status.ready.http {
        out.result(styled(FAINT, format!("serves HTTP on {url}")))?;
    }
    for warning in &status.warnings {
        out.result(format!("{} {warning}", styled(WARN, "warning:")))?;
    }
    if verbose {
        out.result(styled(FAINT, format!("node id    {}", status.ready.node_id)))?;
        out.result(styled(FAINT, format!("socket     {}", status.ready.socket)))?;
        out.result(styled(FAINT, format!("version    {}", status.version)))?;
    }
    Ok(())
}
