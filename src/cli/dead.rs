//! `meshmq dead`: messages that could not be delivered, with the reason.

use super::context::{Context, read_list};
use super::error::{CliError, Exit};
use super::output::WARN;
use super::table::{Column, Table};
use super::units::{count, distance};
use crate::client::http::Client;
use crate::client::json::{Count, DeadLetter, RetryRequest, Sent};
use crate::client::path;
use clap::{Args, Subcommand};

/// List, send again and delete messages that could not be delivered.
#[derive(Subcommand, Debug)]
#[command(disable_help_subcommand = true)]
pub(super) enum DeadCommand {
    Ls(LsArgs),
    Retry(RetryArgs),
    Purge(PurgeArgs),
}

/// List dead letters in the order of dying.
///
/// An unconfirmed letter ran out of time without word from its destination: it may have arrived.
/// The word, when it comes, settles it.
#[derive(Args, Debug)]
pub(super) struct LsArgs {}

/// Send dead letters again, as new messages.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  meshmq dead retry 5x0c7-3kq-1
  meshmq dead retry --all")]
pub(super) struct RetryArgs {
    /// Ids, from `meshmq dead ls`
    #[arg(required_unless_present = "all", conflicts_with = "all", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    ids: Vec<String>,
    /// All that are not unconfirmed
    #[arg(long)]
    all: bool,
    /// Unconfirmed ones too, although they may have arrived
    #[arg(long)]
    may_duplicate: bool,
}

/// Delete dead letters for ever.
#[derive(Args, Debug)]
pub(super) struct PurgeArgs {
    /// Ids, from `meshmq dead ls` [default: all]
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    ids: Vec<String>,
    /// All
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Does one of them.
pub(super) async fn run(command: DeadCommand, context: &mut Context) -> Result<Exit, CliError> {
    match command {
        DeadCommand::Ls(_) => ls(context).await,
        DeadCommand::Retry(args) => retry(args, context).await,
        DeadCommand::Purge(args) => purge(args, context).await,
    }
}

async fn letters(context: &mut Context) -> Result<Vec<DeadLetter>, CliError> {
    let mut letters = Vec::new();
    read_list(context, "/v1/dead", usize::MAX, |_, letter: DeadLetter| {
        letters.push(letter);
        Ok(())
    })
    .await?;
    Ok(letters)
}

async fn ls(context: &mut Context) -> Result<Exit, CliError> {
    if context.out.json {
        let each = |context: &mut Context, letter: DeadLetter| context.out.object(&letter);
        read_list(context, "/v1/dead", usize::MAX, each).await?;
        return Ok(Exit::Done);
    }
    let letters = letters(context).await?;
    if letters.is_empty() {
        context.out.say("no dead letters")?;
        return Ok(Exit::Done);
    }
    let now = jiff::Timestamp::now();
    let mut table = Table::new(&[
        Column::Left("ID"),
        Column::Left("DESTINATION"),
        Column::Left("REASON"),
        Column::Right("DIED"),
        Column::Left("ARRIVED"),
        Column::Left("LABEL"),
    ]);
    for letter in letters {
        let style = letter.unconfirmed.then_some(WARN);
        table.row(
            style,
            &[
                letter.id,
                letter.destination,
                letter.reason.replace('_', " "),
                distance(&letter.died_at, now),
                if letter.unconfirmed { "perhaps" } else { "no" }.to_owned(),
                letter.label,
            ],
        );
    }
    context.table(&table)?;
    Ok(Exit::Done)
}

async fn retry(args: RetryArgs, context: &mut Context) -> Result<Exit, CliError> {
    let (mut ids, mut left) = (args.ids, 0);
    if args.all {
        let all = letters(context).await?;
        let wanted = |letter: &DeadLetter| args.may_duplicate || !letter.unconfirmed;
        left = all.iter().filter(|letter| !wanted(letter)).count() as u64;
        ids = all.into_iter().filter(wanted).map(|letter| letter.id).collect();
    }
    let mut client = context.connect().await?;
    let request = RetryRequest { may_duplicate: args.may_duplicate };
    for id in &ids {
        let path = format!("{}/retry", path::dead(id));
        let sent: Sent = context.within(client.post(&path, &request)).await.map_err(advise)?;
        if context.out.json {
            context.out.object(&sent)?;
        } else {
            context.out.say(format!("{id} sent again as {}", sent.id))?;
        }
    }
    if left > 0 {
        let left = count(left, "unconfirmed letter");
        context.out.note(format!(
            "{left} left alone: they may have arrived; --may-duplicate sends them all the same"
        ));
    } else if ids.is_empty() {
        context.out.note("no dead letters to send again");
    }
    Ok(if ids.is_empty() { Exit::Nothing } else { Exit::Done })
}

/// Says how to insist.
fn advise(why: CliError) -> CliError {
    if why.code == "may_duplicate" && why.hint.is_empty() {
        why.hint("wait for word from its destination, or insist with --may-duplicate")
    } else {
        why
    }
}

async fn purge(args: PurgeArgs, context: &mut Context) -> Result<Exit, CliError> {
    let mut client = context.connect().await?;
    let question = match args.ids.len() {
        0 => "Delete all dead letters for ever?".to_owned(),
        n => format!("Delete {} for ever?", count(n as u64, "dead letter")),
    };
    context.out.confirm(&question, args.yes)?;
    let gone = if args.ids.is_empty() {
        context.within(client.delete::<Count>("/v1/dead")).await?
    } else {
        Count { count: purge_each(&args.ids, &mut client, context).await? }
    };
    if context.out.json {
        context.out.object(&gone)?;
    } else {
        context.out.say(format!("deleted {}", count(gone.count, "dead letter")))?;
    }
    Ok(Exit::Done)
}

async fn purge_each(
    ids: &[String],
    client: &mut Client,
    context: &Context,
) -> Result<u64, CliError> {
    let mut gone = 0;
    for id in ids {
        let one: Count = context.within(client.delete(&path::dead(id))).await?;
        gone += one.count;
    }
    Ok(gone)
}
