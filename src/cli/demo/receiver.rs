//! The receiving application of the demo: takes messages at b, acknowledges each, and counts.

use super::super::error::CliError;
use super::Outcome;
use crate::client::http::Client;
use crate::client::json::{AckRequest, Acked, Message, ReceiveRequest, Received};
use crate::client::path;
use std::collections::BTreeSet;
use std::path::PathBuf;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Messages taken at once.
const AT_ONCE: usize = 50;
/// How long one ask waits for messages, in seconds; a pause is noticed after it at the latest.
const WAIT_S: f64 = 0.2;
/// How long the locks last, in seconds.
const LEASE_S: f64 = 30.0;

/// What was received so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    seen: BTreeSet<u64>,
    highest: u64,
    duplicates: u64,
    out_of_order: u64,
}

impl Tally {
    /// Counts a reception of the message with this number.
    pub(super) fn count(&mut self, number: u64) {
        if !self.seen.insert(number) {
            self.duplicates += 1;
        } else if number < self.highest {
            self.out_of_order += 1;
        }
        self.highest = self.highest.max(number);
    }

    /// Different messages so far.
    pub(super) fn delivered(&self) -> u64 {
        self.seen.len() as u64
    }

    /// The outcome, when so many were sent.
    pub(super) fn outcome(&self, sent: u64, seconds: f64) -> Outcome {
        let delivered = self.delivered();
        Outcome {
            sent,
            delivered,
            duplicates: self.duplicates,
            lost: sent.saturating_sub(delivered),
            out_of_order: self.out_of_order,
            seconds,
        }
    }
}

/// The application. It is paused for a restart of its node, so that every acknowledgement it sent
/// was answered and the count is about the messages, not about the application.
pub(super) struct Receiver {
    queue: &'static str,
    socket: PathBuf,
    tally: watch::Sender<Tally>,
    running: Option<Running>,
}

/// Its task, with what stops it.
struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), CliError>>,
}

impl Receiver {
    /// An application that has not begun.
    pub(super) fn new(queue: &'static str) -> Self {
        let tally = watch::Sender::new(Tally::default());
        Self { queue, socket: PathBuf::new(), tally, running: None }
    }

    /// Watches the count.
    pub(super) fn tally(&self) -> watch::Receiver<Tally> {
        self.tally.subscribe()
    }

    /// Begins, or goes on, at this door.
    pub(super) fn go_on(&mut self, socket: PathBuf) {
        self.socket = socket;
        let (stop, stopped) = watch::channel(false);
        let task = take(self.queue, self.socket.clone(), self.tally.clone(), stopped);
        self.running = Some(Running { stop, task: tokio::spawn(task) });
    }

    /// Stops between two messages.
    pub(super) async fn pause(&mut self) -> Result<(), CliError> {
        let Some(Running { stop, task }) = self.running.take() else { return Ok(()) };
        stop.send_replace(true);
        task.await.unwrap_or(Ok(()))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.task.abort();
        }
    }
}

async fn take(
    queue: &'static str,
    socket: PathBuf,
    tally: watch::Sender<Tally>,
    stopped: watch::Receiver<bool>,
) -> Result<(), CliError> {
    let mut client = Client::connect(&socket).await?;
    let request = ReceiveRequest { max: AT_ONCE, wait_s: WAIT_S, lease_s: LEASE_S };
    let path = format!("{}/receive", path::queue(queue));
    while !*stopped.borrow() {
        let received: Received = client.post(&path, &request).await?;
        let tokens =
            received.messages.iter().filter_map(|it| Some(it.lock.as_ref()?.token.clone()));
        let request = AckRequest { tokens: tokens.collect() };
        let acked: Acked = client.post(path::LOCKS_ACK, &request).await?;
        let gone = |message: &Message| {
            message.lock.as_ref().is_some_and(|lock| acked.gone.contains(&lock.token))
        };
        // What was not acknowledged comes again, and is counted then.
        for message in received.messages.iter().filter(|message| !gone(message)) {
            let number = message.body.as_deref().and_then(|body| body.parse().ok());
            tally.send_modify(|tally| tally.count(number.unwrap_or(0)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
