//! Where a body comes from: the command line, a file, or standard input.

use super::super::error::{CliError, Exit};
use super::super::output::Output;
use crate::client::json::WHOLE_BODY_MAX;
use std::fs::File;
use std::io::{Cursor, IsTerminal, Read, stdin};

/// Where bytes come from, opened.
pub(super) type Source = Box<dyn Read + Send>;

/// Opens the source that an argument names: the text itself, `@FILE`, `-` or nothing for
/// standard input.
pub(super) fn open(argument: Option<&str>, out: &mut Output) -> Result<Source, CliError> {
    match argument {
        None | Some("-") => {
            if stdin().is_terminal() {
                out.note("reading from the terminal: Ctrl-D ends");
            }
            Ok(Box::new(stdin()))
        }
        Some(text) => match text.strip_prefix('@') {
            None => Ok(Box::new(Cursor::new(text.as_bytes().to_vec()))),
            Some(file) => match File::open(file) {
                Ok(opened) => Ok(Box::new(opened)),
                Err(why) => {
                    let message = format!("`{file}` cannot be read: {why}");
                    Err(CliError::new(Exit::Unknown, "no_such_file", message)
                        .hint("a body that begins with @ goes through standard input"))
                }
            },
        },
    }
}

/// Reads a whole body.
pub(super) async fn read(argument: Option<&str>, out: &mut Output) -> Result<Vec<u8>, CliError> {
    let source = open(argument, out)?;
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        source.take(WHOLE_BODY_MAX as u64 + 1).read_to_end(&mut bytes).map(|_| bytes)
    });
    match read.await {
        Ok(Ok(bytes)) if bytes.len() <= WHOLE_BODY_MAX => Ok(bytes),
        Ok(Ok(_)) => Err(too_large("the body")),
        Ok(Err(why)) => Err(unreadable(&why)),
        Err(why) => Err(CliError::new(Exit::Defect, "internal", why.to_string())),
    }
}

/// The error for a body over the limit.
pub(super) fn too_large(what: &str) -> CliError {
    let message =
        format!("{what} has more than {WHOLE_BODY_MAX} bytes, the most that a message takes");
    CliError::new(Exit::TooLarge, "too_large", message)
        .hint("send it in pieces, or send where it can be found")
}

/// The error for a source that breaks off.
pub(super) fn unreadable(why: &std::io::Error) -> CliError {
    CliError::new(Exit::Unknown, "unreadable", format!("the body cannot be read: {why}"))
}
