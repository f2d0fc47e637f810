//! JSON of server-sent events. `message` has a [`Message`](super::Message) with its lock, `state` a
//! [`Sent`](super::Sent), `problem` a [`Problem`](super::Problem).

use super::Sent;
use serde::{Deserialize, Serialize};

/// Event `open`: first of a stream of deliveries, and of the events of the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamEvent {
    /// Whether the stream goes on after the event that was seen last. In one of deliveries, locks that were
    /// out before still hold then; otherwise they returned.
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

/// Event `lagged`: events are missing here, because the reader was too slow, or away for too long, or
/// the node was started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LagEvent {
    /// So many, if that is known.
    pub missed: Option<u64>,
}

/// One of the events of `GET /v1/events`. In JSON its name is the field `event`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum NodeEvent {
    /// A message that was sent here has come further.
    State(Sent),
    /// A message came into a local queue.
    Entered(QueueEvent),
    /// A program received a message of a local queue.
    Consumed(QueueEvent),
    /// A link came up or went down.
    Link(LinkEvent),
    /// Events are missing here.
    Lagged(LagEvent),
}

impl NodeEvent {
    /// The name in the stream.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::State(_) => "state",
            Self::Entered(_) => "entered",
            Self::Consumed(_) => "consumed",
            Self::Link(_) => "link",
            Self::Lagged(_) => "lagged",
        }
    }

    /// What goes with the name in the stream.
    pub fn data(&self) -> serde_json::Result<String> {
        match self {
            Self::State(sent) => serde_json::to_string(sent),
            Self::Entered(at) | Self::Consumed(at) => serde_json::to_string(at),
            Self::Link(link) => serde_json::to_string(link),
            Self::Lagged(lag) => serde_json::to_string(lag),
        }
    }

    /// The event of a name and its data; none if this version does not know the name.
    pub fn read(name: &str, data: &str) -> Option<serde_json::Result<Self>> {
        Some(match name {
            "state" => serde_json::from_str(data).map(Self::State),
            "entered" => serde_json::from_str(data).map(Self::Entered),
            "consumed" => serde_json::from_str(data).map(Self::Consumed),
            "link" => serde_json::from_str(data).map(Self::Link),
            "lagged" => serde_json::from_str(data).map(Self::Lagged),
            _ => return None,
        })
    }
}
