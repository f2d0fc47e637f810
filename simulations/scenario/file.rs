//! A scenario as it is written: every key that may stand in the file, and no other.

use super::units::{Count, Duration, OneOrMany, Shift, Span};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// What the scenario proves, in a sentence.
    pub(super) proves: Spanned<String>,
    /// Names of the nodes, and patterns of names.
    pub(super) nodes: Spanned<Vec<String>>,
    /// Names for several nodes.
    #[serde(default)]
    pub(super) groups: BTreeMap<String, Spanned<OneOrMany<String>>>,
    /// What holds for every link that does not say otherwise.
    pub(super) link: Option<Spanned<LinkText>>,
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
    /// Links that come and go as a trace says.
    pub(super) contacts: Option<Spanned<ContactsText>>,
    /// What must be true at the end beyond the promises.
    #[serde(default)]
    pub(super) expect: ExpectText,
    /// How long everything may take after the last step and the healing.
    pub(super) drain: Option<Duration>,
    /// Whether everything is healed at the end and must drain; it is if nothing is said.
    pub(super) liveness: Option<bool>,
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
    /// The way back, from the second to the first, where it is another.
    pub(super) back: Option<WayText>,
}

/// Properties of one direction.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WayText {
    pub(super) latency: Option<Span>,
    pub(super) loss: Option<f64>,
    pub(super) duplicate: Option<f64>,
    pub(super) reorder: Option<f64>,
    pub(super) bytes_per_s: Option<u64>,
}

/// Links between nodes. Exactly one of `between`, `within` and `chain` stands in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BetweenText {
    pub(super) between: Option<Vec<OneOrMany<String>>>,
    pub(super) within: Option<OneOrMany<String>>,
    pub(super) chain: Option<OneOrMany<String>>,
    pub(super) latency: Option<Span>,
    pub(super) loss: Option<f64>,
    pub(super) duplicate: Option<f64>,
    pub(super) reorder: Option<f64>,
    pub(super) bytes_per_s: Option<u64>,
    pub(super) back: Option<WayText>,
    pub(super) up: Option<bool>,
}

/// What a table says of the properties of its links, among other things: a flattened table would take
/// unknown keys.
macro_rules! says_properties {
    ($($table:ident),*) => {$(
        impl $table {
            /// What it says of the links, without which they are.
            pub(super) fn properties(&self) -> LinkText {
                LinkText {
                    latency: self.latency,
                    loss: self.loss,
                    duplicate: self.duplicate,
                    reorder: self.reorder,
                    bytes_per_s: self.bytes_per_s,
                    back: self.back.clone(),
                }
            }
        }
    )*};
}

says_properties!(BetweenText, ChangeText);

/// A contact trace.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContactsText {
    pub(super) file: String,
    pub(super) until: Option<Duration>,
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
    pub(super) max_bytes: Option<u64>,
}

/// A program that sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SendText {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) at: Span,
    pub(super) count: Option<Count>,
    pub(super) lasts: Option<Span>,
    pub(super) every: Option<Span>,
    pub(super) burst: Option<Count>,
    pub(super) rate: Option<f64>,
    pub(super) batch: Option<Count>,
    pub(super) delivery: Option<OneOrMany<String>>,
    pub(super) priority: Option<OneOrMany<u8>>,
    pub(super) body_bytes: Option<Count>,
    pub(super) sizes: Option<Vec<SizeText>>,
    pub(super) reach_within: Option<Span>,
    pub(super) ttl: Option<Span>,
    pub(super) reply_to: Option<String>,
}

/// A range of lengths, and how often it is drawn.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SizeText {
    pub(super) weight: u64,
    pub(super) bytes: Count,
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
    pub(super) work: Option<Span>,
    #[serde(default)]
    pub(super) answers: bool,
    pub(super) nack: Option<f64>,
    pub(super) give_back: Option<f64>,
    pub(super) forget: Option<f64>,
    pub(super) die: Option<f64>,
    pub(super) poison: Option<f64>,
}

/// One step. Exactly one of the actions stands in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepText {
    pub(super) at: Span,
    pub(super) cut: Option<Vec<OneOrMany<String>>>,
    pub(super) cut_one_way: Option<OneWayText>,
    pub(super) heal: Option<HealText>,
    pub(super) flap: Option<FlapText>,
    pub(super) crash: Option<OneOrMany<String>>,
    pub(super) crash_at_commit: Option<AtCommitText>,
    pub(super) power_loss: Option<OneOrMany<String>>,
    pub(super) attrition: Option<AttritionText>,
    pub(super) restart: Option<OneOrMany<String>>,
    pub(super) lose: Option<OneOrMany<String>>,
    pub(super) change: Option<ChangeText>,
    #[serde(rename = "move")]
    pub(super) moves: Option<MoveText>,
    pub(super) readdress: Option<OneOrMany<String>>,
    pub(super) suspend: Option<OneOrMany<String>>,
    pub(super) disk_full: Option<OneOrMany<String>>,
    pub(super) disk_free: Option<OneOrMany<String>>,
    pub(super) clock_jump: Option<ClockText>,
    pub(super) clone: Option<CloneText>,
    pub(super) rollback: Option<RollbackText>,
    pub(super) wipe: Option<OneOrMany<String>>,
    pub(super) corrupt: Option<CorruptText>,
    pub(super) upgrade: Option<OneOrMany<String>>,
    pub(super) downgrade: Option<OneOrMany<String>>,
    pub(super) drop_queue: Option<String>,
    pub(super) create_queue: Option<String>,
    pub(super) down: Option<Span>,
    pub(super) left_bytes: Option<u64>,
}

/// Links that have other properties from now on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeText {
    pub(super) between: Vec<OneOrMany<String>>,
    pub(super) latency: Option<Span>,
    pub(super) loss: Option<f64>,
    pub(super) duplicate: Option<f64>,
    pub(super) reorder: Option<f64>,
    pub(super) bytes_per_s: Option<u64>,
    pub(super) back: Option<WayText>,
}

/// Nodes that change their place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MoveText {
    pub(super) nodes: OneOrMany<String>,
    pub(super) from: Option<OneOrMany<String>>,
    pub(super) to: OneOrMany<String>,
}

/// Wall clocks that somebody sets.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClockText {
    pub(super) nodes: OneOrMany<String>,
    pub(super) by: Shift,
}

/// A second machine.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CloneText {
    pub(super) of: String,
    #[serde(rename = "as")]
    pub(super) twin: String,
}

/// Stores as they were.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RollbackText {
    pub(super) nodes: OneOrMany<String>,
    pub(super) by: Span,
}

/// Bodies that do not read back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CorruptText {
    pub(super) nodes: OneOrMany<String>,
    pub(super) bodies: Count,
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
    Between(Vec<OneOrMany<String>>),
}

/// Links that come and go.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FlapText {
    pub(super) between: Vec<OneOrMany<String>>,
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
