//! `meshmq completion` and `meshmq man`: made from the commands themselves.

use super::context::Context;
use super::error::{CliError, Exit};
use clap::{Args, Command};
use clap_complete::Shell;
use std::path::PathBuf;

/// Print completions for a shell.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  meshmq completion bash > ~/.local/share/bash-completion/completions/meshmq
  meshmq completion zsh > ~/.zfunc/_meshmq
  meshmq completion fish > ~/.config/fish/completions/meshmq.fish")]
pub(super) struct CompletionArgs {
    /// bash, elvish, fish, powershell or zsh
    #[arg(value_enum, hide_possible_values = true)]
    shell: Shell,
}

/// Write the manual pages, one for each command, into a directory.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  meshmq man ~/.local/share/man/man1 && man meshmq-send")]
pub(super) struct ManArgs {
    /// The directory; it is made if it is not there
    dir: PathBuf,
}

/// Prints the completions.
pub(super) fn completion(
    args: CompletionArgs,
    mut command: Command,
    context: &mut Context,
) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "meshmq", &mut script);
    context.out.raw(&script)?;
    context.out.flush()?;
    Ok(Exit::Done)
}

/// Writes the pages.
pub(super) fn man(
    args: ManArgs,
    command: Command,
    context: &mut Context,
) -> Result<Exit, CliError> {
    let failed = |why: std::io::Error| {
        CliError::new(Exit::Disk, "io", format!("{}: {why}", args.dir.display()))
    };
    std::fs::create_dir_all(&args.dir).map_err(failed)?;
    let command = command.disable_help_subcommand(true);
    clap_mangen::generate_to(command, &args.dir).map_err(failed)?;
    context.out.say(format!("the pages are in {}", args.dir.display()))?;
    Ok(Exit::Done)
}
