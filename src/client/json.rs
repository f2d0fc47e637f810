//! The JSON that the HTTP door and its clients exchange, shared by both sides.
//!
//! Rules that hold everywhere (`docs/reference`): durations end in `_s` and are numbers of seconds,
//! times end in `_at` and are RFC 3339 strings, answers may gain fields, requests with unknown
//! fields are refused. Bodies travel as text in `body` if they are UTF-8, else in `body_base64`.

mod admin;
mod body;
mod events;
mod explain;
mod message;
mod problem;
mod schema;
mod whole;

pub use admin::{
    AccessRequest, AccessToken, Check, Compacted, Count, DeadLetter, Discovery, DiscoveryState,
    InviteRequest, Invited, JoinRequest, Joined, Outgoing, Peer, PeerState, Peers, Queue,
    QueueSpec, Readiness, Ready, ReadyEvent, RetryRequest, Status, Stranger,
};
pub use body::{BadBody, join_body, split_body};
pub use events::{LagEvent, LinkEvent, NodeEvent, QueueEvent, StreamEvent};
pub use explain::{Condition, ConditionState, Step, Trace, Why};
pub use message::{
    AckRequest, Acked, Batch, BatchSent, ExtendRequest, Lock, Message, NewMessage, ReceiveRequest,
    Received, SendAnswer, SendBody, Sent, SentState, SettleRequest, SettleResult, Settled, Wait,
};
pub use problem::{Problem, code};

pub use crate::engine::limits::{RECEIVE_MAX, SEND_MAX, WHOLE_BODY_MAX};
pub use crate::engine::message::Delivery;
pub use crate::engine::time::spoken;

use serde::{Deserialize, Serialize};

/// One page of a list: `GET /v1/queues`, `/v1/queues/{q}/messages`, `/v1/outgoing`, `/v1/dead`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The entries, in the order of the list.
    pub items: Vec<T>,
    /// What to give as `?after=` for the next page; absent on the last one. Opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Prints a Unix time in milliseconds as RFC 3339 in UTC with milliseconds.
///
/// Times beyond the calendar's end are printed as its end.
pub fn rfc3339(unix_ms: u64) -> String {
    let ms = i64::try_from(unix_ms).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::MAX);
    format!("{time:.3}")
}

#[cfg(test)]
mod tests;
