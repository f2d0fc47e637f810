//! Bytes of keys: compared as bytes they are in the order of [`Key`].
//!
//! One byte for the table, then the fields in their order: numbers big-endian, ids as they are,
//! texts and subjects escaped and terminated, so that no key is the beginning of another one.
//! Table bytes are eight apart, so that later tables can lie between them.

use crate::engine::address::{LineId, NodeId};
use crate::engine::ids::{Epoch, MessageId, StreamId};
use crate::engine::message::Short;
use crate::engine::record::{Key, Seat, Spot, Target};
use crate::engine::statement::DirectoryKey;
use crate::engine::time::Timestamp;
use bytes::Bytes;

/// Longest key, in bytes: the longest of fixed length has 91, and a text of 255 bytes fits.
pub const KEY_MAX: usize = 600;

/// The bytes are not a key: the store is damaged, or a later version wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} is not a key of this store: {why}")]
pub struct BadKey {
    /// The bytes in hexadecimal, the first 32 of them.
    bytes: String,
    /// What is wrong.
    why: &'static str,
}

mod table {
    pub(super) const STORE: u8 = 0x08;
    pub(super) const CLOCK: u8 = 0x10;
    pub(super) const PRIVATE: u8 = 0x18;
    pub(super) const DIRECTORY: u8 = 0x20;
    pub(super) const LINE: u8 = 0x28;
    pub(super) const STREAM: u8 = 0x30;
    pub(super) const SENT: u8 = 0x38;
    pub(super) const COPY: u8 = 0x40;
    pub(super) const COPY_OF: u8 = 0x48;
    pub(super) const CHUNK: u8 = 0x50;
    pub(super) const QUEUE: u8 = 0x58;
    pub(super) const QUEUED: u8 = 0x60;
    pub(super) const INBOX_LINE: u8 = 0x68;
    pub(super) const INBOX: u8 = 0x70;
    pub(super) const HELD: u8 = 0x78;
    pub(super) const RECEIPT: u8 = 0x80;
    pub(super) const STATUS: u8 = 0x88;
    pub(super) const DEAD: u8 = 0x90;
    pub(super) const TIMER: u8 = 0x98;
    pub(super) const ONCE: u8 = 0xa0;
    pub(super) const ONCE_ORDER: u8 = 0xa8;
    pub(super) const PARTIAL: u8 = 0xb0;
    pub(super) const STAGE: u8 = 0xb8;
    pub(super) const SHARES: u8 = 0xc0;
}

mod target {
    pub(super) const SENT: u8 = 0x08;
    pub(super) const COPY: u8 = 0x10;
    pub(super) const QUEUED: u8 = 0x18;
    pub(super) const STATEMENT: u8 = 0x20;
}

/// The bytes of a key.
pub fn encode_key(key: &Key) -> Vec<u8> {
    let mut out = Writer(Vec::with_capacity(96));
    match key {
        Key::Store => out.byte(table::STORE),
        Key::Clock => out.byte(table::CLOCK),
        Key::Private(name) => out.byte(table::PRIVATE).text(name.as_bytes()),
        Key::Directory(DirectoryKey { kind, subject }) => {
            out.byte(table::DIRECTORY).byte(*kind).text(subject)
        }
        Key::Line(line) => out.byte(table::LINE).long(line.0),
        Key::Stream(line, epoch) => out.byte(table::STREAM).long(line.0).epoch(*epoch),
        Key::Sent(line, epoch, number) => {
            out.byte(table::SENT).long(line.0).epoch(*epoch).long(*number)
        }
        Key::Copy(spot) => out.byte(table::COPY).spot(spot),
        Key::CopyOf(id) => out.byte(table::COPY_OF).message(id),
        Key::Chunk(content, index) => out.byte(table::CHUNK).long(*content).int(*index),
        Key::Queue(number) => out.byte(table::QUEUE).int(*number),
        Key::Queued(seat) => out.byte(table::QUEUED).seat(seat),
        Key::InboxLine(origin, line) => out.byte(table::INBOX_LINE).node(origin).long(line.0),
        Key::Inbox(stream) => out.byte(table::INBOX).stream(stream),
        Key::Held(id) => out.byte(table::HELD).message(id),
        Key::Receipt(stream, by) => out.byte(table::RECEIPT).stream(stream).node(by),
        Key::Status(stream) => out.byte(table::STATUS).stream(stream),
        Key::Dead(letter) => out.byte(table::DEAD).long(*letter),
        Key::Timer(at, what) => out.byte(table::TIMER).long(at.as_millis()).target(what),
        Key::Once(key) => out.byte(table::ONCE).raw(&key.0),
        Key::OnceOrder(order) => out.byte(table::ONCE_ORDER).long(*order),
        Key::Partial(id) => out.byte(table::PARTIAL).message(id),
        Key::Stage(content) => out.byte(table::STAGE).long(*content),
        Key::Shares(content) => out.byte(table::SHARES).long(*content),
    };
    out.0
}

