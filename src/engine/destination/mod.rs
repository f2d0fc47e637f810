//! What a destination knows of each stream that comes in: one verdict per number, two floors.
//!
//! That is deduplication and order in one small state. Refuses to move copies and to send
//! receipts; it makes them when asked (protocol, table of the destination).

mod arrive;
mod header;

pub(super) use header::Header;

use super::address::{LineId, NodeId, QueueName};
use super::ids::{Epoch, MessageId, StreamId};
use super::limits::{ALL_RANGES_MAX, RANGES_MAX, SPARE_RANGES};
use super::message::{Earlier, Floors};
use super::queues::Queues;
use super::ranges::RangeSet;
use super::record::{Inbox, InboxLine, Key, Record};
use super::statement::{Receipt, Refusal, Version};
use super::storage::StorageError;
use super::sweep::sweep;
use super::turn::Turn;
use std::collections::{BTreeMap, BTreeSet};

/// All incoming streams of a node.
#[derive(Debug)]
pub(super) struct Destination {
    me: NodeId,
    store: u64,
    opening: Epoch,
    /// Streams whose receipt changed in this turn.
    news: BTreeSet<StreamId>,
    /// Held messages that had to make room in this turn.
    displaced: BTreeSet<MessageId>,
    /// Streams that found a queue full, to be told when there is room.
    wanting: BTreeMap<QueueName, BTreeSet<StreamId>>,
}

impl Destination {
    pub(super) const fn new(me: NodeId, store: u64, opening: Epoch) -> Self {
        Self {
            me,
            store,
            opening,
            news: BTreeSet::new(),
            displaced: BTreeSet::new(),
            wanting: BTreeMap::new(),
        }
    }

    /// Counts the held messages of the store for the quotas of their queues.
    pub(super) fn load(&self, turn: &Turn<'_>, queues: &mut Queues) -> Result<(), StorageError> {
        let from = Key::Held(MessageId { stream: StreamId::FIRST, number: 0 });
        let to = Key::Receipt(StreamId::FIRST, NodeId::FIRST);
        sweep(turn, from, &to, |key, record| {
            let (Key::Held(id), Record::Held(held)) = (key, record) else { return Ok(()) };
            let line = Key::InboxLine(id.stream.origin, id.stream.line);
            if let Some(name) = turn.inbox_line(&line)?.and_then(|line| line.queue) {
                queues.count_held(&name, held.content.len(), true);
            }
            Ok(())
        })
    }

    /// Streams whose receipt changed since the last call.
    pub(super) fn take_news(&mut self) -> BTreeSet<StreamId> {
        std::mem::take(&mut self.news)
    }

    /// Held messages that had to make room since the last call: they are not here any more.
    pub(super) fn take_displaced(&mut self) -> BTreeSet<MessageId> {
        std::mem::take(&mut self.displaced)
    }

    /// Notes that somebody should hear this stream's receipt.
    pub(super) fn must_tell(&mut self, stream: StreamId) {
        self.news.insert(stream);
    }

