//! Bodies that are too large to be held whole: handed in, read and checked chunk by chunk.
//!
//! Refuses to hold more of one than a few chunks. Small ones never come here.

use super::{NewBody, Service, ServiceError};
use crate::codec::ContentHasher;
use crate::engine::command::{Command, Reply, Rest};
use crate::engine::limits::{CHUNK_BYTES, PART_BYTES, READ_CHUNKS_MAX, WHOLE_BODY_MAX};
use crate::engine::message::ContentHash;
use crate::engine::rejection::Rejection;
use crate::engine::step::{Input, Output};
use crate::runtime::{CallError, Handle};
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::sync::Arc;

const CHUNK: u64 = CHUNK_BYTES as u64;

/// The body of a message that was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// These bytes.
    Whole(Bytes),
    /// To be read with [`Service::read_body`].
    Stored(StoredBody),
}

impl Body {
    /// Its length in bytes.
    pub const fn len(&self) -> u64 {
        match self {
            Self::Whole(bytes) => bytes.len() as u64,
            Self::Stored(stored) => stored.len,
        }
    }

    /// Whether there are no bytes.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A body that lies in the store. It can be read as long as its message is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredBody {
    content: u64,
    /// Where it begins in that content.
    from: u64,
    len: u64,
}

impl StoredBody {
    /// Its length in bytes.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are no bytes.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The body of an inner part that begins with `head` bytes of properties.
    pub(super) const fn of(rest: Rest, head: u64) -> Self {
        let from = head.saturating_sub(rest.before);
        Self { content: rest.content, from, len: rest.len.saturating_sub(head) }
    }
}

/// Reads a stored body in order.
#[derive(Debug)]
pub struct BodyReader {
    reader: Reader,
    skip: usize,
    left: u64,
}

impl BodyReader {
    /// The next bytes, none at the end.
    ///
    /// # Errors
    /// [`Rejection::NoSuchMessage`] if the message has gone meanwhile, [`Rejection::Damaged`],
    /// [`ServiceError::Stopping`].
    pub async fn next(&mut self) -> Result<Option<Bytes>, ServiceError> {
        while self.left > 0 {
            let mut bytes = self.reader.next().await?;
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            let _ = bytes.split_to(skipped);
            bytes.truncate(usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len()));
            self.left -= bytes.len() as u64;
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// Bytes that are still to come.
    pub const fn left(&self) -> u64 {
        self.left
    }
}

/// Reads the chunks of a content in order.
#[derive(Debug)]
struct Reader {
    handle: Handle,
    content: u64,
    next: u32,
    ahead: VecDeque<Bytes>,
}

impl Reader {
    const fn new(handle: Handle, content: u64, next: u32) -> Self {
        Self { handle, content, next, ahead: VecDeque::new() }
    }

    async fn next(&mut self) -> Result<Bytes, CallError> {
        if let Some(chunk) = self.ahead.pop_front() {
            return Ok(chunk);
        }
        let command =
            Command::Read { content: self.content, first: self.next, count: READ_CHUNKS_MAX };
        match self.handle.call(command).await? {
            Reply::Chunks(chunks) => {
                self.next += u32::try_from(chunks.len()).unwrap_or(READ_CHUNKS_MAX);
                self.ahead.extend(chunks);
            }
            Reply::Damaged => return Err(CallError::Rejected(Rejection::Damaged)),
            _ => {}
        }
        self.ahead.pop_front().ok_or(CallError::Rejected(Rejection::NoSuchMessage))
    }
}

/// A body that a program is handing in. Dropped, it is gone.
#[derive(Debug)]
pub struct Upload {
    handle: Handle,
    session: u64,
    limit: u64,
    content: Option<u64>,
    len: u64,
    buffer: BytesMut,
}

impl Upload {
    /// Takes the next bytes; when this returns, all but the last few are on disk.
    ///
    /// # Errors
    /// [`Rejection::TooLarge`] above the configured limit, or the engine's refusal.
    pub async fn write(&mut self, mut bytes: Bytes) -> Result<(), ServiceError> {
        let size = self.len.saturating_add(bytes.len() as u64);
        if size > self.limit {
            return Err(Rejection::TooLarge { size, limit: self.limit }.into());
        }
        self.len = size;
        // One that is not large after all stays whole.
        let most = |it: &Self| if it.content.is_some() { PART_BYTES } else { WHOLE_BODY_MAX };
        while !bytes.is_empty() {
            while self.buffer.len() >= most(self) {
                self.stage().await?;
            }
            let taken = bytes.split_to(bytes.len().min(most(self) - self.buffer.len()));
            self.buffer.extend_from_slice(&taken);
        }
        Ok(())
    }

