//! G2, nothing vanishes: an accepted message is always in exactly one account.
//!
//! The accounts: waiting at its origin, arrived in its queue, received by a program, dead with a
//! reason. Only an unconfirmed one may be in a second account.

use super::{Finding, Violation};
use crate::ledger::{Account, Change, Ledger};
use meshmq::engine::ids::MessageId;
use meshmq::engine::record::{DeathReason, SentState};

const PROMISE: &str = "G2 nothing vanishes";

pub(super) fn check(ledger: &Ledger, id: &MessageId, change: &Change) -> Finding {
    let wrong = |what: &str| Err(Violation::of(PROMISE, id, what));
    let Some(account) = ledger.account(id) else {
        return match change {
            Change::Entered { .. } if ledger.place(id.stream.origin).is_some() => {
                wrong("a message entered a queue that its origin has never durably accepted")
            }
            _ => Ok(()),
        };
    };
    match change {
        Change::Left(_) if !ledger.is_acked(id) && !account.has_ttl && !account.torn.damaged => {
            return wrong("it left its queue, but no program has received it");
        }
        Change::Left(place) if *place != account.destination => {
            return wrong("it left a queue that is not its destination");
        }
        Change::Entered { place, .. } if *place != account.destination => {
            return wrong("it entered a queue of another node than its destination");
        }
        Change::State { from: SentState::Waiting, to: SentState::Dead(DeathReason::Skipped) } => {
            return wrong("its destination passed it over, though its origin had not given it up");
        }
        Change::State { from: SentState::Dead(_), .. } => {
            return wrong("it was dead for certain, and is so no more");
        }
        Change::State { from: SentState::Received | SentState::Ended, .. } => {
            return wrong("it was at its end, and is so no more");
        }
        Change::Forgotten => {
            if let SentState::Waiting | SentState::Unconfirmed(_) = account.state {
                return wrong("its origin forgot it before it had a verdict");
            }
        }
        _ => {}
    }
    account_holds(ledger, id, account)
}

fn account_holds(ledger: &Ledger, id: &MessageId, account: &Account) -> Finding {
    let wrong = |what: &str| Err(Violation::of(PROMISE, id, what));
    let ended_at_once = account.has_ttl && ledger.is_ended_there(id);
    let entered = account.entered.is_some() || ended_at_once;
    match account.state {
        SentState::Arrived | SentState::Received if !entered => {
            wrong("its origin says that it arrived, but it has never entered its queue")
        }
        SentState::Received if !account.left || !ledger.is_acked(id) => {
            wrong("its origin says that it was received, but no program has received it")
        }
        SentState::Dead(DeathReason::OutcomeUnknown) => {
            wrong("its outcome is unknown, though no store was restored or replaced")
        }
        SentState::Dead(_) if account.entered.is_some() => {
            wrong("its origin says that it is dead for certain, but it entered its queue")
        }
        SentState::Dead(_) | SentState::Unconfirmed(_)
            if account.letter.is_none() && !account.forgotten =>
        {
            wrong("it is dead, but there is no dead letter")
        }
        SentState::Waiting | SentState::Arrived | SentState::Received
            if account.letter.is_some() && account.origin != account.destination =>
        {
            wrong("there is a dead letter, but its origin does not say that it is dead")
        }
        _ => Ok(()),
    }
}