    /// This destination's statement about a stream as it is now.
    pub(super) fn receipt(
        &self,
        turn: &mut Turn<'_>,
        queues: &Queues,
        stream: StreamId,
    ) -> Result<Option<Receipt>, StorageError> {
        let key = Key::InboxLine(stream.origin, stream.line);
        let Some(line) = turn.inbox_line(&key)? else { return Ok(None) };
        let count = turn.serial.draw();
        let mut receipt = Receipt {
            destination: self.me,
            stream,
            store: self.store,
            version: Version { opening: self.opening, count },
            floors: Floors::START,
            watermark: 1,
            received: RangeSet::new(),
            refused: BTreeMap::new(),
            skipped: RangeSet::new(),
            held: RangeSet::new(),
            used: RangeSet::new(),
            ended: RangeSet::new(),
            room: line.queue.as_ref().map_or(0, |name| self.room_for(queues, name, &stream)),
            roster: line.roster.iter().filter(|e| e.epoch < stream.epoch).count() as u64,
            digest: super::message::Digest::default(),
            lowest_key: 0,
            closed: (!is_open(&line, stream.epoch)).then_some(line.current),
            extensions: BTreeMap::new(),
        };
        if let (None, Some(inbox)) = (receipt.closed, turn.inbox(&Key::Inbox(stream))?) {
            receipt.version.opening =
                inbox.told.map_or(self.opening, |told| told.max(self.opening));
            receipt.floors = inbox.floors;
            receipt.watermark = inbox.watermark;
            receipt.received = inbox.received;
            receipt.refused = inbox.refused;
            receipt.skipped = inbox.skipped;
            receipt.held = inbox.held;
            receipt.used = inbox.used;
            receipt.ended = inbox.ended;
            receipt.digest = inbox.digest;
        }
        Ok(Some(receipt))
    }

    /// Messages that a queue has room for, none for a stream that was turned away and has not heard
    /// of room since: what is left may be too little for what it has.
    fn room_for(&self, queues: &Queues, name: &QueueName, stream: &StreamId) -> u64 {
        let wants = self.wanting.get(name).is_some_and(|streams| streams.contains(stream));
        if wants { 0 } else { queues.spare(name) }
    }

    /// Streams from an origin, or from all, about which there is something to tell.
    pub(super) fn streams(
        &self,
        turn: &Turn<'_>,
        origin: Option<NodeId>,
    ) -> Result<Vec<StreamId>, StorageError> {
        let first =
            StreamId { origin: origin.unwrap_or(StreamId::FIRST.origin), ..StreamId::FIRST };
        let from = Key::Inbox(first);
        let to = match origin {
            Some(origin) => {
                let epoch = Epoch { k: u64::MAX, nonce: u64::MAX };
                Key::Inbox(StreamId { origin, line: LineId(u64::MAX), epoch })
            }
            None => Key::Held(MessageId { stream: StreamId::FIRST, number: 0 }),
        };
        let mut streams = Vec::new();
        for (key, record) in turn.range(&from, &to, usize::MAX >> 1)? {
            let (Key::Inbox(stream), Record::Inbox(inbox)) = (key, record) else { continue };
            if origin.is_some() || !is_quiet(&inbox) {
                streams.push(stream);
            }
        }
        Ok(streams)
    }

    /// A message left its queue: received by an application, or ended there.
    pub(super) fn departed(
        &mut self,
        turn: &mut Turn<'_>,
        id: &MessageId,
        durable: bool,
        used: bool,
    ) -> Result<(), StorageError> {
        let key = Key::Inbox(id.stream);
        let Some(mut inbox) = turn.inbox(&key)? else { return Ok(()) };
        if id.number < inbox.floors.used_known {
            return Ok(());
        }
        let set = if used { &mut inbox.used } else { &mut inbox.ended };
        set.insert(id.number);
        let crowded = |inbox: &Inbox, set: &RangeSet| {
            set.ranges() > RANGES_MAX || all_ranges(inbox) > ALL_RANGES_MAX
        };
        loop {
            let set = if used { &inbox.used } else { &inbox.ended };
            let Some(first) = set.iter().next().filter(|_| crowded(&inbox, set)) else { break };
            let set = if used { &mut inbox.used } else { &mut inbox.ended };
            set.remove_range(first);
        }
        let line = turn.inbox_line(&Key::InboxLine(id.stream.origin, id.stream.line))?;
        let durable = line.map_or(durable, |line| !line.express);
        turn.put(durable, key, Record::Inbox(inbox));
        self.news.insert(id.stream);
        Ok(())
    }

    /// A queue has room again: streams that were turned away hear of it.
    pub(super) fn room_again(&mut self, queue: &QueueName) {
        if let Some(streams) = self.wanting.remove(queue) {
            self.news.extend(streams);
        }
    }

