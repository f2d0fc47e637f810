//! What a header does to a destination: epochs, rosters and floors (rules R4–R6, R9, R10, R17).

use super::{Destination, all_ranges, is_open, new_inbox, trim};
use crate::engine::address::{LineId, NodeId, QueueName};
use crate::engine::ids::{Epoch, MessageId, StreamId};
use crate::engine::limits::{ALL_RANGES_MAX, SPARE_RANGES};
use crate::engine::message::{Earlier, Floors};
use crate::engine::queues::{Queues, Room};
use crate::engine::ranges::RangeSet;
use crate::engine::record::{Inbox, InboxLine, Key, Record};
use crate::engine::storage::StorageError;
use crate::engine::turn::Turn;

/// A header: what every message and every status record says of its stream.
pub(in crate::engine) struct Header<'a> {
    pub(in crate::engine) stream: StreamId,
    pub(in crate::engine) floors: Floors,
    pub(in crate::engine) roster: &'a [Earlier],
    pub(in crate::engine) ordered: bool,
    pub(in crate::engine) express: bool,
    pub(in crate::engine) queue: Option<&'a QueueName>,
}

impl Destination {
    /// Takes a header in. `None`: the stream's epoch is closed here, the receipt says so.
    pub(in crate::engine) fn hear(
        &mut self,
        turn: &mut Turn<'_>,
        queues: &mut Queues,
        header: &Header<'_>,
    ) -> Result<Option<(InboxLine, Box<Inbox>)>, StorageError> {
        let stream = header.stream;
        let key = Key::InboxLine(stream.origin, stream.line);
        let before = turn.inbox_line(&key)?;
        let line = line_after(before.as_ref(), header);
        if before.as_ref() != Some(&line) {
            let durable = !line.express;
            turn.put(durable, key, Record::InboxLine(line.clone()));
            self.open_roster(turn, stream, &line)?;
            let shrunk = before
                .as_ref()
                .is_some_and(|old| old.current != line.current || old.roster != line.roster);
            if shrunk {
                self.news.insert(stream);
                self.close_streams(turn, queues, stream.origin, stream.line, &line)?;
            }
        }
        if !is_open(&line, stream.epoch) {
            self.news.insert(stream);
            return Ok(None);
        }
        if header.queue.is_none() {
            // A status record that names a closed epoch hears that it is closed (rule R6).
            let closed = header.roster.iter().filter(|earlier| !is_open(&line, earlier.epoch));
            self.news.extend(closed.map(|earlier| StreamId { epoch: earlier.epoch, ..stream }));
        }
        let before_inbox = turn.inbox(&Key::Inbox(stream))?;
        let mut inbox = before_inbox.clone().unwrap_or_else(|| Box::new(new_inbox(&header.floors)));
        raise(&mut inbox, &header.floors);
        if before_inbox.as_ref() != Some(&inbox) {
            self.drop_overtaken(turn, queues, &line, stream, &mut inbox)?;
            self.save(turn, stream, &line, inbox);
            self.advance(turn, queues, stream.origin, stream.line)?;
        }
        let inbox = turn.inbox(&Key::Inbox(stream))?;
        Ok(inbox.map(|inbox| (line, inbox)))
    }

    /// Opens the earlier streams that a roster names and this store knows nothing of: their receipts
    /// ask the origin for the floors that order waits for (rules R4, R9).
    fn open_roster(
        &mut self,
        turn: &mut Turn<'_>,
        stream: StreamId,
        line: &InboxLine,
    ) -> Result<(), StorageError> {
        for earlier in &line.roster {
            let stream = StreamId { epoch: earlier.epoch, ..stream };
            if turn.inbox(&Key::Inbox(stream))?.is_none() {
                self.save(turn, stream, line, Box::new(new_inbox(&Floors::START)));
            }
        }
        Ok(())
    }

