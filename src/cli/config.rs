//! `meshmq config`: what the node is set to, and why.

use super::context::Context;
use super::error::{CliError, Exit};
use super::flags::{NodeFlags, options};
use super::output::{FAINT, GOOD, styled};
use super::table::{Column, Table};
use crate::config::{ConfigError, KEYS, Key, Settings, Source, data_dir};
use crate::daemon;
use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Show, find and check the node's configuration.
#[derive(Subcommand, Debug)]
#[command(disable_help_subcommand = true)]
pub(super) enum ConfigCommand {
    Show(ShowArgs),
    Path(PathArgs),
    Check(CheckArgs),
}

/// Show every setting with its value and where that comes from.
///
/// A flag goes before a variable `MESHMQ_*`, a variable before the file, the file before the
/// default. The flags are those of `up`, to see what they would do. A node that runs already has
/// the settings of its start.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  meshmq config show
  meshmq config show --toml > config.toml                        a file with every key
  MESHMQ_LIMITS_RELAY_BYTES=1GiB meshmq config show --json")]
pub(super) struct ShowArgs {
    /// Print a configuration file with every key, those with default values commented out
    #[arg(long)]
    toml: bool,
    #[command(flatten)]
    flags: Box<NodeFlags>,
}

/// Show where the configuration file is, or would be.
#[derive(Args, Debug)]
pub(super) struct PathArgs {}

/// Check a configuration file without starting anything.
#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    /// The file [default: the one that `up` would read]
    file: Option<PathBuf>,
}

/// Does one of them.
pub(super) fn run(command: ConfigCommand, context: &mut Context) -> Result<Exit, CliError> {
    match command {
        ConfigCommand::Show(args) => show(&args, context),
        ConfigCommand::Path(_) => path(context),
        ConfigCommand::Check(args) => check(args, context),
    }
}

fn show(args: &ShowArgs, context: &mut Context) -> Result<Exit, CliError> {
    let (file, _) = context.config_file()?;
    let settings = context.settings(args.flags.given()?)?;
    if args.toml {
        context.out.raw(example(&settings).as_bytes())?;
        context.out.flush()?;
        return Ok(Exit::Done);
    }
    let columns = [Column::Left("KEY"), Column::Left("VALUE"), Column::Left("FROM")];
    let mut table = Table::new(&columns);
    for key in KEYS {
        let (value, source) = settings.get(key);
        if context.out.json {
            context.out.object(&row(key, value.as_ref(), &source, &file))?;
            continue;
        }
        let nothing = value.as_ref().is_none_or(|value| value.to_string() == "[]");
        let shown = match &value {
            _ if nothing && !key.unset.is_empty() => format!("({})", key.unset),
            Some(value) => value.to_string(),
            None => "-".to_owned(),
        };
        let from = match &source {
            Source::File(line) => format!("{}:{line}", file.display()),
            other => other.to_string(),
        };
        let style = (source == Source::Default).then_some(FAINT);
        table.row(style, &[key.name.to_owned(), shown, from]);
    }
    if !context.out.json {
        context.table(&table)?;
    }
    Ok(Exit::Done)
}

fn row(key: &Key, value: Option<&crate::config::Value>, source: &Source, file: &Path) -> Json {
    let (source, place) = match source {
        Source::Default => ("default", json!({})),
        Source::File(line) => ("file", json!({"file": file, "line": line})),
        Source::Variable(name) => ("env", json!({"variable": name})),
        Source::Flag => ("flag", json!({})),
    };
    let mut row = json!({"key": key.name, "value": value, "source": source});
    if let (Json::Object(row), Json::Object(place)) = (&mut row, place) {
        row.extend(place);
    }
    row
}

/// A configuration file with every key; what is as by default is commented out.
fn example(settings: &Settings) -> String {
    let mut text = String::new();
    let mut inside = "";
    for key in KEYS {
        let (table, name) = key.name.rsplit_once('.').unwrap_or(("", key.name));
        if table != inside {
            let _ = writeln!(text, "[{table}]\n");
            inside = table;
        }
        let (value, source) = settings.get(key);
        let _ = writeln!(text, "# {}.", key.about);
        if !key.unset.is_empty() {
            let _ = writeln!(text, "# If not set: {}.", key.unset);
        }
        let value = value.map_or_else(|| "\"\"".to_owned(), |value| value.to_string());
        let mark = if source == Source::Default { "# " } else { "" };
        let _ = writeln!(text, "{mark}{name} = {value}\n");
    }
    text
}

fn path(context: &mut Context) -> Result<Exit, CliError> {
    let (file, _) = context.config_file()?;
    let exists = file.exists();
    if context.out.json {
        context.out.object(&json!({"file": file, "exists": exists}))?;
    } else {
        context.out.result(file.display())?;
        if !exists {
            context
                .out
                .note("it is not there; `meshmq config show --toml` prints one to begin with");
        }
    }
    Ok(Exit::Done)
}

fn check(args: CheckArgs, context: &mut Context) -> Result<Exit, CliError> {
    let file = match args.file {
        Some(file) => file,
        None => context.config_file()?.0,
    };
    // Variables are not what is checked.
    let settings = match Settings::load(Some(&file), |_| None, Vec::new()) {
        Ok(settings) => settings,
        Err(ConfigError::Mistakes { path, mistakes }) => {
            for mistake in &mistakes {
                if context.out.json {
                    let (line, column) = (mistake.line, mistake.column);
                    context.out.object(&json!({
                        "file": path, "line": line, "column": column, "mistake": mistake.what,
                    }))?;
                } else {
                    context.out.result(format!("{}:{mistake}", path.display()))?;
                }
            }
            let message = format!("{} mistakes in {}", mistakes.len(), path.display());
            let message = if mistakes.len() == 1 {
                message.replacen("mistakes", "mistake", 1)
            } else {
                message
            };
            return Err(CliError::new(Exit::Configuration, "configuration", message).hint(
                "`meshmq config show` lists the keys, --toml prints a file with all of them",
            ));
        }
        Err(other) => return Err(other.into()),
    };
    let data = data_dir(settings.text("data").map(PathBuf::from).as_deref())?;
    daemon::check(&options(&settings, data)?).map_err(|why| {
        CliError::new(Exit::Configuration, "configuration", format!("{}: {why}", file.display()))
            .hint(why.hint)
    })?;
    let given = KEYS.iter().filter(|key| settings.get(key).1 != Source::Default).count();
    if context.out.json {
        context.out.object(&json!({"file": file, "ok": true, "settings": given}))?;
    } else {
        let ok = styled(GOOD, "ok");
        context.out.say(format!("{}: {ok}, {given} of {} keys set", file.display(), KEYS.len()))?;
    }
    Ok(Exit::Done)
}
