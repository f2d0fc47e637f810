//! `meshmq invite`: a token for one new member.

use super::context::Context;
use super::error::{CliError, Exit};
use super::output::{TYPED, styled};
use super::units::{distance, parse_duration};
use crate::client::json::{InviteRequest, Invited};
use clap::Args;
use std::time::Duration;

/// Print a token that lets one machine into the mesh.
///
/// The token is good for 15 minutes and for one machine. Whoever has it can join: give it only to
/// whom you want in the mesh.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  meshmq invite                        here; then on the other machine:
  meshmq up --join TOKEN               if no node runs there
  meshmq join TOKEN                    if one runs")]
pub(super) struct InviteArgs {
    /// How long the token is good for [default: 15m]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    ttl: Option<Duration>,
    /// Let the new member invite others too, so that the mesh survives the loss of this machine
    #[arg(long)]
    admin: bool,
}

/// Asks for the token and prints it alone.
pub(super) async fn run(args: InviteArgs, context: &mut Context) -> Result<Exit, CliError> {
    let mut client = context.connect().await?;
    let request = InviteRequest { ttl_s: args.ttl.map(|ttl| ttl.as_secs_f64()), admin: args.admin };
    let invited: Invited = context.within(client.post("/v1/invites", &request)).await?;
    if context.out.json {
        context.out.object(&invited)?;
        return Ok(Exit::Done);
    }
    let until = distance(&invited.expires_at, jiff::Timestamp::now());
    context.out.note(format!(
        "On the other machine, once, {until} at the latest: {} (or {} where a node runs).",
        styled(TYPED, "meshmq up --join TOKEN"),
        styled(TYPED, "meshmq join TOKEN"),
    ));
    context.out.result(&invited.token)?;
    Ok(Exit::Done)
}
