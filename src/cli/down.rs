//! `meshmq down`: the node stops.

use super::context::Context;
use super::error::{CliError, Exit};
use crate::client::http::{Client, ClientError};
use clap::Args;
use std::time::Duration;

/// Between two looks whether the node is gone.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Stop this machine's node and wait until it has stopped.
///
/// What it holds stays on disk and goes on at the next start.
#[derive(Args, Debug)]
pub(super) struct DownArgs {}

/// Asks the node to stop and waits until nobody answers at its socket.
pub(super) async fn run(_: DownArgs, context: &mut Context) -> Result<Exit, CliError> {
    let socket = context.socket()?;
    let mut client = context.connect().await?;
    let stopped = async {
        match client.tell("/v1/shutdown").await {
            // The node may be gone before its answer is read.
            Ok(()) | Err(ClientError::Broken(_)) => {}
            Err(why) => return Err(CliError::from(why)),
        }
        drop(client);
        let mut again = tokio::time::interval(LOOK_AGAIN);
        while socket.exists() && Client::connect(&socket).await.is_ok() {
            again.tick().await;
        }
        Ok(())
    };
    context.within(stopped).await?;
    if context.out.json {
        context.out.object(&serde_json::json!({"event": "stopped"}))?;
    } else {
        context.out.say("stopped")?;
    }
    Ok(Exit::Done)
}
