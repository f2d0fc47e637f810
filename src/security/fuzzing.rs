//! The decoders of this layer for the fuzz targets: what they read, as the bytes that are written of
//! it. Built for them and for tests only; refuses to check anything that the decoders do not.

use super::access::AccessToken;
use super::invite::Invite;
use super::message::Message;
use super::record::Record;
use super::suite::{self, Signing};
use crate::engine::statement::DirectoryRecord;
use bytes::Bytes;

/// A message of the dialogue between strangers.
pub fn dialogue(bytes: &[u8]) -> Option<Vec<u8>> {
    Message::read(bytes).ok().map(|message| message.encode())
}

/// A signed record as it came, and what it says as this version signs it.
pub fn signed_record(bytes: &[u8]) -> Option<(DirectoryRecord, DirectoryRecord)> {
    let record = Record::read(bytes).ok()?;
    let again = Record::sign(record.body.clone(), &Signing::from_secret(&[7; 32]));
    Some((record.to_directory(), again.to_directory()))
}

/// An inviter's memory of an invitation.
pub fn invitation(bytes: &[u8]) -> Option<Bytes> {
    Invite::read(bytes).ok().map(|invite| invite.encode())
}

/// The text of an access token.
pub fn access_token(text: &str) -> Option<String> {
    AccessToken::parse(text).map(|token| token.reveal().to_owned())
}

/// The text of a join token that holds these bytes, whatever they are.
pub fn join_token(payload: &[u8]) -> String {
    let summed = [payload, &suite::checksum(payload)].concat();
    format!("{}{}", super::token::HEAD, bs58::encode(summed).into_string())
}
