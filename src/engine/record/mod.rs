//! The durable records of a node: one ordered table of keys and values.
//!
//! Refuses to know how they are encoded; `store::keys` and `codec` do.

mod arrival;
mod key;
mod once;
mod sending;

pub use arrival::{Inbox, InboxLine, Partial, Queue, Queued};
pub use key::{Key, Seat, Spot, Target};
pub use once::Once;
pub use sending::{Copy, Dead, DeathReason, Line, Sent, SentState, Stream};

use super::address::NodeId;
use super::ids::Epoch;
use super::message::Short;
use super::statement::{Attested, DirectoryRecord, Receipt, Status};
use super::time::Timestamp;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// What lies there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// See [`Key::Store`].
    #[serde(rename = "st")]
    Store(StoreInfo),
    /// See [`Key::Clock`].
    #[serde(rename = "ck")]
    Clock(Timestamp),
    /// See [`Key::Private`].
    #[serde(rename = "pv")]
    Private(Bytes),
    /// See [`Key::Directory`].
    #[serde(rename = "dr")]
    Directory(DirectoryRecord),
    /// See [`Key::Line`].
    #[serde(rename = "li")]
    Line(Line),
    /// See [`Key::Stream`].
    #[serde(rename = "sm")]
    Stream(Stream),
    /// See [`Key::Sent`].
    #[serde(rename = "se")]
    Sent(Sent),
    /// See [`Key::Copy`].
    #[serde(rename = "cp")]
    Copy(Box<Copy>),
    /// See [`Key::CopyOf`].
    #[serde(rename = "co")]
    CopyOf(Spot),
    /// See [`Key::Chunk`].
    #[serde(rename = "ch")]
    Chunk(Bytes),
    /// See [`Key::Queue`].
    #[serde(rename = "qu")]
    Queue(Queue),
    /// See [`Key::Queued`].
    #[serde(rename = "qd")]
    Queued(Box<Queued>),
    /// See [`Key::InboxLine`].
    #[serde(rename = "il")]
    InboxLine(InboxLine),
    /// See [`Key::Inbox`].
    #[serde(rename = "ib")]
    Inbox(Box<Inbox>),
    /// See [`Key::Held`].
    #[serde(rename = "he")]
    Held(Box<Queued>),
    /// See [`Key::Receipt`].
    #[serde(rename = "re")]
    Receipt(Box<Attested<Receipt>>),
    /// See [`Key::Status`].
    #[serde(rename = "su")]
    Status(Box<Attested<Status>>),
    /// See [`Key::Dead`].
    #[serde(rename = "de")]
    Dead(Box<Dead>),
    /// See [`Key::Timer`].
    #[serde(rename = "du")]
    Due,
    /// See [`Key::Once`].
    #[serde(rename = "on")]
    Once(Box<Once>),
    /// See [`Key::OnceOrder`].
    #[serde(rename = "ok")]
    OnceKey(Short),
    /// See [`Key::Partial`].
    #[serde(rename = "pa")]
    Partial(Box<Partial>),
    /// See [`Key::Stage`]; the bytes so far.
    #[serde(rename = "sg")]
    Stage(u64),
    /// See [`Key::Shares`]; how many there are beside the first.
    #[serde(rename = "sh")]
    Shares(u32),
}

/// The store itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreInfo {
    /// Drawn when the store was made.
    #[serde(rename = "a")]
    pub id: u64,
    /// The present opening.
    #[serde(rename = "o")]
    pub opening: Epoch,
    /// The node that owns it.
    #[serde(rename = "n")]
    pub node: NodeId,
}
