//! The only place that writes: results to standard output, everything else to standard error.
//!
//! Results are tables and sentences for people, or one JSON object a line. Escape sequences are
//! dropped where the other end is no terminal, and `NO_COLOR` is honoured.

use super::error::CliError;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::fmt::Display;
use std::io::{IsTerminal, Write};

/// Headings and what matters most.
pub const STRONG: Style = Style::new().bold();
/// What may be passed over.
pub const FAINT: Style = Style::new().dimmed();
/// As it should be.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Wants attention.
pub const WARN: Style = AnsiColor::Yellow.on_default();
/// Went wrong.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// A command to type.
pub const TYPED: Style = AnsiColor::Cyan.on_default();

/// Puts a style around a text.
pub fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Makes text from elsewhere safe for a terminal: control characters become `·`.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '·' } else { c }).collect()
}

/// Where a command's words go.
pub struct Output {
    stdout: AutoStream<std::io::Stdout>,
    stderr: AutoStream<std::io::Stderr>,
    /// Whether results are JSON.
    pub json: bool,
    /// Whether sentences are left out.
    pub quiet: bool,
}

impl Output {
    /// Output for a command with these flags.
    pub fn new(json: bool, quiet: bool, color: Color) -> Self {
        let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
        let (out, err) = match color {
            Color::Always => (ColorChoice::Always, ColorChoice::Always),
            Color::Never => (ColorChoice::Never, ColorChoice::Never),
            Color::Auto => (AutoStream::choice(&stdout), AutoStream::choice(&stderr)),
        };
        Self {
            stdout: AutoStream::new(stdout, out),
            stderr: AutoStream::new(stderr, err),
            json,
            quiet,
        }
    }

    /// One JSON object on a line of standard output.
    ///
    /// # Errors
    /// As all writing: see [`CliError`]'s conversion from `std::io::Error`.
    pub fn object(&mut self, object: &impl Serialize) -> Result<(), CliError> {
        let mut line = serde_json::to_vec(object).expect("the wire types have string keys only");
        line.push(b'\n');
        self.raw(&line)?;
        self.flush()
    }

    /// A line of standard output that is the result itself.
    ///
    /// # Errors
    /// As [`Output::object`].
    pub fn result(&mut self, line: impl Display) -> Result<(), CliError> {
        writeln!(self.stdout, "{line}")?;
        self.flush()
    }

    /// A line of standard output for people; left out with `-q`.
    ///
    /// # Errors
    /// As [`Output::object`].
    pub fn say(&mut self, line: impl Display) -> Result<(), CliError> {
        if self.quiet { Ok(()) } else { self.result(line) }
    }

    /// Bytes of standard output, as they are.
    ///
    /// # Errors
    /// As [`Output::object`].
    pub fn raw(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        Ok(std::io::stdout().lock().write_all(bytes)?)
    }

    /// Hands everything over to whoever reads standard output.
    ///
    /// # Errors
    /// As [`Output::object`].
    pub fn flush(&mut self) -> Result<(), CliError> {
        Ok(std::io::stdout().lock().flush()?)
    }

    /// A line of standard error for people; left out with `-q` and where errors are JSON. Nobody
    /// fails because of it.
    pub fn note(&mut self, line: impl Display) {
        if !self.quiet && !self.json {
            let _ = writeln!(self.stderr, "{line}");
        }
    }

    /// The error that ends the command: one line what happened, one line what to do; as JSON one
    /// object on a line.
    pub fn error(&mut self, error: &CliError) {
        if self.json {
            let CliError { code, message, hint, .. } = error;
            let object = ErrorObject { error: ErrorFields { code, message, hint } };
            let line = serde_json::to_string(&object).expect("three texts");
            let _ = writeln!(self.stderr, "{line}");
            return;
        }
        let message = printable(&error.message);
        let _ = writeln!(self.stderr, "{} {message}", styled(BAD, "error:"));
        if !error.hint.is_empty() {
            let _ = writeln!(self.stderr, "{} {}", styled(GOOD, " hint:"), printable(&error.hint));
        }
    }

    /// Whether somebody watches progress on standard error.
    pub fn watched(&self) -> bool {
        !self.quiet && !self.json && std::io::stderr().is_terminal()
    }

    /// Asks on the terminal whether to go on. Off a terminal, and with `yes`, nobody is asked.
    ///
    /// # Errors
    /// A usage error if the answer is not yes.
    pub fn confirm(&mut self, question: &str, yes: bool) -> Result<(), CliError> {
        if yes || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return Ok(());
        }
        let _ = write!(self.stderr, "{question} [y/N] ");
        let _ = self.stderr.flush();
        let mut answer = String::new();
        let _ = std::io::stdin().read_line(&mut answer);
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            Ok(())
        } else {
            Err(CliError::usage("nothing was changed").hint("answer y, or give --yes"))
        }
    }
}

/// An error in JSON.
#[derive(Serialize)]
struct ErrorObject<'a> {
    error: ErrorFields<'a>,
}

#[derive(Serialize)]
struct ErrorFields<'a> {
    code: &'a str,
    message: &'a str,
    hint: &'a str,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
