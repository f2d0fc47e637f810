//! A scenario as it is written: every key that may stand in the file, and no other.

use super::units::{Count, Duration, OneOrMany, Span};
use serde::Deserialize;
use toml::Spanned;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// What the scenario proves, in a sentence.
    pub(super) proves: Spanned<String>,
    /// Names of the nodes.
    pub(super) nodes: Spanned<Vec<String>>,
    /// What holds for every link that does not say otherwise.
    #[serde(default)]
    pub(super) link: LinkText,
    /// The links that exist; every pair if none is listed.
    #[serde(default)]
    pub(super) links: Vec<Spanned<BetweenText>>,
    /// How long things take at every node.
    #[serde(default)]
    pub(super) timing: TimingText,
    /// Queues, made at the start.
    #[serde(default)]
    pub(super) queues: Vec<Spanned<QueueText>>,
    /// Programs that send.
    #[serde(default)]
    pub(super) send: Vec<Spanned<SendText>>,
    /// Programs that receive.
    #[serde(default)]
    pub(super) receive: Vec<Spanned<ReceiveText>>,
    /// What happens when.
    #[serde(default)]
    pub(super) steps: Vec<Spanned<StepText>>,
    /// What must be true at the end beyond the promises.
    #[serde(default)]
    pub(super) expect: ExpectText,
    /// How long everything may take after the last step and the healing.
    pub(super) drain: Option<Duration>,
    /// What is otherwise on real processes.
    #[serde(default)]
    pub(super) live: LiveText,
}

/// What is otherwise on real processes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LiveText {
    /// When the script ends there at the latest.
    pub(super) until: Option<Duration>,
}

/// Properties of links.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkText {
    pub(super) latency: Option<Span>,
    pub(super) loss: Option<f64>,
    pub(super) duplicate: Option<f64>,
    pub(super) reorder: Option<f64>,
    pub(super) bytes_per_s: Option<u64>,
}

/// A link between two nodes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BetweenText {
    pub(super) between: Vec<String>,
    pub(super) latency: Option<Span>,
    pub(super) loss: Option<f64>,
    pub(super) duplicate: Option<f64>,
    pub(super) reorder: Option<f64>,
    pub(super) bytes_per_s: Option<u64>,
    pub(super) up: Option<bool>,
}

/// How long things take.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimingText {
    pub(super) commit: Option<Span>,
    pub(super) detect: Option<Span>,
    pub(super) redial: Option<Span>,
    pub(super) answer_within: Option<Duration>,
}

/// A queue.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QueueText {
    pub(super) name: String,
    #[serde(default)]
    pub(super) transactional: bool,
    pub(super) max_messages: Option<u64>,
}

/// A program that sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SendText {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) at: Span,
    pub(super) count: Count,
    pub(super) every: Span,
    pub(super) batch: Option<Count>,
    pub(super) delivery: Option<OneOrMany<String>>,
    pub(super) priority: Option<OneOrMany<u8>>,
    pub(super) body_bytes: Option<Count>,
    pub(super) reach_within: Option<Span>,
    pub(super) ttl: Option<Span>,
}

/// A program that receives.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceiveText {
    pub(super) from: String,
    pub(super) at: Option<Span>,
    pub(super) every: Option<Span>,
    pub(super) batch: Option<Count>,
    pub(super) lease: Option<Duration>,
    pub(super) nack: Option<f64>,
    pub(super) give_back: Option<f64>,
    pub(super) forget: Option<f64>,
}

/// One step. Exactly one of the actions stands in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepText {
    pub(super) at: Span,
    pub(super) cut: Option<Vec<Vec<String>>>,
    pub(super) cut_one_way: Option<OneWayText>,
    pub(super) heal: Option<HealText>,
    pub(super) flap: Option<FlapText>,
    pub(super) crash: Option<OneOrMany<String>>,
    pub(super) crash_at_commit: Option<AtCommitText>,
    pub(super) power_loss: Option<OneOrMany<String>>,
    pub(super) attrition: Option<AttritionText>,
    pub(super) restart: Option<OneOrMany<String>>,
    pub(super) lose: Option<OneOrMany<String>>,
    pub(super) down: Option<Span>,
}

/// One direction of links.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OneWayText {
    pub(super) from: OneOrMany<String>,
    pub(super) to: OneOrMany<String>,
}

/// All links, or those between groups.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum HealText {
    All(String),
    Between(Vec<Vec<String>>),
}

/// Links that come and go.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FlapText {
    pub(super) between: Vec<Vec<String>>,
    pub(super) up: Span,
    pub(super) down: Span,
    pub(super) lasts: Duration,
}

/// A crash at a counted commit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AtCommitText {
    pub(super) node: OneOrMany<String>,
    pub(super) nth: Count,
    pub(super) side: Option<String>,
}

/// Crashes at commits, by chance.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AttritionText {
    pub(super) nodes: OneOrMany<String>,
    pub(super) chance: f64,
    pub(super) side: Option<String>,
    pub(super) lasts: Duration,
}

/// What must be true at the end.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectText {
    /// `none` (the default), `some` or `any`.
    pub(super) dead: Option<Spanned<String>>,
}
