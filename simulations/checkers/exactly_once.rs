//! G3, exactly once: a durable message enters its queue once; a program that has acknowledged it
//! never sees it again; an express message enters at most once while its destination lives.

use super::{Finding, Violation};
use crate::ledger::{Change, Ledger};
use crate::scenario::Place;
use meshmq::engine::ids::MessageId;
use meshmq::engine::step::Event;
use std::collections::BTreeSet;

const PROMISE: &str = "G3 exactly once";

#[derive(Default)]
pub(super) struct ExactlyOnce {
    acknowledged: BTreeSet<MessageId>,
    express: BTreeSet<(Place, MessageId)>,
}

impl ExactlyOnce {
    pub(super) fn check(&self, _: &Ledger, id: &MessageId, change: &Change) -> Finding {
        match change {
            Change::Entered { before: Some(_), .. } => {
                Err(Violation::of(PROMISE, id, "it entered its queue a second time"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn delivered(
        &self,
        ledger: &Ledger,
        place: Place,
        id: &MessageId,
        durable: bool,
    ) -> Finding {
        if ledger.account(id).is_some_and(|account| account.torn.destination) {
            return Ok(());
        }
        if self.acknowledged.contains(id) {
            let what = "a program was given it after its acknowledgement had been confirmed";
            return Err(Violation::of(PROMISE, id, what));
        }
        let there = ledger.account(id).is_some_and(|account| {
            let here = account.entered.is_some() && !account.left;
            account.destination == place && (here || account.torn.dropped)
        });
        if durable && !there {
            let what = "a program was given it while it was not in the queue's records";
            return Err(Violation::of(PROMISE, id, what));
        }
        Ok(())
    }

    pub(super) fn acknowledged(&mut self, id: MessageId) {
        self.acknowledged.insert(id);
    }

    pub(super) fn express(&mut self, ledger: &Ledger, place: Place, event: &Event) -> Finding {
        match event {
            Event::Entered { id, .. }
                if ledger.account(id).is_none() && !self.express.insert((place, *id)) =>
            {
                Err(Violation::of(PROMISE, id, "an express message entered its queue twice"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn stopped(&mut self, place: Place) {
        self.express.retain(|(at, _)| *at != place);
    }
}
