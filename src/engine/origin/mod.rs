//! The accounts of this node's own messages: lines, streams, floors and states.
//!
//! Refuses to move copies; it knows what each number's state is and what follows from a verdict,
//! an expiry or a restart (protocol, state table of the origin).

mod expire;
mod flow;
mod settle;

use super::address::{LineId, NodeId};
use super::command::{MessageState, Outgoing};
use super::ids::{Epoch, MessageId, MessageRef, StreamId};
use super::limits::{RETIRED_MAX, ROSTER_MAX, ROSTER_USED_MAX};
use super::message::{Earlier, Floors};
use super::record::{DeathReason, Key, Line, Record, Sent, SentState, Spot, Stream, Target};
use super::rejection::Rejection;
use super::statement::{Status, Version};
use super::storage::StorageError;
use super::sweep::sweep;
use super::turn::Turn;
use std::collections::{BTreeMap, BTreeSet};

pub(super) use expire::Aged;
use expire::next_round;
use flow::{Flow, LineState};

/// All accounts of this origin.
#[derive(Debug)]
pub(super) struct Origin {
    me: NodeId,
    opening: Epoch,
    lines: BTreeMap<LineId, LineState>,
    /// Streams whose record must be written at the end of the turn.
    changed: BTreeSet<(LineId, Epoch)>,
}

/// What a new message gets with its number.
pub(super) struct Numbered {
    pub(super) id: MessageId,
    pub(super) floors: Floors,
    pub(super) roster: Vec<Earlier>,
}

impl Origin {
    pub(super) const fn new(me: NodeId, opening: Epoch) -> Self {
        Self { me, opening, lines: BTreeMap::new(), changed: BTreeSet::new() }
    }

    /// Takes up the streams of earlier openings; lines with open ones get an empty new stream, so
    /// that their status can say what became of the old ones (rule R9).
    pub(super) fn load(&mut self, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        let (first, last) = (LineId(0), LineId(u64::MAX));
        let lines = turn.range(&Key::Line(first), &Key::Line(last), usize::MAX >> 1)?;
        for (key, record) in lines {
            let (Key::Line(id), Record::Line(line)) = (key, record) else { continue };
            self.load_line(turn, id, line)?;
        }
        Ok(())
    }

    fn load_line(
        &mut self,
        turn: &mut Turn<'_>,
        id: LineId,
        line: Line,
    ) -> Result<(), StorageError> {
        let (from, to) = (Key::Stream(id, Epoch::default()), Key::Stream(id, self.opening));
        let mut state = LineState { line, flows: BTreeMap::new() };
        let mut retired = Vec::new();
        for (key, record) in turn.range(&from, &to, usize::MAX >> 1)? {
            let (Key::Stream(_, epoch), Record::Stream(stream)) = (key, record) else { continue };
            if stream.next == 1 {
                // No number was given in it: nobody need hear of it again.
                turn.delete(Key::Stream(id, epoch));
            } else if stream.retired || state.line.destination == self.me {
                retired.push((epoch, stream));
            } else {
                let flow = self.load_flow(turn, id, epoch, &state.line, stream)?;
                state.flows.insert(epoch, flow);
                self.changed.insert((id, epoch));
            }
        }
        let surplus = retired.len().saturating_sub(RETIRED_MAX);
        for (epoch, stream) in retired.drain(..surplus) {
            (stream.base..stream.next).for_each(|n| turn.delete(Key::Sent(id, epoch, n)));
            turn.delete(Key::Stream(id, epoch));
            let stream = StreamId { origin: self.me, line: id, epoch };
            turn.delete(Key::Receipt(stream, state.line.destination));
        }
        if !state.flows.is_empty() {
            state.flows.insert(self.opening, Flow::new());
            self.changed.insert((id, self.opening));
            self.lines.insert(id, state);
        }
        Ok(())
    }

    fn load_flow(
        &mut self,
        turn: &Turn<'_>,
        id: LineId,
        epoch: Epoch,
        line: &Line,
        record: Stream,
    ) -> Result<Flow, StorageError> {
        let mut flow = Flow { handed: None, ..Flow::new() };
        let from = record.floors.known.min(record.floors.used_known);
        let (from, to) = (Key::Sent(id, epoch, from), Key::Sent(id, epoch, record.next));
        sweep(turn, from, &to, |key, sent| {
            if let (Key::Sent(_, _, n), Record::Sent(sent)) = (key, sent) {
                flow.note(n, &sent.state);
            }
            Ok(())
        })?;
        flow.record = record;
        let stream = StreamId { origin: self.me, line: id, epoch };
        let held = turn.receipt(&Key::Receipt(stream, line.destination))?;
        flow.spoke = held.map(|held| (held.statement.store, held.statement.version));
        Ok(flow)
    }

    /// Whether the line can take another message: its roster must have room (ADR on epochs).
    pub(super) fn check(&self, message: &Outgoing) -> Result<(), Rejection> {
        let Some(state) = self.lines.get(&message.line) else { return Ok(()) };
        let earlier = state.flows.range(..self.opening).count();
        if earlier >= ROSTER_MAX {
            return Err(Rejection::TooManyEpochs(earlier));
        }
        Ok(())
    }

