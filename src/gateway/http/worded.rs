//! Words for what the HTTP library refuses by itself.
//!
//! A head that it cannot read it answers with a bare status, before any handler sees a request. Such
//! an answer is exchanged for the same status as `application/problem+json`. It is recognised by
//! being the first thing written since everything before it was flushed, while no request is being
//! answered, with a status of 4xx and without a media type; every refusal of this door has one.

use super::error::Refusal;
use super::pace::Answering;
use super::serve::HEAD_MAX;
use crate::client::json::code;
use axum::http::StatusCode;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that gives bare refusals words.
#[derive(Debug)]
pub(super) struct Worded<S> {
    stream: S,
    answering: Answering,
    /// Whether something was written since the last flush.
    is_amid: bool,
    /// What is written instead, how much of it is, and for how many bytes it stands.
    instead: Option<(Vec<u8>, usize, usize)>,
}

impl<S> Worded<S> {
    pub(super) const fn new(stream: S, answering: Answering) -> Self {
        Self { stream, answering, is_amid: false, instead: None }
    }

    fn consider(&mut self, bytes: &[u8]) {
        if self.instead.is_none()
            && !self.is_amid
            && !self.answering.is_busy()
            && let Some((code, words)) = words_for(bytes)
        {
            self.answering.refuse(code);
            self.instead = Some((words, 0, bytes.len()));
        }
        self.is_amid = true;
    }
}

impl<S: AsyncWrite + Unpin> Worded<S> {
    /// Writes what stands for other bytes; ready with their number when all of it is written.
    fn poll_instead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Option<usize>>> {
        while let Some((words, written, stands_for)) = &mut self.instead {
            if *written == words.len() {
                let stands_for = *stands_for;
                self.instead = None;
                return Poll::Ready(Ok(Some(stands_for)));
            }
            let more = Pin::new(&mut self.stream).poll_write(context, &words[*written..]);
            match ready!(more)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                more => *written += more,
            }
        }
        Poll::Ready(Ok(None))
    }
}

/// The code and the words for a bare refusal; none for anything else.
fn words_for(bytes: &[u8]) -> Option<(&'static str, Vec<u8>)> {
    let head = std::str::from_utf8(bytes).ok()?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?;
    let is_bare = head.ends_with("\r\n\r\n")
        && !head.to_ascii_lowercase().contains("\r\ncontent-type:")
        && status.starts_with('4');
    let status = StatusCode::from_bytes(status.as_bytes()).ok().filter(|_| is_bare)?;
    let (code, detail) = match status {
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE | StatusCode::URI_TOO_LONG => {
            let detail = format!("the head of a request may have {HEAD_MAX} bytes and 100 headers");
            (code::TOO_LARGE, detail)
        }
        _ => (code::BAD_REQUEST, "the head of the request is not HTTP/1.1".to_owned()),
    };
    let body = Refusal::new(status, code, detail).to_json();
    let mut words = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    words.extend(body);
    Some((code, words))
}

impl<S: AsyncRead + Unpin> AsyncRead for Worded<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Worded<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.consider(bytes);
        if let Some(stands_for) = ready!(this.poll_instead(context))? {
            return Poll::Ready(Ok(stands_for));
        }
        Pin::new(&mut this.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.consider(slices.first().map_or(&[], |first| first));
        if let Some(stands_for) = ready!(this.poll_instead(context))? {
            return Poll::Ready(Ok(stands_for));
        }
        Pin::new(&mut this.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.stream).poll_flush(context))?;
        this.is_amid = false;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