    /// Deletes the streams that the roster no longer names, and held numbers above its limits.
    fn close_streams(
        &mut self,
        turn: &mut Turn<'_>,
        queues: &mut Queues,
        origin: NodeId,
        id: LineId,
        line: &InboxLine,
    ) -> Result<(), StorageError> {
        for (stream, mut inbox) in streams_of_line(turn, origin, id)? {
            let open = is_open(line, stream.epoch);
            let limit = match line.roster.iter().find(|earlier| earlier.epoch == stream.epoch) {
                Some(earlier) => earlier.last,
                None if open => u64::MAX,
                None => 0,
            };
            let void: Vec<u64> = inbox.held.numbers().filter(|&n| n > limit).collect();
            for number in void {
                inbox.held.remove(number);
                self.drop_held(turn, queues, line, MessageId { stream, number })?;
            }
            if open {
                self.save(turn, stream, line, inbox);
            } else {
                turn.delete(Key::Inbox(stream));
            }
        }
        self.advance(turn, queues, origin, id)
    }

    /// Moves the watermarks of a line's streams, oldest epoch first: numbers with a verdict are
    /// passed, held ones whose turn has come enter the queue.
    pub(super) fn advance(
        &mut self,
        turn: &mut Turn<'_>,
        queues: &mut Queues,
        origin: NodeId,
        id: LineId,
    ) -> Result<(), StorageError> {
        let Some(line) = turn.inbox_line(&Key::InboxLine(origin, id))? else { return Ok(()) };
        for (stream, mut inbox) in streams_of_line(turn, origin, id)? {
            let before = inbox.clone();
            let in_turn = earlier_settled(turn, &line, stream)?;
            loop {
                inbox.watermark = passed(&inbox);
                let number = inbox.watermark;
                if !in_turn || !inbox.held.contains(number) {
                    break;
                }
                if !self.enter_held(
                    turn,
                    queues,
                    &line,
                    MessageId { stream, number },
                    &mut inbox,
                )? {
                    break;
                }
            }
            if inbox != before {
                self.save(turn, stream, &line, inbox);
            }
        }
        Ok(())
    }

    /// Moves a held message into its queue, if there is room.
    fn enter_held(
        &mut self,
        turn: &mut Turn<'_>,
        queues: &mut Queues,
        line: &InboxLine,
        id: MessageId,
        inbox: &mut Inbox,
    ) -> Result<bool, StorageError> {
        let (Some(held), Some(name)) = (turn.held(&Key::Held(id))?, &line.queue) else {
            inbox.held.remove(id.number);
            return Ok(true);
        };
        let bytes = held.content.len();
        queues.count_held(name, bytes, false);
        match queues.room(name, held.delivery, bytes) {
            Room::Fits(queue) => {
                inbox.held.remove(id.number);
                inbox.received.insert(id.number);
                inbox.digest = held.digest;
                turn.delete(Key::Held(id));
                queues.enter(turn, queue, *held);
                Ok(true)
            }
            Room::Full | Room::TooLarge(_) | Room::WrongKind | Room::NoSuchQueue => {
                queues.count_held(name, bytes, true);
                self.wanting.entry(name.clone()).or_default().insert(id.stream);
                Ok(false)
            }
        }
    }

    /// A queue has room: what is held for it may enter.
    pub(in crate::engine) fn resume(
        &mut self,
        turn: &mut Turn<'_>,
        queues: &mut Queues,
        queue: &QueueName,
    ) -> Result<(), StorageError> {
        let waiting = self.wanting.get(queue).cloned().unwrap_or_default();
        self.room_again(queue);
        for stream in waiting {
            self.advance(turn, queues, stream.origin, stream.line)?;
        }
        Ok(())
    }
}