    /// Numbers a message in the commit that accepts it (rules R2, R3).
    pub(super) fn number(&mut self, turn: &mut Turn<'_>, message: &Outgoing) -> Numbered {
        let durable = message.delivery.is_durable();
        let state = self.lines.entry(message.line).or_insert_with(|| {
            let line = Line {
                destination: message.destination,
                queue: message.queue.clone(),
                delivery: message.delivery,
                priority: message.priority,
            };
            turn.put(durable, Key::Line(message.line), Record::Line(line.clone()));
            LineState { line, flows: BTreeMap::new() }
        });
        let roster = state.roster(self.opening);
        let flow = state.flows.entry(self.opening).or_insert_with(Flow::new);
        let number = flow.record.next;
        flow.record.next += 1;
        self.changed.insert((message.line, self.opening));
        let stream = StreamId { origin: self.me, line: message.line, epoch: self.opening };
        Numbered { id: MessageId { stream, number }, floors: flow.record.floors, roster }
    }

    /// Opens the account of a message that waits for its verdict.
    pub(super) fn open_account(
        &mut self,
        turn: &mut Turn<'_>,
        id: MessageId,
        message: &Outgoing,
        copy: Spot,
    ) {
        let limit =
            message.ttl_ms.map_or(message.reach_within_ms, |ttl| ttl.min(message.reach_within_ms));
        let expires_at = turn.now.after(limit);
        let sent = Sent {
            state: SentState::Waiting,
            accepted_at: turn.now,
            expires_at,
            timer_at: next_round(turn.now, turn.now, expires_at),
            copy: Some(copy),
            dead: None,
        };
        let durable = message.delivery.is_durable();
        let (line, epoch, n) = (id.stream.line, id.stream.epoch, id.number);
        let timer = Key::Timer(sent.timer_at, Target::Sent(line, epoch, n));
        turn.put(durable, timer, Record::Due);
        turn.put(durable, Key::Sent(line, epoch, n), Record::Sent(sent));
    }

    /// Opens the account of a message that is in its local queue at once.
    pub(super) fn open_local(&mut self, turn: &mut Turn<'_>, id: MessageId, durable: bool) {
        let sent = Sent {
            state: SentState::Arrived,
            accepted_at: turn.now,
            expires_at: turn.now,
            timer_at: turn.now,
            copy: None,
            dead: None,
        };
        let key = Key::Sent(id.stream.line, id.stream.epoch, id.number);
        turn.put(durable, key, Record::Sent(sent));
        if let Some(flow) = self.flow_mut(&id.stream) {
            flow.settled.insert(id.number);
            flow.raise();
        }
    }

    /// What is known of a message, if it is this origin's and not forgotten.
    pub(super) fn sent(
        &self,
        turn: &Turn<'_>,
        wanted: MessageRef,
    ) -> Result<Option<(MessageId, Sent)>, StorageError> {
        let (from, to) = (Epoch::default(), Epoch { k: u64::MAX, nonce: 0 });
        let streams = turn.range(
            &Key::Stream(wanted.line, from),
            &Key::Stream(wanted.line, to),
            usize::MAX >> 1,
        )?;
        let mut epochs = streams.into_iter().filter_map(|(key, _)| match key {
            Key::Stream(_, epoch) if epoch.nonce == wanted.nonce => Some(epoch),
            _ => None,
        });
        let Some(epoch) = epochs.next() else { return Ok(None) };
        let stream = StreamId { origin: self.me, line: wanted.line, epoch };
        let sent = turn.sent(&Key::Sent(wanted.line, epoch, wanted.number))?;
        Ok(sent.map(|sent| (MessageId { stream, number: wanted.number }, sent)))
    }

    /// The state of a message, as [`Self::sent`]; a message that waits counts as stored.
    pub(super) fn state(
        &self,
        turn: &Turn<'_>,
        wanted: MessageRef,
    ) -> Result<Option<(MessageId, MessageState)>, StorageError> {
        let of = |(id, sent): (MessageId, Sent)| {
            let state = match sent.state {
                SentState::Waiting => MessageState::Stored,
                SentState::Arrived => MessageState::Arrived,
                SentState::Received => MessageState::Received,
                SentState::Ended => MessageState::Dead(DeathReason::EndedInQueue),
                SentState::Dead(reason) => MessageState::Dead(reason),
                SentState::Unconfirmed(reason) => MessageState::Unconfirmed(reason),
            };
            (id, state)
        };
        Ok(self.sent(turn, wanted)?.map(of))
    }

    /// A line, if it is known and open.
    pub(super) fn line(&self, line: LineId) -> Option<&Line> {
        self.lines.get(&line).map(|state| &state.line)
    }

    /// Where a line goes, if it is known and open.
    pub(super) fn destination(&self, line: LineId) -> Option<NodeId> {
        self.line(line).map(|line| line.destination)
    }

    /// Notes that a message is about to leave this node (rule R18).
    pub(super) fn hand_out(&mut self, id: &MessageId) {
        if let Some(handed) = self.flow_mut(&id.stream).and_then(|flow| flow.handed.as_mut()) {
            handed.insert(id.number);
        }
    }

