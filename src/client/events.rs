//! Server-sent events of the node, read from its socket. When the connection ends they go on after the
//! last event that came, if the node is there again soon. Refuses to wait for it for ever.

use super::again::Again;
use super::http::{Client, ClientError};
use super::json::NodeEvent;
use bytes::Bytes;
use futures::stream::{self, BoxStream, Stream, StreamExt};
use std::path::{Path, PathBuf};

/// Largest event that is read, in bytes.
pub const EVENT_MAX: usize = 64 * 1024;

/// The events of the node at a socket from now on. Those of kinds that this version does not know are
/// passed over. After an error nothing more comes.
///
/// # Errors
/// As [`Client::connect`], and what the node refuses.
pub async fn follow(
    socket: &Path,
) -> Result<impl Stream<Item = Result<NodeEvent, ClientError>> + Send + 'static, ClientError> {
    let (reader, last) = open(socket, None).await?;
    let follower = Follower { socket: socket.to_owned(), last, open: Some(reader) };
    Ok(stream::unfold(follower, |mut follower| async {
        let next = follower.next().await?;
        Some((next, follower))
    }))
}

struct Follower {
    socket: PathBuf,
    /// Id of the last event that came.
    last: Option<String>,
    /// None once it is over.
    open: Option<Reader>,
}

impl Follower {
    async fn next(&mut self) -> Option<Result<NodeEvent, ClientError>> {
        while let Some(reader) = &mut self.open {
            match reader.next().await {
                Some(Ok(Block { id, event })) => {
                    if id.is_some() {
                        self.last = id;
                    }
                    if let Some(event) = event {
                        return Some(Ok(event));
                    }
                }
                None | Some(Err(ClientError::Broken(_))) => {
                    self.open = None;
                    if let Err(why) = self.come_back().await {
                        return Some(Err(why));
                    }
                }
                Some(Err(why)) => {
                    self.open = None;
                    return Some(Err(why));
                }
            }
        }
        None
    }

    async fn come_back(&mut self) -> Result<(), ClientError> {
        let mut again = Again::begin();
        again.wait().await;
        loop {
            match open(&self.socket, self.last.as_deref()).await {
                Ok((reader, last)) => {
                    self.open = Some(reader);
                    self.last = last;
                    return Ok(());
                }
                Err(why) if !why.is_away() || !again.wait().await => return Err(why),
                Err(_) => {}
            }
        }
    }
}

/// The events after the last one that came, and the id that the first of them, `open`, has.
async fn open(socket: &Path, last: Option<&str>) -> Result<(Reader, Option<String>), ClientError> {
    let mut connection = Client::connect(socket).await?;
    let headers: Vec<_> = last.map(|last| ("last-event-id", last.to_owned())).into_iter().collect();
    let pieces = connection.download("/v1/events", &headers).await?;
    // The connection lives as long as it is read from.
    let pieces = pieces.inspect(move |_| {
        let _ = &connection;
    });
    let mut reader = Reader::of(pieces);
    let closed = || Err(ClientError::Broken("the node closed it".to_owned()));
    let opened = reader.next().await.unwrap_or_else(closed)?;
    Ok((reader, opened.id))
}

/// An event as it came; none if it is a comment, or of an unknown kind.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    id: Option<String>,
    event: Option<NodeEvent>,
}

/// The events out of the pieces of an answer.
struct Reader {
    pieces: BoxStream<'static, Result<Bytes, ClientError>>,
    bytes: Vec<u8>,
    is_over: bool,
}

impl Reader {
    fn of(pieces: impl Stream<Item = Result<Bytes, ClientError>> + Send + 'static) -> Self {
        Self { pieces: pieces.boxed(), bytes: Vec::new(), is_over: false }
    }

    async fn next(&mut self) -> Option<Result<Block, ClientError>> {
        while !self.is_over {
            match take_block(&mut self.bytes).map(|block| read(&block)) {
                Some(block) => return Some(block.map_err(|why| self.end(why))),
                None if self.bytes.len() > EVENT_MAX => {
                    let why = ClientError::Unreadable("an event is too large".to_owned());
                    return Some(Err(self.end(why)));
                }
                None => match self.pieces.next().await {
                    Some(Ok(piece)) => self.bytes.extend_from_slice(&piece),
                    Some(Err(why)) => return Some(Err(self.end(why))),
                    None => self.is_over = true,
                },
            }
        }
        None
    }

    const fn end(&mut self, why: ClientError) -> ClientError {
        self.is_over = true;
        why
    }
}

/// The bytes of the first event, up to its empty line.
fn take_block(bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n")?;
    let rest = bytes.split_off(end + 2);
    Some(std::mem::replace(bytes, rest))
}

fn read(block: &[u8]) -> Result<Block, ClientError> {
    let text = String::from_utf8_lossy(block);
    let field = |name: &str| {
        let values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let values: Vec<&str> =
            values.map(|value| value.strip_prefix(' ').unwrap_or(value)).collect();
        values.join("\n")
    };
    let (name, data) = (field("event"), field("data"));
    let event = NodeEvent::read(&name, &data).transpose();
    let event = event.map_err(|why| ClientError::Unreadable(why.to_string()))?;
    Ok(Block { id: Some(field("id")).filter(|id| !id.is_empty()), event })
}

#[cfg(test)]
mod tests;
