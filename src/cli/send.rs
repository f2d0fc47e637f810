//! `meshmq send`: a message, or one for every line, goes to a queue here or elsewhere.

mod body;
mod lines;

use super::context::{Context, within};
use super::error::{CliError, Exit, exit_of_death};
use super::output::{GOOD, Output, WARN, styled};
use super::units::parse_duration;
use crate::client::json::{Delivery, NewMessage, SendAnswer, Sent, SentState, Wait};
use crate::client::{path, raw};
use body::Body;
use clap::{Args, builder::PossibleValuesParser, builder::TypedValueParser};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::time::Duration;

/// What the node gets on top of a wait to answer that it ran out.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// Send a message to a queue of this or another node.
///
/// When the command returns, the message is on this machine's disk: it will be delivered exactly
/// once, whenever the destination can be reached, however often anything breaks in between.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  meshmq send orders@pc-b 'two boxes'
  meshmq send orders@pc-b @invoice.pdf --label invoice --priority 5 --reach-within 2d
  meshmq send plans@pc-b,plans@pc-c @plan.pdf
  meshmq send orders@pc-b 'two boxes' --wait received --timeout 10s
  seq 1000 | meshmq send ledger@pc-b --lines --delivery transactional")]
pub(super) struct SendArgs {
    /// Where to: queue or queue@node; several are joined by commas
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    address: String,
    /// The body itself, @FILE, or - for standard input [default: -]
    body: Option<String>,
    /// Send every line as a message of its own
    #[arg(long)]
    lines: bool,
    /// A property of the application, NAME=VALUE; may be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME=VALUE", value_parser = parse_header)]
    headers: Vec<(String, String)>,
    /// A short text that people see in lists
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// 0 to 7, 7 the most urgent [default: 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=7))]
    priority: Option<u8>,
    /// What the message survives: express (memory only), recoverable (disk, exactly once),
    /// transactional (and in order) [default: recoverable]
    #[arg(long, value_name = "CLASS", value_parser = delivery_parser(), hide_possible_values = true)]
    delivery: Option<Delivery>,
    /// Give up if the message has not reached its queue by then [default: 30d]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    reach_within: Option<Duration>,
    /// Give up if no application has received the message by then [default: never]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    ttl: Option<Duration>,
    /// The queue for an answer
    #[arg(long, value_name = "ADDRESS")]
    reply_to: Option<String>,
    /// The message that this one answers or belongs to
    #[arg(long, value_name = "ID")]
    correlation: Option<String>,
    /// Media type of the body
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// Wait until the message is stored here, has arrived in its queue, or was received by an
    /// application; 75 when --timeout runs out, and the message stays on its way
    #[arg(long, value_name = "STATE", value_parser = wait_parser(), hide_possible_values = true)]
    wait: Option<Wait>,
}

