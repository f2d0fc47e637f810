//! What the bench can do beside the plain road: hold packets back, lose them, look into stores.

use crate::bench::{Bench, Name, Packet, queue};
use meshmq::engine::command::{
    Command, DeadView, MessageState, OutgoingView, Peeked, Reply, Settlement, Summary,
};
use meshmq::engine::frame::{Frame, Outcome, Transfer};
use meshmq::engine::ids::{Epoch, MessageId};
use meshmq::engine::message::{Delivery, Short};
use meshmq::engine::record::{Copy, Key, Record, Spot};
use meshmq::engine::rejection::Rejection;
use meshmq::engine::statement::{Attested, Receipt};
use meshmq::engine::step::{Event, Input};
use meshmq::engine::storage::Storage;

/// An hour.
pub(crate) const HOUR: u64 = 3_600_000;

impl Bench {
    /// Origin `o` and destination `d` with a queue `q`, linked and greeted.
    pub(crate) fn pair(transactional: bool, max_messages: Option<u64>) -> Self {
        let mut bench = Self::new(&["o", "d"]);
        bench.create_with("d", "q", transactional, max_messages);
        bench.link("o", "d");
        bench.settle();
        bench
    }

    /// Sends one message per body to `q` of `d`, and gives their ids.
    pub(crate) fn post(&mut self, delivery: Delivery, bodies: &[&str]) -> Vec<MessageId> {
        self.send("o", "d", "q", delivery, bodies)
    }

    /// Sends one message that has so long to reach `q` of `d`.
    pub(crate) fn post_within(&mut self, delivery: Delivery, body: &str, ms: u64) -> MessageId {
        let mut message = self.message("d", "q", body);
        (message.delivery, message.reach_within_ms) = (delivery, ms);
        self.try_send("o", vec![message]).expect("the message is accepted")[0]
    }

    /// Takes everything off the wire; the links stay up.
    pub(crate) fn hold(&mut self) -> Vec<Packet> {
        self.wire.drain(..).collect()
    }

    /// Delivers packets that were held back, and what follows from them.
    pub(crate) fn release(&mut self, packets: Vec<Packet>) {
        packets.into_iter().for_each(|packet| self.deliver(packet));
        self.settle();
    }

    /// Loses everything on the wire: whoever asked hears that no answer will come.
    pub(crate) fn lose(&mut self) {
        for packet in self.hold() {
            let (asker, peer, exchange) = match packet {
                Packet::Request { from, to, exchange, .. } => (from, to, exchange),
                Packet::Answer { from, to, exchange, .. } => (to, from, exchange),
            };
            let peer = crate::bench::id(peer);
            self.feed(asker, vec![Input::Unanswered { peer, exchange }]);
        }
    }

    /// Two nodes meet, say everything and part.
    pub(crate) fn meet(&mut self, a: Name, b: Name) {
        self.link(a, b);
        self.settle();
        self.cut(a, b);
        self.settle();
    }

    /// Two nodes meet, but copies of one number do not come through.
    pub(crate) fn meet_without(&mut self, a: Name, b: Name, number: u64) {
        self.link_without(a, b, number);
        self.cut(a, b);
        self.settle();
    }

    /// Two nodes are linked, but copies of one number do not come through until all is quiet.
    pub(crate) fn link_without(&mut self, a: Name, b: Name, number: u64) {
        self.link(a, b);
        while let Some(mut packet) = self.wire.pop_front() {
            if let Packet::Request { frames, .. } = &mut packet {
                frames.retain(|frame| match frame {
                    Frame::Transfer(transfer) => transfer.outer.id.number != number,
                    _ => true,
                });
            }
            self.deliver(packet);
        }
    }

    /// Says frames to a node as a neighbour would, and gives what became of its transfers.
    pub(crate) fn offer(&mut self, from: Name, to: Name, transfers: Vec<Transfer>) -> Vec<Outcome> {
        let frames = transfers.into_iter().map(|one| Frame::Transfer(Box::new(one))).collect();
        let before = self.history.len();
        self.say(from, to, frames);
        let said = self.history[before..].iter().find_map(|packet| match packet {
            Packet::Answer { from: speaker, answer, .. } if *speaker == to => {
                Some(answer.outcomes.iter().map(|(_, outcome)| *outcome).collect())
            }
            _ => None,
        });
        said.expect("an answer in the same turn")
    }

