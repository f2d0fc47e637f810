//! What the edge of a node does around its engine: hashes, and what stands inside.

use crate::disk::Disk;
use meshmq::codec::{ContentHasher, content_hash, digest};
use meshmq::engine::address::NodeId;
use meshmq::engine::command::Shown;
use meshmq::engine::frame::Frame;
use meshmq::engine::limits::CHUNK_BYTES;
use meshmq::engine::message::ContentHash;
use meshmq::engine::record::{Key, Record};
use meshmq::engine::storage::Storage as _;

/// What the edge fills in before a frame reaches the engine.
pub(crate) fn edge(me: NodeId, frame: &mut Frame) {
    match frame {
        Frame::Transfer(transfer) => {
            transfer.digest = digest(&transfer.outer, &content_hash(&transfer.inner));
            if transfer.outer.destination == me {
                let inner = meshmq::codec::decode_inner(&transfer.inner);
                transfer.queue = inner.ok().map(|inner| inner.queue);
            }
        }
        Frame::Part(part) => {
            let outer = &part.transfer.outer;
            part.transfer.digest = digest(outer, &part.hash);
            if outer.destination == me && part.offset == 0 {
                let head = meshmq::codec::decode_inner_head(&part.bytes, outer.size);
                part.transfer.queue = head.ok().map(|(inner, _)| inner.queue);
            }
        }
        _ => {}
    }
}

/// The hash of a content on a disk.
pub(crate) fn hash_of(disk: &Disk, content: u64, len: u64) -> Option<ContentHash> {
    let mut hasher = ContentHasher::default();
    for index in 0..len.div_ceil(CHUNK_BYTES as u64) {
        let key = Key::Chunk(content, u32::try_from(index).ok()?);
        match disk.get(&key) {
            Ok(Some(Record::Chunk(bytes))) => hasher.update(&bytes),
            _ => return None,
        }
    }
    Some(hasher.finish())
}

/// The body of inner bytes, as a text.
pub(crate) fn body_of(inner: &Shown) -> String {
    let inner = meshmq::codec::decode_inner(&inner.bytes).expect("inner bytes");
    String::from_utf8(inner.body.to_vec()).expect("a text")
}
