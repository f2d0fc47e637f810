//! `meshmq demo`: three real nodes on this machine, and everything that can go wrong between them.
//!
//! Each node is reached only through a cable of the demo, which can be pulled.

mod receiver;
mod story;
mod view;

use super::context::Context;
use super::error::{CliError, Exit};
use super::output::{BAD, GOOD, STRONG, TYPED, styled};
use super::sandbox;
use super::table::{Column, Table};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};

/// Messages that the demo sends.
const MESSAGES: u64 = 1_000;

/// Show on this machine alone what meshmq does when everything breaks.
///
/// Starts three nodes: a, relay and b. a and b never hear each other; all goes through the relay.
/// Then a sends 1,000 transactional messages to b while the relay's cable is pulled, the relay is
/// killed and b is restarted, and b counts what arrives. It takes less than a minute and leaves
/// nothing behind.
#[derive(Args, Debug)]
pub(super) struct DemoArgs {
    /// Remove this folder when standard input ends: the demo's own child
    #[arg(long, hide = true, value_name = "DIR")]
    sweep: Option<PathBuf>,
}

/// What came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
struct Outcome {
    /// Messages that a accepted.
    sent: u64,
    /// Different messages received at b.
    delivered: u64,
    /// Receptions of a message that had been received before.
    duplicates: u64,
    /// Messages that a accepted and b did not receive.
    lost: u64,
    /// Messages received after one that was sent later.
    out_of_order: u64,
    /// From the first send to the end, in seconds.
    seconds: f64,
}

impl Outcome {
    fn is_perfect(&self) -> bool {
        self.sent == MESSAGES
            && self.delivered == MESSAGES
            && self.duplicates + self.lost + self.out_of_order == 0
    }
}

/// Tells the story and judges it.
pub(super) async fn run(args: DemoArgs, context: &mut Context) -> Result<Exit, CliError> {
    if let Some(folder) = args.sweep {
        sandbox::sweep(&folder).await;
        return Ok(Exit::Done);
    }
    let signals = async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        Ok::<u8, std::io::Error>(tokio::select! {
            _ = interrupt.recv() => 130,
            _ = terminate.recv() => 143,
            _ = hang_up.recv() => 129,
        })
    };
    let folder = sandbox::Folder::make()?;
    let mut view = view::View::new(context);
    let told = tokio::select! {
        told = story::tell(folder.path(), &mut view) => told,
        exit = signals => Err(CliError::interrupted(exit.unwrap_or(Exit::Defect as u8))),
    };
    view.end();
    // The story and with it its nodes are gone by now.
    folder.remove().await;
    let outcome = told?;
    report(&outcome, context)
}

fn report(outcome: &Outcome, context: &mut Context) -> Result<Exit, CliError> {
    let good = outcome.is_perfect();
    let exit = if good { Exit::Done } else { Exit::Defect };
    if context.out.json {
        context.out.object(outcome)?;
        return Ok(exit);
    }
    let mut table = Table::new(&[
        Column::Right("SENT"),
        Column::Right("DELIVERED"),
        Column::Right("DUPLICATES"),
        Column::Right("LOST"),
        Column::Right("OUT OF ORDER"),
        Column::Right("SECONDS"),
    ]);
    table.row(
        Some(if good { GOOD } else { BAD }),
        &[
            outcome.sent.to_string(),
            outcome.delivered.to_string(),
            outcome.duplicates.to_string(),
            outcome.lost.to_string(),
            outcome.out_of_order.to_string(),
            format!("{:.1}", outcome.seconds),
        ],
    );
    context.out.say("")?;
    context.table(&table)?;
    context.out.say("")?;
    if good {
        context.out.say("Every message arrived exactly once and in order.")?;
    } else {
        context.out.say(styled(BAD, "This is not what meshmq promises: please report it."))?;
    }
    context.out.say("")?;
    context.out.say(styled(STRONG, "The same by hand, in a terminal for each node:"))?;
    for (command, remark) in BY_HAND {
        let pad = if remark.is_empty() { 0 } else { BY_HAND_WIDTH.saturating_sub(command.len()) };
        let command = styled(TYPED, command);
        context.out.say(format!("  {command}{:pad$}{remark}", ""))?;
    }
    Ok(exit)
}

/// Where the remarks beside the commands begin.
const BY_HAND_WIDTH: usize = 48;

/// The commands that do what the demo does.
const BY_HAND: [(&str, &str); 9] = [
    ("meshmq --data relay up --name relay --listen 127.0.0.1:0 --no-discovery", ""),
    ("meshmq --data relay invite", "twice"),
    ("meshmq --data a up --name a --listen 127.0.0.1:0 --no-discovery --join TOKEN", ""),
    ("meshmq --data b up --name b --listen 127.0.0.1:0 --no-discovery --join TOKEN", ""),
    ("meshmq --data b queue create demo --transactional", ""),
    ("seq 1000 | meshmq --data a send demo@b --lines --delivery transactional", ""),
    ("kill -9 $(pgrep -f 'data relay up')", "then up again"),
    ("meshmq --data a outgoing", "watch it wait"),
    ("meshmq --data b recv demo -n 1000 --wait 10s | uniq | wc -l", ""),
];