    /// Says a receipt to a node.
    pub(crate) fn say_receipt(&mut self, from: Name, to: Name, receipt: Receipt) {
        self.say(from, to, vec![Frame::Receipt(Attested::own(receipt))]);
        self.settle();
    }

    /// The newest receipt that `d` said to `o`.
    pub(crate) fn last_receipt(&self) -> Receipt {
        let newest = self.receipts("d", "o").into_iter().max_by_key(|receipt| receipt.version);
        newest.expect("a receipt")
    }

    /// Opens a node again with the bench's limits.
    pub(crate) fn reopen(&mut self, name: Name) {
        self.kill(name);
        self.restart(name);
    }

    /// The copies in a node's store.
    pub(crate) fn copies(&mut self, name: Name) -> Vec<Copy> {
        let spot = |arrival| Spot { destination: crate::bench::id(""), rank: 0, arrival };
        let first = MessageId { stream: meshmq::engine::ids::StreamId::FIRST, number: 0 };
        let store = self.engine(name).storage();
        let found = store.range(&Key::Copy(spot(0)), &Key::CopyOf(first), 10_000);
        let found = found.expect("the store answers").into_iter();
        found
            .filter_map(|(_, record)| match record {
                Record::Copy(copy) => Some(*copy),
                _ => None,
            })
            .collect()
    }

    /// Leaves a node's disk so many bytes, or as many as it wants.
    pub(crate) fn leave_free(&mut self, name: Name, bytes: Option<u64>) {
        let store = self.engine(name).storage();
        let used = store.stats().used_bytes;
        store.faults().set_capacity(bytes.map(|bytes| used + bytes));
    }

    pub(crate) fn summary(&mut self, name: Name) -> Summary {
        match self.ask(name, Command::Summary) {
            Ok(Reply::Summary(summary)) => summary,
            other => panic!("no summary: {other:?}"),
        }
    }

    pub(crate) fn outgoing(&mut self, name: Name) -> Vec<OutgoingView> {
        match self.ask(name, Command::Outgoing) {
            Ok(Reply::Outgoing(views)) => views,
            other => panic!("no views: {other:?}"),
        }
    }

    pub(crate) fn peek(&mut self, name: Name, queue_name: &str) -> Vec<Peeked> {
        let command = Command::Peek { queue: queue(queue_name), after: None, max: 256 };
        match self.ask(name, command) {
            Ok(Reply::Peeked(peeked)) => peeked,
            other => panic!("nothing to see: {other:?}"),
        }
    }

    pub(crate) fn finish(&mut self, name: Name, lock: u64, how: Settlement) {
        let settled = self.ask(name, Command::Settle { lock, how });
        assert!(matches!(settled, Ok(Reply::Settled(_))));
    }

    pub(crate) fn retry(
        &mut self,
        name: Name,
        letter: u64,
        may_duplicate: bool,
    ) -> Result<MessageId, Rejection> {
        let command = Command::RetryDead { letter, may_duplicate, salt: Short([8; 16]) };
        match self.ask(name, command)? {
            Reply::Accepted(ids) => Ok(ids[0]),
            other => panic!("not accepted: {other:?}"),
        }
    }

    /// The one dead letter of a node.
    pub(crate) fn letter(&mut self, name: Name) -> DeadView {
        let mut letters = self.dead(name);
        assert_eq!(letters.len(), 1, "one letter: {letters:?}");
        letters.remove(0)
    }

    /// Whether a message is still without a verdict at its origin.
    pub(crate) fn waits(&mut self, name: Name, id: &MessageId) -> bool {
        matches!(self.state(name, id), MessageState::Stored | MessageState::InTransit(_))
    }

    pub(crate) fn heard(&self, name: Name, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|(node, event)| *node == name && wanted(event)).count()
    }

    /// The opening of a running node.
    pub(crate) fn opening(&mut self, name: Name) -> Epoch {
        self.engine(name).opening()
    }
}