    /// A queue was deleted: what is held for it is refused (rule R14).
    pub(super) fn queue_deleted(
        &mut self,
        turn: &mut Turn<'_>,
        queues: &mut Queues,
        queue: &QueueName,
    ) -> Result<(), StorageError> {
        self.wanting.remove(queue);
        for stream in self.streams(turn, None)? {
            let key = Key::InboxLine(stream.origin, stream.line);
            let Some(line) = turn.inbox_line(&key)? else { continue };
            let Some(mut inbox) = turn.inbox(&Key::Inbox(stream))? else { continue };
            if line.queue.as_ref() != Some(queue) || inbox.held.is_empty() {
                continue;
            }
            for number in std::mem::take(&mut inbox.held).numbers() {
                self.drop_held(turn, queues, &line, MessageId { stream, number })?;
                inbox.refused.entry(Refusal::QueueDeleted).or_default().insert(number);
            }
            self.save(turn, stream, &line, inbox);
            self.advance(turn, queues, stream.origin, stream.line)?;
        }
        Ok(())
    }

    /// Takes back this node's own words after a restore (rule R22): the union of all verdicts. Of a
    /// former store it learns only which opening its receipts must exceed.
    pub(super) fn take_back(
        &mut self,
        turn: &mut Turn<'_>,
        queues: &mut Queues,
        receipt: &Receipt,
    ) -> Result<(), StorageError> {
        let stream = receipt.stream;
        let former = receipt.store != self.store;
        if receipt.version.opening == self.opening
            || former && receipt.version.opening < self.opening
        {
            return Ok(());
        }
        let line_key = Key::InboxLine(stream.origin, stream.line);
        let mut line = turn.inbox_line(&line_key)?.unwrap_or_else(|| InboxLine {
            current: Epoch::default(),
            roster: Vec::new(),
            queue: None,
            ordered: false,
            express: false,
        });
        if stream.epoch > line.current && !is_open(&line, stream.epoch) {
            // Which earlier epochs are open is for the origin to say: its header makes this one
            // current, until then it is open beside those that are known.
            line.roster.push(Earlier { epoch: stream.epoch, last: u64::MAX });
        }
        if receipt.closed.is_some() || !is_open(&line, stream.epoch) {
            return Ok(());
        }
        let before = turn.inbox(&Key::Inbox(stream))?;
        let mut inbox = before.clone().unwrap_or_else(|| Box::new(new_inbox(&receipt.floors)));
        if !former {
            take_verdicts(&mut inbox, receipt);
            if all_ranges(&inbox) > ALL_RANGES_MAX + SPARE_RANGES {
                // News of use is told once; verdicts are what keeps a message from coming twice.
                (inbox.used, inbox.ended) = (RangeSet::new(), RangeSet::new());
            }
        }
        inbox.floors.known = inbox.floors.known.max(receipt.floors.known);
        inbox.floors.used_known = inbox.floors.used_known.max(receipt.floors.used_known);
        if receipt.version.opening > self.opening {
            let k = receipt.version.opening.k.saturating_add(1);
            let above = Epoch { k, nonce: self.opening.nonce };
            inbox.told = Some(inbox.told.map_or(above, |told| told.max(above)));
        }
        trim(&mut inbox);
        self.drop_overtaken(turn, queues, &line, stream, &mut inbox)?;
        if before.as_ref() == Some(&inbox) {
            return Ok(());
        }
        turn.put(!line.express, line_key, Record::InboxLine(line.clone()));
        self.save(turn, stream, &line, inbox);
        self.advance(turn, queues, stream.origin, stream.line)
    }

    fn save(&mut self, turn: &mut Turn<'_>, stream: StreamId, line: &InboxLine, inbox: Box<Inbox>) {
        self.news.insert(stream);
        turn.put(!line.express, Key::Inbox(stream), Record::Inbox(inbox));
    }

