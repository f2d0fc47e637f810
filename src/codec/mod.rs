//! Versioned bytes of messages, frames and records, the same on disk and on the wire.
//!
//! CBOR through serde, written in one way only: struct fields in the order of their declaration
//! under short names, integers in their shortest form, definite lengths, ordered maps. Encoding
//! what was decoded gives the same bytes, so signatures and digests need no raw bytes to be kept.
//! What is deliberately absent: signing, sealing, files, sockets and the rules of the protocol.

mod bounds;
mod cbor;
mod hop;
mod inner;
mod record;
mod statement;

pub use bounds::{
    EXTENSIONS_MAX, FRAMES_MAX, OUTER_MAX, STATEMENT_MAX, check_frames, check_outer, encoded_len,
};
pub use cbor::{COLLECTION_MAX, DEPTH_MAX, ITEMS_MAX};
pub use hop::{
    HopAnswer, HopRequest, decode_answer, decode_request, encode_answer, encode_request,
};
pub use inner::{
    ContentHasher, Inner, content_hash, decode_inner, decode_inner_head, digest, encode_inner,
    encode_inner_head,
};
pub use record::{
    RECORD_HEADER, RECORD_VERSION, decode_record, encode_record, encode_record_unbounded,
};
pub use statement::encode_statement;

/// Why bytes were not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// More bytes than this kind may have.
    #[error("{size} bytes, but at most {limit} are taken")]
    TooLarge {
        /// How many there are.
        size: usize,
        /// How many may be.
        limit: usize,
    },
    /// More of something than there may be.
    #[error("more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// Collections within collections deeper than [`DEPTH_MAX`].
    #[error("nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    /// Bytes are left over after the value.
    #[error("{0} bytes follow the value")]
    Trailing(usize),
    /// Not the CBOR of the wanted value.
    #[error("malformed: {0}")]
    Malformed(String),
    /// A stored record whose checksum or form is wrong.
    #[error("damaged: {0}")]
    Damaged(String),
    /// A stored record of a later version of the format.
    #[error("format version {0} is later than this program knows")]
    TooNew(u32),
}
