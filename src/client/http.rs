//! One HTTP/1.1 connection to a node's Unix socket.
//!
//! What a connection received under locks returns to its queue when the connection closes, so it
//! is opened once, never silently replaced while locks are out, and closed by dropping it. Refuses
//! to retry a request that may have reached the node.

use super::json::{Problem, code};
use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::{Path, PathBuf};
use tokio::net::UnixStream;

/// Largest answer that is read, in bytes: a full receive of the largest bodies in base64.
pub const ANSWER_MAX: usize = 512 * 1024 * 1024;

/// The body of a request.
type Outbound = UnsyncBoxBody<Bytes, io::Error>;

/// A connection to a node.
#[derive(Debug)]
pub struct Client {
    socket: PathBuf,
    sender: SendRequest<Outbound>,
}

impl Client {
    /// Connects to the node behind a socket.
    ///
    /// # Errors
    /// [`ClientError::NotRunning`] if nothing listens there, [`ClientError::NotAllowed`] if the
    /// socket is not for this user.
    pub async fn connect(socket: &Path) -> Result<Self, ClientError> {
        let sender = open(socket).await?;
        Ok(Self { socket: socket.to_owned(), sender })
    }

    /// Whether the node has closed the connection: what it had locked has returned.
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Opens the connection anew if the node has closed it.
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub async fn reopen_if_closed(&mut self) -> Result<(), ClientError> {
        if self.sender.ready().await.is_err() {
            self.sender = open(&self.socket).await?;
        }
        Ok(())
    }