    /// Drops held messages that have a verdict: this store was restored, and its former self took
    /// them (rule R22).
    fn drop_overtaken(
        &self,
        turn: &mut Turn<'_>,
        queues: &mut Queues,
        line: &InboxLine,
        stream: StreamId,
        inbox: &mut Inbox,
    ) -> Result<(), StorageError> {
        let overtaken: Vec<u64> =
            inbox.held.numbers().filter(|&number| is_judged(inbox, number)).collect();
        for number in overtaken {
            inbox.held.remove(number);
            self.drop_held(turn, queues, line, MessageId { stream, number })?;
        }
        Ok(())
    }

    fn drop_held(
        &self,
        turn: &mut Turn<'_>,
        queues: &mut Queues,
        line: &InboxLine,
        id: MessageId,
    ) -> Result<(), StorageError> {
        let Some(held) = turn.held(&Key::Held(id))? else { return Ok(()) };
        turn.drop_content(held.delivery.is_durable(), &held.content)?;
        turn.delete(Key::Held(id));
        if let Some(queue) = &line.queue {
            queues.count_held(queue, held.content.len(), false);
        }
        Ok(())
    }
}

fn take_verdicts(inbox: &mut Inbox, receipt: &Receipt) {
    inbox.received.union(&receipt.received);
    inbox.skipped.union(&receipt.skipped);
    for (&refusal, numbers) in &receipt.refused {
        inbox.refused.entry(refusal).or_default().union(numbers);
    }
    inbox.used.union(&receipt.used);
    inbox.ended.union(&receipt.ended);
}

/// Whether an epoch of a line is the current one or in its roster (rules R5, R6).
fn is_open(line: &InboxLine, epoch: Epoch) -> bool {
    epoch == line.current || line.roster.iter().any(|earlier| earlier.epoch == epoch)
}

/// Whether the origin knows everything there is to know.
fn is_quiet(inbox: &Inbox) -> bool {
    let told = inbox.used.is_empty() && inbox.ended.is_empty();
    // A stream that is known by name only waits for the floors of its origin.
    let begun = inbox.watermark > 1;
    inbox.floors.known == inbox.watermark && inbox.held.is_empty() && told && begun
}

/// How many ranges a stream's record holds.
fn all_ranges(inbox: &Inbox) -> usize {
    let sets = [&inbox.received, &inbox.skipped, &inbox.held, &inbox.used, &inbox.ended];
    sets.into_iter().chain(inbox.refused.values()).map(RangeSet::ranges).sum()
}

/// Whether a number has its verdict.
fn is_judged(inbox: &Inbox, number: u64) -> bool {
    number < inbox.watermark
        || inbox.received.contains(number)
        || inbox.skipped.contains(number)
        || inbox.refused.values().any(|numbers| numbers.contains(number))
}

/// A stream starts at the header's floors, never at the number that came first (rule R17).
fn new_inbox(floors: &Floors) -> Inbox {
    Inbox {
        floors: *floors,
        watermark: floors.known,
        received: RangeSet::new(),
        refused: BTreeMap::new(),
        skipped: RangeSet::new(),
        held: RangeSet::new(),
        used: RangeSet::new(),
        ended: RangeSet::new(),
        digest: super::message::Digest::default(),
        told: None,
    }
}

/// Forgets the verdicts that the origin knows (rule R8), and never lets the watermark be lower.
fn trim(inbox: &mut Inbox) {
    let known = inbox.floors.known;
    inbox.received.remove_range(0..known);
    inbox.skipped.remove_range(0..known);
    inbox.refused.retain(|_, numbers| {
        numbers.remove_range(0..known);
        !numbers.is_empty()
    });
    inbox.used.remove_range(0..inbox.floors.used_known);
    inbox.ended.remove_range(0..inbox.floors.used_known);
    inbox.watermark = inbox.watermark.max(known);
}
