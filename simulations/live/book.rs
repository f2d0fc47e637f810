//! From what doors tell to the judge's book. Doors tell at their own pace, so what rests on something
//! that is not told yet waits for it; at the end nothing waits any more, and the judges speak.

mod again;

use crate::checkers::{Checkers, Finding, Violation};
use crate::ledger::{Account, Ledger, Sight, Torn};
use crate::scenario::Place;
use meshmq::client::json;
use meshmq::engine::address::{NodeId, QueueName};
use meshmq::engine::command::MessageState;
use meshmq::engine::ids::{Epoch, MessageId, MessageRef, StreamId};
use meshmq::engine::message::{Delivery, Priority};
use meshmq::engine::record::{DeathReason, SentState};
use meshmq::engine::step::{Event, Output};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What programs and doors have told so far.
pub(super) struct Book {
    /// The judge's book.
    pub(super) ledger: Ledger,
    checkers: Checkers,
    nodes: Vec<NodeId>,
    known: BTreeMap<MessageRef, Known>,
    epochs: BTreeMap<u64, Epoch>,
    /// Messages that a program has asked to settle as received.
    acking: BTreeSet<MessageRef>,
    /// What each serial number became.
    serials: BTreeMap<u64, MessageRef>,
    /// Entries at each node, in order, that wait for their acceptance to be known.
    entries: Vec<VecDeque<MessageRef>>,
    /// Entries that were found by looking into a queue: the news of them may still come.
    found: BTreeSet<(Place, MessageRef)>,
    /// What was told at destinations, and waits for the entry.
    there: BTreeMap<MessageRef, VecDeque<There>>,
    /// What was told at origins, and waits for what it tells of.
    here: BTreeMap<MessageRef, VecDeque<MessageState>>,
    is_over: bool,
    /// Whether a node is gone for ever, and with it what programs were to be told there.
    has_lost: bool,
    /// The first promise that was broken.
    violation: Option<Violation>,
}

/// A message that a program was told is accepted.
struct Known {
    id: MessageId,
    origin: Place,
    queue: QueueName,
    durable: bool,
    /// Which neighbour has it, as its origin told last.
    held_by: Option<Place>,
}

/// Something that a destination told of a message.
#[derive(Clone, Copy)]
enum There {
    Given(Place),
    Confirmed,
    Consumed(Place),
}

/// Where a program's messages come from and go.
pub(super) struct Route<'a> {
    pub(super) from: Place,
    pub(super) to: Place,
    pub(super) queue: &'a QueueName,
}

/// A message that a program has sent.
pub(super) struct Posted {
    pub(super) serial: u64,
    pub(super) delivery: Delivery,
    pub(super) priority: Priority,
    pub(super) has_ttl: bool,
}

/// A message on its way: its origin, where it goes, and which neighbour has it.
pub(super) struct OnItsWay {
    pub(super) origin: Place,
    pub(super) destination: Place,
    pub(super) queue: QueueName,
    pub(super) held_by: Option<Place>,
}

impl Book {
    /// The book of these nodes.
    pub(super) fn new(nodes: Vec<NodeId>) -> Self {
        Self {
            ledger: Ledger::new(nodes.iter().copied()),
            checkers: Checkers::default(),
            entries: vec![VecDeque::new(); nodes.len()],
            nodes,
            known: BTreeMap::new(),
            epochs: BTreeMap::new(),
            acking: BTreeSet::new(),
            serials: BTreeMap::new(),
            found: BTreeSet::new(),
            there: BTreeMap::new(),
            here: BTreeMap::new(),
            is_over: false,
            has_lost: false,
            violation: None,
        }
    }

    /// The first promise that was broken.
    pub(super) const fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    fn judge(&mut self, finding: Finding) {
        if let (Err(violation), None) = (finding, &self.violation) {
            self.violation = Some(violation);
        }
    }

    fn see(&mut self, id: MessageId, sight: Sight) {
        let changes = self.ledger.see(id, sight);
        let finding = self.checkers.after_sight(&self.ledger, &changes);
        self.judge(finding);
    }

    fn id(&mut self, origin: Place, reference: MessageRef) -> MessageId {
        let next = self.epochs.len() as u64 + 1;
        let new = Epoch { k: next, nonce: reference.nonce };
        let epoch = *self.epochs.entry(reference.nonce).or_insert(new);
        let stream = StreamId { origin: self.nodes[origin], line: reference.line, epoch };
        MessageId { stream, number: reference.number }
    }

