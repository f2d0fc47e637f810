//! Inner parts that come in parts: from neighbours until they are whole and checked, and from the
//! node's own programs until a send takes them.
//!
//! Refuses to know what a whole one is good for. Bytes are durable before anybody is told that they
//! are here, so that a transfer goes on where it broke off, by whatever link.

use super::command::Reply;
use super::frame::Part;
use super::ids::MessageId;
use super::limits::{
    CHUNK_BYTES, Limits, PART_BYTES, PARTIAL_KEEP_MS, PARTIAL_RANGES_MAX, PARTIALS_MAX, STAGES_MAX,
};
use super::message::ContentHash;
use super::record::{Key, Partial, Record};
use super::rejection::Rejection;
use super::statement::Receipt;
use super::storage::StorageError;
use super::time::Timestamp;
use super::turn::{Fault, Turn, chunks};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is not whole yet.
#[derive(Debug)]
pub(super) struct Partials {
    limits: Limits,
    from_peers: BTreeMap<MessageId, Partial>,
    /// Whole ones whose hash is being compared.
    checking: BTreeSet<MessageId>,
    /// Bytes that those from neighbours have or will have.
    bytes: u64,
    staged: BTreeMap<u64, Staged>,
    staged_bytes: u64,
}

/// A content that a program is handing in.
#[derive(Debug, Clone, Copy)]
struct Staged {
    session: u64,
    len: u64,
}

impl Partials {
    pub(super) const fn new(limits: Limits) -> Self {
        Self {
            limits,
            from_peers: BTreeMap::new(),
            checking: BTreeSet::new(),
            bytes: 0,
            staged: BTreeMap::new(),
            staged_bytes: 0,
        }
    }

    /// Takes up what has come from neighbours. What programs were handing in is dropped: they are
    /// gone.
    pub(super) fn load(&mut self, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        for (key, record) in turn.range(&Key::Stage(0), &Key::Stage(u64::MAX), usize::MAX >> 1)? {
            let (Key::Stage(number), Record::Stage(len)) = (key, record) else { continue };
            turn.drop_chunks(number, chunks(len));
            turn.delete(Key::Stage(number));
        }
        let from = Key::Partial(MessageId::FIRST);
        for (key, record) in turn.range(&from, &Key::Stage(0), usize::MAX >> 1)? {
            let (Key::Partial(id), Record::Partial(partial)) = (key, record) else { continue };
            self.bytes += partial.outer.size;
            self.from_peers.insert(id, *partial);
        }
        Ok(())
    }

    /// What has come of a message with this hash.
    pub(super) fn get(&self, part: &Part) -> Option<&Partial> {
        let partial = self.from_peers.get(&part.transfer.outer.id)?;
        (partial.hash == part.hash && partial.outer == part.transfer.outer).then_some(partial)
    }

    /// Whether a further one of this size finds room.
    pub(super) fn has_room(&self, size: u64) -> bool {
        self.from_peers.len() < PARTIALS_MAX
            && self.bytes.saturating_add(size) <= self.limits.partial_bytes
    }

    /// Keeps the bytes of a part, and says how many there are from the beginning on. Another content
    /// under the same id makes room for this one: two copies of one id may differ, and nobody here can
    /// tell which one its origin made.
    pub(super) fn take(&mut self, turn: &mut Turn<'_>, part: Part) -> u64 {
        let id = part.transfer.outer.id;
        if self.get(&part).is_none() {
            self.forget(turn, &id);
            let (outer, queue) = (part.transfer.outer, part.transfer.queue);
            self.bytes += outer.size;
            let partial = Partial {
                outer,
                hash: part.hash,
                content: turn.serial.draw(),
                chunks: Default::default(),
                queue,
                touched_at: turn.now,
                checked: false,
            };
            self.from_peers.insert(id, partial);
        }
        let Some(partial) = self.from_peers.get_mut(&id) else { return 0 };
        let first = part.offset / CHUNK_BYTES as u64;
        let joins = |at: u64| partial.chunks.contains(at);
        if partial.chunks.ranges() < PARTIAL_RANGES_MAX || first == 0 || joins(first - 1) {
            let mut fresh = false;
            for (index, piece) in (first..).zip(part.bytes.chunks(CHUNK_BYTES)) {
                if partial.chunks.insert(index) {
                    fresh = true;
                    let key = Key::Chunk(partial.content, index as u32);
                    turn.put(true, key, Record::Chunk(part.bytes.slice_ref(piece)));
                }
            }
            if fresh {
                partial.touched_at = turn.now;
                turn.put(true, Key::Partial(id), Record::Partial(Box::new(partial.clone())));
            }
        }
        held(partial)
    }

    /// Content, hash, and whether it was checked, of one that is whole.
    pub(super) fn whole(&self, id: &MessageId) -> Option<(u64, ContentHash, bool)> {
        let partial = self.from_peers.get(id)?;
        (held(partial) >= partial.outer.size).then_some((
            partial.content,
            partial.hash,
            partial.checked,
        ))
    }

    /// Whether a whole one is to be checked now: once in this opening of the store.
    pub(super) fn begin_check(&mut self, id: &MessageId) -> bool {
        self.checking.insert(*id)
    }

    /// Notes what the check of a whole one gave; a bad one is dropped. False if that content is not
    /// here any more.
    pub(super) fn checked(
        &mut self,
        turn: &mut Turn<'_>,
        id: &MessageId,
        content: u64,
        good: bool,
    ) -> bool {
        self.checking.remove(id);
        let Some(partial) = self.from_peers.get_mut(id).filter(|it| it.content == content) else {
            return false;
        };
        if !good {
            self.forget(turn, id);
            return true;
        }
        partial.checked = true;
        turn.put(true, Key::Partial(*id), Record::Partial(Box::new(partial.clone())));
        true
    }

