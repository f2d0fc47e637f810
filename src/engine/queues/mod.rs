//! The local queues of a node: their kinds, quotas and contents.
//!
//! Refuses to know where a message came from or how it got here; who needs to hear that a message
//! left is told by the returned [`Departure`].

mod reading;
mod views;

use super::address::QueueName;
use super::command::QueueSpec;
use super::ids::MessageId;
use super::limits::{Limits, QUEUES_MAX};
use super::message::{Content, Delivery};
use super::record::{Key, Queue, Queued, Record, Seat, Target};
use super::rejection::Rejection;
use super::step::Event;
use super::storage::StorageError;
use super::time::Timestamp;
use super::turn::{Fault, Turn};
use std::collections::{BTreeMap, BTreeSet};

/// All local queues.
#[derive(Debug)]
pub(super) struct Queues {
    limits: Limits,
    by_name: BTreeMap<QueueName, u32>,
    queues: BTreeMap<u32, LocalQueue>,
    locks: BTreeMap<u64, Lock>,
    leases: BTreeSet<(Timestamp, u64)>,
    locked: BTreeMap<Seat, u64>,
}

/// One local queue: its record, and what only memory knows.
#[derive(Debug)]
struct LocalQueue {
    record: Queue,
    changed: bool,
    /// Express messages in it.
    express: Size,
    /// Messages held for it behind a gap; they count against its quota.
    held: Size,
    locked: u64,
    /// Per rank: nothing before this arrival can be handed out.
    cursors: [u64; 8],
}

/// Messages and bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) messages: u64,
    pub(super) bytes: u64,
}

impl Size {
    pub(super) const fn add(&mut self, bytes: u64) {
        self.messages += 1;
        self.bytes += bytes;
    }

    pub(super) const fn subtract(&mut self, bytes: u64) {
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// A message in the hands of a reader.
#[derive(Debug, Clone, Copy)]
struct Lock {
    seat: Seat,
    session: u64,
    until: Timestamp,
}

/// Whether a message would find its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// It would, in the queue of this number.
    Fits(u32),
    /// The quota is reached.
    Full,
    /// It is larger than the queue's whole quota of so many bytes.
    TooLarge(u64),
    /// The queue takes the other kind.
    WrongKind,
    /// There is no such queue.
    NoSuchQueue,
}

/// A message that left a queue for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Departure {
    pub(super) queue: QueueName,
    pub(super) message: Queued,
}

impl Queues {
    pub(super) const fn new(limits: Limits) -> Self {
        Self {
            limits,
            by_name: BTreeMap::new(),
            queues: BTreeMap::new(),
            locks: BTreeMap::new(),
            leases: BTreeSet::new(),
            locked: BTreeMap::new(),
        }
    }

    /// Takes up the queues of the store.
    pub(super) fn load(&mut self, turn: &Turn<'_>) -> Result<(), StorageError> {
        for (key, record) in turn.range(&Key::Queue(0), &Key::Queue(u32::MAX), QUEUES_MAX)? {
            if let (Key::Queue(number), Record::Queue(queue)) = (key, record) {
                self.by_name.insert(queue.name.clone(), number);
                self.queues.insert(number, LocalQueue::of(queue));
            }
        }
        Ok(())
    }

    /// Writes the counts of the queues that changed.
    pub(super) fn flush(&mut self, turn: &mut Turn<'_>) {
        for (&number, queue) in self.queues.iter_mut().filter(|(_, queue)| queue.changed) {
            queue.changed = false;
            turn.put(true, Key::Queue(number), Record::Queue(queue.record.clone()));
        }
    }

    /// Makes a queue.
    pub(super) fn create(&mut self, turn: &mut Turn<'_>, spec: QueueSpec) -> Result<(), Fault> {
        if spec.max_messages == Some(0) || spec.max_bytes == Some(0) {
            return Err(Rejection::OutOfBounds { what: "a quota", bounds: "at least 1" }.into());
        }
        if self.by_name.contains_key(&spec.name) {
            return Err(Rejection::QueueExists(spec.name).into());
        }
        if self.queues.len() >= QUEUES_MAX {
            return Err(Rejection::TooMany { what: "queues", limit: QUEUES_MAX }.into());
        }
        let number = self.queues.last_key_value().map_or(1, |(last, _)| last + 1);
        let record = Queue {
            name: spec.name.clone(),
            transactional: spec.transactional,
            max_messages: spec.max_messages,
            max_bytes: spec.max_bytes,
            created_at: turn.now,
            messages: 0,
            bytes: 0,
        };
        self.by_name.insert(spec.name, number);
        let mut queue = LocalQueue::of(record);
        queue.changed = true;
        self.queues.insert(number, queue);
        Ok(())
    }