    /// A node has told a program that it accepted messages, in the order of the request.
    pub(super) fn accepted(&mut self, route: &Route<'_>, posted: &[Posted], ids: &[String]) {
        for (posted, text) in posted.iter().zip(ids) {
            let Some(reference) = self.read(text) else { return };
            let id = self.id(route.from, reference);
            if *self.serials.entry(posted.serial).or_insert(reference) != reference {
                let what = "a program's request was accepted twice, under two ids";
                self.judge(Err(Violation::of("G3 exactly once", &id, what)));
            }
            let durable = posted.delivery.is_durable();
            self.know(reference, Known::new(id, route.from, route.queue.clone(), durable));
            if durable {
                self.see(id, Sight::Accepted(Box::new(account(route, posted))));
            }
            for place in 0..self.nodes.len() {
                self.pump(place);
            }
            self.follow(reference);
        }
    }

    fn know(&mut self, reference: MessageRef, known: Known) {
        if self.acking.contains(&reference) {
            self.ledger.acks(known.id);
        }
        self.known.entry(reference).or_insert(known);
    }

    /// The id in a text. What is none is a node's fault.
    fn read(&mut self, text: &str) -> Option<MessageRef> {
        let read = text.parse().ok();
        if read.is_none() {
            let what = format!("a node tells of a message `{text}`, which is no id");
            self.judge(Err(Violation::general("G10 honest status", what)));
        }
        read
    }

    /// A node tells that a message has entered a queue.
    pub(super) fn entered(&mut self, place: Place, text: &str) {
        let Some(reference) = self.read(text) else { return };
        if !self.found.remove(&(place, reference)) {
            self.entries[place].push_back(reference);
            self.pump(place);
        }
    }

    /// Writes down the entries at a node, in their order, as far as it is known what they are.
    fn pump(&mut self, place: Place) {
        while let Some(&reference) = self.entries[place].front() {
            if !self.known.contains_key(&reference) && !self.is_over {
                return;
            }
            self.entries[place].pop_front();
            self.enter(place, reference);
            self.follow(reference);
        }
    }

    fn enter(&mut self, place: Place, reference: MessageRef) {
        match self.known.get(&reference) {
            Some(known) if known.durable => self.see(known.id, Sight::Entered(place)),
            Some(known) => {
                let (queue, id) = (known.queue.clone(), known.id);
                let event = Event::Entered { queue, id, ordered: false };
                self.output(place, event);
            }
            None if self.has_lost => {}
            None => {
                let id = self.id(0, reference);
                self.see(id, Sight::Entered(place));
            }
        }
    }

    fn output(&mut self, place: Place, event: Event) {
        let output = Output::Event(event);
        let finding = self.checkers.before_output(&self.ledger, place, &output);
        self.judge(finding);
    }

    /// A program was given a message whose body is as it was sent.
    pub(super) fn given(&mut self, place: Place, message: &json::Message, serial: u64) {
        let Some(reference) = self.read(&message.id) else { return };
        if self.serials.get(&serial).is_some_and(|sent| *sent != reference) {
            let what = format!("message {} came with the body of another one", message.id);
            self.judge(Err(Violation::general("G2 nothing vanishes", what)));
        }
        let is_unknown = !self.known.contains_key(&reference);
        if let (true, false, Ok(queue)) =
            (is_unknown, message.delivery.is_durable(), message.queue.parse())
        {
            // Its sender may never have heard of it: memory keeps no promise over a crash.
            let id = self.id(place, reference);
            self.know(reference, Known::new(id, place, queue, false));
            self.pump(place);
        }
        self.there.entry(reference).or_default().push_back(There::Given(place));
        self.follow(reference);
    }

    /// A program is about to acknowledge a message.
    pub(super) fn acks(&mut self, text: &str) {
        let Some(reference) = self.read(text) else { return };
        self.acking.insert(reference);
        if let Some(known) = self.known.get(&reference) {
            self.ledger.acks(known.id);
        }
    }

    /// A program was told that its acknowledgement holds.
    pub(super) fn confirmed(&mut self, text: &str) {
        let Some(reference) = self.read(text) else { return };
        self.there.entry(reference).or_default().push_back(There::Confirmed);
        self.follow(reference);
    }

    /// A node tells that a message was received.
    pub(super) fn consumed(&mut self, place: Place, text: &str) {
        let Some(reference) = self.read(text) else { return };
        self.there.entry(reference).or_default().push_back(There::Consumed(place));
        self.follow(reference);
    }

    /// There is a dead letter of a message.
    pub(super) fn buried(&mut self, text: &str) {
        let known = self.read(text).and_then(|reference| self.known.get(&reference));
        let Some(id) = known.map(|known| known.id) else { return };
        if self.ledger.account(&id).is_some_and(|account| account.letter.is_none()) {
            // Judged with the state that it belongs to.
            let _ = self.ledger.see(id, Sight::Buried);
        }
    }

