//! What a receipt does to the accounts of its origin (rules R8, R12, R14, R21, R22).

use super::Origin;
use super::flow::Flow;
use crate::engine::carriage::Carriage;
use crate::engine::command::MessageState;
use crate::engine::dead::DeadLetters;
use crate::engine::ids::MessageId;
use crate::engine::limits::CROWDED_RANGES;
use crate::engine::message::Floors;
use crate::engine::ranges::RangeSet;
use crate::engine::record::{Copy, Dead, DeathReason, Key, Line, Record, Sent, SentState, Target};
use crate::engine::statement::{Receipt, Refusal};
use crate::engine::step::Event;
use crate::engine::storage::StorageError;
use crate::engine::time::Timestamp;
use crate::engine::turn::Turn;

/// What a destination, or the lack of one, says about a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Verdict {
    Received,
    Refused(Refusal),
    Skipped,
    /// Settled there and forgotten, or its epoch is closed there: nobody can say.
    Unknown,
}

/// What a receipt changed beside the accounts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::engine) struct Heard {
    /// Held before and neither held nor judged now: to be sent again (rule R14).
    pub(in crate::engine) displaced: RangeSet,
    /// The destination's store or opening is another one: its hints are void (rule R22).
    pub(in crate::engine) reborn: bool,
    /// Whether anything was settled.
    pub(in crate::engine) progress: bool,
}

impl Origin {
    /// Applies a receipt for one of this origin's streams.
    pub(in crate::engine) fn settle(
        &mut self,
        turn: &mut Turn<'_>,
        carriage: &mut Carriage,
        letters: &mut DeadLetters,
        receipt: &Receipt,
    ) -> Result<Heard, StorageError> {
        let stream = receipt.stream;
        if self.flow(&stream).is_none() {
            return Ok(Heard::default());
        }
        if self.destination(stream.line) != Some(receipt.destination) {
            return Ok(Heard::default());
        }
        if let Some(flow) = self.flow_mut(&stream) {
            flow.meet_store(receipt);
        }
        let verdicts = self.flow(&stream).map(|flow| verdicts(flow, receipt)).unwrap_or_default();
        let mut heard = Heard { progress: !verdicts.is_empty(), ..Heard::default() };
        for (number, verdict) in verdicts {
            let id = MessageId { stream, number };
            self.judge(turn, carriage, letters, id, verdict)?;
        }
        for (numbers, state) in
            [(&receipt.used, SentState::Received), (&receipt.ended, SentState::Ended)]
        {
            // Only what was given a number here: a receipt may say anything.
            let Some(known) =
                self.flow(&stream).map(|flow| flow.record.floors.used_known..flow.record.next)
            else {
                return Ok(heard);
            };
            for number in numbers.within(known).numbers() {
                self.finish(turn, MessageId { stream, number }, state)?;
            }
        }
        let Some(flow) = self.flow_mut(&stream) else { return Ok(heard) };
        flow.raise();
        if flow.take_hints(receipt, &mut heard) || heard.progress {
            self.changed.insert((stream.line, stream.epoch));
        }
        Ok(heard)
    }

