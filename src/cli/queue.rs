//! `meshmq queue`: local queues are made, listed, described, emptied and deleted.

use super::context::{Context, read_list};
use super::error::{CliError, Exit};
use super::output::{STRONG, TYPED, WARN, styled};
use super::table::{Column, Table};
use super::units::{age, count, distance, parse_size, size};
use crate::client::json::{Count, Queue, QueueSpec};
use crate::client::path;
use clap::{Args, Subcommand};

/// Make, list, describe, empty and delete this node's queues.
#[derive(Subcommand, Debug)]
#[command(disable_help_subcommand = true)]
pub(super) enum QueueCommand {
    Create(CreateArgs),
    Ls(LsArgs),
    Show(ShowArgs),
    Rm(RmArgs),
    Purge(PurgeArgs),
}

/// Make a queue on this node.
///
/// Its kind is fixed for ever: a transactional queue takes only transactional messages, each
/// exactly once and in order; any other queue takes all others.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  meshmq queue create orders
  meshmq queue create ledger --transactional --max-messages 100000 --max-bytes 256MiB")]
pub(super) struct CreateArgs {
    /// Name: 1 to 124 letters, digits, dots, dashes and underscores; case does not matter
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    name: String,
    /// Take transactional messages only
    #[arg(long)]
    transactional: bool,
    /// Refuse more messages than this [default: 10 million]
    #[arg(long, value_name = "N")]
    max_messages: Option<u64>,
    /// Refuse more bytes than this, such as 256MiB [default: 8GiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    max_bytes: Option<u64>,
}

/// List the queues with what is in them.
#[derive(Args, Debug)]
pub(super) struct LsArgs {}

/// Describe one queue.
#[derive(Args, Debug)]
pub(super) struct ShowArgs {
    /// Its name
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    name: String,
}

/// Delete a queue and everything in it.
#[derive(Args, Debug)]
pub(super) struct RmArgs {
    /// Its name
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    name: String,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Delete everything in a queue; messages that somebody is working on stay.
#[derive(Args, Debug)]
pub(super) struct PurgeArgs {
    /// Its name
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    name: String,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Does one of them.
pub(super) async fn run(command: QueueCommand, context: &mut Context) -> Result<Exit, CliError> {
    match command {
        QueueCommand::Create(args) => create(args, context).await,
        QueueCommand::Ls(_) => ls(context).await,
        QueueCommand::Show(args) => show(args, context).await,
        QueueCommand::Rm(args) => rm(args, context).await,
        QueueCommand::Purge(args) => purge(args, context).await,
    }
}

async fn create(args: CreateArgs, context: &mut Context) -> Result<Exit, CliError> {
    let mut client = context.connect().await?;
    let spec = QueueSpec {
        transactional: args.transactional,
        max_messages: args.max_messages,
        max_bytes: args.max_bytes,
    };
    let queue: Queue = context.within(client.put(&path::queue(&args.name), &spec)).await?;
    if context.out.json {
        context.out.object(&queue)?;
    } else {
        let kind = if queue.transactional { "transactional queue" } else { "queue" };
        context.out.say(format!("created {kind} {}", styled(STRONG, &queue.name)))?;
    }
    Ok(Exit::Done)
}

async fn ls(context: &mut Context) -> Result<Exit, CliError> {
    let mut queues = Vec::new();
    read_list(context, "/v1/queues", usize::MAX, |context, queue: Queue| {
        if context.out.json {
            return context.out.object(&queue);
        }
        queues.push(queue);
        Ok(())
    })
    .await?;
    if context.out.json {
        return Ok(Exit::Done);
    }
    if queues.is_empty() {
        let make = styled(TYPED, "meshmq queue create NAME");
        context.out.say(format!("no queues yet: {make} makes one"))?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        Column::Left("NAME"),
        Column::Left("KIND"),
        Column::Right("READY"),
        Column::Right("LOCKED"),
        Column::Right("DEAD"),
        Column::Right("OLDEST"),
        Column::Right("BYTES"),
    ]);
    for queue in &queues {
        let full = queue.ready + queue.locked >= queue.max_messages;
        let style = (queue.dead > 0 || full).then_some(WARN);
        table.row(
            style,
            &[
                queue.name.clone(),
                if queue.transactional { "transactional" } else { "plain" }.to_owned(),
                queue.ready.to_string(),
                queue.locked.to_string(),
                queue.dead.to_string(),
                queue.oldest_age_s.map_or_else(|| "-".to_owned(), age),
                size(queue.bytes),
            ],
        );
    }
    context.table(&table)?;
    Ok(Exit::Done)
}

async fn show(args: ShowArgs, context: &mut Context) -> Result<Exit, CliError> {
    let mut client = context.connect().await?;
    let queue: Queue = context.within(client.get(&path::queue(&args.name))).await?;
    if context.out.json {
        context.out.object(&queue)?;
        return Ok(Exit::Done);
    }
    let kind = if queue.transactional {
        "transactional messages only"
    } else {
        "express and recoverable messages"
    };
    let oldest = queue.oldest_age_s.map_or_else(|| "-".to_owned(), age);
    let made = distance(&queue.created_at, jiff::Timestamp::now());
    let lines = [
        ("takes", kind.to_owned()),
        ("ready", queue.ready.to_string()),
        ("locked", queue.locked.to_string()),
        ("dead", queue.dead.to_string()),
        ("oldest", oldest),
        ("messages", format!("{} of {}", queue.ready + queue.locked, queue.max_messages)),
        ("bytes", format!("{} of {}", size(queue.bytes), size(queue.max_bytes))),
        ("made", made),
    ];
    context.out.result(styled(STRONG, &queue.name))?;
    for (name, value) in lines {
        context.out.result(format!("  {name:<10}{value}"))?;
    }
    Ok(Exit::Done)
}

async fn rm(args: RmArgs, context: &mut Context) -> Result<Exit, CliError> {
    let mut client = context.connect().await?;
    let path = path::queue(&args.name);
    let question = format!("Delete queue {} and everything in it?", args.name);
    context.out.confirm(&question, args.yes)?;
    let gone: Count = context.within(client.delete(&path)).await?;
    if context.out.json {
        context.out.object(&gone)?;
    } else {
        context.out.say(format!("deleted {} with {}", args.name, count(gone.count, "message")))?;
    }
    Ok(Exit::Done)
}

async fn purge(args: PurgeArgs, context: &mut Context) -> Result<Exit, CliError> {
    let mut client = context.connect().await?;
    context.out.confirm(&format!("Delete all messages in {}?", args.name), args.yes)?;
    let path = format!("{}/purge", path::queue(&args.name));
    let gone: Count = context.within(client.post(&path, &serde_json::json!({}))).await?;
    if context.out.json {
        context.out.object(&gone)?;
    } else {
        context.out.say(format!("deleted {} of {}", count(gone.count, "message"), args.name))?;
    }
    Ok(Exit::Done)
}
