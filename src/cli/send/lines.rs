//! `send --lines`: a stream of messages in batches, each batch one durable step.
//!
//! A batch is what has been read when the last one was stored, so that a slow source loses no time
//! and a fast one no commits.

use super::super::context::{Context, within};
use super::super::error::{CliError, Exit};
use super::super::output::{GOOD, styled};
use super::super::units::count;
use super::{SendArgs, body, judge, tell};
use crate::client::http::Client;
use crate::client::json::{Batch, BatchSent, SEND_MAX, Sent, SentState, WHOLE_BODY_MAX};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{BufRead, BufReader, Read};
use std::time::Duration;
use tokio::sync::mpsc;

/// Bytes of a batch at most. In JSON a byte may become six; the door takes eight times as much.
const BATCH_BYTES: usize = 1024 * 1024;
/// Lines read ahead of the node.
const AHEAD: usize = 2 * SEND_MAX;

/// What happened so far.
#[derive(Default)]
struct Sum {
    stored: u64,
    /// The first message for which the wait was in vain.
    missed: Option<Sent>,
    last: Option<Sent>,
}

/// Sends every line of the source.
pub(super) async fn run(args: SendArgs, context: &mut Context) -> Result<Exit, CliError> {
    let mut lines = read_ahead(body::open(args.body.as_deref(), &mut context.out)?);
    let mut client = context.connect().await?;
    let bar = progress(context);
    let mut sum = Sum::default();
    let outcome = stream(&mut lines, &mut client, &args, context, &bar, &mut sum).await;
    bar.finish_and_clear();
    if let Err(mut why) = outcome {
        if !why.is_reader_gone() {
            why.message = format!("{} (line {})", why.message, sum.stored + 1);
            why.hint = format!("{} stored before it. {}", count(sum.stored, "message"), why.hint);
        }
        return Err(why);
    }
    if !context.out.json {
        let state = sum.last.as_ref().map_or(SentState::Stored, |sent| sent.state);
        let state = if sum.missed.is_some() { SentState::Stored } else { state };
        let state = styled(GOOD, state.as_str().replace('_', " "));
        context.out.say(format!("{} {state} → {}", count(sum.stored, "message"), args.address))?;
    }
    sum.missed.map_or(Ok(()), |sent| judge(&sent, args.wait, context.timeout()))?;
    Ok(Exit::Done)
}

/// Sends batch after batch until the source ends.
async fn stream(
    lines: &mut mpsc::Receiver<Result<Vec<u8>, CliError>>,
    client: &mut Client,
    args: &SendArgs,
    context: &mut Context,
    bar: &ProgressBar,
    sum: &mut Sum,
) -> Result<(), CliError> {
    let ends = tokio::time::Instant::now() + context.timeout();
    // What was read and does not belong to the batch before.
    let mut carried = None;
    loop {
        let first = match carried.take() {
            Some(line) => line,
            None => match lines.recv().await {
                Some(line) => line,
                None => return Ok(()),
            },
        }?;
        let mut bytes = first.len();
        let mut batch = Batch { messages: vec![args.with_body(&first)] };
        while batch.messages.len() < SEND_MAX {
            match lines.try_recv() {
                Ok(Ok(line)) if bytes + line.len() <= BATCH_BYTES => {
                    bytes += line.len();
                    batch.messages.push(args.with_body(&line));
                }
                Ok(other) => {
                    carried = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        let left = match args.wait {
            Some(_) => ends.saturating_duration_since(tokio::time::Instant::now()),
            None => context.timeout(),
        };
        store(batch, left, client, args, context, sum).await?;
        bar.set_position(sum.stored);
    }
}

/// Stores one batch, and tells what became of each message. A batch is taken as a whole or not at
/// all: where there is no room for it, its parts are tried, so that what fits is stored.
async fn store(
    batch: Batch,
    left: Duration,
    client: &mut Client,
    args: &SendArgs,
    context: &mut Context,
    sum: &mut Sum,
) -> Result<(), CliError> {
    let mut parts = vec![batch];
    while let Some(mut part) = parts.pop() {
        match store_whole(&part, left, client, args, context, sum).await {
            Err(why) if is_full(&why) && part.messages.len() > 1 => {
                let rest = part.messages.split_off(part.messages.len() / 2);
                parts.extend([Batch { messages: rest }, part]);
            }
            other => other?,
        }
    }
    Ok(())
}

fn is_full(why: &CliError) -> bool {
    matches!(&*why.code, "queue_full" | "outgoing_full" | "express_full")
}

async fn store_whole(
    batch: &Batch,
    left: Duration,
    client: &mut Client,
    args: &SendArgs,
    context: &mut Context,
    sum: &mut Sum,
) -> Result<(), CliError> {
    let limit = args.answer_within(left);
    let answer: BatchSent = within(limit, client.post(&args.path(left), batch)).await?;
    for sent in answer.messages {
        sum.stored += 1;
        if context.out.json {
            tell(&sent, &args.address, context)?;
        }
        if args.wait.is_some_and(|wait| !sent.state.satisfies(wait)) && sum.missed.is_none() {
            sum.missed = Some(sent.clone());
        }
        sum.last = Some(sent);
    }
    Ok(())
}

/// Reads lines on a thread of its own, a bounded number ahead.
fn read_ahead(source: body::Source) -> mpsc::Receiver<Result<Vec<u8>, CliError>> {
    let (to, lines) = mpsc::channel(AHEAD);
    std::thread::spawn(move || {
        let mut source = BufReader::new(source);
        while let Some(line) = next_line(&mut source) {
            let last = line.is_err();
            if to.blocking_send(line).is_err() || last {
                break;
            }
        }
    });
    lines
}

/// The next line without its end; nothing at the end of the source.
fn next_line(source: &mut impl BufRead) -> Option<Result<Vec<u8>, CliError>> {
    let mut line = Vec::new();
    match source.take(WHOLE_BODY_MAX as u64 + 1).read_until(b'\n', &mut line) {
        Ok(0) => None,
        Ok(_) => {
            if line.last() == Some(&b'\n') {
                line.pop();
            } else if line.len() > WHOLE_BODY_MAX {
                return Some(Err(body::too_large("the line")));
            }
            Some(Ok(line))
        }
        Err(why) => Some(Err(body::unreadable(&why))),
    }
}

fn progress(context: &Context) -> ProgressBar {
    if !context.out.watched() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {human_pos} messages stored, {per_sec}")
        .expect("the template is fixed");
    ProgressBar::no_length().with_style(style)
}

#[cfg(test)]
mod tests;
