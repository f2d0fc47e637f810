//! How readers take messages: locks with leases, settlement, peeking.

use super::{Departure, Lock, Queues, seat};
use crate::engine::address::QueueName;
use crate::engine::command::{Delivered, Peeked, Place, Settlement, Shown};
use crate::engine::limits::{LEASE_MAX_MS, NACK_FIRST_MS, NACK_LONGEST_MS, RECEIVE_MAX};
use crate::engine::message::Content;
use crate::engine::record::{Key, Queued, Record, Seat, Target};
use crate::engine::rejection::Rejection;
use crate::engine::step::Event;
use crate::engine::storage::StorageError;
use crate::engine::time::Timestamp;
use crate::engine::turn::{Fault, Turn};

/// Messages read from the store at first while looking for a ready one: it mostly stands behind the
/// one that was handed out last.
const FIRST_PAGE: usize = 2;
/// Messages read at a time at most.
const PAGE: usize = 64;

impl Queues {
    /// Hands out the first ready messages, most urgent first, then in order of arrival. Those whose
    /// contents do not read back leave their queue.
    pub(in crate::engine) fn receive(
        &mut self,
        turn: &mut Turn<'_>,
        name: &QueueName,
        max: usize,
        lease_ms: u64,
        session: u64,
    ) -> Result<(Vec<Delivered>, Vec<Departure>), Fault> {
        let number = self.number(name)?;
        if !(1..=RECEIVE_MAX).contains(&max) {
            return Err(Rejection::OutOfBounds { what: "max", bounds: "1 to 256" }.into());
        }
        let until = turn.now.after(lease(lease_ms)?);
        let limit = usize::try_from(self.limits.locks).unwrap_or(usize::MAX);
        if self.locks.len() + max > limit {
            return Err(Rejection::TooMany { what: "locks", limit }.into());
        }
        let (mut delivered, mut damaged) = (Vec::new(), Vec::new());
        for rank in 0..8 {
            while delivered.len() < max {
                let Some((seat, message)) = self.next_ready(turn, number, rank)? else { break };
                let shown = match turn.shown(&message.content) {
                    Ok(shown) => shown,
                    Err(StorageError::Damaged(_)) => {
                        damaged.extend(self.take(turn, seat)?);
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                };
                let lock = turn.serial.draw();
                self.locks.insert(lock, Lock { seat, session, until });
                self.leases.insert((until, lock));
                self.locked.insert(seat, lock);
                if let Some(queue) = self.queues.get_mut(&number) {
                    queue.locked += 1;
                }
                let message = self.show(seat, &message, shown);
                delivered.push(Delivered { lock, locked_until: until, message });
            }
        }
        Ok((delivered, damaged))
    }

    /// Takes the locked messages out that have this content.
    pub(in crate::engine) fn take_locked(
        &mut self,
        turn: &mut Turn<'_>,
        content: u64,
    ) -> Result<Vec<Departure>, StorageError> {
        let mut taken = Vec::new();
        for (seat, lock) in self.locked.clone() {
            let found = turn.queued(&Key::Queued(seat))?;
            let has = |message: &Queued| matches!(message.content, Content::Stored { number, .. } if number == content);
            if found.is_some_and(|message| has(&message)) {
                self.forget_lock(lock);
                taken.extend(self.take(turn, seat)?);
            }
        }
        Ok(taken)
    }

    /// The first message of a rank that can be handed out; the cursor moves up to it.
    fn next_ready(
        &mut self,
        turn: &Turn<'_>,
        number: u32,
        rank: u8,
    ) -> Result<Option<(Seat, Queued)>, StorageError> {
        let Some(queue) = self.queues.get_mut(&number) else { return Ok(None) };
        let cursor = &mut queue.cursors[usize::from(rank)];
        let mut size = FIRST_PAGE;
        loop {
            let (from, to) = (seat(number, rank, *cursor), seat(number, rank + 1, 0));
            let page = turn.range(&Key::Queued(from), &Key::Queued(to), size)?;
            let last = page.len() < size;
            size = (4 * size).min(PAGE);
            for (key, record) in page {
                let (Key::Queued(seat), Record::Queued(message)) = (key, record) else { continue };
                *cursor = seat.arrival;
                // One whose time is over may not have been ended yet: time ends only so many in a turn.
                let lives = message.expires_at.is_none_or(|at| at > turn.now);
                let is_ready = lives && message.visible_at <= turn.now;
                if is_ready && !self.locked.contains_key(&seat) {
                    return Ok(Some((seat, *message)));
                }
                *cursor += 1;
            }
            if last {
                return Ok(None);
            }
        }
    }

    /// Shows the message of a lock.
    pub(in crate::engine) fn locked(&self, turn: &Turn<'_>, number: u64) -> Result<Peeked, Fault> {
        let lock = self.locks.get(&number).ok_or(Rejection::LockGone)?;
        let message = turn.queued(&Key::Queued(lock.seat))?.ok_or(Rejection::LockGone)?;
        let shown = match turn.shown(&message.content) {
            Err(StorageError::Damaged(_)) => return Err(Rejection::Damaged.into()),
            shown => shown?,
        };
        Ok(self.show(lock.seat, &message, shown))
    }

    /// The queue of the message under a lock.
    pub(in crate::engine) fn of_lock(&self, number: u64) -> Result<QueueName, Rejection> {
        let lock = self.locks.get(&number).ok_or(Rejection::LockGone)?;
        let queue = self.queues.get(&lock.seat.queue).ok_or(Rejection::LockGone)?;
        Ok(queue.record.name.clone())
    }

    /// Settles a lock. A message that leaves for good is returned.
    pub(in crate::engine) fn settle(
        &mut self,
        turn: &mut Turn<'_>,
        number: u64,
        how: Settlement,
    ) -> Result<Option<Departure>, Fault> {
        let lock = *self.locks.get(&number).ok_or(Rejection::LockGone)?;
        match how {
            Settlement::Ack => {
                self.forget_lock(number);
                Ok(self.leave(turn, lock.seat)?)
            }
            Settlement::Nack => Ok(self.give_back(turn, number, true)?),
            Settlement::Return => Ok(self.give_back(turn, number, false)?),
            Settlement::Extend(lease_ms) => {
                let until = turn.now.after(lease(lease_ms)?);
                self.leases.remove(&(lock.until, number));
                self.leases.insert((until, number));
                self.locks.insert(number, Lock { until, ..lock });
                Ok(None)
            }
        }
    }

    /// Returns a message to its queue, at once or after a wait that doubles; or lets it end, if
    /// its time ran out while it was locked.
    fn give_back(
        &mut self,
        turn: &mut Turn<'_>,
        number: u64,
        wait: bool,
    ) -> Result<Option<Departure>, StorageError> {
        let Some(lock) = self.forget_lock(number) else { return Ok(None) };
        let Some(mut message) = turn.queued(&Key::Queued(lock.seat))? else { return Ok(None) };
        if message.expires_at.is_some_and(|at| at <= turn.now) {
            return self.take(turn, lock.seat);
        }
        let doubled = NACK_FIRST_MS.saturating_mul(1 << message.returned.min(10));
        let wait_ms = if wait { doubled.min(NACK_LONGEST_MS) } else { 0 };
        message.visible_at = turn.now.after(wait_ms);
        message.returned = message.returned.saturating_add(1);
        let seat = lock.seat;
        self.sit(turn, seat, *message);
        self.reveal(turn, seat, !wait);
        Ok(None)
    }

    /// Lets readers find a seat again.
    fn reveal(&mut self, turn: &mut Turn<'_>, seat: Seat, now: bool) {
        let Some(queue) = self.queues.get_mut(&seat.queue) else { return };
        let cursor = &mut queue.cursors[usize::from(seat.rank)];
        *cursor = (*cursor).min(seat.arrival);
        if now {
            turn.tell(Event::Available(queue.record.name.clone()));
        }
    }

    /// Handles the timer of a message: its time ran out, or its wait after a nack did.
    pub(in crate::engine) fn due(
        &mut self,
        turn: &mut Turn<'_>,
        seat: Seat,
    ) -> Result<Option<Departure>, StorageError> {
        let Some(mut message) = turn.queued(&Key::Queued(seat))? else { return Ok(None) };
        message.timer_at = None;
        if let Some(lock) = self.locked.get(&seat).and_then(|lock| self.locks.get(lock)) {
            // The lock is gone after a restart, the end of the message's time is not.
            let durable = message.delivery.is_durable();
            message.timer_at = Some(lock.until);
            turn.put(durable, Key::Timer(lock.until, Target::Queued(seat)), Record::Due);
            turn.put(durable, Key::Queued(seat), Record::Queued(message));
            return Ok(None);
        }
        if message.expires_at.is_some_and(|at| at <= turn.now) {
            return self.take(turn, seat);
        }
        self.sit(turn, seat, *message);
        self.reveal(turn, seat, true);
        Ok(None)
    }

    /// Returns everything that a session has locked.
    pub(in crate::engine) fn end_session(
        &mut self,
        turn: &mut Turn<'_>,
        session: u64,
    ) -> Result<Vec<Departure>, StorageError> {
        let mine = |(_, lock): &(&u64, &Lock)| lock.session == session;
        let locks: Vec<u64> = self.locks.iter().filter(mine).map(|(&number, _)| number).collect();
        self.return_all(turn, locks)
    }

    /// Returns everything whose lease ran out.
    pub(in crate::engine) fn end_leases(
        &mut self,
        turn: &mut Turn<'_>,
    ) -> Result<Vec<Departure>, StorageError> {
        let over = self.leases.iter().take_while(|(until, _)| *until <= turn.now);
        let locks: Vec<u64> = over.map(|&(_, number)| number).collect();
        self.return_all(turn, locks)
    }

    fn return_all(
        &mut self,
        turn: &mut Turn<'_>,
        locks: Vec<u64>,
    ) -> Result<Vec<Departure>, StorageError> {
        let mut departures = Vec::new();
        for number in locks {
            departures.extend(self.give_back(turn, number, false)?);
        }
        Ok(departures)
    }

    /// When the first lease runs out.
    pub(in crate::engine) fn next_lease(&self) -> Option<Timestamp> {
        self.leases.first().map(|&(until, _)| until)
    }

    /// Shows messages from a place on, disturbing nothing.
    pub(in crate::engine) fn peek(
        &self,
        turn: &Turn<'_>,
        name: &QueueName,
        after: Option<Place>,
        max: usize,
    ) -> Result<Vec<Peeked>, Fault> {
        let number = self.number(name)?;
        let from = after.map_or_else(
            || seat(number, 0, 0),
            |place| seat(number, place.rank, place.arrival.saturating_add(1)),
        );
        let to = seat(number + 1, 0, 0);
        let mut peeked = Vec::new();
        for (key, record) in
            turn.range(&Key::Queued(from), &Key::Queued(to), max.min(RECEIVE_MAX))?
        {
            let (Key::Queued(seat), Record::Queued(message)) = (key, record) else { continue };
            let shown = turn.glimpsed(&message.content)?;
            peeked.push(self.show(seat, &message, shown));
        }
        Ok(peeked)
    }

    fn show(&self, seat: Seat, message: &Queued, inner: Shown) -> Peeked {
        let locked = self.locked.contains_key(&seat);
        Peeked {
            id: message.id,
            place: Place { rank: seat.rank, arrival: seat.arrival },
            delivery: message.delivery,
            priority: message.priority,
            enqueued_at: message.enqueued_at,
            delivery_count: message.returned + u32::from(locked),
            locked,
            inner,
        }
    }

    pub(super) fn forget_lock(&mut self, number: u64) -> Option<Lock> {
        let lock = self.locks.remove(&number)?;
        self.leases.remove(&(lock.until, number));
        self.locked.remove(&lock.seat);
        if let Some(queue) = self.queues.get_mut(&lock.seat.queue) {
            queue.locked = queue.locked.saturating_sub(1);
        }
        Some(lock)
    }
}

fn lease(lease_ms: u64) -> Result<u64, Rejection> {
    if (1..=LEASE_MAX_MS).contains(&lease_ms) {
        Ok(lease_ms)
    } else {
        Err(Rejection::OutOfBounds { what: "lease", bounds: "more than 0 and at most 12 hours" })
    }
}
