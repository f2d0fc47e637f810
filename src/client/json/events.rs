//! JSON of server-sent events. `message` has a [`Message`](super::Message) with its lock, `state` a
//! [`Sent`](super::Sent), `problem` a [`Problem`](super::Problem).

use serde::{Deserialize, Serialize};

/// Event `open`: first of a stream of deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamEvent {
    /// Whether the stream goes on: locks that were out before still hold. Otherwise they returned.
    pub resumed: bool,
}

/// Events `entered` and `consumed`: a message came into a local queue, or a program received it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueEvent {
    /// The queue.
    pub queue: String,
    /// The message.
    pub id: String,
}

/// Event `link`: a link came up or went down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkEvent {
    /// The other end, by name, or by id if the name is not known here.
    pub node: String,
    /// Whether it is up now.
    pub up: bool,
}

/// Event `lagged`: the reader was too slow, and events are missing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LagEvent {
    /// So many.
    pub missed: u64,
}
