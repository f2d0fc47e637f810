//! G5, the origin keeps its copy: whole, and until it has heard from the destination.

use super::{Finding, Violation};
use crate::ledger::{Change, Ledger};
use meshmq::engine::ids::MessageId;
use meshmq::engine::record::SentState;

const PROMISE: &str = "G5 the origin keeps its copy";

pub(super) fn check(ledger: &Ledger, id: &MessageId, change: &Change) -> Finding {
    let wrong = |what: &str| Err(Violation::of(PROMISE, id, what));
    let Some(account) = ledger.account(id) else { return Ok(()) };
    if account.origin == account.destination {
        return Ok(());
    }
    if account.state == SentState::Waiting && !account.forgotten {
        match &account.copy {
            None => return wrong("it waits, but its origin has no copy of it any more"),
            Some(content) if !ledger.is_whole(account.origin, content) => {
                return wrong("it waits, but its origin has only a part of it");
            }
            Some(_) => {}
        }
    }
    match change {
        Change::State { to: SentState::Arrived, .. } if !ledger.has_heard(id) => {
            wrong("its origin says that it arrived, but no receipt has said so")
        }
        _ => Ok(()),
    }
}
