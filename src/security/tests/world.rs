//! Nodes in memory with a disk each, and the moving of bytes between them.

use crate::engine::address::NodeId;
use crate::engine::frame::Frame;
use crate::engine::statement::{DirectoryKey, DirectoryRecord};
use crate::security::{
    Denial, Dialogue, Gatekeeper, Identity, InviteOptions, Keep, NodeName, PeerHello, Reaction,
    Token, Turn, Visitor,
};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// A quarter of an hour.
pub(in crate::security) const TTL: u64 = 15 * 60_000;
/// The time at which tests begin.
pub(in crate::security) const START: u64 = 1_800_000_000_000;

/// What a store holds of security.
#[derive(Clone, Default)]
pub(in crate::security) struct Disk {
    pub(in crate::security) private: BTreeMap<String, Bytes>,
    pub(in crate::security) directory: BTreeMap<DirectoryKey, DirectoryRecord>,
}

impl Disk {
    pub(in crate::security) fn commit(&mut self, keep: &Keep) {
        if keep.forget {
            self.directory.clear();
        }
        for (name, value) in &keep.private {
            match value {
                Some(value) => self.private.insert(name.clone(), value.clone()),
                None => self.private.remove(name),
            };
        }
        keep.directory.iter().for_each(|record| self.put(record));
    }

    /// As the engine does: the greater rank stays.
    pub(in crate::security) fn put(&mut self, record: &DirectoryRecord) {
        let held = self.directory.get(&record.key);
        if held.is_none_or(|held| held.rank < record.rank) {
            self.directory.insert(record.key.clone(), record.clone());
        }
    }

    pub(in crate::security) fn open(&self, identity: &Arc<Identity>) -> Gatekeeper {
        let private = self.private.clone().into_iter().collect();
        let directory = self.directory.values().cloned().collect();
        Gatekeeper::restore(Arc::clone(identity), private, directory).unwrap()
    }
}

/// A node: its keys, its disk, and what it believes while it runs.
pub(in crate::security) struct Node {
    pub(in crate::security) identity: Arc<Identity>,
    pub(in crate::security) disk: Disk,
    pub(in crate::security) gate: Gatekeeper,
}

pub(in crate::security) fn identity(number: u8) -> Arc<Identity> {
    Arc::new(Identity::from_seed(&[number; 32]))
}

pub(in crate::security) fn name(text: &str) -> NodeName {
    text.parse().unwrap()
}

impl Node {
    /// A node that has founded a mesh.
    pub(in crate::security) fn founder(number: u8, text: &str) -> Self {
        let identity = identity(number);
        let (gate, keep) = Gatekeeper::found(Arc::clone(&identity), &name(text), START).unwrap();
        let mut node = Self { identity, disk: Disk::default(), gate };
        node.keep(&keep);
        node
    }

    /// A node that is in no mesh yet.
    pub(in crate::security) fn blank(number: u8) -> Self {
        let identity = identity(number);
        let gate = Gatekeeper::unjoined(Arc::clone(&identity));
        Self { identity, disk: Disk::default(), gate }
    }

    pub(in crate::security) fn id(&self) -> NodeId {
        self.identity.node_id()
    }

    /// Commits records, and tells the gatekeeper of them as the engine would.
    pub(in crate::security) fn keep(&mut self, keep: &Keep) {
        self.disk.commit(keep);
        keep.directory.iter().for_each(|record| self.gate.learned(record));
    }

    /// Loses everything that is not on its disk.
    pub(in crate::security) fn crash(&mut self) {
        self.gate = self.disk.open(&self.identity);
    }

    pub(in crate::security) fn invite(&mut self, admin: bool, now_ms: u64) -> Token {
        let options = InviteOptions { ttl_ms: TTL, admin, addresses: vec![address()] };
        let (token, keep) = self.gate.invite(options, now_ms).unwrap();
        self.keep(&keep);
        token
    }

    /// Takes records over from a neighbour, through the check. Gives the number of bad ones.
    pub(in crate::security) fn hear(&mut self, records: &[DirectoryRecord], from: NodeId) -> usize {
        let mut frames: Vec<Frame> = records.iter().cloned().map(Frame::Record).collect();
        let bad = self.gate.verify_frames(&mut frames, from);
        for frame in frames {
            let Frame::Record(record) = frame else { continue };
            self.disk.put(&record);
            self.gate.learned(&record);
        }
        bad
    }

