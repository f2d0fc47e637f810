//! `meshmq why`: what keeps a message, or all messages for a node.

use super::context::Context;
use super::error::{CliError, Exit};
use super::output::{BAD, FAINT, GOOD, STRONG, styled};
use super::trace::lines_of;
use super::units::{count, span};
use crate::client::json::{Condition, ConditionState, Why};
use crate::client::path;
use clap::Args;

/// Tell why a message, or what waits for a node, has not arrived.
///
/// What has to hold before a message can arrive is checked in order; the first check that fails is
/// the reason. Everything is told as this node knows it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  meshmq why pc-b                 what keeps everything that is for pc-b
  meshmq why 3kz9-5h2-7           what keeps this message")]
pub(super) struct WhyArgs {
    /// A message's id, or a node's name
    #[arg(value_name = "ID|NODE")]
    subject: String,
}

/// Asks and shows.
pub(super) async fn run(args: WhyArgs, context: &mut Context) -> Result<Exit, CliError> {
    let why = ask(&args.subject, context).await?;
    if context.out.json {
        context.out.object(&why)?;
        return Ok(Exit::Done);
    }
    match &why.message {
        Some(trace) => {
            for line in lines_of(trace) {
                context.out.result(line)?;
            }
            if why.checks.is_empty() {
                context.out.say("nothing is left to be delivered")?;
            }
        }
        None => {
            let waiting = count(why.waiting, "message");
            let name = styled(STRONG, &why.destination);
            context.out.result(format!("{name}: {waiting} waiting"))?;
        }
    }
    for (number, check) in why.checks.iter().enumerate() {
        context.out.result(line_of(number + 1, check))?;
        if let Some(hint) = &check.hint {
            context.out.result(format!("        {}", styled(FAINT, hint)))?;
        }
    }
    if let Some(seconds) = why.next_try_s {
        context.out.say(format!("next try in {}", span(seconds)))?;
    }
    Ok(Exit::Done)
}

/// Asks for the message of that id, or for the node of that name: some names look like ids.
async fn ask(subject: &str, context: &Context) -> Result<Why, CliError> {
    let mut client = context.connect().await?;
    let of_message = path::about_message(subject, "why");
    let message = if looks_like_id(subject) {
        Some(context.within(client.get::<Why>(&of_message)).await)
    } else {
        None
    };
    let unknown = match message {
        Some(Ok(why)) => return Ok(why),
        Some(Err(why)) if why.exit != Exit::Unknown as u8 => return Err(why),
        Some(Err(why)) => Some(why),
        None => None,
    };
    let why: Why = context.within(client.get(&path::why_node(subject))).await?;
    let is_member = why.checks.first().is_some_and(|first| first.outcome == ConditionState::Ok);
    match unknown {
        Some(unknown) if !is_member => Err(unknown),
        _ => Ok(why),
    }
}

/// Whether a text can be a message's id: three parts of letters and digits.
fn looks_like_id(text: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    text.split('-').count() == 3 && text.split('-').all(part)
}

fn line_of(number: usize, check: &Condition) -> String {
    let (mark, detail) = match check.outcome {
        ConditionState::Ok => (styled(GOOD, "ok  "), check.detail.as_str()),
        ConditionState::Fail => (styled(BAD, "FAIL"), check.detail.as_str()),
        ConditionState::Open => (styled(FAINT, "-   "), "not known before the above holds"),
    };
    format!("{number} {mark}  {:<8}  {detail}", check.check)
}
