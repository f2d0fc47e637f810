//! The judges: one file for each promise. They run at every step, on what has become durable and on
//! what is about to leave a node.
//!
//! Refuse to believe a node's word where a disk can be asked.

pub(crate) mod bounded;
pub(crate) mod durable_first;
mod exactly_once;
mod honest;
mod in_order;
mod in_time;
mod nothing_vanishes;
mod origin_copy;

use crate::disk::Commit;
use crate::ledger::{Change, Ledger};
use crate::scenario::Place;
use meshmq::engine::command::Delivered;
use meshmq::engine::ids::MessageId;
use meshmq::engine::record::{Key, Record};
use meshmq::engine::step::Output;

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Its id.
    pub(crate) promise: &'static str,
    /// What happened, in words.
    pub(crate) what: String,
    /// To which message.
    pub(crate) message: Option<MessageId>,
}

impl Violation {
    /// A promise that is broken for one message.
    pub(crate) fn of(promise: &'static str, id: &MessageId, what: impl Into<String>) -> Self {
        Self { promise, what: what.into(), message: Some(*id) }
    }

    /// A promise that is broken for no message in particular.
    pub(crate) fn general(promise: &'static str, what: impl Into<String>) -> Self {
        Self { promise, what: what.into(), message: None }
    }
}

/// What a checker finds.
pub(crate) type Finding = Result<(), Violation>;

/// All judges, with what they remember.
#[derive(Default)]
pub(crate) struct Checkers {
    bounded: bounded::Bounded,
    /// Whether the clocks can be believed.
    in_time: bool,
    in_order: in_order::InOrder,
    exactly_once: exactly_once::ExactlyOnce,
}

impl Checkers {
    /// All judges; those of times only if nobody sets clocks.
    pub(crate) fn new(clocks_are_set: bool) -> Self {
        Self { in_time: !clocks_are_set, ..Self::default() }
    }

    /// A node's store was put back: what it holds now is counted anew.
    pub(crate) fn put_back(&mut self, ledger: &Ledger, place: Place, records: &[(Key, Record)]) {
        self.bounded.put_back(place, ledger.node(place).as_bytes(), records);
    }

    /// Judges a commit that is durable now and is in the book already.
    pub(crate) fn after_commit(
        &mut self,
        ledger: &Ledger,
        place: Place,
        commit: &Commit,
        changes: &[(MessageId, Change)],
    ) -> Finding {
        self.bounded.commit(place, ledger.node(place).as_bytes(), commit)?;
        for (id, change) in changes {
            let account = ledger.account(id);
            let torn = account.map(|account| account.torn).unwrap_or_default();
            let void = account.is_some_and(|account| ledger.is_void(account));
            if !torn.destination && (!void || torn.unmade) {
                self.exactly_once.check(ledger, id, change)?;
            }
            if void {
                continue;
            }
            if !torn.destination {
                self.in_order.check(ledger, id, change)?;
            }
            if !torn.is_torn() {
                nothing_vanishes::check(ledger, id, change)?;
            }
            origin_copy::check(ledger, id, change)?;
            if self.in_time {
                in_time::check(ledger, id, change)?;
            }
        }
        Ok(())
    }

    /// Judges what was seen at a door and is in the book already. What only a disk shows is not judged.
    pub(crate) fn after_sight(
        &mut self,
        ledger: &Ledger,
        changes: &[(MessageId, Change)],
    ) -> Finding {
        for (id, change) in changes {
            if ledger.account(id).is_some_and(|account| ledger.is_void(account)) {
                continue;
            }
            self.exactly_once.check(ledger, id, change)?;
            self.in_order.check(ledger, id, change)?;
            nothing_vanishes::check(ledger, id, change)?;
        }
        Ok(())
    }

    /// Judges an output that is about to leave a node.
    pub(crate) fn before_output(
        &mut self,
        ledger: &Ledger,
        place: Place,
        output: &Output,
    ) -> Finding {
        durable_first::check(ledger, place, output)?;
        bounded::check(output)?;
        match output {
            Output::Event(event) => {
                self.exactly_once.express(ledger, place, event)?;
                honest::check(ledger, place, event)
            }
            _ => Ok(()),
        }
    }

    /// Judges a message that a program is given.
    pub(crate) fn delivered(
        &mut self,
        ledger: &Ledger,
        place: Place,
        delivered: &Delivered,
    ) -> Finding {
        let (id, durable) = (&delivered.message.id, delivered.message.delivery.is_durable());
        self.handed_out(ledger, place, id, durable)?;
        if self.in_time { in_time::delivered(ledger, id) } else { Ok(()) }
    }

    /// Judges a message that a program is given, durable or express.
    pub(crate) fn handed_out(
        &self,
        ledger: &Ledger,
        place: Place,
        id: &MessageId,
        durable: bool,
    ) -> Finding {
        self.exactly_once.delivered(ledger, place, id, durable)
    }

    /// A program has been told that its acknowledgement of a durable message holds.
    pub(crate) fn acknowledged(&mut self, ledger: &Ledger, id: MessageId) {
        if ledger.account(&id).is_some() {
            self.exactly_once.acknowledged(id);
        }
    }

    /// A node's process is gone, and with it what it had in memory only.
    pub(crate) fn stopped(&mut self, place: Place) {
        self.exactly_once.stopped(place);
    }
}