    /// Whether the destination holds the message behind a gap, by its newest receipt.
    pub(super) fn is_held(&self, id: &MessageId) -> bool {
        self.flow(&id.stream).is_some_and(|flow| flow.held.contains(id.number))
    }

    /// The stream's status record, if its destination must hear it (rule R9).
    pub(super) fn status(&self, turn: &mut Turn<'_>, stream: &StreamId) -> Option<Status> {
        let state = self.lines.get(&stream.line)?;
        let flow = state.flows.get(&stream.epoch)?;
        let roster = state.roster(stream.epoch);
        if !state.must_tell(stream.epoch, flow, self.opening) {
            return None;
        }
        Some(Status {
            stream: *stream,
            destination: state.line.destination,
            version: Version { opening: self.opening, count: turn.serial.draw() },
            floors: flow.record.floors,
            roster,
            ordered: state.line.delivery.is_ordered(),
            express: !state.line.delivery.is_durable(),
            extensions: BTreeMap::new(),
        })
    }

    /// A destination's receipts are overdue: whether it still holds what it held is asked by the
    /// status records of these streams (rule R14: held is a hint that can have been lost).
    pub(super) fn doubt(&mut self, destination: NodeId) -> Vec<StreamId> {
        let mut doubted = Vec::new();
        for (&line, state) in &mut self.lines {
            if state.line.destination != destination {
                continue;
            }
            for (&epoch, flow) in state.flows.iter_mut().filter(|(_, f)| !f.held.is_empty()) {
                flow.asks = true;
                doubted.push(StreamId { origin: self.me, line, epoch });
            }
        }
        doubted
    }

    /// Streams whose destination must hear a status record, with the destination.
    pub(super) fn untold(&self) -> Vec<(StreamId, NodeId)> {
        let lines = self.lines.iter();
        lines.flat_map(|(&line, state)| self.untold_of(line, state)).collect()
    }

    fn untold_of(&self, line: LineId, state: &LineState) -> Vec<(StreamId, NodeId)> {
        if state.line.destination == self.me {
            return Vec::new();
        }
        let idle = |epoch: Epoch, flow: &Flow| {
            let (floors, confirmed) = (&flow.record.floors, &flow.record.confirmed);
            let all_settled = floors.give_up >= flow.record.next;
            // What waits may be held there, and will not be sent again to carry the floor.
            let gave_up = !flow.given_up.is_empty() || confirmed.give_up < floors.give_up;
            // So may what waits behind an epoch that has left the roster since.
            let earlier = state.flows.range(..epoch).count() as u64;
            let roster = flow.roster_there.is_some_and(|there| there != earlier);
            all_settled || gave_up || roster || flow.crowded || epoch < self.opening
        };
        let untold = state.flows.iter().filter(|&(&epoch, flow)| {
            idle(epoch, flow) && state.must_tell(epoch, flow, self.opening)
        });
        let stream = |epoch| StreamId { origin: self.me, line, epoch };
        untold.map(|(&epoch, _)| (stream(epoch), state.line.destination)).collect()
    }

    /// Writes what changed in the turn, retires epochs that are settled, forgets old history.
    /// Returns the streams whose destination must hear of it now; messages that still wait tell
    /// it otherwise.
    pub(super) fn flush(&mut self, turn: &mut Turn<'_>) -> Vec<(StreamId, NodeId)> {
        let changed = std::mem::take(&mut self.changed);
        let lines: BTreeSet<LineId> = changed.iter().map(|&(line, _)| line).collect();
        for (line, epoch) in changed {
            let Some(state) = self.lines.get_mut(&line) else { continue };
            let durable = state.line.delivery.is_durable();
            let open = state.flows.range(..self.opening).count();
            let Some(flow) = state.flows.get_mut(&epoch) else { continue };
            flow.raise();
            flow.forget_history(turn, line, epoch);
            let all_used = flow.record.floors.used_known >= flow.record.next;
            let heard = all_used || flow.closed || open > ROSTER_USED_MAX;
            if epoch < self.opening && flow.record.floors.known >= flow.record.next && heard {
                flow.record.retired = true;
            }
            let record = flow.record.clone();
            if record.retired {
                state.flows.remove(&epoch);
            }
            turn.put(durable, Key::Stream(line, epoch), Record::Stream(record));
        }
        let mut news = Vec::new();
        for line in lines {
            let Some(state) = self.lines.get(&line) else { continue };
            let untold = self.untold_of(line, state);
            let Some(state) = self.lines.get_mut(&line) else { continue };
            // What was said and changed nothing there is not said again before the next contact.
            news.extend(untold.into_iter().filter(|(stream, _)| state.is_news(stream.epoch)));
        }
        news
    }

    fn flow(&self, stream: &StreamId) -> Option<&Flow> {
        self.lines.get(&stream.line)?.flows.get(&stream.epoch)
    }

    fn flow_mut(&mut self, stream: &StreamId) -> Option<&mut Flow> {
        self.lines.get_mut(&stream.line)?.flows.get_mut(&stream.epoch)
    }
}
