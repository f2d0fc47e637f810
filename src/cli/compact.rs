//! `meshmq compact`: gives back room on the disk.

use super::context::Context;
use super::error::{CliError, Exit};
use super::units::size;
use crate::client::http::{Client, ClientError};
use crate::client::json::Compacted;
use crate::daemon;
use clap::Args;
use std::path::Path;
use tokio::sync::mpsc;

/// Lines of progress that wait to be shown.
const LINES_MAX: usize = 64;

/// Give back room on the disk: bring the node's files below twice of what lives in them.
///
/// A running node does it between its other work; a stopped one is not needed for it. Every start
/// does the same. A kill in the middle loses nothing.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  meshmq compact
  meshmq compact --data /var/lib/meshmq --json     of a node that does not run, too")]
pub(super) struct CompactArgs {}

/// Asks the node, or does it itself if none runs.
pub(super) async fn run(_: CompactArgs, context: &mut Context) -> Result<Exit, CliError> {
    let compacted = match Client::connect(&context.socket()?).await {
        Ok(mut client) => {
            // It takes as long as it takes, unless somebody sets a limit.
            let asked = client.ask("/v1/compact");
            match context.globals.timeout {
                Some(_) => context.within(asked).await?,
                None => asked.await?,
            }
        }
        Err(ClientError::NotRunning(_)) => alone(context).await?,
        Err(why) => return Err(why.into()),
    };
    tell(context, &compacted)
}

/// No node runs: this process does it.
async fn alone(context: &mut Context) -> Result<Compacted, CliError> {
    let data = context.data()?;
    let (lines, mut said) = mpsc::channel(LINES_MAX);
    let work = move || of(&data, lines);
    let working = tokio::task::spawn_blocking(work);
    while let Some(line) = said.recv().await {
        context.out.note(line);
    }
    let defect = |why: tokio::task::JoinError| {
        CliError::new(Exit::Defect, "internal", format!("the store was not opened: {why}"))
    };
    working.await.map_err(defect)?
}

fn of(data: &Path, lines: mpsc::Sender<String>) -> Result<Compacted, CliError> {
    // Whoever is slow to read misses a line of progress and nothing else.
    let said = move |line| drop(lines.try_send(line));
    let done = daemon::compact(data, said)?;
    let daemon::Compacted { before_bytes, after_bytes, live_bytes, refused } = done;
    Ok(Compacted { before_bytes, after_bytes, live_bytes, refused })
}

fn tell(context: &mut Context, compacted: &Compacted) -> Result<Exit, CliError> {
    let Compacted { before_bytes, after_bytes, live_bytes, refused } = compacted;
    if context.out.json {
        context.out.object(compacted)?;
    } else {
        let (before, after, live) = (size(*before_bytes), size(*after_bytes), size(*live_bytes));
        context.out.result(format!("{before} before, {after} now, {live} of it live"))?;
    }
    match refused {
        None => Ok(Exit::Done),
        Some(why) => {
            Err(CliError::new(Exit::Disk, "not_compacted", format!("not done to the end: {why}"))
                .hint("nothing is lost; free some space on the disk and try it again"))
        }
    }
}
