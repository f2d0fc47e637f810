//! `meshmq demo`.

use super::context::Context;
use super::error::{CliError, Exit};
use clap::Args;

/// Demo.
#[derive(Args, Debug)]
pub(super) struct DemoArgs {}

/// Runs it.
pub(super) async fn run(_: DemoArgs, _: &mut Context) -> Result<Exit, CliError> {
    Ok(Exit::Defect)
}
