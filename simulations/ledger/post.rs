//! Posting: what each write of a durable commit means for the accounts.

use super::{Account, Change, Ledger};
use crate::scenario::Place;
use meshmq::engine::ids::{MessageId, StreamId};
use meshmq::engine::record::{Copy, Key, Queued, Record, Seat, Sent, SentState, Spot};
use meshmq::engine::storage::Write;

impl Ledger {
    /// Posts a commit of a node that is durable now, and says what it changed.
    pub(crate) fn post(&mut self, place: Place, writes: &[Write]) -> Vec<(MessageId, Change)> {
        let mut changes = Vec::new();
        for write in writes {
            match write {
                Write::Put(key, record) => self.put(place, key, record, &mut changes),
                Write::Delete(key) => self.delete(place, key, &mut changes),
            }
        }
        for (id, _) in &changes {
            let account = self.accounts.get(id);
            let open = account.is_some_and(|a| !a.is_at_its_end() && self.can_end(a));
            if open {
                self.open.insert(*id);
            } else {
                self.open.remove(id);
            }
        }
        changes
    }

    fn put(
        &mut self,
        place: Place,
        key: &Key,
        record: &Record,
        changes: &mut Vec<(MessageId, Change)>,
    ) {
        match (key, record) {
            (Key::Line(line), Record::Line(of)) => {
                self.own.insert((place, *line), of.clone());
            }
            (Key::Queue(number), Record::Queue(queue)) => {
                self.queues.insert((place, *number), queue.name.clone());
            }
            (Key::Inbox(stream), Record::Inbox(inbox)) => {
                self.inboxes.insert((place, *stream), (**inbox).clone());
            }
            (Key::Chunk(number, piece), _) => {
                self.chunks.entry((place, *number)).or_default().insert(*piece);
            }
            (Key::Sent(line, epoch, number), Record::Sent(sent)) => {
                let origin = self.nodes[place];
                let stream = StreamId { origin, line: *line, epoch: *epoch };
                self.put_sent(place, MessageId { stream, number: *number }, sent, changes);
            }
            (Key::Copy(at), Record::Copy(copy)) => self.put_copy(place, *at, copy, changes),
            (Key::Queued(seat), Record::Queued(message)) => {
                self.put_queued(place, *seat, message, changes);
            }
            (Key::Held(id), Record::Held(_)) => {
                self.had.insert((place, *id));
                self.held.insert((place, *id));
                changes.push((*id, Change::Held));
            }
            (Key::Dead(letter), Record::Dead(dead)) => {
                if self.letters.insert((place, *letter), dead.id).is_none() {
                    changes.push((dead.id, Change::Buried));
                }
                if let Some(account) = self.own_account(place, &dead.id) {
                    account.letter = Some(*letter);
                }
            }
            _ => {}
        }
    }

    fn put_sent(
        &mut self,
        place: Place,
        id: MessageId,
        sent: &Sent,
        changes: &mut Vec<(MessageId, Change)>,
    ) {
        if let Some(account) = self.accounts.get_mut(&id) {
            if account.origin != place {
                return;
            }
            account.torn.unmade = false;
            if account.state != sent.state {
                let from = std::mem::replace(&mut account.state, sent.state);
                changes.push((id, Change::State { from, to: sent.state }));
            }
            account.forgotten = false;
            return;
        }
        let Some(line) = self.own.get(&(place, id.stream.line)).cloned() else { return };
        let Some(destination) = self.place(line.destination) else { return };
        let torn = self.torn_from_the_start(place, destination, &line.queue);
        let mut account = Account {
            origin: place,
            destination,
            queue: line.queue,
            delivery: line.delivery,
            priority: line.priority,
            order: 0,
            state: sent.state,
            forgotten: false,
            copy: None,
            letter: None,
            entered: None,
            left: false,
            accepted_ms: self.now,
            limits_ms: None,
            has_ttl: torn.dropped,
            torn,
        };
        if line.delivery.is_ordered() {
            let order = self.lines.entry(account.line_key()).or_default();
            account.order = order.len();
            order.push(id);
        }
        self.accounts.insert(id, account);
        changes.push((id, Change::Accepted));
    }

