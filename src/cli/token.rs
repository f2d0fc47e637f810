//! `meshmq token`: who may use the HTTP door on TCP.

use super::context::{Context, read_list};
use super::error::{CliError, Exit};
use super::table::{Column, Table};
use super::units::distance;
use crate::client::json::{AccessRequest, AccessToken};
use crate::client::path;
use clap::{Args, Subcommand};

/// Make, list and revoke access tokens for the HTTP door on TCP.
#[derive(Subcommand, Debug)]
#[command(disable_help_subcommand = true)]
pub(super) enum TokenCommand {
    Create(CreateArgs),
    Ls(LsArgs),
    Revoke(RevokeArgs),
}

/// Print a new access token.
///
/// It is shown once; the node keeps only a hash. Programs of the node's own user can also use the
/// token in the file `token` of the node's directory.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  meshmq token create --label backup-job
  curl -H \"Authorization: Bearer $(meshmq token create)\" http://127.0.0.1:7671/v1/status")]
pub(super) struct CreateArgs {
    /// What it is for, at most 64 characters
    #[arg(long, default_value = "", hide_default_value = true)]
    label: String,
}

/// List access tokens, the oldest first.
#[derive(Args, Debug)]
pub(super) struct LsArgs {}

/// End access tokens: whoever shows one is refused from now on.
#[derive(Args, Debug)]
pub(super) struct RevokeArgs {
    /// Ids, from `meshmq token ls`
    #[arg(required = true)]
    ids: Vec<String>,
}

/// Does one of them.
pub(super) async fn run(command: TokenCommand, context: &mut Context) -> Result<Exit, CliError> {
    match command {
        TokenCommand::Create(args) => create(args, context).await,
        TokenCommand::Ls(_) => ls(context).await,
        TokenCommand::Revoke(args) => revoke(args, context).await,
    }
}

async fn create(args: CreateArgs, context: &mut Context) -> Result<Exit, CliError> {
    let mut client = context.connect().await?;
    let request = AccessRequest { label: args.label };
    let made: AccessToken = context.within(client.post(path::TOKENS, &request)).await?;
    if context.out.json {
        context.out.object(&made)?;
        return Ok(Exit::Done);
    }
    context
        .out
        .note(format!("Token {}, shown once; `meshmq token revoke {}` ends it.", made.id, made.id));
    context.out.result(made.token.unwrap_or_default())?;
    Ok(Exit::Done)
}

async fn ls(context: &mut Context) -> Result<Exit, CliError> {
    let mut found: Vec<AccessToken> = Vec::new();
    read_list(context, path::TOKENS, usize::MAX, |_, token| {
        found.push(token);
        Ok(())
    })
    .await?;
    if context.out.json {
        found.iter().try_for_each(|token| context.out.object(token))?;
        return Ok(Exit::Done);
    }
    if found.is_empty() {
        context.out.say("no access tokens but the one in the node's directory")?;
        return Ok(Exit::Done);
    }
    let now = jiff::Timestamp::now();
    let mut table = Table::new(&[Column::Left("ID"), Column::Right("MADE"), Column::Left("LABEL")]);
    for token in found {
        table.row(None, &[token.id, distance(&token.created_at, now), token.label]);
    }
    context.table(&table)?;
    Ok(Exit::Done)
}

async fn revoke(args: RevokeArgs, context: &mut Context) -> Result<Exit, CliError> {
    let mut client = context.connect().await?;
    for id in &args.ids {
        context.within(client.remove(&path::token(id))).await?;
        context.out.say(format!("{id} revoked"))?;
    }
    Ok(Exit::Done)
}
