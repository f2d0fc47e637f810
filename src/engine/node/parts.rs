//! Puts bytes of large copies into requests, beside everything that is more urgent.

use super::Node;
use super::batch::{Batch, FRAME_OVERHEAD};
use crate::engine::address::NodeId;
use crate::engine::frame::{Frame, Part};
use crate::engine::links::{Link, Loaded, Peer};
use crate::engine::message::{Content, ContentHash};
use crate::engine::policy::Way;
use crate::engine::record::{Copy, Key, Spot};
use crate::engine::storage::StorageError;
use crate::engine::turn::Turn;
use bytes::Bytes;
use std::ops::Range;

/// The hash of a content that goes over links in parts.
pub(super) const fn in_parts(content: &Content) -> Option<ContentHash> {
    match content {
        Content::Stored { hash, .. } => *hash,
        Content::Inline(_) => None,
    }
}

impl Node {
    /// Adds bytes of the first large copy of a rank that has any to send.
    pub(super) fn load_part(
        &mut self,
        turn: &mut Turn<'_>,
        node: NodeId,
        peer: &mut Peer,
        link: &mut Link,
        batch: &mut Batch,
        rank: u8,
    ) -> Result<(), StorageError> {
        for at in link.large.wishes(rank) {
            if !link.large.has_slot() || batch.has_part() {
                return Ok(());
            }
            let way = self.way(at.destination, node);
            let copy = turn.copy(&Key::Copy(at))?.filter(|_| way != Way::None);
            let Some(copy) = copy.filter(|copy| self.is_wanted(copy, at, way, peer, link)) else {
                // Whatever makes it wanted again searches again.
                link.large.drop_wish(at);
                continue;
            };
            let (id, size) = (copy.outer.id, copy.outer.size);
            let (room, must) = batch.room(link);
            let Some(range) = link.large.next(&id, size, room, must) else { continue };
            self.load_range(turn, at, *copy, way, (peer, &mut *link), batch, range)?;
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the state of one link, taken apart")]
    fn load_range(
        &mut self,
        turn: &mut Turn<'_>,
        at: Spot,
        copy: Copy,
        way: Way,
        (peer, link): (&mut Peer, &mut Link),
        batch: &mut Batch,
        range: Range<u64>,
    ) -> Result<(), StorageError> {
        let (id, end) = (copy.outer.id, range.end);
        let Some(hash) = in_parts(&copy.content) else { return Ok(()) };
        let bytes = match turn.bytes(&copy.content, range.clone()) {
            Ok(bytes) => bytes,
            Err(StorageError::Damaged(_)) => {
                link.large.drop_wish(at);
                self.damaged.insert(at);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let (transfer, tokens) = self.hand_over(turn, at, copy, way, peer, Bytes::new());
        if tokens > 0 {
            // All parts are of one hand-over, whose outcome is not known before the last.
            peer.unknown.insert(id, (transfer.transfer, tokens));
        }
        let loaded =
            Loaded { id, at, purpose: transfer.purpose, transfer: transfer.transfer, tokens };
        let cost = bytes.len() as u64 + FRAME_OVERHEAD;
        batch.flight.part = Some(id);
        batch.flight.transfers.push(loaded);
        link.large.sent(id, end);
        let part = Part { transfer, hash, offset: range.start, bytes };
        batch.push(Frame::Part(Box::new(part)), cost);
        Ok(())
    }
}
