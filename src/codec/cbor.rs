//! The strict subset of CBOR: one look over the structure before anything is built from it.
//!
//! Refuses indefinite lengths, tags, leftover bytes, deep nesting and more items than a frame can
//! rightly have, so that no input costs more memory than a small multiple of its own size.

use super::CodecError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Deepest nesting of arrays and maps. The deepest legal value (an epoch in the roster of a
/// message in a request) has eight levels.
pub const DEPTH_MAX: usize = 24;
/// Most elements of one array or pairs of one map; the largest legal one is a page of a thousand
/// directory entries.
pub const COLLECTION_MAX: u64 = 4_096;
/// Most items of one value, all levels together. An item has at least one byte, and a request is
/// closed at 256 KiB unless a single large body fills it, which is one item.
pub const ITEMS_MAX: usize = 256 * 1024;

/// Room that ciborium wants for its own recursion: it counts enums and options besides collections.
const RECURSION_MAX: usize = 4 * DEPTH_MAX;

/// Encodes a value of the vocabulary. Its types have no form that CBOR cannot hold.
pub(super) fn to_vec<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    append(value, &mut bytes);
    bytes
}

/// Encodes a value at the end of `bytes`.
pub(super) fn append<T: Serialize + ?Sized>(value: &T, bytes: &mut Vec<u8>) {
    ciborium::into_writer(value, bytes).expect("a vector takes every value of the vocabulary");
}

/// The length of the encoded value, without keeping the bytes.
pub(super) fn len<T: Serialize + ?Sized>(value: &T) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    ciborium::into_writer(value, &mut count).expect("a count takes every value of the vocabulary");
    count.0
}

/// Decodes exactly one value that fills `bytes`, which may be at most `limit` long.
pub(super) fn from_slice<T: DeserializeOwned>(bytes: &[u8], limit: usize) -> Result<T, CodecError> {
    if bytes.len() > limit {
        return Err(CodecError::TooLarge { size: bytes.len(), limit });
    }
    check_structure(bytes)?;
    ciborium::de::from_reader_with_recursion_limit(bytes, RECURSION_MAX).map_err(
        |error| match error {
            ciborium::de::Error::RecursionLimitExceeded => CodecError::TooDeep,
            other => CodecError::Malformed(other.to_string()),
        },
    )
}

/// Walks over the headers of one value: it must be in the subset and end where the bytes end.
fn check_structure(bytes: &[u8]) -> Result<(), CodecError> {
    let mut walk = Walk { bytes, at: 0 };
    let mut open: Vec<u64> = Vec::with_capacity(DEPTH_MAX);
    for _ in 0..ITEMS_MAX {
        let children = walk.item()?;
        if children > 0 {
            if open.len() == DEPTH_MAX {
                return Err(CodecError::TooDeep);
            }
            open.push(children);
        } else {
            while let Some(left) = open.last_mut() {
                *left -= 1;
                if *left > 0 {
                    break;
                }
                open.pop();
            }
        }
        if open.is_empty() {
            let left = bytes.len() - walk.at;
            return if left == 0 { Ok(()) } else { Err(CodecError::Trailing(left)) };
        }
    }
    Err(CodecError::TooMany { what: "items", limit: ITEMS_MAX })
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Walk<'_> {
    /// Steps over one header, and over the content of a string. Gives the number of items that
    /// belong to it and follow.
    fn item(&mut self) -> Result<u64, CodecError> {
        let initial = self.take(1)?[0];
        let argument = match initial & 0x1f {
            small @ 0..=23 => u64::from(small),
            24 => u64::from(self.take(1)?[0]),
            width @ 25..=27 => {
                let bytes = self.take(1 << (width - 24))?;
                bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte))
            }
            31 => return Err(CodecError::Malformed("an indefinite length".to_owned())),
            _ => return Err(CodecError::Malformed("a reserved header".to_owned())),
        };
        match initial >> 5 {
            2 | 3 => {
                let len = usize::try_from(argument).unwrap_or(usize::MAX);
                self.take(len).map(|_| 0)
            }
            4 => collection(argument, 1),
            5 => collection(argument, 2),
            6 => Err(CodecError::Malformed("a tag".to_owned())),
            _ => Ok(0),
        }
    }

    fn take(&mut self, len: usize) -> Result<&[u8], CodecError> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..len).ok_or_else(|| {
            CodecError::Malformed(format!("{len} bytes are wanted where {} are left", rest.len()))
        })?;
        self.at += len;
        Ok(taken)
    }
}

fn collection(len: u64, items_each: u64) -> Result<u64, CodecError> {
    if len > COLLECTION_MAX {
        return Err(CodecError::TooMany {
            what: "elements of a collection",
            limit: COLLECTION_MAX as usize,
        });
    }
    Ok(len * items_each)
}

#[cfg(test)]
mod tests;
