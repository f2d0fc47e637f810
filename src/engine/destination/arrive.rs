//! What a destination does with a message that reached it (rules R11–R17, R23).

use super::all_ranges;
use super::header::{Header, earlier_settled, passed, skip_given_up};
use super::{Destination, is_judged};
use crate::engine::address::QueueName;
use crate::engine::frame::{NotTaken, Outcome, Transfer};
use crate::engine::ids::{MessageId, StreamId};
use crate::engine::limits::{ALL_RANGES_MAX, HELD_MAX, RANGES_MAX, SPARE_RANGES};
use crate::engine::message::{Content, Delivery};
use crate::engine::queues::{Queues, Room, fresh};
use crate::engine::ranges::RangeSet;
use crate::engine::record::{Inbox, InboxLine, Key, Queued, Record};
use crate::engine::statement::Refusal;
use crate::engine::storage::StorageError;
use crate::engine::turn::Turn;
use std::collections::BTreeSet;

/// How far a message can be judged without its inner part.
enum Gate {
    /// This is what becomes of it.
    Shut(Outcome),
    /// It may enter its queue, now or behind a gap.
    Open(Box<Approach>),
}

/// A message before its queue.
struct Approach {
    line: InboxLine,
    inbox: Box<Inbox>,
    /// Whether it is the next in order.
    next: bool,
}

