//! Nodes that die of a failed commit, as a process does, and are started again.

use crate::bench::{Bench, Name, id};
use crate::disk::Disk;
use meshmq::engine::command::{Command, Reply};
use meshmq::engine::rejection::Rejection;
use meshmq::engine::step::Input;
use meshmq::engine::{Engine, EngineError};

impl Bench {
    /// A commit failed: the node is gone with its memory. Its links are broken until it is up again.
    pub(crate) fn fall(&mut self, name: Name, disk: Disk, error: &EngineError) {
        assert!(self.mortal, "the engine of {name} goes on: {error}");
        self.engines.remove(name);
        disk.crash();
        self.down.insert(name, disk);
        self.fallen.insert(name);
        self.wire.retain(|packet| packet.ends().0 != name && packet.ends().1 != name);
        for peer in self.peers(name) {
            self.feed(peer, vec![Input::LinkDown(id(name))]);
        }
    }

    /// Starts the fallen again, with the links they had.
    pub(crate) fn revive(&mut self) {
        while let Some(name) = self.fallen.pop_first() {
            self.restart(name);
            if !self.engines.contains_key(name) {
                continue;
            }
            for peer in self.peers(name) {
                self.link(name, peer);
            }
        }
    }

    /// Asks a node that may die of it. `None`: it did, and nobody knows what became of it.
    pub(crate) fn try_ask(
        &mut self,
        name: Name,
        command: Command,
    ) -> Option<Result<Reply, Rejection>> {
        self.revive();
        self.exchanges += 1;
        let ticket = self.exchanges;
        self.feed(name, vec![Input::Command { ticket, command }]);
        let reply = self.replies.remove(&ticket);
        self.revive();
        reply
    }

    /// The disk of a node, up or down.
    pub(crate) fn disk(&self, name: Name) -> Disk {
        let up = self.engines.get(name).map(|engine| engine.storage().clone());
        up.or_else(|| self.down.get(name).cloned()).expect("a known node")
    }

    fn peers(&self, name: Name) -> Vec<Name> {
        self.links.iter().filter(|(a, _)| *a == name).map(|&(_, b)| b).collect()
    }

    /// Lets time pass in which nothing is delivered.
    pub(crate) fn tick(&mut self, ms: u64) {
        let end = self.now.after(ms);
        loop {
            let next = self.engines.values().filter_map(Engine::deadline).min();
            let Some(next) = next.filter(|&at| at <= end) else { break };
            self.now = self.now.max(next);
            self.wake();
        }
        self.now = end;
        self.wake();
    }

    fn wake(&mut self) {
        let names: Vec<Name> = self.engines.keys().copied().collect();
        names.into_iter().for_each(|name| self.feed(name, Vec::new()));
    }
}
