//! `meshmq outgoing`: what waits for other nodes.

use super::context::{Context, read_list};
use super::error::{CliError, Exit};
use super::output::WARN;
use super::table::{Column, Table};
use super::units::{age, size};
use crate::client::json::Outgoing;
use clap::Args;

/// List what this node still has to deliver, by destination.
///
/// Messages stay here until their destination has confirmed them, even when a neighbour already
/// carries them.
#[derive(Args, Debug)]
pub(super) struct OutgoingArgs {}

/// Asks and prints.
pub(super) async fn run(_: OutgoingArgs, context: &mut Context) -> Result<Exit, CliError> {
    let mut rows = Vec::new();
    read_list(context, "/v1/outgoing", usize::MAX, |context, row: Outgoing| {
        if context.out.json {
            return context.out.object(&row);
        }
        rows.push(row);
        Ok(())
    })
    .await?;
    if context.out.json {
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        context.out.say("nothing waits for delivery")?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        Column::Left("DESTINATION"),
        Column::Right("MESSAGES"),
        Column::Right("BYTES"),
        Column::Right("OLDEST"),
        Column::Left("STATE"),
        Column::Right("NEXT TRY"),
    ]);
    for row in &rows {
        let state = row.state.replace('_', " ");
        let state = match &row.reason {
            Some(reason) => format!("{state}: {}", reason.replace('_', " ")),
            None => state,
        };
        let style = matches!(row.state.as_str(), "no_path" | "refused").then_some(WARN);
        table.row(
            style,
            &[
                row.destination.clone(),
                row.messages.to_string(),
                size(row.bytes),
                row.oldest_age_s.map_or_else(|| "-".to_owned(), age),
                state,
                row.next_try_s
                    .map_or_else(|| "-".to_owned(), |s| format!("in {}", age(s.max(1.0)))),
            ],
        );
    }
    context.table(&table)?;
    Ok(Exit::Done)
}
