//! Requests and answers of the hop protocol, as one link carries them.
//!
//! What comes in is checked for size, form and named bounds before it is handed on; whether it is
//! signed and true is for `security` to say.

use super::bounds::{check_answer, check_frames};
use super::{CodecError, cbor};
use crate::engine::frame::{Answer, Frame};
use crate::engine::limits::FRAME_MAX;
use serde::{Deserialize, Serialize};

/// What one node says to a neighbour in one exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HopRequest {
    /// The speaker's number of the exchange.
    #[serde(rename = "e")]
    pub exchange: u64,
    /// What is said.
    #[serde(rename = "f")]
    pub frames: Vec<Frame>,
}

/// What the neighbour answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HopAnswer {
    /// The answer.
    #[serde(rename = "a")]
    pub answer: Answer,
}

/// Encodes a request. The engine keeps it below [`FRAME_MAX`].
pub fn encode_request(request: &HopRequest) -> Vec<u8> {
    cbor::to_vec(request)
}

/// Decodes a request.
///
/// # Errors
/// [`CodecError`] for too many bytes or elements, a wrong form or leftover bytes: the neighbour
/// does not keep to the protocol.
pub fn decode_request(bytes: &[u8]) -> Result<HopRequest, CodecError> {
    let request: HopRequest = cbor::from_slice(bytes, FRAME_MAX)?;
    check_frames(&request.frames)?;
    Ok(request)
}

/// Encodes an answer. The engine keeps it below [`FRAME_MAX`].
pub fn encode_answer(answer: &HopAnswer) -> Vec<u8> {
    cbor::to_vec(answer)
}

/// Decodes an answer.
///
/// # Errors
/// As [`decode_request`].
pub fn decode_answer(bytes: &[u8]) -> Result<HopAnswer, CodecError> {
    let answer: HopAnswer = cbor::from_slice(bytes, FRAME_MAX)?;
    check_answer(&answer.answer)?;
    Ok(answer)
}