    /// Deletes a queue with all that is in it, locked messages too.
    pub(super) fn remove(
        &mut self,
        turn: &mut Turn<'_>,
        name: &QueueName,
    ) -> Result<Vec<Departure>, Fault> {
        let number = self.number(name)?;
        let departures = self.empty(turn, number, true)?;
        self.by_name.remove(name);
        self.queues.remove(&number);
        turn.delete(Key::Queue(number));
        Ok(departures)
    }

    /// Deletes what is in a queue; locked messages stay.
    pub(super) fn purge(
        &mut self,
        turn: &mut Turn<'_>,
        name: &QueueName,
    ) -> Result<Vec<Departure>, Fault> {
        let number = self.number(name)?;
        Ok(self.empty(turn, number, false)?)
    }

    fn empty(
        &mut self,
        turn: &mut Turn<'_>,
        number: u32,
        locked_too: bool,
    ) -> Result<Vec<Departure>, StorageError> {
        let (from, to) = (seat(number, 0, 0), seat(number + 1, 0, 0));
        let mut departures = Vec::new();
        for (key, _) in turn.range(&Key::Queued(from), &Key::Queued(to), usize::MAX >> 1)? {
            let Key::Queued(seat) = key else { continue };
            if let Some(&lock) = self.locked.get(&seat) {
                if !locked_too {
                    continue;
                }
                self.forget_lock(lock);
            }
            departures.extend(self.leave(turn, seat)?);
        }
        Ok(departures)
    }

    /// Whether a message of this kind and size would find its place.
    pub(super) fn room(&self, name: &QueueName, delivery: Delivery, bytes: u64) -> Room {
        self.room_after(name, delivery, bytes, Size::default())
    }

    /// The same, once others of this many messages and bytes have entered.
    pub(super) fn room_after(
        &self,
        name: &QueueName,
        delivery: Delivery,
        bytes: u64,
        before: Size,
    ) -> Room {
        let Some(&number) = self.by_name.get(name) else { return Room::NoSuchQueue };
        let Some(queue) = self.queues.get(&number) else { return Room::NoSuchQueue };
        if queue.record.transactional != delivery.is_ordered() {
            return Room::WrongKind;
        }
        let quota = self.quota(&queue.record);
        if bytes > quota.bytes {
            return Room::TooLarge(quota.bytes);
        }
        let mut all = queue.all();
        all.messages += before.messages;
        all.bytes += before.bytes;
        if all.messages < quota.messages && all.bytes.saturating_add(bytes) <= quota.bytes {
            Room::Fits(number)
        } else {
            Room::Full
        }
    }

    /// How many more messages the queue would take, as a receipt tells it.
    pub(super) fn spare(&self, name: &QueueName) -> u64 {
        let queue = self.by_name.get(name).and_then(|number| self.queues.get(number));
        queue.map_or(0, |queue| {
            let (quota, all) = (self.quota(&queue.record), queue.all());
            if all.bytes >= quota.bytes { 0 } else { quota.messages.saturating_sub(all.messages) }
        })
    }

    /// Counts a message held for a queue, or held no longer.
    pub(super) fn count_held(&mut self, name: &QueueName, bytes: u64, comes: bool) {
        let Some(number) = self.by_name.get(name) else { return };
        let Some(queue) = self.queues.get_mut(number) else { return };
        if comes {
            queue.held.add(bytes);
        } else {
            queue.held.subtract(bytes);
        }
    }

    /// Whether a message of this size would find room if nothing were held behind gaps.
    pub(super) fn fits_without_held(&self, name: &QueueName, bytes: u64) -> bool {
        let queue = self.by_name.get(name).and_then(|number| self.queues.get(number));
        queue.is_some_and(|queue| {
            let (quota, stored) = (self.quota(&queue.record), queue.stored());
            stored.messages < quota.messages && stored.bytes.saturating_add(bytes) <= quota.bytes
        })
    }

