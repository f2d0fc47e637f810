//! A stream of messages from a local queue, each under a lock.
//!
//! A task behind the stream keeps a few messages ready. It lives as long as the stream, and its
//! session as long as a delivery of it.

use super::way::{Session, Way};
use super::{Delivery, Error, Result};
use crate::engine::limits::RECEIVE_MAX;
use futures::Stream;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, sleep};

/// How long a lock lasts unless the program says otherwise.
pub(super) const LOCK_FOR: Duration = Duration::from_secs(30);
/// Longest wait of one question to the node.
pub(super) const WAIT_STEP: Duration = Duration::from_secs(20);
/// First wait after the node could not be reached; doubles.
const AGAIN_FIRST: Duration = Duration::from_millis(100);
/// Longest wait after the node could not be reached.
const AGAIN_LONGEST: Duration = Duration::from_secs(5);

/// Between two looks whether deliveries are still out, after the stream was dropped.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How a program wants to receive.
#[derive(Clone, Debug)]
#[must_use = "nothing is received before `start`"]
pub struct ReceiverBuilder {
    way: Arc<dyn Way>,
    queue: String,
    prefetch: usize,
    lock_for: Duration,
    wait: Option<Duration>,
}

impl ReceiverBuilder {
    pub(super) const fn new(way: Arc<dyn Way>, queue: String) -> Self {
        Self { way, queue, prefetch: 1, lock_for: LOCK_FOR, wait: None }
    }

    /// How many messages are kept ready under locks, 1 to 256; 1 unless said. More is faster; less
    /// leaves more to other programs that receive from the queue.
    pub fn prefetch(self, messages: usize) -> Self {
        Self { prefetch: messages.clamp(1, RECEIVE_MAX), ..self }
    }

    /// How long the locks last unless extended; 30 seconds unless said, at most 12 hours. Time in
    /// which a message was kept ready counts.
    pub fn lock_for(self, time: Duration) -> Self {
        Self { lock_for: time, ..self }
    }

    /// Ends the stream when no message has come for so long; without it the stream waits for ever.
    pub fn wait(self, time: Duration) -> Self {
        Self { wait: Some(time), ..self }
    }

    /// Opens a session of its own at the node, and begins.
    ///
    /// # Errors
    /// [`Error::NotReachable`]. What is wrong with the queue is told by the stream.
    pub async fn start(self) -> Result<Receiver> {
        let session = self.way.open().await?;
        let (out, inbox) = mpsc::channel(self.prefetch);
        let runtime = self.way.runtime().clone();
        let pump = Pump { builder: self, out, session: Some(session), again: AGAIN_FIRST };
        runtime.spawn(pump.run());
        Ok(Receiver { inbox })
    }
}

/// A stream of messages, each under a lock.
///
/// When the node cannot be reached, that is told once, and the stream goes on when it is back. It
/// ends when a node in this process stops, when the queue is not there or not this node's, and after
/// [`ReceiverBuilder::wait`]. Dropping it returns what it has not handed out.
#[derive(Debug)]
#[must_use = "messages that are not taken return to their queue"]
pub struct Receiver {
    inbox: mpsc::Receiver<Result<Delivery>>,
}

impl Receiver {
    /// The next message; `None` when the stream has ended. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Delivery>> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Delivery>>> {
        loop {
            match self.inbox.poll_recv(context) {
                // Kept too long: it has returned to its queue and comes again.
                Poll::Ready(Some(Ok(delivery))) if delivery.is_over() => drop(delivery),
                other => return other,
            }
        }
    }
}

impl Stream for Receiver {
    type Item = Result<Delivery>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(context)
    }
}

/// Fetches messages and keeps them ready.
struct Pump {
    builder: ReceiverBuilder,
    out: mpsc::Sender<Result<Delivery>>,
    session: Option<Arc<dyn Session>>,
    /// The wait after the next failure.
    again: Duration,
}

impl Pump {
    async fn run(mut self) {
        let mut idle_since = Instant::now();
        loop {
            let Ok(room) = self.out.reserve().await else { return };
            drop(room);
            let waited = idle_since.elapsed();
            let left = self.builder.wait.map_or(WAIT_STEP, |wait| wait.saturating_sub(waited));
            match self.fetch(left.min(WAIT_STEP)).await {
                Ok(Some(0)) => {
                    let is_over = |wait: Duration| idle_since.elapsed() >= wait;
                    if self.builder.wait.is_some_and(is_over) {
                        return;
                    }
                }
                Ok(Some(_)) => {
                    self.again = AGAIN_FIRST;
                    // The program may take its time with what it gets now.
                    let Ok(room) = self.out.reserve().await else { return };
                    drop(room);
                    idle_since = Instant::now();
                }
                Ok(None) => return,
                Err(why) => {
                    if !self.fails(why).await {
                        return;
                    }
                }
            }
        }
    }

    /// Fetches what there is room for; `None` if nobody listens any more.
    async fn fetch(&mut self, wait: Duration) -> Result<Option<usize>> {
        let session = match &self.session {
            Some(session) => Arc::clone(session),
            None => self.session.insert(self.builder.way.open().await?).clone(),
        };
        let ReceiverBuilder { way, queue, lock_for, .. } = &self.builder;
        let max = self.out.capacity().max(1);
        let mut asked = session.receive(queue, max, wait, *lock_for);
        let found = tokio::select! {
            found = &mut asked => found?,
            () = self.out.closed() => {
                let mut look = interval(LOOK_AGAIN);
                loop {
                    // One is here and one in `self`: with more, deliveries are out, and giving up
                    // the question would end the session that their locks belong to.
                    if Arc::strong_count(&session) <= 2 {
                        return Ok(None);
                    }
                    tokio::select! {
                        found = &mut asked => break found?,
                        _ = look.tick() => {}
                    }
                }
            }
        };
        let count = found.len();
        for taken in found {
            let delivery = Delivery::new(Arc::clone(way), Arc::clone(&session), taken);
            if self.out.send(Ok(delivery)).await.is_err() {
                return Ok(None);
            }
        }
        Ok(Some(count))
    }

    /// Tells of a failure; whether it makes sense to go on.
    async fn fails(&mut self, why: Error) -> bool {
        let passes = why.is_retryable();
        let stopping = why.cause().code == "not_ready" && self.builder.way.ends_with_node();
        if stopping {
            return false;
        }
        self.session = None;
        let is_first = self.again == AGAIN_FIRST;
        if (is_first || !passes) && self.out.send(Err(why)).await.is_err() {
            return false;
        }
        if passes {
            tokio::select! {
                () = sleep(self.again) => {}
                () = self.out.closed() => return false,
            }
            self.again = (self.again * 2).min(AGAIN_LONGEST);
        }
        passes
    }
}
