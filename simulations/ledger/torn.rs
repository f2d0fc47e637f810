//! Stores that were put back, copied or damaged: what is still promised for their messages.
//!
//! A destination that was put back may take a message again that it has forgotten, and lose one that
//! it had (limits L2 and L4 of the protocol); what an origin had accepted since its backup is gone with
//! it. Everything else stays promised: above all that no other destination takes a message twice.

use super::{Account, Ledger};
use crate::scenario::Place;
use meshmq::engine::address::QueueName;
use meshmq::engine::ids::MessageId;
use meshmq::engine::message::Content;
use meshmq::engine::record::{Key, Record};
use meshmq::engine::storage::Write;
use std::collections::BTreeSet;

/// What became of the stores that an account rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Torn {
    /// The origin's was put back or copied.
    pub(crate) origin: bool,
    /// The destination's was put back or copied.
    pub(crate) destination: bool,
    /// The origin's, to a time before it had accepted the message.
    pub(crate) unmade: bool,
    /// The origin's, to such a time and then to another, of a backup that still knew the message: it
    /// may come after its successors.
    pub(crate) revived: bool,
    /// A body of it was damaged on some disk.
    pub(crate) damaged: bool,
    /// Its queue was deleted, maybe in the turn in which it entered or was handed out.
    pub(crate) dropped: bool,
}

impl Torn {
    /// Whether a store was put back or copied.
    pub(crate) const fn is_torn(self) -> bool {
        self.origin || self.destination
    }
}

impl Ledger {
    /// A node's disk holds other records than those of its last commit.
    pub(crate) fn put_back(&mut self, place: Place, records: Vec<(Key, Record)>) {
        self.returned.insert(place);
        for account in self.accounts.values_mut() {
            if account.origin == place {
                account.torn.origin = true;
                account.torn.revived |= account.torn.unmade;
                account.torn.unmade = true;
                (account.copy, account.letter) = (None, None);
            }
            if account.destination == place {
                account.torn.destination = true;
            }
        }
        let here = |at: &Place| *at != place;
        for ((at, _), id) in &self.seats {
            if let Some(account) = self.accounts.get_mut(id).filter(|_| *at == place) {
                account.left |= account.destination == place;
            }
        }
        self.seats.retain(|(at, _), _| here(at));
        self.copies.retain(|(at, _), _| here(at));
        self.letters.retain(|(at, _), _| here(at));
        self.chunks.retain(|(at, _), _| here(at));
        self.held.retain(|(at, _)| here(at));
        self.inboxes.retain(|(at, _), _| here(at));
        self.own.retain(|(at, _), _| here(at));
        self.queues.retain(|(at, _), _| here(at));
        let writes: Vec<Write> =
            records.into_iter().map(|(key, record)| Write::Put(key, record)).collect();
        self.post(place, &writes);
        self.reopen_all();
    }

    /// Two machines have one identity from now on: nothing but an operator ends that.
    pub(crate) fn share(&mut self, one: Place, other: Place) {
        self.shared.extend([one, other]);
        for account in self.accounts.values_mut() {
            account.torn.origin |= self.shared.contains(&account.origin);
            account.torn.destination |= self.shared.contains(&account.destination);
        }
        self.reopen_all();
    }

    /// Contents are damaged on a node's disk, which has these records: of which messages.
    pub(crate) fn damage(
        &mut self,
        records: &[(Key, Record)],
        contents: &BTreeSet<u64>,
    ) -> Vec<MessageId> {
        let damaged = |content: &Content| match content {
            Content::Stored { number, .. } => contents.contains(number),
            Content::Inline(_) => false,
        };
        let of = |(key, record): &(Key, Record)| match (key, record) {
            (_, Record::Copy(copy)) => damaged(&copy.content).then_some(copy.outer.id),
            (_, Record::Queued(queued)) => damaged(&queued.content).then_some(queued.id),
            (Key::Held(id), Record::Held(held)) => damaged(&held.content).then_some(*id),
            _ => None,
        };
        let ids: Vec<MessageId> = records.iter().filter_map(of).collect();
        for id in &ids {
            if let Some(account) = self.accounts.get_mut(id) {
                account.torn.damaged = true;
            }
        }
        ids
    }

    /// A queue is deleted: what is in it may end there.
    pub(crate) fn drop_queue(&mut self, place: Place, queue: &QueueName) {
        self.dropped.insert((place, queue.clone()));
        for account in self.accounts.values_mut() {
            if account.destination == place && account.queue == *queue {
                account.has_ttl = true;
                account.torn.dropped = true;
            }
        }
    }

    /// A queue is made again: what is accepted from now on may not end in it unread.
    pub(crate) fn make_queue(&mut self, place: Place, queue: &QueueName) {
        self.dropped.remove(&(place, queue.clone()));
    }

    /// Whether a node's store was put back, or two machines have its identity.
    pub(crate) fn is_torn(&self, place: Place) -> bool {
        self.returned.contains(&place) || self.shared.contains(&place)
    }

    /// What is torn of an account from its beginning.
    pub(super) fn torn_from_the_start(
        &self,
        origin: Place,
        destination: Place,
        queue: &QueueName,
    ) -> Torn {
        let dropped = self.dropped.contains(&(destination, queue.clone()));
        let (origin, destination) =
            (self.shared.contains(&origin), self.shared.contains(&destination));
        Torn { origin, destination, dropped, ..Torn::default() }
    }

    fn reopen_all(&mut self) {
        let open = |account: &Account| !account.is_at_its_end() && self.can_end(account);
        self.open = self.accounts.iter().filter(|(_, a)| open(a)).map(|(id, _)| *id).collect();
    }
}
