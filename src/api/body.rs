//! Bodies that are too large to be held whole: sent and read piece by piece.

use super::Result;
use bytes::Bytes;
use futures::Stream;
use futures::stream::BoxStream;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The pieces of a body that is being sent.
pub(super) type Pieces = BoxStream<'static, io::Result<Bytes>>;

/// The body of a received message, piece by piece.
///
/// It can be read as long as its delivery is not settled; a long reading wants the lock extended.
#[must_use = "nothing is read unless it is polled"]
pub struct BodyStream(BoxStream<'static, Result<Bytes>>);

impl BodyStream {
    pub(super) fn new(pieces: impl Stream<Item = Result<Bytes>> + Send + 'static) -> Self {
        Self(Box::pin(pieces))
    }

    /// The next piece; none at the end.
    ///
    /// # Errors
    /// [`Error::LockLost`](super::Error::LockLost) or [`Error::Interrupted`](super::Error::Interrupted)
    /// if the rest cannot be had.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        futures::StreamExt::next(&mut self.0).await
    }
}

impl Stream for BodyStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl fmt::Debug for BodyStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyStream")
    }
}
