//! `meshmq events`: what happens at the node, as it happens.

use super::context::Context;
use super::error::{CliError, Exit};
use super::output::{FAINT, GOOD, Output, WARN, styled};
use super::stop::stop_signal;
use crate::client::events;
use crate::client::http::ClientError;
use crate::client::json::{NodeEvent, SentState};
use clap::Args;
use futures::StreamExt as _;
use tokio::time::{Instant, timeout_at};

/// Show what happens at the node: messages that come further, links that come and go.
///
/// The node tells nothing of the past: whoever was not there asks for the state of a message with `trace`.
/// If the node goes and is back within ten seconds, it goes on; what is missing then is said.
/// Without --follow the next event is waited for, --timeout long at most (1 if none came).
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  meshmq events --follow
  meshmq events --follow --json | jq -r 'select(.event == \"link\")'
  meshmq events --timeout 10s")]
pub(super) struct EventsArgs {
    /// Go on until Ctrl-C, SIGTERM, or the end of the node
    #[arg(short, long)]
    follow: bool,
}

/// Prints events as they come.
pub(super) async fn run(args: EventsArgs, context: &mut Context) -> Result<Exit, CliError> {
    let mut stop = stop_signal()?;
    let until = Instant::now() + context.timeout();
    let socket = context.socket()?;
    let events = context.within(events::follow(&socket)).await?;
    let mut events = std::pin::pin!(events);
    loop {
        let next = async {
            if args.follow {
                return Ok(events.next().await);
            }
            timeout_at(until, events.next()).await
        };
        let event = tokio::select! {
            next = next => next,
            _ = stop.changed() => return Ok(Exit::Done),
        };
        match event {
            Ok(Some(Ok(event))) => tell(&event, &mut context.out)?,
            Ok(Some(Err(why))) if !matches!(why, ClientError::NotRunning(_)) => {
                return Err(why.into());
            }
            Ok(_) => {
                let message = "the node has stopped";
                return Err(CliError::new(Exit::Unreachable, "not_running", message));
            }
            Err(_elapsed) => {
                context.out.note("nothing happened");
                return Ok(Exit::Nothing);
            }
        }
        if !args.follow {
            return Ok(Exit::Done);
        }
    }
}

fn tell(event: &NodeEvent, out: &mut Output) -> Result<(), CliError> {
    if out.json {
        return out.object(event);
    }
    let line = match event {
        NodeEvent::State(sent) => {
            let state = sent.state.as_str().replace('_', " ");
            let state = match sent.state {
                SentState::Dead | SentState::Unconfirmed => styled(WARN, state),
                _ => styled(GOOD, state),
            };
            let held = sent.held_by.as_ref().map(|by| format!(" with {by}")).unwrap_or_default();
            let why = sent.reason.as_ref().map(|why| format!(": {}", why.replace('_', " ")));
            format!("{} {state}{held}{}", sent.id, why.unwrap_or_default())
        }
        NodeEvent::Entered(at) => format!("{} {} {}", at.id, styled(GOOD, "entered"), at.queue),
        NodeEvent::Consumed(at) => {
            format!("{} {} out of {}", at.id, styled(GOOD, "received"), at.queue)
        }
        NodeEvent::Link(link) if link.up => format!("link {} {}", link.node, styled(GOOD, "up")),
        NodeEvent::Link(link) => format!("link {} {}", link.node, styled(WARN, "down")),
        NodeEvent::Lagged(lag) => styled(
            FAINT,
            match lag.missed {
                Some(missed) => format!("{missed} events are missing here: this was too slow"),
                None => "events may be missing here: the node was away, or this was".to_owned(),
            },
        ),
    };
    out.result(line)
}
