//! Server-sent events as they come over a connection. Refuses to open one, and to come back by itself.

use super::http::ClientError;
use super::json::NodeEvent;
use bytes::Bytes;
use futures::stream::{self, BoxStream, Stream, StreamExt};

/// Largest event that is read, in bytes.
pub const EVENT_MAX: usize = 64 * 1024;

/// The events of the node, out of the pieces of an answer. Those of kinds that this version does not
/// know are passed over.
pub fn of_node(
    pieces: impl Stream<Item = Result<Bytes, ClientError>> + Send + 'static,
) -> impl Stream<Item = Result<NodeEvent, ClientError>> + Send + 'static {
    let reader = Reader { pieces: pieces.boxed(), bytes: Vec::new(), is_over: false };
    stream::unfold(reader, |mut reader| async {
        let next = reader.next().await?;
        Some((next, reader))
    })
}

struct Reader {
    pieces: BoxStream<'static, Result<Bytes, ClientError>>,
    bytes: Vec<u8>,
    is_over: bool,
}

impl Reader {
    async fn next(&mut self) -> Option<Result<NodeEvent, ClientError>> {
        while !self.is_over {
            match take_block(&mut self.bytes).map(|block| read(&block)) {
                Some(Some(event)) => return Some(event.map_err(|why| self.end(why))),
                Some(None) => {}
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

/// The event of a block; none if it is a comment, or of an unknown kind.
fn read(block: &[u8]) -> Option<Result<NodeEvent, ClientError>> {
    let text = String::from_utf8_lossy(block);
    let field = |name: &str| {
        let values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let values: Vec<&str> =
            values.map(|value| value.strip_prefix(' ').unwrap_or(value)).collect();
        values.join("\n")
    };
    let (name, data) = (field("event"), field("data"));
    let read = NodeEvent::read(&name, &data)?;
    Some(read.map_err(|why| ClientError::Unreadable(why.to_string())))
}

#[cfg(test)]
mod tests;
