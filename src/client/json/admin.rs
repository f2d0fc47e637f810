//! JSON of administration: the node, its mesh, its peers, its queues, what is outgoing or dead.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who a node is and where it listens: what every status begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ready {
    /// The node's name in its mesh.
    pub name: String,
    /// Its id: 64 hexadecimal digits.
    pub node_id: String,
    /// The mesh's label for people.
    pub mesh: String,
    /// Addresses at which other nodes reach it, as multiaddresses with the port really bound.
    pub listen: Vec<String>,
    /// Path of the Unix socket of the HTTP door.
    pub socket: String,
    /// Where the HTTP door on TCP is; null if it is not open.
    #[serde(default)]
    pub http: Option<String>,
}

/// First line of `up --json`, once the node is ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReadyEvent {
    /// Always `ready`.
    pub event: String,
    /// Who and where.
    #[serde(flatten)]
    pub ready: Ready,
}

impl ReadyEvent {
    /// The event for this node.
    pub fn new(ready: Ready) -> Self {
        Self { event: "ready".to_owned(), ready }
    }
}

/// Answer to `GET /v1/status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Who and where.
    #[serde(flatten)]
    pub ready: Ready,
    /// Version of the program.
    pub version: String,
    /// Time since the start, in seconds.
    pub uptime_s: f64,
    /// Members with a live path.
    pub peers_up: u64,
    /// Members without one; those that left are not counted.
    pub peers_away: u64,
    /// Messages in local queues.
    pub messages: u64,
    /// Own messages on their way, without a verdict.
    pub outgoing: u64,
    /// Copies carried for others.
    #[serde(default)]
    pub carried: u64,
    /// Dead letters.
    #[serde(default)]
    pub dead: u64,
    /// Local queues.
    #[serde(default)]
    pub queues: u64,
    /// What a person should know and may want to change.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// Answer to `POST /v1/compact`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Compacted {
    /// Bytes of the store's files before.
    pub before_bytes: u64,
    /// Bytes of them now.
    pub after_bytes: u64,
    /// Bytes of what lives in them.
    pub live_bytes: u64,
    /// Why it was not done to the end; null if it was.
    #[serde(default)]
    pub refused: Option<String>,
}

/// Body of `POST /v1/invites`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InviteRequest {
    /// How long the token is good for, in seconds; 15 minutes if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 604_800)]
    pub ttl_s: Option<f64>,
    /// Whether the new member may invite others even when the first machine is lost.
    pub admin: bool,
}

/// Answer to `POST /v1/invites`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invited {
    /// Single-use token.
    pub token: String,
    /// Until when it is good.
    pub expires_at: String,
    /// The mesh's label.
    pub mesh: String,
}

/// Body of `POST /v1/join`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinRequest {
    /// What `invite` printed.
    pub token: String,
    /// The name wanted in the new mesh; the present one if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Answer to `POST /v1/join`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Joined {
    /// The mesh's label.
    pub mesh: String,
    /// The node's name in it.
    pub name: String,
    /// The node's id.
    pub node_id: String,
}

/// Answer to `GET /v1/peers`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Peers {
    /// The other members, by name.
    pub items: Vec<Peer>,
    /// Nodes seen on the LAN that are no members.
    #[serde(default)]
    pub strangers: Vec<Stranger>,
}

/// Another member of the mesh. Members never vanish from the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Peer {
    /// Its name.
    pub name: String,
    /// Its id.
    pub node_id: String,
    /// Whether it can be reached.
    pub state: PeerState,
    /// `direct`, `via NAME` or `none`.
    pub path: String,
    /// Round trip of the direct link, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// By how much its wall clock is ahead of this node's, in seconds, as it told over the direct link.
    #[serde(default)]
    pub clock_skew_s: Option<f64>,
    /// Own messages that wait for it.
    pub outgoing: u64,
    /// Time since it was last heard, in seconds; 0 while it is up, null if never.
    pub seen_s: Option<f64>,
}

/// Where a member stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PeerState {
    /// A live path leads there.
    Up,
    /// No live path leads there now.
    Away,
    /// It left the mesh or was put out.
    Left,
}