/// The key of these bytes.
///
/// # Errors
/// [`BadKey`] if no key has exactly these bytes.
pub fn decode_key(bytes: &[u8]) -> Result<Key, BadKey> {
    let mut input = Reader(bytes);
    read_key(&mut input)
        .and_then(|key| if input.0.is_empty() { Ok(key) } else { Err("bytes are left over") })
        .map_err(|why| BadKey {
            bytes: bytes.iter().take(32).map(|byte| format!("{byte:02x}")).collect(),
            why,
        })
}

fn read_key(input: &mut Reader<'_>) -> Result<Key, Fault> {
    Ok(match input.byte()? {
        table::STORE => Key::Store,
        table::CLOCK => Key::Clock,
        table::PRIVATE => {
            Key::Private(String::from_utf8(input.text()?).map_err(|_| "a name is not UTF-8")?)
        }
        table::DIRECTORY => Key::Directory(DirectoryKey {
            kind: input.byte()?,
            subject: Bytes::from(input.text()?),
        }),
        table::LINE => Key::Line(input.line()?),
        table::STREAM => Key::Stream(input.line()?, input.epoch()?),
        table::SENT => Key::Sent(input.line()?, input.epoch()?, input.long()?),
        table::COPY => Key::Copy(input.spot()?),
        table::COPY_OF => Key::CopyOf(input.message()?),
        table::CHUNK => Key::Chunk(input.long()?, input.int()?),
        table::QUEUE => Key::Queue(input.int()?),
        table::QUEUED => Key::Queued(input.seat()?),
        table::INBOX_LINE => Key::InboxLine(input.node()?, input.line()?),
        table::INBOX => Key::Inbox(input.stream()?),
        table::HELD => Key::Held(input.message()?),
        table::RECEIPT => Key::Receipt(input.stream()?, input.node()?),
        table::STATUS => Key::Status(input.stream()?),
        table::DEAD => Key::Dead(input.long()?),
        table::TIMER => Key::Timer(Timestamp::from_millis(input.long()?), input.target()?),
        table::ONCE => Key::Once(Short(input.array()?)),
        table::ONCE_ORDER => Key::OnceOrder(input.long()?),
        table::PARTIAL => Key::Partial(input.message()?),
        table::STAGE => Key::Stage(input.long()?),
        table::SHARES => Key::Shares(input.long()?),
        _ => return Err("its table is unknown"),
    })
}

struct Writer(Vec<u8>);

impl Writer {
    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn byte(&mut self, value: u8) -> &mut Self {
        self.raw(&[value])
    }

    fn int(&mut self, value: u32) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    fn long(&mut self, value: u64) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// Zero bytes become `00 ff`, the end is `00 00`: shorter texts come before their extensions.
    fn text(&mut self, text: &[u8]) -> &mut Self {
        for &byte in text {
            self.0.push(byte);
            if byte == 0 {
                self.0.push(0xff);
            }
        }
        self.raw(&[0, 0])
    }

