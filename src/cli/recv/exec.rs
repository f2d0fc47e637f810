//! `recv --exec`: one shell command per message.

use super::super::error::{CliError, Exit};
use super::session::BodyPieces;
use crate::client::json::Message;
use futures::StreamExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

/// The exit code with which a command asks for another try later, after sysexits.
const TRY_LATER: i32 = 75;

/// What the command thinks of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is done with.
    Done,
    /// Not now.
    Later,
    /// Something went wrong, in words.
    Failed(String),
}

/// The body for the command.
pub(super) enum Feed {
    /// These bytes.
    Bytes(Vec<u8>),
    /// As it comes.
    Pieces(BodyPieces),
}

impl Feed {
    /// The body of a message that has it with it.
    pub(super) fn of(message: &Message) -> Result<Self, CliError> {
        message.body_bytes().map(Self::Bytes).map_err(|why| {
            let what = format!("message {}: {why}", message.id);
            CliError::new(Exit::Defect, "unreadable_answer", what)
        })
    }
}

/// Runs the command with the body on its standard input.
pub(super) async fn run(
    command: &str,
    message: &Message,
    body: Feed,
    data: &Path,
) -> Result<Verdict, CliError> {
    let failed = |why: std::io::Error| {
        CliError::new(Exit::Defect, "no_shell", format!("no shell can be started: {why}"))
    };
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(command)
        .env("MESHMQ_DATA", data)
        .envs(environment(message))
        .stdin(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Err(broken) = feed(&mut child, body).await {
        // It has seen the beginning only: whatever it makes of that does not count.
        let _ = child.kill().await;
        return Err(broken);
    }
    child.wait().await.map(judge).map_err(failed)
}

/// Writes the body; a command may end without reading it.
async fn feed(child: &mut Child, body: Feed) -> Result<(), CliError> {
    let Some(mut input) = child.stdin.take() else { return Ok(()) };
    match body {
        Feed::Bytes(bytes) => {
            let _ = input.write_all(&bytes).await;
        }
        Feed::Pieces(mut pieces) => {
            while let Some(piece) = pieces.next().await {
                if input.write_all(&piece?).await.is_err() {
                    break;
                }
            }
        }
    }
    let _ = input.shutdown().await;
    Ok(())
}

fn judge(status: ExitStatus) -> Verdict {
    match status.code() {
        Some(0) => Verdict::Done,
        Some(TRY_LATER) => Verdict::Later,
        Some(code) => Verdict::Failed(format!("exited with {code}")),
        None => Verdict::Failed("was killed".to_owned()),
    }
}

/// The message's properties as variables. What a system cannot take as one is left out.
fn environment(message: &Message) -> Vec<(String, String)> {
    let fixed = [
        ("ID", message.id.clone()),
        ("QUEUE", message.queue.clone()),
        ("ORIGIN", message.origin.clone()),
        ("LABEL", message.label.clone()),
        ("PRIORITY", message.priority.to_string()),
        ("CONTENT_TYPE", message.content_type.clone()),
        ("CORRELATION_ID", message.correlation_id.clone().unwrap_or_default()),
        ("REPLY_TO", message.reply_to.clone().unwrap_or_default()),
        ("DELIVERY_COUNT", message.delivery_count.to_string()),
        ("ENQUEUED_AT", message.enqueued_at.clone()),
    ];
    let fixed = fixed.into_iter().map(|(name, value)| (format!("MESHMQ_{name}"), value));
    let headers = message.headers.iter().map(|(name, value)| {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let name: String = name.chars().map(plain).collect();
        (format!("MESHMQ_HEADER_{name}"), value.clone())
    });
    fixed.chain(headers).filter(|(_, value)| !value.contains('\0')).collect()
}

#[cfg(test)]
mod tests;
