//! What of a request's body nobody has read when its answer is there.
//!
//! A connection goes on where the next request begins, which is behind the body. So the rest of it is
//! read and thrown away before the answer goes out; a request that is refused by its head alone then
//! costs neither the connection nor the locks of its session. A rest that is too large, or does not
//! come, ends the connection, and the answer says so. Whoever waits to be told to send its body
//! (`Expect: 100-continue`) is answered at once; as nobody can tell then whether it will still send
//! it, that connection ends too.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

/// The most that is read of a body that nobody wants, in bytes.
pub const REST_MAX: usize = 8 * 1024 * 1024;
/// How long the rest of a body that nobody wants may take to come.
pub const REST_TIME_MAX: Duration = Duration::from_secs(10);

/// The body of a request. What is not read of it is left behind.
pub(super) struct Asked {
    body: Option<Incoming>,
    /// Whether its sender waits until somebody reads it.
    is_held_back: bool,
    rest: Rest,
}

/// Where the rest of a body is left.
#[derive(Clone, Debug, Default)]
pub(super) struct Rest(Arc<Mutex<Option<Left>>>);

#[derive(Debug)]
struct Left {
    body: Incoming,
    is_held_back: bool,
}

impl Asked {
    pub(super) fn new(headers: &HeaderMap, body: Incoming) -> (Self, Rest) {
        let expected = headers.get(header::EXPECT).map(HeaderValue::as_bytes);
        let is_held_back =
            expected.is_some_and(|expected| expected.eq_ignore_ascii_case(b"100-continue"));
        let rest = Rest::default();
        (Self { body: Some(body), is_held_back, rest: rest.clone() }, rest)
    }
}

impl Body for Asked {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.is_held_back = false;
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) {
            let left = Left { body, is_held_back: self.is_held_back };
            *self.rest.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(left);
        }
    }
}

impl Rest {
    /// Reads the rest and throws it away, or has the answer say that the connection ends.
    pub(super) async fn settle(&self, answer: &mut Response) {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(left) = left else { return };
        // A body that was waited for in vain is not waited for again.
        let is_late = answer.status() == StatusCode::REQUEST_TIMEOUT;
        if is_late || !left.read().await {
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

impl Left {
    /// Reads the body; whether it came to its end.
    async fn read(mut self) -> bool {
        if self.is_held_back || self.body.size_hint().lower() > REST_MAX as u64 {
            return false;
        }
        let reading = async {
            let mut read = 0;
            while let Some(frame) = self.body.frame().await {
                let Ok(frame) = frame else { return false };
                read += frame.data_ref().map_or(0, Bytes::len);
                if read > REST_MAX {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(REST_TIME_MAX, reading).await.unwrap_or(false)
    }
}