    /// The content of one belongs to somebody else from now on.
    pub(super) fn release(&mut self, turn: &mut Turn<'_>, id: &MessageId) {
        self.remove(turn, id);
    }

    /// Drops one, its bytes with it.
    pub(super) fn forget(&mut self, turn: &mut Turn<'_>, id: &MessageId) {
        if let Some(partial) = self.remove(turn, id) {
            for index in partial.chunks.numbers() {
                turn.delete(Key::Chunk(partial.content, index as u32));
            }
        }
    }

    /// Drops those that a receipt settles.
    pub(super) fn purge(
        &mut self,
        turn: &mut Turn<'_>,
        receipt: &Receipt,
        settles: impl Fn(u64) -> bool,
    ) {
        let of_stream = MessageId { stream: receipt.stream, number: 0 }..;
        let settled: Vec<MessageId> = self
            .from_peers
            .range(of_stream)
            .take_while(|(id, _)| id.stream == receipt.stream)
            .filter(|(id, partial)| {
                partial.outer.destination == receipt.destination && settles(id.number)
            })
            .map(|(id, _)| *id)
            .collect();
        settled.iter().for_each(|id| self.forget(turn, id));
    }

    /// Drops those of which nothing came for long.
    pub(super) fn due(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now;
        let over = |partial: &Partial| partial.touched_at.after(PARTIAL_KEEP_MS) <= now;
        let ids: Vec<MessageId> =
            self.from_peers.iter().filter(|(_, it)| over(it)).map(|(id, _)| *id).collect();
        ids.iter().for_each(|id| self.forget(turn, id));
    }

    /// When the first of them is dropped.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.from_peers.values().map(|partial| partial.touched_at.after(PARTIAL_KEEP_MS)).min()
    }

    fn remove(&mut self, turn: &mut Turn<'_>, id: &MessageId) -> Option<Partial> {
        let partial = self.from_peers.remove(id)?;
        self.checking.remove(id);
        self.bytes = self.bytes.saturating_sub(partial.outer.size);
        turn.delete(Key::Partial(*id));
        Some(partial)
    }

    /// Takes the next bytes of a content from a program.
    pub(super) fn stage(
        &mut self,
        turn: &mut Turn<'_>,
        content: Option<u64>,
        bytes: &Bytes,
        session: u64,
    ) -> Result<u64, Fault> {
        let known = match content {
            Some(number) => *self.staged.get(&number).ok_or(Rejection::NoSuchMessage)?,
            None if self.staged.len() >= STAGES_MAX => {
                let what = "bodies that are being handed in";
                return Err(Rejection::TooMany { what, limit: STAGES_MAX }.into());
            }
            None => Staged { session, len: 0 },
        };
        if bytes.is_empty()
            || bytes.len() > PART_BYTES
            || !known.len.is_multiple_of(CHUNK_BYTES as u64)
        {
            let bounds = "handed in as whole chunks, but for the last";
            return Err(Rejection::OutOfBounds { what: "a large body", bounds }.into());
        }
        let len = known.len + bytes.len() as u64;
        if len > self.limits.body_bytes.saturating_add(CHUNK_BYTES as u64) {
            return Err(Rejection::TooLarge { size: len, limit: self.limits.body_bytes }.into());
        }
        if self.staged_bytes.saturating_add(bytes.len() as u64) > self.limits.partial_bytes {
            let (messages, bytes) = (STAGES_MAX as u64, self.limits.partial_bytes);
            return Err(Rejection::OutgoingFull { messages, bytes }.into());
        }
        let number = content.unwrap_or_else(|| turn.serial.draw());
        for (index, piece) in (chunks(known.len)..).zip(bytes.chunks(CHUNK_BYTES)) {
            turn.put(true, Key::Chunk(number, index), Record::Chunk(bytes.slice_ref(piece)));
        }
        turn.put(true, Key::Stage(number), Record::Stage(len));
        self.staged.insert(number, Staged { len, ..known });
        self.staged_bytes += bytes.len() as u64;
        Ok(number)
    }

    /// Length of a staged content.
    pub(super) fn staged(&self, number: u64) -> Option<u64> {
        self.staged.get(&number).map(|staged| staged.len)
    }

    /// A send took a staged content.
    pub(super) fn taken(&mut self, number: u64) {
        if let Some(staged) = self.staged.remove(&number) {
            self.staged_bytes = self.staged_bytes.saturating_sub(staged.len);
        }
    }

    /// Drops a staged content that no send took.
    pub(super) fn unstage(&mut self, turn: &mut Turn<'_>, number: u64) -> Reply {
        if let Some(len) = self.staged(number) {
            self.taken(number);
            turn.drop_chunks(number, chunks(len));
            turn.delete(Key::Stage(number));
        }
        Reply::Done
    }

    /// Drops what a program that is gone was handing in.
    pub(super) fn end_session(&mut self, turn: &mut Turn<'_>, session: u64) {
        let of_session = |(_, staged): &(&u64, &Staged)| staged.session == session;
        let numbers: Vec<u64> = self.staged.iter().filter(of_session).map(|(&n, _)| n).collect();
        for number in numbers {
            self.unstage(turn, number);
        }
    }
}

/// Bytes of a partial one from its beginning on, without a gap.
pub(super) fn held(partial: &Partial) -> u64 {
    let first = partial.chunks.iter().next().filter(|range| range.start == 0);
    let end = first.map_or(0, |range| range.end);
    end.saturating_mul(CHUNK_BYTES as u64).min(partial.outer.size)
}