    /// Takes over everything that another node has on its disk.
    pub(in crate::security) fn sync(&mut self, other: &Self) {
        let records: Vec<_> = other.disk.directory.values().cloned().collect();
        self.hear(&records, other.id());
    }
}

pub(in crate::security) fn address() -> SocketAddr {
    "192.168.1.12:7670".parse().unwrap()
}

/// A dialer and a listener prove themselves to each other.
pub(in crate::security) fn meet(
    dialer: &Node,
    listener: &Node,
) -> Result<(PeerHello, PeerHello), Denial> {
    let (mut dialogue, mut say) = dialer.gate.knock(listener.id());
    let mut visitor = Visitor::default();
    let mut proven = None;
    loop {
        let reaction = listener.gate.asked(dialer.id(), &mut visitor, &say, START)?;
        assert!(reaction.keep.is_none(), "a HELLO keeps nothing");
        proven = proven.or(reaction.proven);
        match dialer.gate.heard(&mut dialogue, &reaction.reply)? {
            Turn::Say(next) => say = next,
            Turn::Proven(listener) => return Ok((proven.unwrap(), listener)),
            Turn::Joined(_) => panic!("nobody wanted to join"),
        }
    }
}

/// A join, step by step.
pub(in crate::security) struct Joining {
    pub(in crate::security) dialogue: Dialogue,
    pub(in crate::security) visitor: Visitor,
    pub(in crate::security) say: Vec<u8>,
}

impl Joining {
    pub(in crate::security) fn begin(
        joiner: &Node,
        inviter: NodeId,
        token: &Token,
        text: &str,
    ) -> Result<Self, Denial> {
        let (dialogue, say) = joiner.gate.join(inviter, token, &name(text))?;
        Ok(Self { dialogue, visitor: Visitor::default(), say })
    }

    /// The joiner asks, the inviter reacts.
    pub(in crate::security) fn ask(
        &mut self,
        joiner: &Node,
        inviter: &Node,
        now: u64,
    ) -> Result<Reaction, Denial> {
        inviter.gate.asked(joiner.id(), &mut self.visitor, &self.say, now)
    }

    /// The joiner hears; gives what it must keep at the end.
    pub(in crate::security) fn hear(
        &mut self,
        joiner: &Node,
        reply: &[u8],
    ) -> Result<Option<Keep>, Denial> {
        match joiner.gate.heard(&mut self.dialogue, reply)? {
            Turn::Say(next) => {
                self.say = next;
                Ok(None)
            }
            Turn::Joined(keep) => Ok(Some(keep)),
            Turn::Proven(_) => panic!("a join proves nothing else"),
        }
    }
}

/// A whole join.
pub(in crate::security) fn join(
    joiner: &mut Node,
    inviter: &mut Node,
    token: &Token,
    text: &str,
    now: u64,
) -> Result<(), Denial> {
    let mut joining = Joining::begin(joiner, inviter.id(), token, text)?;
    loop {
        let reaction = joining.ask(joiner, inviter, now)?;
        if let Some(keep) = &reaction.keep {
            inviter.keep(keep);
        }
        if let Some(keep) = joining.hear(joiner, &reaction.reply)? {
            joiner.disk.commit(&keep);
            joiner.gate.joined(&keep);
            return Ok(());
        }
    }
}

/// A mesh of a founder, `pc-a`, and members `pc-b`, `pc-c`… who know of each other.
pub(in crate::security) fn mesh(size: u8) -> Vec<Node> {
    let mut nodes = vec![Node::founder(1, "pc-a")];
    for number in 1..size {
        let text = format!("pc-{}", char::from(b'a' + number));
        let token = nodes[0].invite(false, START);
        let mut joiner = Node::blank(number + 1);
        join(&mut joiner, &mut nodes[0], &token, &text, START).unwrap();
        nodes.push(joiner);
    }
    let (first, others) = nodes.split_at_mut(1);
    others.iter_mut().for_each(|other| other.sync(&first[0]));
    nodes
}
