//! Time limits for the head of a request that has begun, and for whoever does not read its answer.
//!
//! The HTTP library's own limit for heads also runs while a connection is idle, which would end
//! sessions whose programs are at work on a message. This one starts with the first byte of a head;
//! where strangers can connect, the first one starts with the connection.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// The limits of one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// How long a head may take from its first byte.
    pub(super) head: Duration,
    /// Whether the first head's time starts with the connection.
    pub(super) is_prompt: bool,
    /// How long a write may wait for the other side to read something.
    pub(super) write: Duration,
}

/// Which request of a connection is being answered; then bytes that come are no head.
#[derive(Clone, Debug, Default)]
pub(super) struct Answering(Arc<State>);

#[derive(Debug, Default)]
struct State {
    begun: AtomicU64,
    now: AtomicBool,
    refused: OnceLock<&'static str>,
}

impl Answering {
    /// A head is complete; its request is being answered.
    pub(super) fn begin(&self) {
        self.0.begun.fetch_add(1, Ordering::Relaxed);
        self.0.now.store(true, Ordering::Relaxed);
    }

    /// The answer is there, its body included; what comes now is the next head.
    pub(super) fn end(&self) {
        self.0.now.store(false, Ordering::Relaxed);
    }

    /// The HTTP library refused a head by itself, which ends the connection; the code says why.
    pub(super) fn refuse(&self, code: &'static str) {
        // There is one such refusal.
        let _ = self.0.refused.set(code);
    }

    /// The code of that refusal.
    pub(super) fn refused(&self) -> Option<&'static str> {
        self.0.refused.get().copied()
    }

    /// Whether a request is being answered.
    pub(super) fn is_busy(&self) -> bool {
        self.0.now.load(Ordering::Relaxed)
    }
}

type Timer = Option<Pin<Box<Sleep>>>;

/// A stream whose reads fail when a head takes longer than the limit, and whose writes fail when
/// nothing is read for longer.
#[derive(Debug)]
pub(super) struct Paced<S> {
    stream: S,
    pace: Pace,
    answering: Answering,
    /// Requests whose heads are known to be complete.
    complete: u64,
    head: Timer,
    write: Timer,
}

impl<S> Paced<S> {
    pub(super) fn new(stream: S, pace: Pace, answering: Answering) -> Self {
        let head = pace.is_prompt.then(|| timer(pace.head));
        Self { stream, pace, answering, complete: 0, head, write: None }
    }

    /// Gives a write that waits its time, and ends it when that is over.
    fn timed<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write = None;
            return written;
        }
        let limit = self.pace.write;
        let waiting = self.write.get_or_insert_with(|| timer(limit));
        waiting.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

fn timer(limit: Duration) -> Pin<Box<Sleep>> {
    Box::pin(tokio::time::sleep_until(Instant::now() + limit))
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let begun = this.answering.0.begun.load(Ordering::Relaxed);
        if begun != this.complete {
            this.complete = begun;
            this.head = None;
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        let came = buffer.filled().len() > before;
        if came && this.head.is_none() && !this.answering.is_busy() {
            this.head = Some(timer(this.pace.head));
        }
        if read.is_pending()
            && let Some(head) = &mut this.head
            && head.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.timed(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.timed(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_flush(context);
        this.timed(context, written)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
