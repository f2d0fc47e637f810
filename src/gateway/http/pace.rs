//! A time limit for the head of a request that has begun.
//!
//! The HTTP library's own limit also runs while a connection is idle, which would end sessions
//! whose programs are at work on a message. This one starts with the first byte of a head.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Which request of a connection is being answered; then bytes that come are no head.
#[derive(Clone, Debug, Default)]
pub(super) struct Answering(Arc<State>);

#[derive(Debug, Default)]
struct State {
    begun: AtomicU64,
    now: AtomicBool,
}

impl Answering {
    /// A head is complete; its request is being answered.
    pub(super) fn begin(&self) {
        self.0.begun.fetch_add(1, Ordering::Relaxed);
        self.0.now.store(true, Ordering::Relaxed);
    }

    /// The answer is there; what comes now is the next head.
    pub(super) fn end(&self) {
        self.0.now.store(false, Ordering::Relaxed);
    }
}

/// A stream whose reads fail when a head takes longer than the limit.
#[derive(Debug)]
pub(super) struct Paced<S> {
    stream: S,
    limit: Duration,
    answering: Answering,
    /// Requests whose heads are known to be complete.
    complete: u64,
    head: Option<Pin<Box<Sleep>>>,
}

impl<S> Paced<S> {
    pub(super) const fn new(stream: S, limit: Duration, answering: Answering) -> Self {
        Self { stream, limit, answering, complete: 0, head: None }
    }
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
        if came && this.head.is_none() && !this.answering.0.now.load(Ordering::Relaxed) {
            let until = Instant::now() + this.limit;
            this.head = Some(Box::pin(tokio::time::sleep_until(until)));
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
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
