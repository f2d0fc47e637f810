//! JSON of questions: why something is where it is, and what is known of a message.

use crate::engine::message::Delivery;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Answer to `GET /v1/outgoing/{node}/why` and `GET /v1/messages/{id}/why`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Why {
    /// The node that it is about, by name, or by id if the name is not known here.
    pub destination: String,
    /// The message, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Trace>,
    /// Own messages that wait for the node.
    pub waiting: u64,
    /// What has to hold, in order; empty if the message is not on its way any more. The first that
    /// fails is the reason.
    pub checks: Vec<Condition>,
    /// When something is tried again at the latest, in seconds from now; null if an event decides.
    pub next_try_s: Option<f64>,
}

/// One thing that has to hold before a message can arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Condition {
    /// `name`, `seen`, `path`, `session`, `window`, `room`, `refusal`, `time`.
    pub check: String,
    /// How it came out.
    pub outcome: ConditionState,
    /// What was found; empty if it is open.
    pub detail: String,
    /// What to do, if it fails and something can be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConditionState {
    /// It holds.
    Ok,
    /// It does not hold.
    Fail,
    /// It cannot be told before an earlier one holds.
    Open,
}

/// What a node knows of a message that it accepted: answer to `GET /v1/messages/{id}/trace`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Trace {
    /// Its id.
    pub id: String,
    /// Where it goes: `queue@node`.
    pub to: String,
    /// Express, recoverable or transactional.
    #[schema(schema_with = super::schema::delivery)]
    pub delivery: Delivery,
    /// 0 to 7.
    pub priority: u8,
    /// How far it has come.
    pub state: super::SentState,
    /// Why it died, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When its time to reach the queue ends; null for a queue of this node.
    pub expires_at: Option<String>,
    /// Whether it is there already and waits for an earlier one of its line.
    pub held_there: bool,
    /// What happened, in order, as far as this node knows.
    pub steps: Vec<Step>,
}

/// Something that happened to a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// `stored`, `handed`, `arrived`, `received`, `dead` or `unconfirmed`.
    pub step: String,
    /// On which node, by name, or by id if the name is not known here.
    pub node: String,
    /// When; null where this node did not keep the time.
    pub at: Option<String>,
}
