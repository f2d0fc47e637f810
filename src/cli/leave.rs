//! `meshmq leave`: the node gives up its membership.

use super::context::Context;
use super::error::{CliError, Exit};
use clap::Args;

/// Leave the mesh for good; all members learn that this node has left.
///
/// Messages that still wait for delivery from here can no longer be delivered. To come back, the
/// node needs a new token.
#[derive(Args, Debug)]
pub(super) struct LeaveArgs {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Asks the node to leave.
pub(super) async fn run(args: LeaveArgs, context: &mut Context) -> Result<Exit, CliError> {
    let mut client = context.connect().await?;
    context.out.confirm("Leave the mesh? Only a new token brings this node back.", args.yes)?;
    context.within(client.tell("/v1/leave")).await?;
    if context.out.json {
        context.out.object(&serde_json::json!({"event": "left"}))?;
    } else {
        context.out.say("left the mesh")?;
    }
    Ok(Exit::Done)
}
