//! What every command has: the global flags, the way to the node, and the output.

use super::error::{CliError, Exit};
use super::output::{Color, Output};
use super::table::Table;
use super::units::parse_duration;
use crate::client::http::Client;
use crate::client::json::Page;
use crate::client::path;
use crate::config::{self, Flag, Key, Settings, Value};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// Longest wait for the node's answer unless `--timeout` says otherwise.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);

/// Entries that one page of a list holds at most.
const PAGE: usize = 100;

/// Flags of every command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// The node's directory [env: MESHMQ_DATA] [default: meshmq in the user's data directory]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The configuration file, see `meshmq config path` [env: MESHMQ_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print JSON, one object a line, and errors as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Leave out everything but results and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Tell more; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Longest wait for an answer, or for what --wait asks [default: 30s]
    #[arg(long, global = true, value_name = "DURATION", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Color::Auto,
          hide_possible_values = true)]
    pub color: Color,
}

/// The command's surroundings.
pub struct Context {
    /// The flags.
    pub globals: Globals,
    /// Where words go.
    pub out: Output,
}

impl Context {
    /// Surroundings for these flags.
    pub fn new(globals: Globals) -> Self {
        let out = Output::new(globals.json, globals.quiet, globals.color);
        Self { globals, out }
    }

    /// The configuration file, and whether it is there.
    ///
    /// # Errors
    /// If none is given and the user has no home.
    pub fn config_file(&self) -> Result<(PathBuf, bool), CliError> {
        let named = std::env::var_os(config::FILE_VARIABLE).filter(|name| !name.is_empty());
        let given = self.globals.config.clone().or_else(|| named.map(PathBuf::from));
        Ok(config::config_file(given.as_deref())?)
    }

    /// The node's settings, with these flags over all other sources.
    ///
    /// # Errors
    /// 78 if the file or a variable cannot be read.
    pub fn settings(&self, mut flags: Vec<Flag>) -> Result<Settings, CliError> {
        if let (Some(data), Some(key)) = (&self.globals.data, Key::named("data")) {
            flags.push((key, Value::Text(data.display().to_string())));
        }
        let (file, is_there) = self.config_file()?;
        let file = is_there.then_some(file);
        Ok(Settings::load(file.as_deref(), |name| std::env::var(name).ok(), flags)?)
    }

    /// The node's directory.
    ///
    /// # Errors
    /// If none is given and the user has no home; 78 if the settings cannot be read.
    pub fn data(&self) -> Result<PathBuf, CliError> {
        if let Some(data) = &self.globals.data {
            return Ok(data.clone());
        }
        if let Some(data) = std::env::var_os("MESHMQ_DATA").filter(|data| !data.is_empty()) {
            return Ok(PathBuf::from(data));
        }
        let set = self.settings(Vec::new())?.text("data").map(PathBuf::from);
        Ok(config::data_dir(set.as_deref())?)
    }

    /// Path of the node's socket.
    ///
    /// # Errors
    /// As [`Context::data`].
    pub fn socket(&self) -> Result<PathBuf, CliError> {
        Ok(config::find_socket(&self.data()?))
    }

    /// A connection to the running node.
    ///
    /// # Errors
    /// 69 if none runs.
    pub async fn connect(&self) -> Result<Client, CliError> {
        let socket = self.socket()?;
        self.within(Client::connect(&socket)).await
    }

    /// How long to wait for an answer.
    pub fn timeout(&self) -> Duration {
        self.globals.timeout.unwrap_or(TIMEOUT_DEFAULT)
    }

    /// Runs a request under the time limit.
    ///
    /// # Errors
    /// 75 when the time is over; the request's own errors.
    pub async fn within<T, E: Into<CliError>>(
        &self,
        request: impl Future<Output = Result<T, E>>,
    ) -> Result<T, CliError> {
        within(self.timeout(), request).await
    }

    /// Prints a table line by line.
    ///
    /// # Errors
    /// As all writing.
    pub fn table(&mut self, table: &Table) -> Result<(), CliError> {
        table.lines().iter().try_for_each(|line| self.out.result(line))
    }
}

/// Runs a request under a time limit.
///
/// # Errors
/// 75 when the time is over; the request's own errors.
pub async fn within<T, E: Into<CliError>>(
    limit: Duration,
    request: impl Future<Output = Result<T, E>>,
) -> Result<T, CliError> {
    match tokio::time::timeout(limit, request).await {
        Ok(outcome) => outcome.map_err(Into::into),
        Err(_) => {
            let seconds = limit.as_secs_f64();
            Err(CliError::new(
                Exit::Later,
                "timeout",
                format!("the node gave no answer within {seconds} s"),
            )
            .hint("wait longer with --timeout; what was asked may still be carried out"))
        }
    }
}

/// Reads a list page by page and hands every entry on, at most `max` of them.
///
/// # Errors
/// As [`Context::within`], and what `each` says.
pub async fn read_list<T: serde::de::DeserializeOwned>(
    context: &mut Context,
    path: &str,
    max: usize,
    mut each: impl FnMut(&mut Context, T) -> Result<(), CliError>,
) -> Result<usize, CliError> {
    let mut client = context.connect().await?;
    let (mut after, mut read) = (None, 0);
    loop {
        let limit = (max - read).min(PAGE);
        let query = path::query(&[("limit", Some(limit.to_string())), ("after", after)]);
        let page: Page<T> = context.within(client.get(&format!("{path}{query}"))).await?;
        for item in page.items.into_iter().take(max - read) {
            each(context, item)?;
            read += 1;
        }
        after = page.next;
        if after.is_none() || read >= max {
            return Ok(read);
        }
    }
}