    /// Gives one number its final verdict; the first one stays, but "received" beats the others.
    fn judge(
        &mut self,
        turn: &mut Turn<'_>,
        carriage: &mut Carriage,
        letters: &mut DeadLetters,
        id: MessageId,
        verdict: Verdict,
    ) -> Result<(), StorageError> {
        let (line, epoch, n) = (id.stream.line, id.stream.epoch, id.number);
        let key = Key::Sent(line, epoch, n);
        let Some(mut sent) = turn.sent(&key)? else { return Ok(()) };
        let Some(state) = self.lines.get(&line) else { return Ok(()) };
        let of_line = state.line.clone();
        let durable = of_line.delivery.is_durable();
        let next = match (sent.state, verdict) {
            (SentState::Waiting, Verdict::Received) => {
                if let Some(copy) = Self::stop_waiting(turn, carriage, id, &mut sent)? {
                    turn.drop_content(durable, &copy.content)?;
                }
                SentState::Arrived
            }
            (SentState::Waiting, other) => {
                let reason = reason_of(other);
                let unknown = matches!(other, Verdict::Unknown);
                if let Some(copy) = Self::stop_waiting(turn, carriage, id, &mut sent)? {
                    let letter = letter(&of_line, copy, reason, unknown, turn.now);
                    sent.dead = Some(letters.bury(turn, letter));
                }
                SentState::Dead(reason)
            }
            (SentState::Unconfirmed(_), Verdict::Received) => {
                self.withdraw(turn, letters, &mut sent)?;
                SentState::Arrived
            }
            (SentState::Unconfirmed(_), Verdict::Unknown) => {
                SentState::Dead(DeathReason::OutcomeUnknown)
            }
            (SentState::Unconfirmed(reason), other) => {
                if let Some(letter) = sent.dead {
                    letters.confirm(turn, letter)?;
                }
                SentState::Dead(match other {
                    Verdict::Refused(refusal) => DeathReason::Refused(refusal),
                    _ => reason,
                })
            }
            (SentState::Dead(_), Verdict::Received) => {
                turn.tell(Event::Contradicted(id));
                self.withdraw(turn, letters, &mut sent)?;
                SentState::Arrived
            }
            _ => return Ok(()),
        };
        sent.state = next;
        turn.put(durable, key, Record::Sent(sent));
        if let Some(flow) = self.flow_mut(&id.stream) {
            flow.given_up.remove(n);
            flow.dead.remove(n);
            flow.note(n, &next);
        }
        turn.tell_state(
            id,
            match next {
                SentState::Dead(reason) => MessageState::Dead(reason),
                _ => MessageState::Arrived,
            },
        );
        Ok(())
    }

    /// Second layer: what became of a message in its queue.
    pub(in crate::engine) fn finish(
        &mut self,
        turn: &mut Turn<'_>,
        id: MessageId,
        state: SentState,
    ) -> Result<(), StorageError> {
        match self.flow(&id.stream) {
            Some(flow) if id.number < flow.record.floors.used_known => return Ok(()),
            Some(flow) if flow.used.contains(id.number) => return Ok(()),
            // Without a flow it is a local message of an earlier opening: its account alone is left.
            Some(_) | None => {}
        }
        let key = Key::Sent(id.stream.line, id.stream.epoch, id.number);
        let Some(mut sent) = turn.sent(&key)? else { return Ok(()) };
        if sent.state != SentState::Arrived {
            return Ok(());
        }
        let durable = self.is_durable(&id);
        sent.state = state;
        turn.put(durable, key, Record::Sent(sent));
        if let Some(flow) = self.flow_mut(&id.stream) {
            flow.used.insert(id.number);
        }
        self.changed.insert((id.stream.line, id.stream.epoch));
        turn.tell_state(
            id,
            match state {
                SentState::Received => MessageState::Received,
                _ => MessageState::Dead(DeathReason::EndedInQueue),
            },
        );
        Ok(())
    }

    /// Takes a waiting message's copy and timer away.
    pub(super) fn stop_waiting(
        turn: &mut Turn<'_>,
        carriage: &mut Carriage,
        id: MessageId,
        sent: &mut Sent,
    ) -> Result<Option<Copy>, StorageError> {
        let target = Target::Sent(id.stream.line, id.stream.epoch, id.number);
        turn.delete(Key::Timer(sent.timer_at, target));
        let Some(at) = sent.copy.take() else { return Ok(None) };
        carriage.take(turn, at)
    }

    /// Takes a dead letter back: its message arrived.
    fn withdraw(
        &self,
        turn: &mut Turn<'_>,
        letters: &mut DeadLetters,
        sent: &mut Sent,
    ) -> Result<(), StorageError> {
        if let Some(letter) = sent.dead.take() {
            letters.remove(turn, letter)?;
        }
        Ok(())
    }

    pub(super) fn is_durable(&self, id: &MessageId) -> bool {
        self.lines.get(&id.stream.line).is_none_or(|state| state.line.delivery.is_durable())
    }
}

impl Flow {
    /// Notes which store speaks. What left while another one spoke may have been taken by that one,
    /// whatever the new one says about it.
    fn meet_store(&mut self, receipt: &Receipt) {
        match self.spoke {
            Some((_, version)) if version >= receipt.version => return,
            Some((store, _)) if store != receipt.store => {
                let open = self.record.floors.known..self.record.next;
                let left = |n: &u64| self.handed.as_ref().is_none_or(|handed| handed.contains(*n));
                let doubtful: Vec<u64> =
                    open.filter(|n| left(n) && !self.settled.contains(*n)).collect();
                doubtful.into_iter().for_each(|n| {
                    self.doubtful.insert(n);
                });
            }
            _ => {}
        }
        self.spoke = Some((receipt.store, receipt.version));
    }