    /// Everything is handed in.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn finish(mut self) -> Result<NewBody, ServiceError> {
        if self.content.is_none() {
            return Ok(NewBody::Whole(std::mem::take(&mut self.buffer).freeze()));
        }
        Ok(NewBody::Staged(self.finish_staged().await?))
    }

    async fn finish_staged(mut self) -> Result<Staged, ServiceError> {
        while !self.buffer.is_empty() {
            self.stage().await?;
        }
        Ok(Staged(Arc::new(self)))
    }

    async fn stage(&mut self) -> Result<(), ServiceError> {
        let bytes = self.buffer.split_to(self.buffer.len().min(PART_BYTES)).freeze();
        let command = Command::Stage { content: self.content, bytes, session: self.session };
        match self.handle.call(command).await? {
            Reply::Staged(content) => {
                self.content = Some(content);
                Ok(())
            }
            _ => Err(ServiceError::Internal("a staged content was expected".to_owned())),
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let (Some(content), Ok(runtime)) = (self.content, tokio::runtime::Handle::try_current())
        else {
            return;
        };
        // What a send has taken is not staged any more, and nothing happens.
        let handle = self.handle.clone();
        runtime.spawn(async move { handle.call(Command::Unstage(content)).await });
    }
}

/// A body that was handed in whole and belongs to no message yet. The last clone takes it along.
#[derive(Clone, Debug)]
pub struct Staged(Arc<Upload>);

impl Staged {
    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        self.0.len
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn content(&self) -> u64 {
        self.0.content.unwrap_or_default()
    }

    /// The hash of an inner part that begins with `head` and goes on with this body.
    pub(super) async fn hash(&self, head: &[u8]) -> Result<ContentHash, ServiceError> {
        let mut hasher = ContentHasher::default();
        hasher.update(head);
        let reader = Reader::new(self.0.handle.clone(), self.content(), 0);
        Ok(hash(hasher, reader, self.len()).await?)
    }
}

impl PartialEq for Staged {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Staged {}

impl Service {
    /// Begins to take a body that is too large to be held whole. It is dropped with the session
    /// unless a send takes it before.
    pub fn upload(&self, session: u64) -> Upload {
        Upload {
            handle: self.handle().clone(),
            session,
            limit: self.0.parts.body_bytes,
            content: None,
            len: 0,
            buffer: BytesMut::new(),
        }
    }

    /// Makes one stored body of one that several messages are to have, if it is worth a chunk.
    pub(super) async fn share(&self, body: NewBody) -> Result<NewBody, ServiceError> {
        match body {
            NewBody::Whole(bytes) if bytes.len() > CHUNK_BYTES => {
                let mut upload = self.upload(self.new_session());
                upload.write(bytes).await?;
                Ok(NewBody::Staged(upload.finish_staged().await?))
            }
            other => Ok(other),
        }
    }

    /// Largest body of a message here, in bytes.
    pub fn body_max(&self) -> u64 {
        self.0.parts.body_bytes
    }

    /// Reads a stored body.
    pub fn read_body(&self, body: StoredBody) -> BodyReader {
        let first = u32::try_from(body.from / CHUNK).unwrap_or(u32::MAX);
        BodyReader {
            reader: Reader::new(self.handle().clone(), body.content, first),
            skip: usize::try_from(body.from % CHUNK).unwrap_or_default(),
            left: body.len,
        }
    }
}

/// Does what [`Output::Check`] asks for; other outputs are none of its business.
pub async fn check(handle: Handle, output: Output) {
    let Output::Check { id, content, len, hash: wanted } = output else { return };
    let reader = Reader::new(handle.clone(), content, 0);
    let good = match hash(ContentHasher::default(), reader, len).await {
        Ok(found) => found == wanted,
        Err(CallError::Rejected(why)) => {
            tracing::warn!(messaging.message.id = %id, %why, "what came of a message cannot be read back");
            false
        }
        Err(CallError::Stopped) => return,
    };
    if !good {
        tracing::warn!(messaging.message.id = %id, "what came of a message is not what was announced; it is dropped");
    }
    handle.input(Input::Checked { id, content, good }).await;
}

async fn hash(
    mut hasher: ContentHasher,
    mut reader: Reader,
    len: u64,
) -> Result<ContentHash, CallError> {
    let mut left = len;
    while left > 0 {
        let chunk = reader.next().await?;
        let taken = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        hasher.update(&chunk[..taken]);
        left -= taken as u64;
    }
    Ok(hasher.finish())
}
