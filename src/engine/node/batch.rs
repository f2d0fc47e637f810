//! A request that is being filled, and what fits into it.

use crate::engine::frame::Frame;
use crate::engine::limits::{BATCH_BYTES, BATCH_MESSAGES, PART_BYTES};
use crate::engine::links::{Flight, Link};

/// Bytes that a frame costs beside the inner bytes of a message.
pub(super) const FRAME_OVERHEAD: u64 = 320;
/// Statements in one request.
pub(super) const BATCH_WORDS: usize = 256;

/// A request that is being filled.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) frames: Vec<Frame>,
    pub(super) flight: Flight,
}

impl Batch {
    pub(super) fn push(&mut self, frame: Frame, bytes: u64) {
        self.frames.push(frame);
        self.flight.bytes += bytes;
    }

    pub(super) fn is_full(&self) -> bool {
        self.frames.len() >= BATCH_WORDS + BATCH_MESSAGES
            || self.flight.transfers.len() >= BATCH_MESSAGES
            || self.flight.bytes >= BATCH_BYTES as u64
    }

    /// Whether bytes of a large copy are in it: one part is enough for one request.
    pub(super) const fn has_part(&self) -> bool {
        self.flight.part.is_some()
    }

    /// Bytes that the request and the link's window still take, and whether it takes something however
    /// large it is, because nothing is under way.
    pub(super) fn room(&self, link: &Link) -> (u64, bool) {
        let first = self.flight.transfers.is_empty();
        let in_flight = link.bytes_in_flight + self.flight.bytes + FRAME_OVERHEAD;
        let in_batch = if first { PART_BYTES as u64 } else { BATCH_BYTES as u64 };
        let left = in_batch.saturating_sub(if first { 0 } else { self.flight.bytes });
        let must = first && link.bytes_in_flight == 0;
        (left.min(link.window.saturating_sub(in_flight)), must)
    }
}

/// Whether another message fits into the request and the link's window; one always does.
pub(super) fn fits(link: &Link, batch: &Batch, size: u64) -> bool {
    let bytes = size + FRAME_OVERHEAD;
    let first = batch.flight.transfers.is_empty();
    let in_batch = first || batch.flight.bytes + bytes <= BATCH_BYTES as u64;
    let in_flight = link.bytes_in_flight + batch.flight.bytes;
    in_batch && (first && link.bytes_in_flight == 0 || in_flight + bytes <= link.window)
}
