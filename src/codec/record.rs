//! Stored records: a format version, a checksum, and the CBOR of the record.
//!
//! Version 1: `version u8 = 1 ‖ CRC-32 (IEEE, big-endian) over version and CBOR ‖ CBOR`.

use super::{CodecError, cbor};
use crate::engine::limits::RECORD_MAX;
use crate::engine::record::Record;

/// The format version that is written.
pub const RECORD_VERSION: u8 = 1;
/// Bytes before the CBOR: version and checksum.
pub const RECORD_HEADER: usize = 5;

/// Encodes a record.
///
/// # Errors
/// [`CodecError::TooLarge`] if it exceeds [`RECORD_MAX`], beyond which sled is not safe.
pub fn encode_record(record: &Record) -> Result<Vec<u8>, CodecError> {
    let bytes = encode_record_unbounded(record);
    if bytes.len() > RECORD_MAX {
        return Err(CodecError::TooLarge { size: bytes.len(), limit: RECORD_MAX });
    }
    Ok(bytes)
}

/// Encodes a record of any size, to measure it.
pub fn encode_record_unbounded(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    bytes.extend([RECORD_VERSION, 0, 0, 0, 0]);
    cbor::append(record, &mut bytes);
    let sum = checksum(&bytes);
    bytes[1..RECORD_HEADER].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// Decodes a stored record.
///
/// # Errors
/// [`CodecError::TooNew`] for a later version, [`CodecError::Damaged`] for everything else: what
/// is in the store was written by this program, so any fault is damage.
pub fn decode_record(bytes: &[u8]) -> Result<Record, CodecError> {
    let damaged = |why: &str| CodecError::Damaged(why.to_owned());
    let Some((&version, _)) = bytes.split_first() else {
        return Err(damaged("an empty record"));
    };
    if bytes.len() < RECORD_HEADER {
        return Err(damaged("a cut record"));
    }
    let mut sum = [0; 4];
    sum.copy_from_slice(&bytes[1..RECORD_HEADER]);
    let intact = u32::from_be_bytes(sum) == checksum(bytes);
    match version {
        RECORD_VERSION if intact => cbor::from_slice(&bytes[RECORD_HEADER..], RECORD_MAX)
            .map_err(|error| CodecError::Damaged(error.to_string())),
        RECORD_VERSION => Err(damaged("the checksum does not match")),
        0 => Err(damaged("format version 0")),
        later if intact => Err(CodecError::TooNew(u32::from(later))),
        _ => Err(damaged("neither version nor checksum match")),
    }
}

/// Over the version byte and everything after the checksum's own place.
fn checksum(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..1]);
    hasher.update(&bytes[RECORD_HEADER..]);
    hasher.finalize()
}

#[cfg(test)]
mod tests;