impl Destination {
    /// Judges a message, or says why it cannot yet. Its inner part is put into the store by `content`
    /// only if it is taken.
    pub(in crate::engine) fn arrive(
        &mut self,
        turn: &mut Turn<'_>,
        queues: &mut Queues,
        transfer: &Transfer,
        disk_low: bool,
        content: impl FnOnce(&mut Turn<'_>) -> Content,
    ) -> Result<Outcome, StorageError> {
        match self.gate(turn, queues, transfer, disk_low)? {
            Gate::Shut(outcome) => Ok(outcome),
            Gate::Open(it) if it.next || !it.line.ordered => {
                self.take_now(turn, queues, *it, transfer, content)
            }
            Gate::Open(it) => self.hold(turn, queues, *it, transfer, content),
        }
    }

    /// What becomes of a message, if that can be said before its inner part has come.
    pub(in crate::engine) fn foresee(
        &mut self,
        turn: &mut Turn<'_>,
        queues: &mut Queues,
        transfer: &Transfer,
        disk_low: bool,
    ) -> Result<Option<Outcome>, StorageError> {
        let (it, name) = match (self.gate(turn, queues, transfer, disk_low)?, &transfer.queue) {
            (Gate::Shut(outcome), _) => return Ok(Some(outcome)),
            (Gate::Open(_), None) => return Ok(Some(Outcome::NotTaken(NotTaken::Unreadable))),
            (Gate::Open(it), Some(name)) => (it, name),
        };
        let size = transfer.outer.size;
        let displaces = it.next && it.line.ordered && queues.fits_without_held(name, size);
        if displaces || matches!(queues.room(name, transfer.outer.delivery, size), Room::Fits(_)) {
            return Ok(None);
        }
        self.wanting.entry(name.clone()).or_default().insert(transfer.outer.id.stream);
        Ok(Some(Outcome::NotTaken(NotTaken::QueueFull)))
    }

    fn gate(
        &mut self,
        turn: &mut Turn<'_>,
        queues: &mut Queues,
        transfer: &Transfer,
        disk_low: bool,
    ) -> Result<Gate, StorageError> {
        let shut = |why| Ok(Gate::Shut(Outcome::NotTaken(why)));
        let (outer, id) = (&transfer.outer, transfer.outer.id);
        let header = Header {
            stream: id.stream,
            floors: outer.floors,
            roster: &outer.roster,
            ordered: outer.delivery.is_ordered(),
            express: !outer.delivery.is_durable(),
            queue: transfer.queue.as_ref(),
        };
        self.must_tell(id.stream);
        let Some((line, inbox)) = self.hear(turn, queues, &header)? else {
            return Ok(Gate::Shut(Outcome::Accepted));
        };
        let void = line
            .roster
            .iter()
            .any(|earlier| earlier.epoch == id.stream.epoch && id.number > earlier.last);
        if is_judged(&inbox, id.number) || inbox.held.contains(id.number) || void {
            return Ok(Gate::Shut(Outcome::Accepted));
        }
        let Some(name) = &transfer.queue else { return shut(NotTaken::Unreadable) };
        let room = queues.room(name, outer.delivery, outer.size);
        let refusal = match room {
            _ if outer.size > queues.inner_max() => Some(Refusal::TooLarge),
            Room::TooLarge(_) => Some(Refusal::TooLarge),
            Room::NoSuchQueue => Some(Refusal::NoSuchQueue),
            Room::WrongKind => Some(Refusal::WrongKind),
            Room::Fits(_) | Room::Full => None,
        };
        if let Some(refusal) = refusal {
            return Ok(Gate::Shut(self.refuse(turn, queues, &line, inbox, id, refusal)?));
        }
        if transfer.transit.age_ms >= outer.limit_ms() {
            return shut(NotTaken::OverAge);
        }
        if disk_low {
            return shut(NotTaken::StoreFull);
        }
        let next = id.number == inbox.watermark && earlier_settled(turn, &line, id.stream)?;
        Ok(Gate::Open(Box::new(Approach { line, inbox, next })))
    }

    /// Refuses a number for good, also for a queue that does not exist (rule R13).
    fn refuse(
        &mut self,
        turn: &mut Turn<'_>,
        queues: &mut Queues,
        line: &InboxLine,
        mut inbox: Box<Inbox>,
        id: MessageId,
        refusal: Refusal,
    ) -> Result<Outcome, StorageError> {
        let refused = inbox.refused.get(&refusal).unwrap_or(&NONE);
        if opens_too_many(&inbox, refused, id.number, id.number == inbox.watermark) {
            return Ok(Outcome::NotTaken(NotTaken::Busy));
        }
        inbox.refused.entry(refusal).or_default().insert(id.number);
        self.save(turn, id.stream, line, inbox);
        self.advance(turn, queues, id.stream.origin, id.stream.line)?;
        Ok(Outcome::Accepted)
    }

    /// Lets a message enter its queue.
    fn take_now(
        &mut self,
        turn: &mut Turn<'_>,
        queues: &mut Queues,
        Approach { line, mut inbox, next }: Approach,
        transfer: &Transfer,
        content: impl FnOnce(&mut Turn<'_>) -> Content,
    ) -> Result<Outcome, StorageError> {
        let (outer, id, line) = (&transfer.outer, transfer.outer.id, &line);
        let Some(name) = &transfer.queue else {
            return Ok(Outcome::NotTaken(NotTaken::Unreadable));
        };
        if opens_too_many(&inbox, &inbox.received, id.number, next) {
            return Ok(Outcome::NotTaken(NotTaken::Busy));
        }
        let moved = if line.ordered {
            self.make_room(turn, queues, line, &mut inbox, transfer, name)?
        } else {
            BTreeSet::new()
        };
        let outcome = match queues.room(name, outer.delivery, outer.size) {
            Room::Fits(queue) => {
                inbox.received.insert(id.number);
                inbox.digest = transfer.digest;
                let content = content(turn);
                queues.enter(turn, queue, incoming(turn, transfer, content));
                Outcome::Accepted
            }
            _ => {
                self.wanting.entry(name.clone()).or_default().insert(id.stream);
                Outcome::NotTaken(NotTaken::QueueFull)
            }
        };
        skip_given_up(&mut inbox);
        if moved.is_empty() && line.roster.is_empty() && inbox.held.is_empty() {
            // The line has this stream alone, and nothing waits for a turn that may have come.
            inbox.watermark = passed(&inbox);
            self.save(turn, id.stream, line, inbox);
            return Ok(outcome);
        }
        self.save(turn, id.stream, line, inbox);
        for stream in moved.into_iter().chain([id.stream]) {
            self.advance(turn, queues, stream.origin, stream.line)?;
        }
        Ok(outcome)
    }

    /// The next in order displaces the highest held (rule R15), of other streams too, if that makes
    /// room for it. Says which other streams lost something.
    fn make_room(
        &mut self,
        turn: &mut Turn<'_>,
        queues: &mut Queues,
        line: &InboxLine,
        inbox: &mut Inbox,
        transfer: &Transfer,
        name: &QueueName,
    ) -> Result<BTreeSet<StreamId>, StorageError> {
        let (outer, own) = (&transfer.outer, transfer.outer.id.stream);
        let mut moved = BTreeSet::new();
        if !queues.fits_without_held(name, outer.size) {
            return Ok(moved);
        }
        while queues.room(name, outer.delivery, outer.size) == Room::Full {
            if let Some(last) = inbox.held.last() {
                inbox.held.remove(last);
                let last = MessageId { stream: own, number: last };
                self.displaced.insert(last);
                self.drop_held(turn, queues, line, last)?;
            } else if let Some(stream) = self.displace(turn, queues, name, own)? {
                moved.insert(stream);
            } else {
                break;
            }
        }
        Ok(moved)
    }

    /// Drops the highest held message of some other stream to a queue. A number that its origin has
    /// given up meanwhile is skipped with that: nobody will send it again.
    fn displace(
        &mut self,
        turn: &mut Turn<'_>,
        queues: &mut Queues,
        name: &QueueName,
        except: StreamId,
    ) -> Result<Option<StreamId>, StorageError> {
        for stream in self.streams(turn, None)?.into_iter().filter(|stream| *stream != except) {
            let key = Key::InboxLine(stream.origin, stream.line);
            let Some(line) = turn.inbox_line(&key)? else { continue };
            let Some(mut inbox) = turn.inbox(&Key::Inbox(stream))? else { continue };
            if line.queue.as_ref() != Some(name) {
                continue;
            }
            if let Some(last) = inbox.held.last() {
                inbox.held.remove(last);
                skip_given_up(&mut inbox);
                let last = MessageId { stream, number: last };
                self.displaced.insert(last);
                self.drop_held(turn, queues, &line, last)?;
                self.save(turn, stream, &line, inbox);
                return Ok(Some(stream));
            }
        }
        Ok(None)
    }

    /// Keeps a message behind a gap, which is no verdict (rule R14).
    fn hold(
        &mut self,
        turn: &mut Turn<'_>,
        queues: &mut Queues,
        Approach { line, mut inbox, .. }: Approach,
        transfer: &Transfer,
        content: impl FnOnce(&mut Turn<'_>) -> Content,
    ) -> Result<Outcome, StorageError> {
        let (outer, id, line) = (&transfer.outer, transfer.outer.id, &line);
        let Some(name) = &transfer.queue else {
            return Ok(Outcome::NotTaken(NotTaken::Unreadable));
        };
        if inbox.held.count() >= HELD_MAX || opens_too_many(&inbox, &inbox.held, id.number, false) {
            return Ok(Outcome::NotTaken(NotTaken::Busy));
        }
        if !matches!(queues.room(name, outer.delivery, outer.size), Room::Fits(_)) {
            self.wanting.entry(name.clone()).or_default().insert(id.stream);
            return Ok(Outcome::NotTaken(NotTaken::QueueFull));
        }
        inbox.held.insert(id.number);
        self.save(turn, id.stream, line, inbox);
        let content = content(turn);
        let message = incoming(turn, transfer, content);
        queues.count_held(name, message.content.len(), true);
        let durable = outer.delivery != Delivery::Express;
        turn.put(durable, Key::Held(id), Record::Held(Box::new(message)));
        Ok(Outcome::Accepted)
    }
}

/// The message as it enters the queue, with what is left of its time to be received.
fn incoming(turn: &Turn<'_>, transfer: &Transfer, content: Content) -> Queued {
    let outer = &transfer.outer;
    let expires_at =
        outer.ttl_ms.map(|ttl| turn.now.after(ttl.saturating_sub(transfer.transit.age_ms)));
    Queued {
        priority: outer.priority,
        expires_at,
        digest: transfer.digest,
        ..fresh(outer.id, outer.delivery, content, turn.now)
    }
}

/// The set of a refusal that there has not been.
static NONE: RangeSet = RangeSet::new();

/// Whether a number would open one range more than a record has room for. The next in order has
/// room longer than the others.
fn opens_too_many(inbox: &Inbox, set: &RangeSet, number: u64, next: bool) -> bool {
    let joins = set.contains(number.saturating_sub(1)) || set.contains(number.saturating_add(1));
    let all = all_ranges(inbox);
    let full = if next {
        all >= ALL_RANGES_MAX + SPARE_RANGES
    } else {
        all >= ALL_RANGES_MAX || set.ranges() >= RANGES_MAX
    };
    !joins && full
}
