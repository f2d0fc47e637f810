//! Bounds of what a neighbour may say, by name: whatever passes here fits the records it becomes.
//!
//! Without them a member could hand over a message or receipt that no store record can hold.

use super::{CodecError, cbor};
use crate::engine::frame::{Answer, DirectoryEntry, Frame, Transfer};
use crate::engine::limits::{
    BATCH_MESSAGES, DIRECTORY_RECORD_MAX, HAVE_MAX, INLINE_MAX, NEIGHBOURS_MAX, PART_BYTES,
    RECORD_MAX, ROSTER_MAX, WHOLE_MAX,
};
use crate::engine::message::{Extensions, Outer};
use crate::engine::statement::{Attested, DirectoryKey};
use bytes::Bytes;
use serde::Serialize;

/// Most frames of one request or answer.
pub const FRAMES_MAX: usize = 4_096;
/// Largest encoded outer part, in bytes: with an inline inner part and the rest of its record it
/// stays below [`RECORD_MAX`].
pub const OUTER_MAX: usize = RECORD_MAX - INLINE_MAX - 128;
/// Largest encoded statement with its signature, in bytes, for the same reason.
pub const STATEMENT_MAX: usize = RECORD_MAX - 32;
/// Most fields of later versions in one place.
pub const EXTENSIONS_MAX: usize = 64;
/// Length of a signature, in bytes.
const SIGNATURE: usize = 64;
/// Longest subject of a directory record and longest rank, in bytes.
const SUBJECT_MAX: usize = 64;

/// The encoded length of a value, in bytes.
pub fn encoded_len<T: Serialize + ?Sized>(value: &T) -> usize {
    cbor::len(value)
}

/// Checks the bounds of all frames.
///
/// # Errors
/// [`CodecError::TooMany`] or [`CodecError::TooLarge`] for the first that exceeds one.
pub fn check_frames(frames: &[Frame]) -> Result<(), CodecError> {
    at_most("frames", frames.len(), FRAMES_MAX)?;
    let transfers = frames.iter().filter(|frame| is_copy(frame)).count();
    at_most("transfers", transfers, BATCH_MESSAGES)?;
    frames.iter().try_for_each(check_frame)
}

/// Checks the bounds of an answer.
pub(super) fn check_answer(answer: &Answer) -> Result<(), CodecError> {
    at_most("outcomes", answer.outcomes.len(), BATCH_MESSAGES)?;
    check_frames(&answer.frames)
}

/// Checks the bounds of an outer part.
///
/// # Errors
/// As [`check_frames`].
pub fn check_outer(outer: &Outer) -> Result<(), CodecError> {
    at_most("earlier epochs", outer.roster.len(), ROSTER_MAX)?;
    check_extensions(&outer.extensions)?;
    no_larger(encoded_len(outer), OUTER_MAX)
}

fn check_frame(frame: &Frame) -> Result<(), CodecError> {
    match frame {
        Frame::Contact(contact) => check_extensions(&contact.extensions),
        Frame::Receipt(receipt) => check_statement(receipt, &receipt.statement.extensions),
        Frame::Status(status) => {
            at_most("earlier epochs", status.statement.roster.len(), ROSTER_MAX)?;
            check_statement(status, &status.statement.extensions)
        }
        Frame::LinkState(links) => {
            at_most("neighbours", links.statement.neighbours.len(), NEIGHBOURS_MAX)?;
            check_extensions(&links.statement.extensions)?;
            check_signature(&links.signature)
        }
        Frame::Have(entries) => {
            at_most("directory entries", entries.len(), HAVE_MAX)?;
            entries.iter().try_for_each(|DirectoryEntry { key, rank }| check_key(key, rank))
        }
        Frame::Record(record) => {
            check_key(&record.key, &record.rank)?;
            no_larger(record.bytes.len(), DIRECTORY_RECORD_MAX)
        }
        Frame::Synced => Ok(()),
        Frame::Transfer(transfer) => check_transfer(transfer),
        Frame::Part(part) => {
            check_transfer(&part.transfer)?;
            no_larger(part.bytes.len(), PART_BYTES)
        }
    }
}

const fn is_copy(frame: &Frame) -> bool {
    matches!(frame, Frame::Transfer(_) | Frame::Part(_))
}

fn check_transfer(transfer: &Transfer) -> Result<(), CodecError> {
    check_outer(&transfer.outer)?;
    no_larger(transfer.inner.len(), WHOLE_MAX)
}

fn check_statement<T: Serialize>(
    attested: &Attested<T>,
    extensions: &Extensions,
) -> Result<(), CodecError> {
    check_extensions(extensions)?;
    check_signature(&attested.signature)?;
    no_larger(encoded_len(attested), STATEMENT_MAX)
}

fn check_signature(signature: &Bytes) -> Result<(), CodecError> {
    no_larger(signature.len(), SIGNATURE)
}

fn check_key(key: &DirectoryKey, rank: &Bytes) -> Result<(), CodecError> {
    no_larger(key.subject.len(), SUBJECT_MAX)?;
    no_larger(rank.len(), SUBJECT_MAX)
}

fn check_extensions(extensions: &Extensions) -> Result<(), CodecError> {
    at_most("extensions", extensions.len(), EXTENSIONS_MAX)
}

const fn at_most(what: &'static str, count: usize, limit: usize) -> Result<(), CodecError> {
    if count > limit { Err(CodecError::TooMany { what, limit }) } else { Ok(()) }
}

const fn no_larger(size: usize, limit: usize) -> Result<(), CodecError> {
    if size > limit { Err(CodecError::TooLarge { size, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
