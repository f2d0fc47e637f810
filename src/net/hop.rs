//! The hop protocol: requests and answers between members, one stream each.
//!
//! Signing, encoding and decoding happen here, on the task of the connection, so that the task
//! that owns all links never does work that grows with what is sent. It refuses what is larger
//! than a frame may be before it makes room for it.

use super::door::Door;
use crate::codec::{self, CodecError, HopAnswer, HopRequest};
use crate::engine::limits::FRAME_MAX;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response::{self, ProtocolSupport};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Name of the protocol on the wire.
pub(crate) const HOP_PROTOCOL: StreamProtocol = StreamProtocol::new("/meshmq/hop/1");
/// Longest life of an exchange. The task's own limit, which knows sizes and rates, comes first.
pub(crate) const EXCHANGE_LONGEST: Duration = Duration::from_secs(1_800);
/// Exchanges that one connection carries at once, both ways.
pub(crate) const EXCHANGES_MAX: usize = 32;
/// Bytes that are made room for at a time while a frame comes in.
const STEP: usize = 64 * 1024;

/// The request-response behaviour of the hop protocol.
pub(crate) type Hop = request_response::Behaviour<HopCodec>;

/// A behaviour that signs by `door`'s gatekeeper.
pub(crate) fn behaviour(door: Arc<Door>) -> Hop {
    let config = request_response::Config::default()
        .with_request_timeout(EXCHANGE_LONGEST)
        .with_max_concurrent_streams(EXCHANGES_MAX);
    let protocols = [(HOP_PROTOCOL, ProtocolSupport::Full)];
    request_response::Behaviour::with_codec(HopCodec { door }, protocols, config)
}

/// Bytes of the wire from and to the engine's words.
#[derive(Clone)]
pub(crate) struct HopCodec {
    door: Arc<Door>,
}

impl request_response::Codec for HopCodec {
    type Protocol = StreamProtocol;
    type Request = HopRequest;
    type Response = HopAnswer;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<HopRequest>
    where
        T: AsyncRead + Unpin + Send,
    {
        codec::decode_request(&read_frame(io).await?).map_err(malformed)
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<HopAnswer>
    where
        T: AsyncRead + Unpin + Send,
    {
        codec::decode_answer(&read_frame(io).await?).map_err(malformed)
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        mut request: HopRequest,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        self.door.gatekeeper().sign_frames(&mut request.frames);
        write_frame(io, codec::encode_request(&request)).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        mut answer: HopAnswer,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        self.door.gatekeeper().sign_frames(&mut answer.answer.frames);
        write_frame(io, codec::encode_answer(&answer)).await
    }
}

fn malformed(error: CodecError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn too_large(size: usize) -> io::Error {
    malformed(CodecError::TooLarge { size, limit: FRAME_MAX })
}

/// Reads the length and then so many bytes. Memory grows with what has come, not with what was
/// announced.
async fn read_frame<T: AsyncRead + Unpin>(io: &mut T) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    io.read_exact(&mut length).await?;
    let length = u32::from_be_bytes(length) as usize;
    if length > FRAME_MAX {
        return Err(too_large(length));
    }
    let mut bytes = Vec::new();
    while bytes.len() < length {
        let from = bytes.len();
        bytes.resize(length.min(from + STEP), 0);
        io.read_exact(&mut bytes[from..]).await?;
    }
    Ok(bytes)
}

async fn write_frame<T: AsyncWrite + Unpin>(io: &mut T, bytes: Vec<u8>) -> io::Result<()> {
    if bytes.len() > FRAME_MAX {
        return Err(too_large(bytes.len()));
    }
    let length = u32::try_from(bytes.len()).map_err(|_| too_large(bytes.len()))?;
    // Header and body in one write: two would be two packets.
    let mut frame = Vec::with_capacity(4 + bytes.len());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&bytes);
    io.write_all(&frame).await
}

#[cfg(test)]
mod tests;
