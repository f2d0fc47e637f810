//! `meshmq recv`: messages leave a queue of this node, to standard output or to a command.
//!
//! A message is acknowledged after it was handed over: after the flush of standard output, or
//! after the command ended well. Until then it is locked; if this process dies, it returns.

mod exec;
mod session;

use super::context::Context;
use super::error::{CliError, Exit};
use super::output::{WARN, styled};
use super::units::parse_duration;
use crate::client::json::Message;
use clap::{Args, ValueEnum};
use exec::{Feed, Verdict};
use futures::StreamExt as _;
use session::Session;
use std::io::IsTerminal;
use std::time::Duration;
use tokio::sync::watch;

/// Messages that are written before they are acknowledged together, once the stream runs; it
/// begins with one, so that a reader that goes away early has little that was not read.
const TOGETHER: usize = 64;
/// Longest single wait for a message; then it is asked again.
const WAIT_ONCE: Duration = Duration::from_secs(20);

/// Receive messages from a queue of this node.
///
/// The body goes to standard output as it is; with -n or --follow each is ended by a newline. A
/// message leaves its queue only after it was written, or after the command of --exec ended well.
#[derive(Args, Debug)]
#[command(after_help = "\
The command of --exec runs in a shell, with the body on its standard input and MESHMQ_ID,
MESHMQ_QUEUE, MESHMQ_ORIGIN, MESHMQ_LABEL, MESHMQ_PRIORITY, MESHMQ_CONTENT_TYPE,
MESHMQ_CORRELATION_ID, MESHMQ_REPLY_TO, MESHMQ_DELIVERY_COUNT, MESHMQ_ENQUEUED_AT and
MESHMQ_HEADER_name in its environment. If it exits with 0, the message is done. If not, the
message returns to the queue after 1 s, doubling to 60 s; 75 says that this is no failure.

Examples:
  meshmq recv orders
  meshmq recv orders -n 100 --wait 5s --json
  meshmq recv orders --follow --exec './book-order'")]
