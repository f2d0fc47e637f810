//! A stream that notes when something came and that can be cut at once.
//!
//! Cutting matters: closing in good order waits until what was written is on its way, which on a
//! dead link never happens.

use super::super::clock::Clock;
use futures::task::AtomicWaker;
use futures::{AsyncRead, AsyncWrite};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::task::{Context, Poll};

/// No wall clock was told yet.
const UNKNOWN: i64 = i64::MIN;
/// A wall clock may show anything; no more than this is told: 1,000 years.
const SKEW_SHOWN_MAX_MS: i64 = 1_000 * 365 * 24 * 3_600_000;

/// What is known of one TCP connection.
pub(crate) struct Wire {
    clock: Clock,
    heard_ms: AtomicU64,
    rtt_us: AtomicU64,
    /// What the other end's wall clock is ahead, in milliseconds.
    skew_ms: AtomicI64,
    received: AtomicU64,
    sent: AtomicU64,
    cut: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Wire {
    /// A connection that begins now.
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            heard_ms: AtomicU64::new(clock.now_ms()),
            rtt_us: AtomicU64::new(0),
            skew_ms: AtomicI64::new(UNKNOWN),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            cut: AtomicBool::new(false),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
        }
    }

    /// When the last byte came, by the clock of the links.
    pub(crate) fn heard_ms(&self) -> u64 {
        self.heard_ms.load(Ordering::Relaxed)
    }

    /// The round trip when idle, in microseconds, once it is known.
    pub(crate) fn rtt_us(&self) -> Option<u64> {
        match self.rtt_us.load(Ordering::Relaxed) {
            0 => None,
            us => Some(us),
        }
    }

    /// Notes the round trip.
    pub(crate) fn note_rtt_us(&self, us: u64) {
        self.rtt_us.store(us.max(1), Ordering::Relaxed);
    }

    /// By how much the other end's wall clock is ahead of this one's, in milliseconds, once it was
    /// told.
    pub(crate) fn skew_ms(&self) -> Option<i64> {
        Some(self.skew_ms.load(Ordering::Relaxed)).filter(|skew| *skew != UNKNOWN)
    }

    /// Notes what the other end's wall clock showed half a round trip before this one shows `own_ms`.
    pub(crate) fn note_wall(&self, their_ms: u64, own_ms: u64) {
        let their_ms = their_ms.saturating_add(self.rtt_us().unwrap_or(0) / 2_000);
        let skew = i128::from(their_ms) - i128::from(own_ms);
        let skew = skew.clamp(i128::from(-SKEW_SHOWN_MAX_MS), i128::from(SKEW_SHOWN_MAX_MS));
        self.skew_ms.store(i64::try_from(skew).unwrap_or(UNKNOWN), Ordering::Relaxed);
    }

    /// Ends the connection now, whatever still waits to be written.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::Release);
        self.reader.wake();
        self.writer.wake();
    }

    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }

    /// Bytes that came over it, and bytes that went.
    pub(crate) fn moved(&self) -> (u64, u64) {
        (self.received.load(Ordering::Relaxed), self.sent.load(Ordering::Relaxed))
    }

    /// Notes that bytes came.
    pub(crate) fn came(&self, bytes: usize) {
        if bytes > 0 {
            self.heard_ms.store(self.clock.now_ms(), Ordering::Relaxed);
            self.received.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }

    /// Notes that bytes went.
    pub(crate) fn went(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

fn severed<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the link was cut")))
}

/// A stream with its [`Wire`].
pub(crate) struct WireStream<S> {
    inner: S,
    wire: Arc<Wire>,
}

impl<S> WireStream<S> {
    /// Counts what `inner` moves.
    pub(crate) fn new(inner: S, wire: Arc<Wire>) -> Self {
        Self { inner, wire }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WireStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.wire.reader.register(cx.waker());
        if this.wire.is_cut() {
            return severed();
        }
        let outcome = Pin::new(&mut this.inner).poll_read(cx, buffer);
        if let Poll::Ready(Ok(bytes)) = &outcome {
            this.wire.came(*bytes);
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WireStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.wire.writer.register(cx.waker());
        if this.wire.is_cut() {
            return severed();
        }
        let outcome = Pin::new(&mut this.inner).poll_write(cx, bytes);
        if let Poll::Ready(Ok(bytes)) = &outcome {
            this.wire.went(*bytes);
        }
        outcome
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.wire.writer.register(cx.waker());
        if this.wire.is_cut() {
            return severed();
        }
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.wire.writer.register(cx.waker());
        if this.wire.is_cut() {
            return severed();
        }
        Pin::new(&mut this.inner).poll_close(cx)
    }
}