    /// A message's origin tells how far it has come. `held_by` is the place of the neighbour.
    pub(super) fn told(&mut self, sent: &json::Sent, held_by: Option<Place>) {
        let Some(reference) = self.read(&sent.id) else { return };
        if let Some(known) = self.known.get_mut(&reference) {
            known.held_by = held_by;
        }
        let Some(state) = state(sent) else { return };
        self.here.entry(reference).or_default().push_back(state);
        self.follow(reference);
    }

    /// Takes what was told of a message as far as it can be understood by now.
    fn follow(&mut self, reference: MessageRef) {
        let Some(known) = self.known.get(&reference) else { return };
        let (id, origin, durable) = (known.id, known.origin, known.durable);
        while let Some(&told) = self.there.get(&reference).and_then(VecDeque::front) {
            let entered = self.ledger.account(&id).is_some_and(|a| a.entered.is_some());
            if durable && !entered && !self.is_over {
                break;
            }
            self.there.get_mut(&reference).and_then(VecDeque::pop_front);
            self.take_there(id, durable, told);
        }
        while let Some(&state) = self.here.get(&reference).and_then(VecDeque::front) {
            if !self.is_over && !self.is_told_in_time(&id, state) {
                break;
            }
            self.here.get_mut(&reference).and_then(VecDeque::pop_front);
            self.output(origin, Event::State { id, state });
            if let Some(to) = sent_state(state) {
                self.see(id, Sight::Told(to));
            }
        }
    }

    fn take_there(&mut self, id: MessageId, durable: bool, told: There) {
        let has_left = self.ledger.account(&id).is_some_and(|account| account.left);
        match told {
            There::Given(place) => {
                let finding = self.checkers.handed_out(&self.ledger, place, &id, durable);
                self.judge(finding);
            }
            There::Confirmed => self.checkers.acknowledged(&self.ledger, id),
            There::Consumed(_) => {}
        }
        let place = match told {
            There::Consumed(place) => place,
            There::Confirmed => match self.ledger.account(&id) {
                Some(account) => account.destination,
                None => return,
            },
            There::Given(_) => return,
        };
        if durable && !has_left {
            self.see(id, Sight::Left(place));
        }
    }

    /// Whether the destination's door has told what the origin's tells of, or never will.
    fn is_told_in_time(&self, id: &MessageId, state: MessageState) -> bool {
        let Some(account) = self.ledger.account(id) else { return true };
        let is_free = account.has_ttl || self.ledger.is_void(account);
        match state {
            MessageState::Arrived => is_free || account.entered.is_some(),
            MessageState::Received => is_free || account.left,
            _ => true,
        }
    }
}

impl Known {
    const fn new(id: MessageId, origin: Place, queue: QueueName, durable: bool) -> Self {
        Self { id, origin, queue, durable, held_by: None }
    }
}

fn account(route: &Route<'_>, posted: &Posted) -> Account {
    Account {
        origin: route.from,
        destination: route.to,
        queue: route.queue.clone(),
        delivery: posted.delivery,
        priority: posted.priority,
        order: 0,
        state: SentState::Waiting,
        forgotten: false,
        copy: None,
        letter: None,
        entered: None,
        left: false,
        has_ttl: posted.has_ttl,
        // The clocks of real machines are not judged.
        accepted_ms: 0,
        limits_ms: None,
        torn: Torn::default(),
    }
}

/// A state as the engine calls it; none for what no judge can check from outside.
fn state(sent: &json::Sent) -> Option<MessageState> {
    let reason = || {
        let text = serde_json::Value::from(sent.reason.clone().unwrap_or_default());
        let refused = serde_json::json!({ "refused": text });
        let read = |value| serde_json::from_value::<DeathReason>(value).ok();
        read(text).or_else(|| read(refused))
    };
    match sent.state {
        json::SentState::Stored | json::SentState::InTransit => None,
        json::SentState::Arrived => Some(MessageState::Arrived),
        json::SentState::Received => Some(MessageState::Received),
        json::SentState::Dead => reason().map(MessageState::Dead),
        json::SentState::Unconfirmed => reason().map(MessageState::Unconfirmed),
    }
}

/// What the origin's record must say for that state.
const fn sent_state(state: MessageState) -> Option<SentState> {
    match state {
        MessageState::Stored | MessageState::InTransit(_) => None,
        MessageState::Arrived => Some(SentState::Arrived),
        MessageState::Received => Some(SentState::Received),
        MessageState::Dead(DeathReason::EndedInQueue) => Some(SentState::Ended),
        MessageState::Dead(reason) => Some(SentState::Dead(reason)),
        MessageState::Unconfirmed(reason) => Some(SentState::Unconfirmed(reason)),
    }
}

#[cfg(test)]
mod tests;
