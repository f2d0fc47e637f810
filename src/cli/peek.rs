//! `meshmq peek`: messages as they lie, disturbed by nothing.

use super::context::{Context, read_list};
use super::error::{CliError, Exit};
use super::output::FAINT;
use super::table::{Column, Table};
use super::units::{distance, size};
use crate::client::json::Message;
use crate::client::path;
use clap::Args;

/// Longest piece of a body in the table, in characters.
const BODY_SHOWN: usize = 40;

/// Look into a queue without taking or locking anything.
#[derive(Args, Debug)]
pub(super) struct PeekArgs {
    /// A queue of this node
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    queue: String,
    /// At most so many messages, from the head
    #[arg(short, value_name = "N", default_value_t = 20)]
    n: usize,
}

/// Asks and prints; 1 if the queue is empty.
pub(super) async fn run(args: PeekArgs, context: &mut Context) -> Result<Exit, CliError> {
    let mut messages = Vec::new();
    let path = path::messages(&args.queue);
    let seen = read_list(context, &path, args.n, |context, message: Message| {
        if context.out.json {
            return context.out.object(&message);
        }
        messages.push(message);
        Ok(())
    })
    .await?;
    if seen == 0 {
        context.out.note(format!("nothing is in {}", args.queue));
        return Ok(Exit::Nothing);
    }
    if context.out.json {
        return Ok(Exit::Done);
    }
    let now = jiff::Timestamp::now();
    let mut table = Table::new(&[
        Column::Left("ID"),
        Column::Right("PRIO"),
        Column::Left("FROM"),
        Column::Right("ENTERED"),
        Column::Right("TRIES"),
        Column::Right("SIZE"),
        Column::Left("LABEL"),
        Column::Left("BODY"),
    ]);
    for message in messages {
        let style = (message.locked == Some(true)).then_some(FAINT);
        let apart = message.is_body_apart();
        let body = message.body_bytes().unwrap_or_default();
        table.row(
            style,
            &[
                message.id,
                message.priority.to_string(),
                message.origin,
                distance(&message.enqueued_at, now),
                message.delivery_count.to_string(),
                size(message.body_size.max(body.len() as u64)),
                message.label,
                if apart { "(large)".to_owned() } else { shown(&body) },
            ],
        );
    }
    context.table(&table)?;
    Ok(Exit::Done)
}

/// The beginning of a body, if it is text.
fn shown(body: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(body) else { return "(binary)".to_owned() };
    let mut short: String = text.chars().take(BODY_SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
