//! What time does to the accounts of an origin: new rounds, and the end (rules R16, R18, R20).

use super::Origin;
use super::settle::letter;
use crate::engine::carriage::Carriage;
use crate::engine::command::MessageState;
use crate::engine::dead::DeadLetters;
use crate::engine::ids::{MessageId, StreamId};
use crate::engine::limits::TOKENS;
use crate::engine::record::{DeathReason, Key, Record, SentState, Target};
use crate::engine::storage::StorageError;
use crate::engine::time::{HOUR_MS, Timestamp};
use crate::engine::turn::Turn;

/// What the timer of an own message led to.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::engine) enum Aged {
    /// Nothing.
    Unchanged,
    /// It starts a new round: neighbours that have it may be given it again.
    NewRound(MessageId),
    /// Its time is over: the stream's floor may have risen.
    Over(StreamId),
}

impl Origin {
    /// Handles the timer of an own message.
    pub(in crate::engine) fn due(
        &mut self,
        turn: &mut Turn<'_>,
        carriage: &mut Carriage,
        letters: &mut DeadLetters,
        id: MessageId,
    ) -> Result<Aged, StorageError> {
        let (line, epoch, n) = (id.stream.line, id.stream.epoch, id.number);
        let key = Key::Sent(line, epoch, n);
        let Some(mut sent) = turn.sent(&key)? else { return Ok(Aged::Unchanged) };
        if sent.state != SentState::Waiting {
            return Ok(Aged::Unchanged);
        }
        let durable = self.is_durable(&id);
        let left = self.may_have_left(&id);
        if turn.now < sent.expires_at {
            sent.timer_at = next_round(turn.now, sent.accepted_at, sent.expires_at);
            let timer = Key::Timer(sent.timer_at, Target::Sent(line, epoch, n));
            turn.put(durable, timer, Record::Due);
            if let (true, Some(at)) = (left, sent.copy)
                && let Some(mut copy) = turn.copy(&Key::Copy(at))?
            {
                let tokens = copy.transit.tokens.saturating_add(TOKENS / 2).min(TOKENS);
                copy.transit.tokens = tokens;
                copy.transit.round = copy.transit.round.saturating_add(1);
                carriage.rewrite(turn, at, *copy);
            }
            turn.put(durable, key, Record::Sent(sent));
            return Ok(if left { Aged::NewRound(id) } else { Aged::Unchanged });
        }
        let reason = match sent.copy.map(|at| turn.copy(&Key::Copy(at))).transpose()?.flatten() {
            Some(copy) if copy.outer.ttl_ms.is_some_and(|ttl| ttl < copy.outer.reach_within_ms) => {
                DeathReason::ReceiveTimeExpired
            }
            _ => DeathReason::ReachTimeExpired,
        };
        self.give_up(turn, carriage, letters, id, reason)
    }

    /// Ends the waiting of an own message: unconfirmed if it may have left (rule R18).
    pub(in crate::engine) fn give_up(
        &mut self,
        turn: &mut Turn<'_>,
        carriage: &mut Carriage,
        letters: &mut DeadLetters,
        id: MessageId,
        reason: DeathReason,
    ) -> Result<Aged, StorageError> {
        let (line, epoch, n) = (id.stream.line, id.stream.epoch, id.number);
        let key = Key::Sent(line, epoch, n);
        let Some(mut sent) = turn.sent(&key)? else { return Ok(Aged::Unchanged) };
        let Some(of_line) = self.lines.get(&line).map(|state| state.line.clone()) else {
            return Ok(Aged::Unchanged);
        };
        if sent.state != SentState::Waiting {
            return Ok(Aged::Unchanged);
        }
        let left = self.may_have_left(&id);
        if let Some(copy) = Self::stop_waiting(turn, carriage, id, &mut sent)? {
            let letter = letter(&of_line, copy, reason, left, turn.now);
            sent.dead = Some(letters.bury(turn, letter));
        }
        sent.state = if left { SentState::Unconfirmed(reason) } else { SentState::Dead(reason) };
        if let Some(flow) = self.flow_mut(&id.stream) {
            flow.note(n, &sent.state);
            flow.raise();
        }
        self.changed.insert((line, epoch));
        turn.tell_state(
            id,
            if left { MessageState::Unconfirmed(reason) } else { MessageState::Dead(reason) },
        );
        turn.put(of_line.delivery.is_durable(), key, Record::Sent(sent));
        Ok(Aged::Over(id.stream))
    }

    /// Whether a message may have been handed out in this opening or an earlier one.
    fn may_have_left(&self, id: &MessageId) -> bool {
        self.flow(&id.stream)
            .is_none_or(|flow| flow.handed.as_ref().is_none_or(|handed| handed.contains(id.number)))
    }
}

/// When a waiting message is sprayed again (rule R20): after 1 h, 4 h, then every day, and at half
/// of its time; its end at the latest.
pub(super) fn next_round(
    now: Timestamp,
    accepted_at: Timestamp,
    expires_at: Timestamp,
) -> Timestamp {
    let half = accepted_at.after(expires_at.since(accepted_at) / 2);
    let age = now.since(accepted_at);
    let step = match age / HOUR_MS {
        0 => accepted_at.after(HOUR_MS),
        1..4 => accepted_at.after(4 * HOUR_MS),
        hours => accepted_at.after((hours / 24 + 1) * 24 * HOUR_MS),
    };
    let next = if half > now { step.min(half) } else { step };
    next.min(expires_at).max(now.after(1).min(expires_at))
}