    /// Takes over what only the newest receipt may say. False if it is not the newest.
    fn take_hints(&mut self, receipt: &Receipt, heard: &mut Heard) -> bool {
        let new = (receipt.store, receipt.version);
        if let Some((store, version)) = self.heard {
            heard.reborn = store != receipt.store
                || version.opening < receipt.version.opening && !self.held.is_empty();
            if version >= receipt.version {
                heard.reborn = false;
                return false;
            }
        }
        self.heard = Some(new);
        self.closed |= receipt.closed.is_some();
        self.asks = false;
        let floors = &receipt.floors;
        self.record.confirmed = Floors {
            give_up: receipt.watermark.max(floors.give_up),
            known: floors.known,
            used_known: floors.used_known,
        };
        self.roster_there = Some(receipt.roster);
        self.crowded = all_ranges(receipt) > CROWDED_RANGES;
        let held = receipt.held.within(self.record.floors.known..self.record.next);
        for n in std::mem::replace(&mut self.held, held).numbers() {
            let judged = n < self.record.floors.known || self.settled.contains(n);
            if !self.held.contains(n) && !judged {
                heard.displaced.insert(n);
            }
        }
        true
    }
}

/// How many ranges a receipt lists.
fn all_ranges(receipt: &Receipt) -> usize {
    let sets = [&receipt.received, &receipt.skipped, &receipt.held, &receipt.used, &receipt.ended];
    sets.into_iter().chain(receipt.refused.values()).map(RangeSet::ranges).sum()
}

/// The verdicts of a receipt on numbers that have none yet, or whose death it contradicts.
fn verdicts(flow: &Flow, receipt: &Receipt) -> Vec<(u64, Verdict)> {
    let (known, next) = (flow.record.floors.known, flow.record.next);
    let open = |n: &u64| (known..next).contains(n) && !flow.settled.contains(*n);
    let certain = |n, verdict| {
        if flow.doubtful.contains(n) { Verdict::Unknown } else { verdict }
    };
    let mut verdicts = Vec::new();
    let mut add = |n: u64, verdict| verdicts.push((n, verdict));
    for range in receipt.received.iter() {
        let range = range.start.max(known)..range.end.min(next);
        range.filter(|n| open(n) || flow.dead.contains(*n)).for_each(|n| add(n, Verdict::Received));
    }
    for (&refusal, numbers) in &receipt.refused {
        let numbers = numbers.iter().map(|range| range.start.max(known)..range.end.min(next));
        numbers.flatten().filter(open).for_each(|n| add(n, certain(n, Verdict::Refused(refusal))));
    }
    for range in receipt.skipped.iter() {
        let range = range.start.max(known)..range.end.min(next);
        range.filter(open).for_each(|n| add(n, certain(n, Verdict::Skipped)));
    }
    let forgotten = if receipt.closed.is_some() { next } else { receipt.floors.known.min(next) };
    (known..forgotten).filter(open).for_each(|n| add(n, Verdict::Unknown));
    verdicts
}

const fn reason_of(verdict: Verdict) -> DeathReason {
    match verdict {
        Verdict::Refused(refusal) => DeathReason::Refused(refusal),
        Verdict::Skipped => DeathReason::Skipped,
        Verdict::Unknown | Verdict::Received => DeathReason::OutcomeUnknown,
    }
}

/// The dead letter of a copy.
pub(super) fn letter(
    line: &Line,
    copy: Copy,
    reason: DeathReason,
    unconfirmed: bool,
    now: Timestamp,
) -> Dead {
    Dead {
        id: copy.outer.id,
        destination: line.destination,
        queue: line.queue.clone(),
        delivery: line.delivery,
        priority: line.priority,
        reach_within_ms: copy.outer.reach_within_ms,
        ttl_ms: copy.outer.ttl_ms,
        reason,
        died_at: now,
        unconfirmed,
        content: copy.content,
        extensions: copy.outer.extensions,
    }
}