    fn node(&mut self, node: &NodeId) -> &mut Self {
        self.raw(node.as_bytes())
    }

    fn epoch(&mut self, epoch: Epoch) -> &mut Self {
        self.long(epoch.k).long(epoch.nonce)
    }

    fn stream(&mut self, stream: &StreamId) -> &mut Self {
        self.node(&stream.origin).long(stream.line.0).epoch(stream.epoch)
    }

    fn message(&mut self, id: &MessageId) -> &mut Self {
        self.stream(&id.stream).long(id.number)
    }

    fn spot(&mut self, spot: &Spot) -> &mut Self {
        self.node(&spot.destination).byte(spot.rank).long(spot.arrival)
    }

    fn seat(&mut self, seat: &Seat) -> &mut Self {
        self.int(seat.queue).byte(seat.rank).long(seat.arrival)
    }

    fn target(&mut self, target: &Target) -> &mut Self {
        match target {
            Target::Sent(line, epoch, number) => {
                self.byte(target::SENT).long(line.0).epoch(*epoch).long(*number)
            }
            Target::Copy(spot) => self.byte(target::COPY).spot(spot),
            Target::Queued(seat) => self.byte(target::QUEUED).seat(seat),
            Target::Statement(stream) => self.byte(target::STATEMENT).stream(stream),
        }
    }
}

type Fault = &'static str;

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (head, rest) = self.0.split_first_chunk().ok_or("it is cut")?;
        self.0 = rest;
        Ok(*head)
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn int(&mut self) -> Result<u32, Fault> {
        self.array().map(u32::from_be_bytes)
    }

    fn long(&mut self) -> Result<u64, Fault> {
        self.array().map(u64::from_be_bytes)
    }

    fn text(&mut self) -> Result<Vec<u8>, Fault> {
        let mut text = Vec::new();
        loop {
            match (self.byte()?, self.0.first()) {
                (0, Some(0)) => {
                    self.byte()?;
                    return Ok(text);
                }
                (0, Some(0xff)) => {
                    self.byte()?;
                    text.push(0);
                }
                (0, _) => return Err("a text is badly escaped"),
                (byte, _) => text.push(byte),
            }
        }
    }

    fn node(&mut self) -> Result<NodeId, Fault> {
        self.array().map(NodeId::from_bytes)
    }

    fn line(&mut self) -> Result<LineId, Fault> {
        self.long().map(LineId)
    }

    fn epoch(&mut self) -> Result<Epoch, Fault> {
        Ok(Epoch { k: self.long()?, nonce: self.long()? })
    }

    fn stream(&mut self) -> Result<StreamId, Fault> {
        Ok(StreamId { origin: self.node()?, line: self.line()?, epoch: self.epoch()? })
    }

    fn message(&mut self) -> Result<MessageId, Fault> {
        Ok(MessageId { stream: self.stream()?, number: self.long()? })
    }

    fn spot(&mut self) -> Result<Spot, Fault> {
        Ok(Spot { destination: self.node()?, rank: self.byte()?, arrival: self.long()? })
    }

    fn seat(&mut self) -> Result<Seat, Fault> {
        Ok(Seat { queue: self.int()?, rank: self.byte()?, arrival: self.long()? })
    }

    fn target(&mut self) -> Result<Target, Fault> {
        Ok(match self.byte()? {
            target::SENT => Target::Sent(self.line()?, self.epoch()?, self.long()?),
            target::COPY => Target::Copy(self.spot()?),
            target::QUEUED => Target::Queued(self.seat()?),
            target::STATEMENT => Target::Statement(self.stream()?),
            _ => return Err("its timer is for something unknown"),
        })
    }
}

#[cfg(test)]
mod tests;