    /// `GET path`.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, ClientError> {
        self.call(Method::GET, path, None).await
    }

    /// `GET path`, where the answer is text.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn text(&mut self, path: &str) -> Result<String, ClientError> {
        let answer = self.exchange(Method::GET, path, None).await?;
        String::from_utf8(answer.into()).map_err(|why| ClientError::Unreadable(why.to_string()))
    }

    /// `POST path` with a JSON body.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<T, ClientError> {
        self.call(Method::POST, path, Some(to_json(body))).await
    }

    /// `POST path` without a body.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn ask<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, ClientError> {
        self.call(Method::POST, path, None).await
    }

    /// `PUT path` with a JSON body.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn put<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<T, ClientError> {
        self.call(Method::PUT, path, Some(to_json(body))).await
    }

    /// `DELETE path`.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn delete<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, ClientError> {
        self.call(Method::DELETE, path, None).await
    }

    /// `DELETE path`, where the answer says no more than that it is done.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn remove(&mut self, path: &str) -> Result<(), ClientError> {
        self.exchange(Method::DELETE, path, None).await.map(drop)
    }

    /// `POST path` without a body, where the answer says no more than that it is done.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn tell(&mut self, path: &str) -> Result<(), ClientError> {
        self.exchange(Method::POST, path, None).await.map(drop)
    }

    async fn call<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<T, ClientError> {
        let answer = self.exchange(method, path, body).await?;
        serde_json::from_slice(&answer).map_err(|why| ClientError::Unreadable(why.to_string()))
    }

    async fn exchange(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<Bytes, ClientError> {
        let mut request =
            Request::builder().method(method).uri(path).header(header::HOST, "meshmq");
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = Full::new(body.unwrap_or_default()).map_err(|never| match never {});
        let request = request.body(body.boxed_unsync()).map_err(unreadable)?;
        whole(self.begin(request).await?).await
    }

    async fn begin(
        &mut self,
        request: Request<Outbound>,
    ) -> Result<Response<Incoming>, ClientError> {
        self.sender.ready().await.map_err(broken)?;
        self.sender.send_request(request).await.map_err(broken)
    }

    /// `POST path` with a body that comes piece by piece, `length` bytes if that is known.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn upload<T: DeserializeOwned>(
        &mut self,
        path: &str,
        headers: &[(&'static str, String)],
        length: Option<u64>,
        pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Result<T, ClientError> {
        let mut request =
            Request::builder().method(Method::POST).uri(path).header(header::HOST, "meshmq");
        if let Some(length) = length {
            request = request.header(header::CONTENT_LENGTH, length);
        }
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let body = StreamBody::new(pieces.map_ok(Frame::data)).boxed_unsync();
        let request = request.body(body).map_err(unreadable)?;
        let answer = whole(self.begin(request).await?).await?;
        serde_json::from_slice(&answer).map_err(|why| ClientError::Unreadable(why.to_string()))
    }

    /// `GET path` with these headers, whose answer is read piece by piece. Until it has been read the
    /// connection takes no other request.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn download(
        &mut self,
        path: &str,
        headers: &[(&'static str, String)],
    ) -> Result<impl Stream<Item = Result<Bytes, ClientError>> + Send + 'static, ClientError> {
        let mut request =
            Request::builder().method(Method::GET).uri(path).header(header::HOST, "meshmq");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let empty = Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync();
        let answer = self.begin(request.body(empty).map_err(unreadable)?).await?;
        if answer.status().is_success() {
            Ok(answer.into_body().into_data_stream().map_err(broken))
        } else {
            Err(match whole(answer).await {
                Ok(_) => ClientError::Unreadable("an answer of success was expected".to_owned()),
                Err(why) => why,
            })
        }
    }
}

/// The whole body of an answer of success.
async fn whole(answer: Response<Incoming>) -> Result<Bytes, ClientError> {
    let status = answer.status();
    let body = Limited::new(answer.into_body(), ANSWER_MAX)
        .collect()
        .await
        .map_err(|why| ClientError::Broken(why.to_string()))?
        .to_bytes();
    if status.is_success() { Ok(body) } else { Err(problem(status, &body)) }
}

async fn open(socket: &Path) -> Result<SendRequest<Outbound>, ClientError> {
    let stream = UnixStream::connect(socket).await.map_err(|why| {
        if why.kind() == io::ErrorKind::PermissionDenied {
            ClientError::NotAllowed(socket.to_owned())
        } else {
            ClientError::NotRunning(socket.to_owned())
        }
    })?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(broken)?;
    tokio::spawn(async move {
        // Its failure is told to whoever waits for an answer.
        let _ = connection.await;
    });
    Ok(sender)
}

fn to_json(body: &impl Serialize) -> Bytes {
    Bytes::from(serde_json::to_vec(body).expect("the wire types have string keys only"))
}

fn unreadable(why: hyper::http::Error) -> ClientError {
    ClientError::Unreadable(why.to_string())
}

fn broken(why: hyper::Error) -> ClientError {
    ClientError::Broken(why.to_string())
}

fn problem(status: StatusCode, body: &[u8]) -> ClientError {
    let read = serde_json::from_slice(body).unwrap_or_else(|_| {
        let text = String::from_utf8_lossy(body);
        let detail = if text.trim().is_empty() { status.to_string() } else { text.into_owned() };
        Problem::new(status.as_u16(), code::INTERNAL, detail)
    });
    ClientError::Problem(Box::new(read))
}

/// Why there is no answer, or no good one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Nothing listens at the socket.
    #[error("no node is running at {}", .0.display())]
    NotRunning(PathBuf),
    /// The socket belongs to another user or group.
    #[error("{} is not open to this user", .0.display())]
    NotAllowed(PathBuf),
    /// The connection broke; the request may have been carried out.
    #[error("the connection to the node broke: {0}")]
    Broken(String),
    /// The node refused the request, or failed at it.
    #[error("{}", .0.detail)]
    Problem(Box<Problem>),
    /// The answer is not what this version expects.
    #[error("the node's answer cannot be read: {0}")]
    Unreadable(String),
}

impl ClientError {
    /// Whether the node may only be away, or not ready: it can be asked again.
    pub(crate) const fn is_away(&self) -> bool {
        match self {
            Self::NotRunning(_) | Self::Broken(_) => true,
            Self::Problem(problem) => problem.status == 503,
            Self::NotAllowed(_) | Self::Unreadable(_) => false,
        }
    }
}

#[cfg(test)]
mod tests;
