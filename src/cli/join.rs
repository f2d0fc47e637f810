//! `meshmq join`: the running node moves to another mesh.

use super::context::Context;
use super::error::{CliError, Exit};
use super::output::{STRONG, styled};
use crate::client::json::{JoinRequest, Joined};
use clap::Args;

/// Let this machine's running node join the mesh of a token.
///
/// A node that is alone in its own mesh moves to the new one; one with members or messages says
/// what to do first. Where no node runs, `meshmq up --join TOKEN` starts one and joins.
#[derive(Args, Debug)]
pub(super) struct JoinArgs {
    /// What `meshmq invite` printed on a member
    token: String,
    /// Name of this node in the new mesh [default: the present one]
    #[arg(long)]
    name: Option<String>,
}

/// Asks the node to join.
pub(super) async fn run(args: JoinArgs, context: &mut Context) -> Result<Exit, CliError> {
    let mut client = context.connect().await.map_err(|why| {
        if why.code == "not_running" {
            let hint = format!("start one and join at once: meshmq up --join {}", args.token);
            why.hint(hint)
        } else {
            why
        }
    })?;
    let request = JoinRequest { token: args.token, name: args.name };
    let joined: Joined = context.within(client.post("/v1/join", &request)).await?;
    if context.out.json {
        context.out.object(&joined)?;
    } else {
        let (mesh, name) = (styled(STRONG, &joined.mesh), styled(STRONG, &joined.name));
        context.out.say(format!("joined mesh {mesh} as {name}"))?;
    }
    Ok(Exit::Done)
}
