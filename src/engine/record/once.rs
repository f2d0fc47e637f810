//! What a send under a key was answered with, so that it is answered the same when it is repeated.

use crate::engine::address::{LineId, NodeId};
use crate::engine::ids::{Epoch, MessageId, StreamId};
use crate::engine::message::Short;
use crate::engine::time::Timestamp;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The answer to a send under a key.
///
/// The messages of one send are of one epoch, and those of one line have numbers in a row: the first
/// number of each line and the line of each message say all ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Once {
    /// Hash of what was sent: the same key with something else is a mistake of its program.
    #[serde(rename = "d")]
    pub digest: Short,
    /// When it was sent.
    #[serde(rename = "a")]
    pub at: Timestamp,
    /// Its number in the order of sending.
    #[serde(rename = "o")]
    pub order: u64,
    /// The epoch of the messages.
    #[serde(rename = "e")]
    pub epoch: Epoch,
    /// Number of the send in the row of its key; zero for a key of one send.
    #[serde(rename = "n", default, skip_serializing_if = "is_zero")]
    pub number: u64,
    /// Their lines, and the first number of each.
    #[serde(rename = "l")]
    pub lines: Vec<(LineId, u64)>,
    /// For each message the place of its line among them.
    #[serde(rename = "p")]
    pub places: Bytes,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Once {
    /// The answer for these ids; none if they cannot be said this way.
    pub(in crate::engine) fn of(
        digest: Short,
        at: Timestamp,
        order: u64,
        number: u64,
        ids: &[MessageId],
    ) -> Option<Self> {
        let first = ids.first()?.stream;
        let mut lines: Vec<(LineId, u64)> = Vec::new();
        let mut places = Vec::with_capacity(ids.len());
        for id in ids {
            let line = id.stream.line;
            let known = lines.iter().position(|(known, _)| *known == line);
            let place = known.unwrap_or_else(|| {
                lines.push((line, id.number));
                lines.len() - 1
            });
            places.push(u8::try_from(place).ok()?);
        }
        let places = places.into();
        let once = Self { digest, at, order, number, epoch: first.epoch, lines, places };
        (once.ids(first.origin) == ids).then_some(once)
    }

    /// The ids of the messages, in the order of the send.
    pub fn ids(&self, origin: NodeId) -> Vec<MessageId> {
        let mut next: BTreeMap<u8, u64> = BTreeMap::new();
        let id = |&place: &u8| {
            let &(line, first) = self.lines.get(usize::from(place))?;
            let number = next.entry(place).or_insert(first);
            let stream = StreamId { origin, line, epoch: self.epoch };
            let id = MessageId { stream, number: *number };
            *number += 1;
            Some(id)
        };
        self.places.iter().filter_map(id).collect()
    }
}