/// The line's record after a header (table of the destination, first three rows).
fn line_after(before: Option<&InboxLine>, header: &Header<'_>) -> InboxLine {
    let epoch = header.stream.epoch;
    let Some(old) = before else {
        return InboxLine {
            current: epoch,
            roster: header.roster.to_vec(),
            queue: header.queue.cloned(),
            ordered: header.ordered,
            express: header.express,
        };
    };
    let mut line = old.clone();
    if header.queue.is_some() {
        line.queue = header.queue.cloned();
    }
    line.ordered = header.ordered;
    if epoch > old.current {
        let closed = |earlier: Epoch| earlier < old.current && !is_open(old, earlier);
        line.current = epoch;
        let later = old.roster.iter().filter(|e| e.epoch > epoch);
        line.roster =
            header.roster.iter().filter(|e| !closed(e.epoch)).chain(later).copied().collect();
    } else if epoch == old.current {
        let named = |kept: Epoch| header.roster.iter().any(|e| e.epoch == kept);
        line.roster.retain(|kept| kept.epoch > epoch || named(kept.epoch));
    }
    line
}

/// Raises the floors. What was given up is skipped as far as the record has room for the gaps; the
/// origin says the rest again once it knows the verdicts that are there.
fn raise(inbox: &mut Inbox, floors: &Floors) {
    let before = inbox.floors.give_up;
    inbox.floors.raise(floors);
    trim(inbox);
    for gap in gaps(inbox).iter() {
        if all_ranges(inbox) >= ALL_RANGES_MAX + SPARE_RANGES {
            inbox.floors.give_up = gap.start.max(before).max(inbox.floors.known);
            break;
        }
        inbox.skipped.insert_range(gap);
    }
    trim(inbox);
}

/// Gives every unjudged number below the floor that is not held its verdict: skipped.
pub(super) fn skip_given_up(inbox: &mut Inbox) {
    let gaps = gaps(inbox);
    inbox.skipped.union(&gaps);
}

/// The numbers below the floor that have no verdict and are not held.
fn gaps(inbox: &Inbox) -> RangeSet {
    let mut judged = inbox.received.clone();
    judged.union(&inbox.skipped);
    judged.union(&inbox.held);
    inbox.refused.values().for_each(|numbers| judged.union(numbers));
    let mut gaps = RangeSet::new();
    gaps.insert_range(inbox.watermark.max(inbox.floors.known)..inbox.floors.give_up);
    judged.iter().for_each(|range| gaps.remove_range(range));
    gaps
}

/// The watermark: the first number without a verdict.
pub(super) fn passed(inbox: &Inbox) -> u64 {
    let mut watermark = inbox.watermark;
    loop {
        let next = inbox.received.first_missing(watermark);
        let next = inbox.skipped.first_missing(next);
        let next = inbox.refused.values().fold(next, |next, set| set.first_missing(next));
        if next == watermark {
            return watermark;
        }
        watermark = next;
    }
}

/// Whether all epochs before this one are settled up to their last numbers (rule R4).
pub(super) fn earlier_settled(
    turn: &Turn<'_>,
    line: &InboxLine,
    stream: StreamId,
) -> Result<bool, StorageError> {
    if !line.ordered {
        return Ok(true);
    }
    for earlier in line.roster.iter().filter(|earlier| earlier.epoch < stream.epoch) {
        let key = Key::Inbox(StreamId { epoch: earlier.epoch, ..stream });
        let watermark = turn.inbox(&key)?.map_or(1, |inbox| inbox.watermark);
        if watermark <= earlier.last {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The streams of a line that this destination has, oldest epoch first.
fn streams_of_line(
    turn: &Turn<'_>,
    origin: NodeId,
    line: LineId,
) -> Result<Vec<(StreamId, Box<Inbox>)>, StorageError> {
    let of = |epoch| Key::Inbox(StreamId { origin, line, epoch });
    let (from, to) = (of(Epoch::default()), of(Epoch { k: u64::MAX, nonce: u64::MAX }));
    let found = turn.range(&from, &to, usize::MAX >> 1)?;
    Ok(found
        .into_iter()
        .filter_map(|(key, record)| match (key, record) {
            (Key::Inbox(stream), Record::Inbox(inbox)) => Some((stream, inbox)),
            _ => None,
        })
        .collect())
}
