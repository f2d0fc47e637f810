//! Limits in time: no message ends by time before its time, and none is handed out long after its
//! time to be received. Part of G2: "dead with a reason" means that the reason is so.
//!
//! Refuses to judge where somebody sets clocks, or a store was put back, damaged or wiped: see
//! [`Checkers::new`](super::Checkers::new). Ages are added up hop by hop and leave out what the wire takes, so a little is allowed.

use super::{Finding, Violation};
use crate::ledger::{Account, Change, Ledger, Torn};
use meshmq::engine::ids::MessageId;
use meshmq::engine::record::{DeathReason, SentState};

const PROMISE: &str = "G2 nothing vanishes";
/// How much too early an end may be, in milliseconds: the acceptance is seen when it is durable.
const EARLY_MS: u64 = 5_000;
/// How much too late a message may be handed out, in milliseconds.
const LATE_MS: u64 = 60_000;

pub(super) fn check(ledger: &Ledger, id: &MessageId, change: &Change) -> Finding {
    let Some(account) = ledger.account(id) else { return Ok(()) };
    let Some((reach_within, ttl)) = account.limits_ms else { return Ok(()) };
    let ttl = ttl.filter(|_| account.torn == Torn::default());
    match change {
        Change::State { to: SentState::Dead(reason) | SentState::Unconfirmed(reason), .. } => {
            match reason {
                DeathReason::ReachTimeExpired => ended(ledger, id, account, reach_within),
                DeathReason::ReceiveTimeExpired => ended(ledger, id, account, ttl.unwrap_or(0)),
                _ => Ok(()),
            }
        }
        Change::Left(_) if !ledger.is_acked(id) => ended(ledger, id, account, ttl.unwrap_or(0)),
        _ => Ok(()),
    }
}

/// Judges a message that a program is given.
pub(super) fn delivered(ledger: &Ledger, id: &MessageId) -> Finding {
    let Some(account) = ledger.account(id) else { return Ok(()) };
    let Some((_, Some(ttl))) = account.limits_ms else { return Ok(()) };
    if account.torn != Torn::default() {
        return Ok(());
    }
    let lived = ledger.now().saturating_sub(account.accepted_ms);
    if lived <= ttl.saturating_add(LATE_MS) {
        return Ok(());
    }
    let what = format!("a program was given it after {lived} ms, though it lasts {ttl} ms");
    Err(Violation::of(PROMISE, id, what))
}

fn ended(ledger: &Ledger, id: &MessageId, account: &Account, limit: u64) -> Finding {
    let lived = ledger.now().saturating_sub(account.accepted_ms);
    if lived.saturating_add(EARLY_MS) >= limit {
        return Ok(());
    }
    let what = format!("its time ran out after {lived} ms, though it lasts {limit} ms");
    Err(Violation::of(PROMISE, id, what))
}