pub(super) struct RecvArgs {
    /// A queue of this node
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    queue: String,
    /// At most so many messages [default: 1; with --follow no end]
    #[arg(short, value_name = "N")]
    n: Option<u64>,
    /// Go on for ever
    #[arg(short, long)]
    follow: bool,
    /// Wait so long for the next message [default: 0]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    wait: Option<Duration>,
    /// Run this command for every message
    #[arg(long, value_name = "COMMAND", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    exec: Option<String>,
    /// auto: received messages leave the queue; manual: they stay, and return when recv ends
    #[arg(long, value_name = "HOW", value_enum, default_value_t, hide_possible_values = true)]
    ack: Ack,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Ack {
    /// Once handed over.
    #[default]
    Auto,
    /// Never.
    #[value(alias = "none")]
    Manual,
}

/// Receives until there is enough, nothing more, or a signal.
pub(super) async fn run(args: RecvArgs, context: &mut Context) -> Result<Exit, CliError> {
    if args.n == Some(0) {
        return Err(CliError::usage("-n takes 1 or more"));
    }
    let stop = stop_signal()?;
    let mut session = Session::open(context, &args.queue).await?;
    let done = take(&args, context, &mut session, stop).await;
    session.close().await;
    let done = done?;
    if done == 0 {
        context.out.note(format!("nothing was received from {}", args.queue));
    }
    Ok(if done == 0 { Exit::Nothing } else { Exit::Done })
}

/// The loop; gives the number of messages that are done with.
async fn take(
    args: &RecvArgs,
    context: &mut Context,
    session: &mut Session,
    mut stop: watch::Receiver<bool>,
) -> Result<u64, CliError> {
    let most = args.n.unwrap_or(if args.follow { u64::MAX } else { 1 });
    let wait = if args.follow { None } else { Some(args.wait.unwrap_or_default()) };
    let (mut seen, mut done, mut together) = (0, 0, 1);
    while seen < most && !*stop.borrow() {
        let max = usize::try_from(most - seen).unwrap_or(together).min(together);
        let messages = tokio::select! {
            messages = next(session, max, wait) => messages?,
            _ = stop.changed() => break,
        };
        if messages.is_empty() {
            break;
        }
        seen += messages.len() as u64;
        if let Some(command) = &args.exec {
            for message in &messages {
                done += execute(command, args.ack, context, session, message).await?;
            }
        } else {
            // A large body goes by itself, between those that are written together.
            for messages in messages.chunk_by(|a, b| !a.is_body_apart() && !b.is_body_apart()) {
                done += print_all(args.ack, context, session, messages, most > 1).await?;
            }
            together = TOGETHER.min(2 * together);
        }
    }
    Ok(done)
}

/// The next messages: those there are, or the first to come before the wait is over.
async fn next(
    session: &mut Session,
    max: usize,
    wait: Option<Duration>,
) -> Result<Vec<Message>, CliError> {
    let begun = tokio::time::Instant::now();
    loop {
        let left = wait.map_or(WAIT_ONCE, |wait| wait.saturating_sub(begun.elapsed()));
        let messages = session.receive(max, left.min(WAIT_ONCE)).await?;
        let over = wait.is_some_and(|wait| begun.elapsed() >= wait);
        if !messages.is_empty() || over {
            return Ok(messages);
        }
    }
}

/// Writes messages, and acknowledges them once all are flushed. If their reader goes away, none is.
async fn print_all(
    ack: Ack,
    context: &mut Context,
    session: &mut Session,
    messages: &[Message],
    many: bool,
) -> Result<u64, CliError> {
    match messages {
        [large] if large.is_body_apart() => print_large(context, session, large, many).await?,
        // A reader that takes its time must not keep the locks from being renewed.
        _ => tokio::task::block_in_place(|| {
            messages.iter().try_for_each(|message| print(context, message, many))
        })?,
    }
    let mut done = messages.len() as u64;
    if ack == Ack::Auto {
        for id in session.ack_all(messages).await? {
            lost(context, &id);
            done -= 1;
        }
    }
    Ok(done)
}

/// Runs the command for a message and settles it; 1 if the message is done with.
async fn execute(
    command: &str,
    ack: Ack,
    context: &mut Context,
    session: &mut Session,
    message: &Message,
) -> Result<u64, CliError> {
    let feed = match message.is_body_apart() {
        true => Feed::Pieces(session.body(context, message).await?),
        false => Feed::of(message)?,
    };
    let verdict = exec::run(command, message, feed, &context.data()?).await?;
    let done = verdict == Verdict::Done;
    if let Verdict::Failed(how) = &verdict {
        let what = format!("the command {how}; message {} will come again", message.id);
        context.out.note(styled(WARN, what));
    }
    if ack == Ack::Manual {
        return Ok(u64::from(done));
    }
    let kept = session.settle(message, if done { "ack" } else { "nack" }).await?;
    if !kept {
        lost(context, &message.id);
    }
    Ok(u64::from(done && kept))
}

fn lost(context: &mut Context, id: &str) {
    let what = format!("the lock on message {id} was lost; it will come again");
    context.out.note(styled(WARN, what));
}

/// Writes a message to standard output and flushes it.
fn print(context: &mut Context, message: &Message, many: bool) -> Result<(), CliError> {
    if context.out.json {
        let plain = Message { lock: None, ..message.clone() };
        return context.out.object(&plain);
    }
    let body = message.body_bytes().map_err(|why| {
        CliError::new(Exit::Defect, "unreadable_answer", format!("message {}: {why}", message.id))
    })?;
    context.out.raw(&body)?;
    let bare = !body.ends_with(b"\n") && std::io::stdout().is_terminal();
    if many || bare {
        context.out.raw(b"\n")?;
    }
    context.out.flush()
}

/// Writes a message whose body comes piece by piece.
async fn print_large(
    context: &mut Context,
    session: &Session,
    message: &Message,
    many: bool,
) -> Result<(), CliError> {
    if context.out.json {
        let (id, size) = (&message.id, message.body_size);
        let what = format!("message {id} has a body of {size} bytes, which is too large for JSON");
        return Err(CliError::new(Exit::TooLarge, "too_large", what)
            .hint("receive it without --json, or with --exec; it has returned to its queue"));
    }
    let mut body = session.body(context, message).await?;
    while let Some(piece) = body.next().await {
        let piece = piece?;
        tokio::task::block_in_place(|| context.out.raw(&piece))?;
    }
    if many {
        context.out.raw(b"\n")?;
    }
    context.out.flush()
}

/// Becomes true at Ctrl-C or SIGTERM: what is being handed over is finished, nothing more taken.
fn stop_signal() -> Result<watch::Receiver<bool>, CliError> {
    use tokio::signal::unix::{SignalKind, signal};
    let no_signal = |why: std::io::Error| {
        CliError::new(Exit::Defect, "no_signal", format!("signals cannot be caught: {why}"))
    };
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signal)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signal)?;
    let (to, stop) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        to.send_replace(true);
        // Kept until nobody listens, so that `changed` never fails while the loop runs.
        to.closed().await;
    });
    Ok(stop)
}