impl PeerState {
    /// The name in replies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Away => "away",
            Self::Left => "left",
        }
    }
}

/// A node seen on the LAN that is no member. Its name is not known: only members learn names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Stranger {
    /// Its id.
    pub node_id: String,
    /// Where it was seen.
    pub addresses: Vec<String>,
    /// Time since it was last seen, in seconds.
    pub seen_s: f64,
}

/// Body of `PUT /v1/queues/{queue}`. The kind is fixed for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QueueSpec {
    /// Whether it takes transactional messages only.
    pub transactional: bool,
    /// Quota in messages; the node's default if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "super::whole::number_or_null")]
    #[schema(minimum = 1, maximum = 9_223_372_036_854_775_807_u64)]
    pub max_messages: Option<u64>,
    /// Quota in bytes; the node's default if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "super::whole::number_or_null")]
    #[schema(minimum = 1, maximum = 9_223_372_036_854_775_807_u64)]
    pub max_bytes: Option<u64>,
}

/// A local queue: entry of `GET /v1/queues`, answer to `GET` and `PUT /v1/queues/{queue}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Queue {
    /// Its name as its creator wrote it.
    pub name: String,
    /// Its kind.
    pub transactional: bool,
    /// Messages that can be received now or after a wait.
    pub ready: u64,
    /// Messages under locks.
    pub locked: u64,
    /// Dead letters that were for it.
    pub dead: u64,
    /// Bytes of its messages.
    pub bytes: u64,
    /// Age of the message at its head, in seconds; null if it is empty.
    pub oldest_age_s: Option<f64>,
    /// Quota in messages.
    pub max_messages: u64,
    /// Quota in bytes.
    pub max_bytes: u64,
    /// When it was made.
    pub created_at: String,
}

/// What waits for one node: entry of `GET /v1/outgoing`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Outgoing {
    /// The node, by name, or by id if the name is not known here.
    pub destination: String,
    /// Own messages without a verdict.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Age of the oldest, in seconds.
    pub oldest_age_s: Option<f64>,
    /// `sending`, `in_transit`, `no_path` or `refused`.
    pub state: String,
    /// Why the destination said "not now", if `refused`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When something is tried again at the latest, in seconds from now; null if an event decides.
    pub next_try_s: Option<f64>,
}

/// A dead letter: entry of `GET /v1/dead`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetter {
    /// The message's id; names the letter in `POST /v1/dead/{id}/retry` and `DELETE /v1/dead/{id}`.
    pub id: String,
    /// Where it was going: `queue@node`.
    pub destination: String,
    /// Why it died.
    pub reason: String,
    /// When.
    pub died_at: String,
    /// Whether it may have arrived.
    pub unconfirmed: bool,
    /// Its label.
    #[serde(default)]
    pub label: String,
}

/// Body of `POST /v1/dead/{id}/retry`; the answer is [`Sent`](super::Sent) with the new id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetryRequest {
    /// Whether an unconfirmed letter may be sent although it may have arrived.
    pub may_duplicate: bool,
}

/// Answer to every deletion: how many messages (or dead letters) went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Count {
    /// So many.
    pub count: u64,
}

/// Answer to `GET /v1/discovery`: how nodes on the same network are looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Discovery {
    /// Whether it runs.
    pub state: DiscoveryState,
    /// Why it does not, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Whether nodes on the same network are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiscoveryState {
    /// They are.
    On,
    /// Not, as was asked for.
    Off,
    /// It could not be started.
    Failed,
}

/// Body of `POST /v1/tokens`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AccessRequest {
    /// What people call it.
    #[schema(max_length = 64, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")]
    pub label: String,
}

/// An access token: answer to `POST /v1/tokens`, entry of `GET /v1/tokens`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessToken {
    /// Names it in `DELETE /v1/tokens/{id}`.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// When it was made.
    pub created_at: String,
    /// Its text: told once, when it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// Answer to `GET /readyz?verbose`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// Whether the node takes requests.
    pub ready: bool,
    /// What it was judged by.
    pub checks: Vec<Check>,
}

/// One thing that a node needs to be ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// `engine`, `store`, `links`, `socket`, `http` or `running`.
    pub name: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// In words.
    pub detail: String,
}