    /// Puts a message into a queue.
    pub(super) fn enter(&mut self, turn: &mut Turn<'_>, number: u32, mut message: Queued) {
        let Some(queue) = self.queues.get_mut(&number) else { return };
        let durable = message.delivery.is_durable();
        queue.counted(durable, message.content.len(), true);
        let seat = seat(number, message.priority.rank(), turn.serial.draw());
        turn.tell(Event::Entered {
            queue: queue.record.name.clone(),
            id: message.id,
            ordered: message.delivery.is_ordered(),
        });
        turn.tell(Event::Available(queue.record.name.clone()));
        message.timer_at = None;
        self.sit(turn, seat, message);
    }

    /// Writes a message at its seat, with the timer that it needs.
    fn sit(&self, turn: &mut Turn<'_>, seat: Seat, mut message: Queued) {
        let durable = message.delivery.is_durable();
        let hidden = Some(message.visible_at).filter(|&at| at > turn.now);
        let wanted = [hidden, message.expires_at].into_iter().flatten().min();
        if wanted != message.timer_at {
            if let Some(old) = message.timer_at {
                turn.delete(Key::Timer(old, Target::Queued(seat)));
            }
            if let Some(new) = wanted {
                turn.put(durable, Key::Timer(new, Target::Queued(seat)), Record::Due);
            }
            message.timer_at = wanted;
        }
        turn.put(durable, Key::Queued(seat), Record::Queued(Box::new(message)));
    }

    /// Takes a message out of its queue; its content stays with whoever gets the departure.
    fn take(&mut self, turn: &mut Turn<'_>, seat: Seat) -> Result<Option<Departure>, StorageError> {
        let Some(message) = turn.queued(&Key::Queued(seat))? else { return Ok(None) };
        let Some(queue) = self.queues.get_mut(&seat.queue) else { return Ok(None) };
        queue.counted(message.delivery.is_durable(), message.content.len(), false);
        if let Some(at) = message.timer_at {
            turn.delete(Key::Timer(at, Target::Queued(seat)));
        }
        turn.delete(Key::Queued(seat));
        Ok(Some(Departure { queue: queue.record.name.clone(), message: *message }))
    }

    /// Takes a message out of its queue, and its content with it.
    fn leave(
        &mut self,
        turn: &mut Turn<'_>,
        seat: Seat,
    ) -> Result<Option<Departure>, StorageError> {
        let departure = self.take(turn, seat)?;
        if let Some(Departure { message, .. }) = &departure {
            turn.drop_content(message.delivery.is_durable(), &message.content)?;
        }
        Ok(departure)
    }

    fn number(&self, name: &QueueName) -> Result<u32, Rejection> {
        self.by_name.get(name).copied().ok_or_else(|| Rejection::NoSuchQueue(name.clone()))
    }

    fn quota(&self, queue: &Queue) -> Size {
        Size {
            messages: queue.max_messages.unwrap_or(self.limits.queue_messages),
            bytes: queue.max_bytes.unwrap_or(self.limits.queue_bytes),
        }
    }
}

impl LocalQueue {
    fn of(record: Queue) -> Self {
        Self {
            record,
            changed: false,
            express: Size::default(),
            held: Size::default(),
            locked: 0,
            cursors: [0; 8],
        }
    }

    const fn stored(&self) -> Size {
        Size {
            messages: self.record.messages + self.express.messages,
            bytes: self.record.bytes + self.express.bytes,
        }
    }

    const fn all(&self) -> Size {
        let stored = self.stored();
        Size {
            messages: stored.messages + self.held.messages,
            bytes: stored.bytes + self.held.bytes,
        }
    }

    fn counted(&mut self, durable: bool, bytes: u64, comes: bool) {
        let mut size = if durable {
            self.changed = true;
            Size { messages: self.record.messages, bytes: self.record.bytes }
        } else {
            self.express
        };
        if comes {
            size.add(bytes);
        } else {
            size.subtract(bytes);
        }
        if durable {
            (self.record.messages, self.record.bytes) = (size.messages, size.bytes);
        } else {
            self.express = size;
        }
    }
}

/// A message as it enters a queue, or is held for one.
pub(super) fn fresh(id: MessageId, delivery: Delivery, content: Content, now: Timestamp) -> Queued {
    Queued {
        id,
        delivery,
        priority: super::message::Priority::default(),
        enqueued_at: now,
        expires_at: None,
        visible_at: Timestamp::ZERO,
        timer_at: None,
        returned: 0,
        digest: super::message::Digest::default(),
        content,
    }
}

const fn seat(queue: u32, rank: u8, arrival: u64) -> Seat {
    Seat { queue, rank, arrival }
}
