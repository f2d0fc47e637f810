//! Operations on messages as spans of the log, with the attribute names of OpenTelemetry's messaging
//! conventions. At the level debug: where that is not logged they cost a comparison each.
//!
//! Refuses bodies, labels and headers.

use super::{Body, NewBody, NewMessage, Received, Sent, ServiceError};
use crate::engine::command::Settlement;
use tracing::Span;
use tracing::field::Empty;

/// What every operation says. A kind is one of OpenTelemetry's span kinds.
macro_rules! span {
    ($name:literal, $kind:literal, $type:literal) => {
        tracing::debug_span!(
            $name,
            otel.kind = $kind,
            messaging.system = "meshmq",
            messaging.operation.name = $name,
            messaging.operation.type = $type,
            messaging.destination.name = Empty,
            messaging.message.id = Empty,
            messaging.message.conversation_id = Empty,
            messaging.message.body.size = Empty,
            messaging.batch.message_count = Empty,
            error.type = Empty,
        )
    };
}

/// An operation under way.
#[derive(Clone, Debug)]
pub(super) struct Operation(Span);

impl Operation {
    /// Messages are sent to an address.
    pub(super) fn send(to: &str, messages: &[NewMessage]) -> Self {
        let operation = Self(span!("send", "producer", "send"));
        operation.to(to);
        if let ([message], false) = (messages, operation.0.is_disabled()) {
            let size = match &message.body {
                NewBody::Whole(bytes) => bytes.len() as u64,
                NewBody::Staged(staged) => staged.len(),
            };
            operation.0.record("messaging.message.body.size", size);
            if let Some(id) = &message.correlation_id {
                operation.0.record("messaging.message.conversation_id", id);
            }
        }
        operation
    }

    /// Messages of a queue are handed out.
    pub(super) fn receive(queue: &str) -> Self {
        let operation = Self(span!("receive", "consumer", "receive"));
        operation.to(queue);
        operation
    }

    /// A lock is settled or its lease begins again.
    pub(super) fn settle(how: Settlement) -> Self {
        Self(match how {
            Settlement::Ack => span!("ack", "client", "settle"),
            Settlement::Nack => span!("nack", "client", "settle"),
            Settlement::Return => span!("return", "client", "settle"),
            Settlement::Extend(_) => span!("extend", "client", "settle"),
        })
    }

    /// The span, for what is done meanwhile.
    pub(super) fn span(&self) -> Span {
        self.0.clone()
    }

    /// Names the queue.
    pub(super) fn to(&self, queue: &str) {
        self.0.record("messaging.destination.name", queue);
    }

    /// Messages were sent.
    pub(super) fn sent(&self, sent: &[Sent]) {
        if let ([only], false) = (sent, self.0.is_disabled()) {
            self.0.record("messaging.message.id", only.id.to_string());
        }
        self.done(sent.len());
    }

    /// Messages were handed out.
    pub(super) fn received(&self, received: &[Received]) {
        if let ([only], false) = (received, self.0.is_disabled()) {
            self.0.record("messaging.message.id", only.message.id.reference().to_string());
            self.0.record("messaging.message.body.size", Body::len(&only.message.body));
            if let Some(id) = &only.message.correlation_id {
                self.0.record("messaging.message.conversation_id", id);
            }
        }
        self.done(received.len());
    }

    /// It is done, with so many messages.
    pub(super) fn done(&self, messages: usize) {
        if messages != 1 {
            self.0.record("messaging.batch.message_count", messages);
        }
        self.0.in_scope(|| tracing::debug!("done"));
    }

    /// It was refused or failed.
    pub(super) fn failed(&self, why: &ServiceError) {
        if !self.0.is_disabled() {
            self.0.record("error.type", why.verdict().code);
            self.0.in_scope(|| tracing::debug!(error = %why, "failed"));
        }
    }
}
