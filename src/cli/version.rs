//! `meshmq version`.

use super::context::Context;
use super::error::{CliError, Exit};
use clap::Args;

/// Show the version of this program.
#[derive(Args, Debug)]
pub(super) struct VersionArgs {}

/// Prints it.
pub(super) fn run(_: VersionArgs, context: &mut Context) -> Result<Exit, CliError> {
    let version = env!("CARGO_PKG_VERSION");
    if context.out.json {
        context.out.object(&serde_json::json!({"version": version}))?;
    } else {
        context.out.result(format!("meshmq {version}"))?;
    }
    Ok(Exit::Done)
}
