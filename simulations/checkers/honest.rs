//! G10, honest status: what a node tells of a message is never more than what is so.

use super::{Finding, Violation};
use crate::ledger::Ledger;
use crate::scenario::Place;
use meshmq::engine::command::MessageState;
use meshmq::engine::record::DeathReason;
use meshmq::engine::step::Event;

const PROMISE: &str = "G10 honest status";

pub(super) fn check(ledger: &Ledger, place: Place, event: &Event) -> Finding {
    match event {
        Event::State { id, state } => {
            let Some(account) = ledger.account(id) else { return Ok(()) };
            if ledger.is_void(account) || account.torn.is_torn() {
                return Ok(());
            }
            let wrong = |what: &str| Err(Violation::of(PROMISE, id, what));
            let entered = account.entered.is_some() || account.has_ttl;
            match state {
                MessageState::Arrived | MessageState::Received if !entered => {
                    wrong("its origin tells that it arrived, but it has not entered its queue")
                }
                MessageState::Received if !ledger.is_acked(id) => {
                    wrong("its origin tells that it was received, but no program has received it")
                }
                MessageState::Dead(DeathReason::EndedInQueue | DeathReason::OutcomeUnknown) => {
                    Ok(())
                }
                MessageState::Dead(_) if account.entered.is_some() => {
                    wrong("its origin tells that it is dead, but it has entered its queue")
                }
                MessageState::InTransit(node) => {
                    let at = ledger.place(*node);
                    let had = ledger.had_as(*node, id);
                    let settled = account.entered.is_some()
                        || ledger.is_turned_away(id)
                        || at == Some(account.destination) && account.delivery.is_ordered();
                    let what = "its origin tells that a node has it, but that node never had it";
                    if had || settled { Ok(()) } else { wrong(what) }
                }
                _ => Ok(()),
            }
        }
        Event::Contradicted(id)
            if ledger.account(id).is_some_and(|account| account.torn.is_torn()) =>
        {
            Ok(())
        }
        Event::HigherEpochHeard(_) if ledger.is_torn(place) => Ok(()),
        Event::Contradicted(id) => {
            let what = "two verdicts contradict each other, though no store was restored";
            Err(Violation::of(PROMISE, id, what))
        }
        Event::HigherEpochHeard(_) => {
            let what = format!(
                "node {place} heard of an opening that its store never had, though none was restored"
            );
            Err(Violation::general(PROMISE, what))
        }
        _ => Ok(()),
    }
}
