//! What a test asks the engines of a bench, and what it finds in the packets they sent.

use crate::bench::{Bench, Name, Packet, queue};
use crate::edge::body_of;
use meshmq::engine::address::NodeId;
use meshmq::engine::command::{Command, DeadView, Delivered, MessageState, Reply, Settlement};
use meshmq::engine::frame::{Frame, Transfer};
use meshmq::engine::ids::{MessageId, StreamId};
use meshmq::engine::record::{DeathReason, Key, Record, Spot};
use meshmq::engine::statement::{Receipt, Status};
use meshmq::engine::storage::Storage;
use meshmq::engine::time::HOUR_MS;

impl Bench {
    /// Receives and acknowledges everything that is ready, as texts.
    pub(crate) fn drain(&mut self, name: Name, queue_name: &str) -> Vec<String> {
        let mut bodies = Vec::new();
        loop {
            let delivered = self.receive(name, queue_name, 256);
            if delivered.is_empty() {
                return bodies;
            }
            for one in delivered {
                bodies.push(body_of(&one.message.inner));
                let settle = Command::Settle { lock: one.lock, how: Settlement::Ack };
                assert!(matches!(self.ask(name, settle), Ok(Reply::Settled(_))));
            }
        }
    }

    pub(crate) fn receive(&mut self, name: Name, queue_name: &str, max: usize) -> Vec<Delivered> {
        let command =
            Command::Receive { queue: queue(queue_name), max, lease_ms: 30_000, session: 1 };
        match self.ask(name, command) {
            Ok(Reply::Deliveries(delivered)) => delivered,
            other => panic!("nothing delivered: {other:?}"),
        }
    }

    pub(crate) fn state(&mut self, name: Name, id: &MessageId) -> MessageState {
        match self.ask(name, Command::State(id.reference())) {
            Ok(Reply::State(state)) => state,
            other => panic!("no state: {other:?}"),
        }
    }

    pub(crate) fn dead(&mut self, name: Name) -> Vec<DeadView> {
        match self.ask(name, Command::DeadLetters { after: None, max: 256 }) {
            Ok(Reply::DeadLetters(letters)) => letters,
            other => panic!("no letters: {other:?}"),
        }
    }

    /// All transfers that a node ever sent to another.
    pub(crate) fn transfers(&self, from: Name, to: Name) -> Vec<Transfer> {
        self.frames(from, to, |frame| match frame {
            Frame::Transfer(transfer) => Some((**transfer).clone()),
            _ => None,
        })
    }

    /// All receipts that a node ever said to another, in requests and in answers.
    pub(crate) fn receipts(&self, from: Name, to: Name) -> Vec<Receipt> {
        self.frames(from, to, |frame| match frame {
            Frame::Receipt(receipt) => Some(receipt.statement.clone()),
            _ => None,
        })
    }

    /// All status records that a node ever said to another.
    pub(crate) fn statuses(&self, from: Name, to: Name) -> Vec<Status> {
        self.frames(from, to, |frame| match frame {
            Frame::Status(status) => Some(status.statement.clone()),
            _ => None,
        })
    }

    pub(crate) fn frames<T>(
        &self,
        from: Name,
        to: Name,
        pick: impl Fn(&Frame) -> Option<T>,
    ) -> Vec<T> {
        let said = self.history.iter().filter(|packet| packet.ends() == (from, to));
        said.flat_map(|packet| packet.frames().iter().filter_map(&pick)).collect()
    }
}

impl Bench {
    /// Runs the mesh, but lets no request from one node to another through that carries messages:
    /// the messages are left, and are given to the test.
    pub(crate) fn intercept(&mut self, from: Name, to: Name) -> Vec<Frame> {
        let mut caught = Vec::new();
        while let Some(packet) = self.wire.pop_front() {
            let transfers = |frame: &&Frame| matches!(frame, Frame::Transfer(_));
            let held: Vec<Frame> = packet.frames().iter().filter(transfers).cloned().collect();
            if packet.ends() == (from, to) && !held.is_empty() {
                caught.extend(held);
            } else {
                self.deliver(packet);
            }
        }
        caught
    }

    /// Messages that leave their origin and reach nobody: the origin is cut off again, and `x`
    /// stands beside the destination to hand them over in any order.
    pub(crate) fn caught(&mut self, from: Name, to: Name) -> Vec<Frame> {
        self.link(from, to);
        let caught = self.intercept(from, to);
        self.cut(from, to);
        self.link("x", to);
        self.settle();
        caught
    }

    /// The same, of a destination that hears nothing else of it either: no status record.
    pub(crate) fn caught_unheard(&mut self, from: Name, to: Name) -> Vec<Frame> {
        self.link(from, to);
        let mut caught = Vec::new();
        while let Some(mut packet) = self.wire.pop_front() {
            if let Packet::Request { from: speaker, to: listener, frames, .. } = &mut packet
                && (*speaker, *listener) == (from, to)
            {
                let all = std::mem::take(frames);
                let quiet = |frame: &Frame| matches!(frame, Frame::Transfer(_) | Frame::Status(_));
                let (kept, said): (Vec<Frame>, Vec<Frame>) = all.into_iter().partition(quiet);
                caught.extend(kept.into_iter().filter(|f| matches!(f, Frame::Transfer(_))));
                *frames = said;
            }
            self.deliver(packet);
        }
        self.cut(from, to);
        self.link("x", to);
        self.settle();
        caught
    }

    /// Hands a message to a node once more, by way of `x`.
    pub(crate) fn hand(&mut self, to: Name, frame: &Frame) {
        self.say("x", to, vec![frame.clone()]);
        self.settle();
    }

    /// Records of a node's store between two keys.
    pub(crate) fn records(&mut self, name: Name, from: &Key, to: &Key) -> Vec<(Key, Record)> {
        self.engine(name).storage().range(from, to, 100_000).expect("the store reads")
    }
}

impl Bench {
    /// Nothing waits, nothing is held, nothing is carried, and nobody has anything more to say,
    /// however much time passes.
    pub(crate) fn assert_drained(&mut self, names: &[Name]) {
        self.settle();
        for name in names {
            let waiting = self.records(name, &Key::Copy(NOWHERE), &Key::Chunk(0, 0));
            assert!(waiting.is_empty(), "copies at {name}: {waiting:#?}");
            let first = MessageId { stream: StreamId::FIRST, number: 0 };
            let held = self.records(
                name,
                &Key::Held(first),
                &Key::Receipt(StreamId::FIRST, NodeId::FIRST),
            );
            assert!(held.is_empty(), "held at {name}: {held:#?}");
            let unconfirmed = self.dead(name).into_iter().filter(|letter| letter.unconfirmed);
            let unclear = |letter: &DeadView| letter.reason != DeathReason::OutcomeUnknown;
            let unresolved: Vec<DeadView> = unconfirmed.filter(unclear).collect();
            assert!(unresolved.is_empty(), "unresolved at {name}: {unresolved:#?}");
        }
        let said = self.history.len();
        self.pass(HOUR_MS);
        assert_eq!(&format!("{:?}", &self.history[said..]), "[]", "a drained mesh is silent");
    }
}

/// Before every place of a copy.
const NOWHERE: Spot = Spot { destination: NodeId::from_bytes([0; 32]), rank: 0, arrival: 0 };
