//! `meshmq trace`: what this node knows of a message that it accepted.

use super::context::Context;
use super::error::{CliError, Exit};
use super::output::{STRONG, styled};
use super::units::distance;
use crate::client::json::{SentState, Trace, Wait};
use crate::client::path;
use clap::Args;
use std::time::Duration;

/// Longest wait of one request while the message is followed.
const FOLLOW_STEP: Duration = Duration::from_secs(20);

/// Tell how far a message has come, with the times that are known.
///
/// Only the node that accepted a message knows this.
#[derive(Args, Debug)]
pub(super) struct TraceArgs {
    /// The message's id
    id: String,
    /// Go on until it has been received, or has died
    #[arg(short, long)]
    follow: bool,
}

/// Asks and shows.
pub(super) async fn run(args: TraceArgs, context: &mut Context) -> Result<Exit, CliError> {
    let mut shown: Option<Trace> = None;
    let mut client = context.connect().await?;
    loop {
        let path = path::about_message(&args.id, "trace");
        let trace: Trace = context.within(client.get(&path)).await?;
        if shown.as_ref() != Some(&trace) {
            show(context, &trace)?;
        }
        let next = match trace.state {
            SentState::Stored | SentState::InTransit => Wait::Arrived,
            SentState::Arrived => Wait::Received,
            SentState::Received | SentState::Dead | SentState::Unconfirmed => {
                return Ok(Exit::Done);
            }
        };
        if !args.follow {
            return Ok(Exit::Done);
        }
        shown = Some(trace);
        let query = path::query(&[
            ("until", Some(next.as_str().to_owned())),
            ("timeout_s", Some(FOLLOW_STEP.as_secs().to_string())),
        ]);
        let path = format!("{}{query}", path::about_message(&args.id, "wait"));
        let _: crate::client::json::Sent = client.get(&path).await?;
    }
}

fn show(context: &mut Context, trace: &Trace) -> Result<(), CliError> {
    if context.out.json {
        return context.out.object(trace);
    }
    lines_of(trace).into_iter().try_for_each(|line| context.out.result(line))
}

/// A message for people: what it is, and what happened.
pub(super) fn lines_of(trace: &Trace) -> Vec<String> {
    let now = jiff::Timestamp::now();
    let id = styled(STRONG, &trace.id);
    let state = trace.state.as_str();
    let mut first = format!("{id} to {}: {state}", trace.to);
    if let Some(reason) = &trace.reason {
        first.push_str(&format!(", {reason}"));
    }
    if let (Some(end), SentState::Stored | SentState::InTransit) = (&trace.expires_at, trace.state)
    {
        first.push_str(&format!(", its time ends {}", distance(end, now)));
    }
    let steps = trace.steps.iter().map(|step| {
        let at = step.at.as_ref().map_or_else(
            || "time not kept here".to_owned(),
            |at| format!("{at}  {}", distance(at, now)),
        );
        format!("  {:<12}{:<16}{at}", step.step, step.node)
    });
    let held = trace.held_there.then(|| "  it is there, and waits for an earlier one".to_owned());
    std::iter::once(first).chain(steps).chain(held).collect()
}