fn parse_header(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

fn delivery_parser() -> impl TypedValueParser<Value = Delivery> {
    PossibleValuesParser::new(["express", "recoverable", "transactional"]).map(|name| {
        [Delivery::Express, Delivery::Recoverable, Delivery::Transactional]
            .into_iter()
            .find(|delivery| delivery.as_str() == name)
            .unwrap_or_default()
    })
}

fn wait_parser() -> impl TypedValueParser<Value = Wait> {
    PossibleValuesParser::new(["stored", "arrived", "received"]).map(|name| {
        [Wait::Stored, Wait::Arrived, Wait::Received]
            .into_iter()
            .find(|wait| wait.as_str() == name)
            .unwrap_or_default()
    })
}

/// Sends what was asked.
pub(super) async fn run(args: SendArgs, context: &mut Context) -> Result<Exit, CliError> {
    if args.lines && args.address.contains(',') {
        return Err(CliError::usage("--lines takes one address"));
    }
    if args.lines {
        return lines::run(args, context).await;
    }
    let body = body::read(args.body.as_deref(), &mut context.out).await?;
    let mut client = context.connect().await?;
    let path = args.path(context.timeout());
    let answer: SendAnswer = match body {
        Body::Whole(bytes) => {
            let limit = args.answer_within(context.timeout());
            within(limit, client.post(&path, &args.with_body(&bytes))).await?
        }
        Body::Large(first, source, length) => {
            let headers = raw::headers(&args.with_body(&[]));
            let bar = progress(length, &context.out);
            let pieces = body::pieces(first, source, bar.clone());
            // It takes as long as it takes; the node ends what does not move.
            let sent = client.upload(&path, &headers, length, pieces).await;
            bar.finish_and_clear();
            sent?
        }
    };
    let all = match answer {
        SendAnswer::One(sent) => vec![sent],
        SendAnswer::Batch(batch) => batch.messages,
    };
    for (sent, address) in all.iter().zip(args.address.split(',')) {
        tell(sent, address, context)?;
    }
    all.iter().try_for_each(|sent| judge(sent, args.wait, context.timeout()))?;
    Ok(Exit::Done)
}

impl SendArgs {
    /// The message with this body.
    fn with_body(&self, bytes: &[u8]) -> NewMessage {
        NewMessage {
            label: self.label.clone(),
            headers: self.headers.iter().cloned().collect::<BTreeMap<_, _>>(),
            content_type: self.content_type.clone(),
            priority: self.priority,
            delivery: self.delivery,
            reach_within_s: self.reach_within.map(|limit| limit.as_secs_f64()),
            ttl_s: self.ttl.map(|limit| limit.as_secs_f64()),
            correlation_id: self.correlation.clone(),
            reply_to: self.reply_to.clone(),
            ..NewMessage::with_body(bytes)
        }
    }

    /// Where to post it, with what to wait for and how long.
    fn path(&self, timeout: Duration) -> String {
        let wait = self.wait.filter(|wait| *wait != Wait::Stored);
        let query = path::query(&[
            ("wait", wait.map(|wait| wait.as_str().to_owned())),
            ("timeout_s", wait.map(|_| timeout.as_secs_f64().to_string())),
        ]);
        format!("{}{query}", path::messages(&self.address))
    }

    /// How long the node's answer may take.
    fn answer_within(&self, timeout: Duration) -> Duration {
        if self.wait.is_some() { timeout + ANSWER_TIME } else { timeout }
    }
}

/// How far a large body has gone, where people see it.
fn progress(length: Option<u64>, out: &Output) -> ProgressBar {
    if out.quiet || out.json {
        return ProgressBar::hidden();
    }
    let template = match length {
        Some(_) => "{bar:30} {bytes}/{total_bytes} {binary_bytes_per_sec}, {eta} left",
        None => "{bytes} {binary_bytes_per_sec}",
    };
    // It hides itself where standard error is no terminal.
    let bar = ProgressBar::new(length.unwrap_or_default());
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style)
}

/// Prints what became of a message so far.
fn tell(sent: &Sent, address: &str, context: &mut Context) -> Result<(), CliError> {
    if context.out.json {
        return context.out.object(sent);
    }
    if context.out.quiet {
        return context.out.result(&sent.id);
    }
    let state = sent.state.as_str().replace('_', " ");
    let state = match sent.state {
        SentState::Dead | SentState::Unconfirmed => styled(WARN, state),
        _ => styled(GOOD, state),
    };
    let held = sent.held_by.as_ref().map(|by| format!(" with {by}")).unwrap_or_default();
    context.out.result(format!("{} {state}{held} → {address}", sent.id))
}

/// Whether what was waited for has happened.
fn judge(sent: &Sent, wait: Option<Wait>, timeout: Duration) -> Result<(), CliError> {
    let Some(wait) = wait.filter(|wait| !sent.state.satisfies(*wait)) else { return Ok(()) };
    let reason = sent.reason.clone().unwrap_or_default();
    let words = reason.replace('_', " ");
    let id = &sent.id;
    Err(match sent.state {
        SentState::Dead => {
            let message = format!("message {id} cannot be delivered: {words}");
            CliError::new(exit_of_death(&reason), &reason, message)
                .hint("it lies among the dead letters: see `meshmq dead ls`")
        }
        SentState::Unconfirmed => {
            let message = format!("nobody knows whether message {id} has arrived: {words}");
            CliError::new(Exit::Later, "unconfirmed", message)
                .hint("it lies among the dead letters: see `meshmq dead ls`")
        }
        _ => {
            let missed = match wait {
                Wait::Received => "was not received",
                _ => "has not arrived",
            };
            let message = format!("message {id} {missed} within {} s", timeout.as_secs_f64());
            CliError::new(Exit::Later, "wait_ran_out", message)
                .hint("it is stored and stays on its way: see `meshmq why ID`")
        }
    })
}
