//! Looking again: into the queues of a node that was not watched for a while, and at what is left.

use super::{Book, Known, OnItsWay, There};
use crate::checkers::Violation;
use crate::ledger::Sight;
use crate::scenario::Place;
use meshmq::client::json;
use meshmq::engine::ids::{MessageId, MessageRef};
use meshmq::engine::record::SentState;
use std::collections::BTreeSet;

impl Book {
    /// What lies in the queues of a node, in the order of receiving, before any program receives from
    /// them again. Nothing that had entered may be gone, but what a program has acknowledged.
    pub(in super::super) fn looked(&mut self, place: Place, lying: &[json::Message]) {
        let lying: Vec<MessageRef> = lying.iter().filter_map(|m| self.read(&m.id)).collect();
        let mut fresh: Vec<MessageRef> = lying
            .iter()
            .copied()
            .filter(|reference| !self.has_entered(place, *reference))
            .collect();
        for late in self.given_before_told(place, &lying) {
            let behind = |other: &MessageRef| self.is_before(&late, other);
            let at = fresh.iter().position(behind).unwrap_or(0);
            fresh.insert(at, late);
        }
        let lying: BTreeSet<MessageRef> = lying.into_iter().collect();
        for reference in fresh {
            if lying.contains(&reference) {
                self.found.insert((place, reference));
            }
            self.entries[place].push_back(reference);
        }
        self.pump(place);
        let is_gone = |id: &MessageId| !lying.contains(&id.reference());
        let gone: Vec<MessageId> = self
            .ledger
            .accounts()
            .filter(|(id, a)| {
                a.destination == place && a.entered.is_some() && !a.left && is_gone(id)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            self.see(id, Sight::Left(place));
        }
    }

    /// Messages that a program was given before the node could tell that they had entered.
    fn given_before_told(&self, place: Place, lying: &[MessageRef]) -> Vec<MessageRef> {
        let was_given = |told: &There| matches!(told, There::Given(at) if *at == place);
        let waits = |reference: &MessageRef| {
            !lying.contains(reference) && !self.has_entered(place, *reference)
        };
        let all = self.there.iter().filter(|(_, told)| told.iter().any(was_given));
        all.map(|(reference, _)| *reference).filter(waits).collect()
    }

    fn has_entered(&self, place: Place, reference: MessageRef) -> bool {
        let known = self.known.get(&reference).and_then(|known| self.ledger.account(&known.id));
        known.is_some_and(|account| account.entered.is_some())
            || self.entries[place].contains(&reference)
    }

    /// Whether both are of one ordered line, and the first was committed before the other.
    fn is_before(&self, one: &MessageRef, other: &MessageRef) -> bool {
        let account = |of| self.known.get(of).and_then(|known| self.ledger.account(&known.id));
        match (account(one), account(other)) {
            (Some(one), Some(other)) => {
                one.line_key() == other.line_key() && one.order < other.order
            }
            _ => false,
        }
    }

    /// A node's process is gone, and with it what it had in memory only.
    pub(in super::super) fn stopped(&mut self, place: Place) {
        self.checkers.stopped(place);
        self.found.retain(|(at, _)| *at != place);
    }

    /// A node is gone for ever.
    pub(in super::super) fn lost(&mut self, place: Place) {
        self.has_lost = true;
        self.ledger.lose(place);
    }

    /// Nothing more will be told: what still waits is judged as it is.
    pub(in super::super) fn close(&mut self) {
        self.is_over = true;
        for place in 0..self.nodes.len() {
            self.pump(place);
        }
        let waiting = self.there.keys().chain(self.here.keys()).copied();
        for reference in waiting.collect::<BTreeSet<MessageRef>>() {
            self.follow(reference);
        }
    }

    /// A promise was broken that only the program could see.
    pub(in super::super) fn broken(&mut self, promise: &'static str, what: String) {
        self.judge(Err(Violation::general(promise, what)));
    }

    /// Messages that are not in their queues yet.
    pub(in super::super) fn on_their_way(&self) -> Vec<(String, OnItsWay)> {
        let waiting = self.ledger.accounts().filter(|(_, account)| {
            let is_open = matches!(account.state, SentState::Waiting | SentState::Unconfirmed(_));
            is_open && account.entered.is_none() && !self.ledger.is_void(account)
        });
        let shown = waiting.map(|(id, account)| {
            let known: Option<&Known> = self.known.get(&id.reference());
            let held_by = known.and_then(|known| known.held_by);
            let (origin, destination) = (account.origin, account.destination);
            let queue = account.queue.clone();
            (id.to_string(), OnItsWay { origin, destination, queue, held_by })
        });
        shown.collect()
    }

    /// Messages that are not at their end: origin, id, and what the origin told last.
    pub(in super::super) fn open(&self) -> Vec<(Place, String, SentState)> {
        let of = |id: &MessageId| {
            let account = self.ledger.account(id)?;
            Some((account.origin, id.to_string(), account.state))
        };
        self.ledger.open().iter().filter_map(of).collect()
    }
}