    fn put_copy(
        &mut self,
        place: Place,
        at: Spot,
        copy: &Copy,
        changes: &mut Vec<(MessageId, Change)>,
    ) {
        let id = copy.outer.id;
        self.had.insert((place, id));
        let fresh = self.copies.insert((place, at), id).is_none();
        if self.nodes[place] != id.stream.origin {
            if fresh {
                changes.push((id, Change::Carried));
            }
        } else if let Some(account) = self.own_account(place, &id) {
            account.copy = Some(copy.content.clone());
            account.has_ttl |= copy.outer.ttl_ms.is_some();
            account.limits_ms = Some((copy.outer.reach_within_ms, copy.outer.ttl_ms));
        }
    }

    fn put_queued(
        &mut self,
        place: Place,
        seat: Seat,
        message: &Queued,
        changes: &mut Vec<(MessageId, Change)>,
    ) {
        let id = message.id;
        self.had.insert((place, id));
        if self.seats.insert((place, seat), id).is_some() {
            return;
        }
        let mut before = None;
        let here =
            |account: &&mut Account| account.destination == place || !account.torn.destination;
        if let Some(account) = self.accounts.get_mut(&id).filter(here) {
            before = account.entered.replace(seat);
            account.left &= !account.torn.destination;
            account.has_ttl |= message.expires_at.is_some();
        }
        changes.push((id, Change::Entered { place, before }));
        self.entered.entry(id.stream).or_default().insert(id.number);
    }

    fn delete(&mut self, place: Place, key: &Key, changes: &mut Vec<(MessageId, Change)>) {
        match key {
            Key::Chunk(number, piece) => {
                if let Some(pieces) = self.chunks.get_mut(&(place, *number)) {
                    pieces.remove(piece);
                }
            }
            Key::Inbox(stream) => {
                self.inboxes.remove(&(place, *stream));
            }
            Key::Sent(line, epoch, number) => {
                let stream = StreamId { origin: self.nodes[place], line: *line, epoch: *epoch };
                let id = MessageId { stream, number: *number };
                let heard = self.has_heard(&id);
                if let Some(account) = self.own_account(place, &id) {
                    // The commit that noted the verdict also found it too old to keep.
                    if heard && account.state == SentState::Waiting {
                        let (from, to) = (account.state, SentState::Arrived);
                        account.state = to;
                        changes.push((id, Change::State { from, to }));
                    }
                    account.forgotten = true;
                    changes.push((id, Change::Forgotten));
                }
            }
            Key::Copy(at) => {
                let Some(id) = self.copies.remove(&(place, *at)) else { return };
                if self.nodes[place] != id.stream.origin {
                    changes.push((id, Change::LetGo));
                } else if let Some(account) = self.own_account(place, &id) {
                    account.copy = None;
                    changes.push((id, Change::CopyGone));
                }
            }
            Key::Queued(seat) => {
                let Some(id) = self.seats.remove(&(place, *seat)) else { return };
                let here = |a: &&mut Account| a.destination == place || !a.torn.destination;
                if let Some(account) = self.accounts.get_mut(&id).filter(here) {
                    account.left = true;
                }
                changes.push((id, Change::Left(place)));
            }
            Key::Held(id) => {
                self.held.remove(&(place, *id));
            }
            Key::Dead(letter) => {
                let Some(id) = self.letters.remove(&(place, *letter)) else { return };
                if let Some(account) = self.accounts.get_mut(&id) {
                    account.letter = account.letter.filter(|held| held != letter);
                    changes.push((id, Change::LetterGone));
                }
            }
            _ => {}
        }
    }

    /// The account of a message that this machine has accepted itself.
    fn own_account(&mut self, place: Place, id: &MessageId) -> Option<&mut Account> {
        self.accounts.get_mut(id).filter(|account| account.origin == place)
    }

    /// How many messages are in each account, for the report.
    pub(crate) fn count(&self, of: impl Fn(SentState) -> bool) -> u64 {
        self.accounts.values().filter(|account| of(account.state)).count() as u64
    }
}
