//! G4, in order: transactional messages of one origin and one priority enter a queue in the order
//! of their commits, and none is passed over that could still come.

use super::{Finding, Violation};
use crate::ledger::{Account, Change, Ledger, LineKey};
use meshmq::engine::ids::MessageId;
use meshmq::engine::record::SentState;
use std::collections::BTreeMap;

const PROMISE: &str = "G4 in order";

/// The place after the last message of each line that entered.
#[derive(Default)]
pub(super) struct InOrder(BTreeMap<LineKey, usize>);

impl InOrder {
    pub(super) fn check(&mut self, ledger: &Ledger, id: &MessageId, change: &Change) -> Finding {
        let Change::Entered { .. } = change else { return Ok(()) };
        let judged = |account: &&Account| account.delivery.is_ordered() && !account.torn.revived;
        let Some(account) = ledger.account(id).filter(judged) else { return Ok(()) };
        let next = self.0.entry(account.line_key()).or_default();
        if account.order < *next {
            let what = format!(
                "it is number {} of its line, and entered after number {}",
                account.order + 1,
                *next
            );
            return Err(Violation::of(PROMISE, id, what));
        }
        let skipped = ledger.line(account).get(*next..account.order).unwrap_or(&[]);
        for earlier in skipped {
            let passed = ledger.account(earlier).is_none_or(|a| may_be_passed(ledger, earlier, a));
            if !passed {
                let what = format!("it entered before {earlier}, which still waits");
                return Err(Violation::of(PROMISE, id, what));
            }
        }
        *next = account.order + 1;
        Ok(())
    }
}

/// Whether a message will never enter, or only by its origin's having given it up.
fn may_be_passed(ledger: &Ledger, id: &MessageId, account: &Account) -> bool {
    matches!(account.state, SentState::Dead(_) | SentState::Unconfirmed(_))
        || ledger.is_turned_away(id)
        || account.has_ttl && ledger.is_ended_there(id)
        || account.torn.unmade
        || account.torn.revived
        || account.torn.destination
}
