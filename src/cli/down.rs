//! `meshmq down`: the node stops.

use super::context::Context;
use super::error::{CliError, Exit};
use crate::client::http::{Client, ClientError};
use clap::Args;
use fs4::{FileExt, TryLockError};
use std::fs::File;
use std::path::Path;
use std::time::Duration;

/// Between two looks whether the node is gone.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The file in the node's directory that a running node holds locked.
const LOCK: &str = "lock";

/// Stop this machine's node and wait until it has stopped.
///
/// What it holds stays on disk and goes on at the next start.
#[derive(Args, Debug)]
pub(super) struct DownArgs {}

/// Whether nobody holds the lock. A lock that cannot be asked for keeps nobody waiting.
fn is_free(lock: &Path) -> bool {
    let Ok(file) = File::open(lock) else { return true };
    !matches!(FileExt::try_lock_shared(&file), Err(TryLockError::WouldBlock))
}

/// Asks the node to stop and waits until nobody answers at its socket.
pub(super) async fn run(_: DownArgs, context: &mut Context) -> Result<Exit, CliError> {
    let socket = context.socket()?;
    let lock = context.data()?.join(LOCK);
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
        // The store is closed after the door; another node could not start before.
        while !is_free(&lock) {
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
