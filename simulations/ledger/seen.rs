//! The book kept from outside: what nodes tell at their doors, instead of what is on their disks.
//!
//! Refuses to guess: what no door shows (copies, what relays hold) stays blank.

use super::{Account, Change, Ledger};
use crate::scenario::Place;
use meshmq::engine::ids::MessageId;
use meshmq::engine::record::{Seat, SentState};

/// What a door has told of one message.
pub(crate) enum Sight {
    /// It was accepted at its origin.
    Accepted(Box<Account>),
    /// It is in a queue of a node.
    Entered(Place),
    /// It is no more in a queue of a node.
    Left(Place),
    /// Its origin tells this of it.
    Told(SentState),
    /// There is a dead letter of it.
    Buried,
}

impl Ledger {
    /// Writes down what was seen of a message, and says what it changed.
    pub(crate) fn see(&mut self, id: MessageId, sight: Sight) -> Vec<(MessageId, Change)> {
        let change = match sight {
            Sight::Accepted(account) => self.see_accepted(id, *account),
            Sight::Entered(place) => Some(self.see_entered(id, place)),
            Sight::Left(place) => self.accounts.get_mut(&id).map(|account| {
                account.left = true;
                Change::Left(place)
            }),
            Sight::Told(to) => self.see_state(&id, to),
            Sight::Buried => self.accounts.get_mut(&id).map(|account| {
                account.letter = Some(0);
                Change::Buried
            }),
        };
        let account = self.accounts.get(&id);
        if account.is_some_and(|account| !account.is_at_its_end() && self.can_end(account)) {
            self.open.insert(id);
        } else {
            self.open.remove(&id);
        }
        change.map(|change| (id, change)).into_iter().collect()
    }

    fn see_accepted(&mut self, id: MessageId, mut account: Account) -> Option<Change> {
        if self.accounts.contains_key(&id) {
            return None;
        }
        if account.delivery.is_ordered() {
            let order = self.lines.entry(account.line_key()).or_default();
            account.order = order.len();
            order.push(id);
        }
        self.accounts.insert(id, account);
        Some(Change::Accepted)
    }

    fn see_entered(&mut self, id: MessageId, place: Place) -> Change {
        let arrival = self.had.len() as u64;
        self.had.insert((place, id));
        self.entered.entry(id.stream).or_default().insert(id.number);
        let seat = Seat { queue: 0, rank: 0, arrival };
        let before = self.accounts.get_mut(&id).and_then(|account| account.entered.replace(seat));
        Change::Entered { place, before }
    }

    fn see_state(&mut self, id: &MessageId, to: SentState) -> Option<Change> {
        let account = self.accounts.get_mut(id).filter(|account| account.state != to)?;
        let from = std::mem::replace(&mut account.state, to);
        Some(Change::State { from, to })
    }
}
