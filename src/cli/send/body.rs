//! Where a body comes from: the command line, a file, or standard input.

use super::super::error::{CliError, Exit};
use super::super::output::Output;
use crate::client::json::WHOLE_BODY_MAX;
use bytes::Bytes;
use futures::Stream;
use indicatif::ProgressBar;
use std::fs::File;
use std::io::{self, Cursor, IsTerminal, Read, stdin};
use tokio::sync::mpsc;

/// Bytes of a large body that are read at a time.
const PIECE_BYTES: usize = 256 * 1024;
/// Such pieces that wait for the connection.
const PIECES_AHEAD: usize = 4;

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

/// A body to be sent.
pub(super) enum Body {
    /// These bytes.
    Whole(Vec<u8>),
    /// More than is held in memory: what was read of it, the rest, and the length if that is known.
    Large(Vec<u8>, Source, Option<u64>),
}

/// Reads a body, as far as it is held in memory.
pub(super) async fn read(argument: Option<&str>, out: &mut Output) -> Result<Body, CliError> {
    let mut source = open(argument, out)?;
    let length = argument.and_then(|text| text.strip_prefix('@')).and_then(|file| {
        let about = std::fs::metadata(file).ok()?;
        about.is_file().then_some(about.len())
    });
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        let read = (&mut source).take(WHOLE_BODY_MAX as u64 + 1).read_to_end(&mut bytes);
        read.map(|_| (bytes, source))
    });
    match read.await {
        Ok(Ok((bytes, _))) if bytes.len() <= WHOLE_BODY_MAX => Ok(Body::Whole(bytes)),
        Ok(Ok((bytes, source))) => Ok(Body::Large(bytes, source, length)),
        Ok(Err(why)) => Err(unreadable(&why)),
        Err(why) => Err(CliError::new(Exit::Defect, "internal", why.to_string())),
    }
}

/// The pieces of a large body, read on a thread of their own while they are sent.
pub(super) fn pieces(
    first: Vec<u8>,
    mut source: Source,
    bar: ProgressBar,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let (to, pieces) = mpsc::channel(PIECES_AHEAD);
    tokio::task::spawn_blocking(move || {
        let mut next = Ok(Bytes::from(first));
        loop {
            let is_last = !matches!(&next, Ok(piece) if !piece.is_empty());
            if let Ok(piece) = &next {
                bar.inc(piece.len() as u64);
            }
            // Nobody takes more if the connection broke.
            if to.blocking_send(next).is_err() || is_last {
                return;
            }
            let mut piece = vec![0; PIECE_BYTES];
            next = source.read(&mut piece).map(|count| {
                piece.truncate(count);
                Bytes::from(piece)
            });
        }
    });
    futures::stream::unfold(pieces, |mut pieces| async {
        let piece = pieces.recv().await?;
        let is_end = matches!(&piece, Ok(piece) if piece.is_empty());
        if is_end { None } else { Some((piece, pieces)) }
    })
}

/// The error for a body over the limit.
pub(super) fn too_large(what: &str) -> CliError {
    let message =
        format!("{what} has more than {WHOLE_BODY_MAX} bytes, the most that a line takes");
    CliError::new(Exit::TooLarge, "too_large", message).hint("send it without --lines")
}

/// The error for a source that breaks off.
pub(super) fn unreadable(why: &io::Error) -> CliError {
    CliError::new(Exit::Unknown, "unreadable", format!("the body cannot be read: {why}"))
}
