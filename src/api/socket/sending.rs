//! Sends over the socket, each under a key: when the connection breaks before the answer, the same is
//! asked again, and the node does not store it twice.
//!
//! A key is a row of numbered sends, of which the node remembers the last, so that its memory of keys
//! does not bound how much is sent. A row is lent to one send at a time. Refuses to send a stream again,
//! whose pieces are gone.

use super::SocketWay;
use crate::api::{Error, Message, MessageId, Result};
use crate::client::again::Again;
use crate::client::http::ClientError;
use crate::client::json::{self, SendAnswer};
use crate::client::{path, raw};
use bytes::Bytes;
use futures::stream;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

/// Largest properties that go as headers, in bytes; a node takes 16 KiB of head.
const HEADERS_MAX: usize = 12 * 1024;
/// Most headers; a node takes 100.
const HEADERS_MANY: usize = 80;

/// Rows of sends that are not lent.
#[derive(Debug, Default)]
pub(super) struct Rows(Mutex<Vec<Row>>);

#[derive(Debug)]
struct Row {
    key: String,
    number: u64,
}

/// A row while one send has it. When it is dropped the row goes on with its next number: whatever
/// became of this one, it is not asked for again.
struct LentRow<'a> {
    rows: &'a Rows,
    row: Row,
}

impl Rows {
    fn lend(&self) -> LentRow<'_> {
        let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let row = idle.unwrap_or_else(|| Row { key: drawn(), number: 1 });
        LentRow { rows: self, row }
    }
}

impl Drop for LentRow<'_> {
    fn drop(&mut self) {
        let row = Row { key: std::mem::take(&mut self.row.key), number: self.row.number + 1 };
        self.rows.0.lock().unwrap_or_else(PoisonError::into_inner).push(row);
    }
}

/// A text that nobody else draws.
fn drawn() -> String {
    let half = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", half(), half())
}

type Headers = Vec<(&'static str, String)>;

impl SocketWay {
    /// Sends messages, once. When the answer is lost it asks again for a while.
    pub(super) async fn send_all(&self, to: &str, batch: &[Message]) -> Result<Vec<MessageId>> {
        let path = path::messages(to);
        let row = self.rows.lend();
        let (mut headers, body) = request(batch);
        headers.push(("idempotency-key", row.row.key.clone()));
        headers.push(("idempotency-number", row.row.number.to_string()));
        let mut again = None;
        loop {
            let why = match self.ask(&path, &headers, body.clone()).await {
                Ok(SendAnswer::One(sent)) => return Ok(vec![MessageId::new(sent.id)]),
                Ok(SendAnswer::Batch(sent)) => {
                    return Ok(sent.messages.into_iter().map(|it| MessageId::new(it.id)).collect());
                }
                Err(why) => why,
            };
            if !is_open(&why, again.is_some()) {
                return Err(why.into());
            }
            if !again.get_or_insert_with(Again::begin).wait().await {
                return Err(Error::from(ClientError::Broken(why.to_string())));
            }
        }
    }

    async fn ask(
        &self,
        path: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<SendAnswer, ClientError> {
        let mut lent = self.calls.lend().await?;
        let length = Some(body.len() as u64);
        let body = stream::iter([Ok(body)]);
        let answer = lent.connection().upload(path, headers, length, body).await;
        lent.give_back(&answer);
        answer
    }
}

/// Whether it is not known after this what became of a send. Once it has been asked for, a node that
/// is not there yet, or not ready, says nothing about it either.
const fn is_open(why: &ClientError, was_asked: bool) -> bool {
    matches!(why, ClientError::Broken(_)) || was_asked && why.is_away()
}

/// One message as it is, if its properties fit a head; else JSON.
fn request(batch: &[Message]) -> (Headers, Bytes) {
    if let [message] = batch {
        let headers = raw::headers(&properties(message));
        let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        if bytes <= HEADERS_MAX && headers.len() <= HEADERS_MANY {
            return (headers, message.body.clone());
        }
    }
    let messages = batch.iter().map(|message| {
        let body = json::NewMessage::with_body(&message.body);
        let json::NewMessage { body, body_base64, .. } = body;
        json::NewMessage { body, body_base64, ..properties(message) }
    });
    let batch = json::Batch { messages: messages.collect() };
    let body = serde_json::to_vec(&batch).expect("the wire types have string keys only");
    (vec![("content-type", "application/json".to_owned())], body.into())
}

/// All of a message but its body, as the door wants it.
pub(super) fn properties(message: &Message) -> json::NewMessage {
    let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    json::NewMessage {
        label: text(&message.label),
        headers: message.headers.clone(),
        content_type: text(&message.content_type),
        priority: message.priority,
        delivery: Some(message.mode),
        reach_within_s: message.reach_within.map(|time| time.as_secs_f64()),
        ttl_s: message.ttl.map(|time| time.as_secs_f64()),
        correlation_id: message.correlation.clone(),
        reply_to: message.reply_to.clone(),
        ..json::NewMessage::default()
    }
}

#[cfg(test)]
mod tests;
