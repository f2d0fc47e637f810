//! The rules' conductor: owns the parts and sends each input to one of them.
//!
//! Refuses to have a policy of its own. The files beside it are split by who speaks: programs
//! ([`commands`]), neighbours ([`requests`], [`incoming`], [`answers`]), time ([`due`]); [`pump`] and
//! [`parts`] fill links.

mod answers;
mod batch;
mod commands;
mod damage;
mod due;
mod explain;
mod incoming;
mod parts;
mod pump;
mod repeats;
mod requests;
mod sending;

use super::address::NodeId;
use super::carriage::Carriage;
use super::control::{Control, Word};
use super::dead::DeadLetters;
use super::destination::Destination;
use super::directory::Directory;
use super::frame::Transfer;
use super::ids::{Epoch, MessageId, StreamId};
use super::limits::Limits;
use super::links::{Link, Links};
use super::once::Onces;
use super::origin::Origin;
use super::partials::Partials;
use super::policy::{self, Way};
use super::queues::Queues;
use super::record::{Key, Spot, StoreInfo};
use super::step::Input;
use super::storage::StorageError;
use super::sweep::sweep;
use super::time::Timestamp;
use super::topology::Topology;
use super::turn::{Serial, Turn};
use incoming::Exchange;
use std::collections::{BTreeMap, BTreeSet};

/// Everything a node knows.
#[derive(Debug)]
pub(super) struct Node {
    me: NodeId,
    store: u64,
    opening: Epoch,
    limits: Limits,
    queues: Queues,
    origin: Origin,
    letters: DeadLetters,
    onces: Onces,
    carriage: Carriage,
    destination: Destination,
    control: Control,
    directory: Directory,
    topology: Topology,
    links: Links,
    /// The highest opening of each other node that was heard of.
    openings: BTreeMap<NodeId, Epoch>,
    exchanges: u64,
    transfers: u64,
    partials: Partials,
    /// Who sent the last bytes of a message that is being checked.
    whole_from: BTreeMap<MessageId, BTreeMap<NodeId, Transfer>>,
    /// Requests whose answers wait for that.
    delayed: Vec<(MessageId, Exchange)>,
    /// Copies whose contents did not read back.
    damaged: BTreeSet<Spot>,
}

impl Node {
    pub(super) fn new(info: &StoreInfo, limits: Limits, seed: u64) -> Self {
        let (me, opening) = (info.node, info.opening);
        Self {
            me,
            store: info.id,
            opening,
            queues: Queues::new(limits.clone()),
            origin: Origin::new(me, opening),
            letters: DeadLetters::default(),
            onces: Onces::new(&limits),
            carriage: Carriage::new(me, limits.clone()),
            destination: Destination::new(me, info.id, opening),
            control: Control::new(me),
            directory: Directory::default(),
            topology: Topology::new(me, opening),
            links: Links::default(),
            openings: BTreeMap::new(),
            exchanges: seed >> 32,
            transfers: 0,
            partials: Partials::new(limits.clone()),
            whole_from: BTreeMap::new(),
            delayed: Vec::new(),
            damaged: BTreeSet::new(),
            limits,
        }
    }

    pub(super) const fn opening(&self) -> Epoch {
        self.opening
    }

    /// Takes up what the store holds.
    pub(super) fn load(&mut self, turn: &mut Turn<'_>) -> Result<(), StorageError> {
        self.transfers = Serial::starting(turn.now).draw();
        self.queues.load(turn)?;
        self.origin.load(turn)?;
        self.load_letters(turn)?;
        self.onces.load(turn)?;
        self.carriage.load(turn)?;
        self.destination.load(turn, &mut self.queues)?;
        self.control.load(turn)?;
        self.directory.load(turn)?;
        self.partials.load(turn)?;
        self.origin.flush(turn);
        Ok(())
    }

    fn load_letters(&mut self, turn: &Turn<'_>) -> Result<(), StorageError> {
        sweep(turn, Key::Dead(0), &Key::Dead(u64::MAX), |_, record| {
            if let super::record::Record::Dead(dead) = record {
                self.letters.counted(&dead, true);
            }
            Ok(())
        })
    }

    /// Handles what is due, then all inputs in order, then fills the links.
    pub(super) fn handle(
        &mut self,
        turn: &mut Turn<'_>,
        inputs: Vec<Input>,
    ) -> Result<(), StorageError> {
        self.all_due(turn)?;
        for input in inputs {
            match input {
                Input::Command { ticket, command } => self.command(turn, ticket, command)?,
                Input::SessionEnded(session) => {
                    let departures = self.queues.end_session(turn, session)?;
                    self.expired_in_queue(turn, departures)?;
                    self.partials.end_session(turn, session);
                }
                Input::Checked { id, content, good } => self.checked(turn, id, content, good)?,
                Input::LinkUp(peer) => self.link_up(turn, peer)?,
                Input::LinkDown(peer) => self.link_down(turn, peer)?,
                Input::Request { peer, exchange, frames } => {
                    self.request(turn, peer, exchange, frames)?;
                }
                Input::Answered { peer, exchange, answer } => {
                    self.answered(turn, peer, exchange, answer)?;
                }
                Input::Unanswered { peer, exchange } => self.unanswered(turn, peer, exchange)?,
            }
        }
        self.reroute(turn)?;
        self.publish_news(turn, None)?;
        self.publish_statuses(turn);
        self.pump_all(turn)?;
        if self.bury_damaged(turn)? {
            self.publish_statuses(turn);
            self.pump_all(turn)?;
        }
        self.queues.flush(turn);
        Ok(())
    }

    /// When something is due at the latest.
    pub(super) fn deadline(&self, turn: &Turn<'_>) -> Result<Option<Timestamp>, StorageError> {
        let first = super::record::Target::Statement(StreamId::FIRST);
        let (from, to) = (
            Key::Timer(Timestamp::ZERO, super::record::Target::FIRST),
            Key::Timer(Timestamp::MAX, first),
        );
        let timer = turn.range(&from, &to, 1)?.into_iter().find_map(|(key, _)| match key {
            Key::Timer(at, _) => Some(at),
            _ => None,
        });
        let kept = self.partials.deadline();
        let all = [timer, self.queues.next_lease(), self.links.deadline(), kept];
        Ok(all.into_iter().flatten().min())
    }

    /// Writes what changed at the origin and marks the statuses for everybody who should have them.
    fn publish_statuses(&mut self, turn: &mut Turn<'_>) {
        for (stream, destination) in self.origin.flush(turn) {
            self.publish(Word::Status(stream), destination, None);
        }
    }

    /// Marks the receipts that changed for everybody who should have them.
    fn publish_news(
        &mut self,
        turn: &Turn<'_>,
        except: Option<NodeId>,
    ) -> Result<(), StorageError> {
        for stream in self.destination.take_news() {
            if turn.inbox_line(&Key::InboxLine(stream.origin, stream.line))?.is_some() {
                self.publish(Word::Receipt(stream, self.me), stream.origin, except);
            }
        }
        Ok(())
    }

    /// Marks a statement for the neighbours on its way: towards its addressee if that is in the
    /// live component, to everybody if not; receipts also to those who carry what they settle.
    fn publish(&mut self, word: Word, addressee: NodeId, except: Option<NodeId>) {
        let hop = self.topology.next_hop(addressee);
        for node in self.links.live_nodes() {
            if Some(node) == except {
                continue;
            }
            let peer = self.links.peer(node);
            let carries = matches!(word, Word::Receipt(stream, by) if peer.is_carrying(stream, by));
            let on_its_way = hop.is_none_or(|hop| hop == node) || carries;
            if let (true, Some(link)) = (on_its_way, peer.link.as_mut()) {
                link.words.insert(word);
            }
        }
    }

    /// Marks a receipt of an own stream for the neighbours that carry what it settles (rule R21).
    fn publish_to_carriers(&mut self, stream: StreamId, by: NodeId, except: NodeId) {
        for node in self.links.live_nodes().into_iter().filter(|node| *node != except) {
            let peer = self.links.peer(node);
            if let (true, Some(link)) = (peer.is_carrying(stream, by), peer.link.as_mut()) {
                link.words.insert(Word::Receipt(stream, by));
            }
        }
    }

    fn link_up(&mut self, turn: &mut Turn<'_>, peer: NodeId) -> Result<(), StorageError> {
        self.link_down(turn, peer)?;
        let mut link = Link::new(peer);
        for stream in self.destination.streams(turn, Some(peer))? {
            link.words.insert(Word::Receipt(stream, self.me));
        }
        for stream in self.destination.streams(turn, None)? {
            link.words.insert(Word::Receipt(stream, self.me));
        }
        link.words.extend(self.control.words(turn)?);
        link.words.extend(self.origin.untold().into_iter().map(|(s, _)| Word::Status(s)));
        link.states = self.topology.component();
        link.learned = self.topology.learned();
        self.links.peer(peer).link = Some(link);
        self.topology.link_up(peer);
        self.spread_state(self.me, None);
        let all: Vec<NodeId> = self.carriage.destinations().map(|(node, _)| node).collect();
        if let Some(link) = self.links.link_mut(peer) {
            all.into_iter().for_each(|destination| link.search_again(destination));
        }
        Ok(())
    }

    fn link_down(&mut self, turn: &mut Turn<'_>, peer: NodeId) -> Result<(), StorageError> {
        let Some(link) = self.links.link(peer) else { return Ok(()) };
        let lost: Vec<u64> = link.in_flight.keys().copied().collect();
        for exchange in lost {
            self.unanswered(turn, peer, exchange)?;
        }
        self.links.peer(peer).link = None;
        self.topology.link_down(peer);
        self.spread_state(self.me, None);
        Ok(())
    }

    /// Marks a node's link state for all neighbours but one.
    fn spread_state(&mut self, node: NodeId, except: Option<NodeId>) {
        for (_, link) in self.links.live_mut().filter(|(peer, _)| Some(*peer) != except) {
            link.states.insert(node);
        }
    }

    /// Searches the ways anew, once for all that changed in this turn. A node that came into reach is
    /// told to the neighbours that were not told of it, for their link came up later, and one that
    /// is reached another way to the neighbour that seemed to lead there and may not know it.
    fn reroute(&mut self, turn: &Turn<'_>) -> Result<(), StorageError> {
        let changed = self.topology.route();
        for (&node, &before) in &changed {
            let Some(hop) = self.topology.next_hop(node) else { continue };
            for (peer, link) in self.links.live_mut().filter(|(peer, _)| *peer != hop) {
                let lacks = before.is_none_or(|before| before == peer);
                if lacks && self.topology.was_learned_by(node, link.learned) {
                    link.states.insert(node);
                }
            }
        }
        self.rerouted(turn, &changed.into_keys().collect())
    }

    /// The way to these nodes is another one: their messages are looked at again, and what they
    /// should hear takes the new way too, for it may have been lost on the old one.
    fn rerouted(&mut self, turn: &Turn<'_>, nodes: &BTreeSet<NodeId>) -> Result<(), StorageError> {
        if nodes.is_empty() {
            return Ok(());
        }
        let affected: Vec<NodeId> = self
            .carriage
            .destinations()
            .map(|(node, _)| node)
            .filter(|node| nodes.contains(node))
            .collect();
        affected.into_iter().for_each(|destination| self.links.search_again(destination));
        for (word, addressee) in self.words_for(turn, nodes)? {
            let hop = self.topology.next_hop(addressee);
            if let Some(link) = hop.and_then(|hop| self.links.link_mut(hop)) {
                link.words.insert(word);
            }
        }
        Ok(())
    }

    /// What these nodes may not have heard yet: statements made here, and carried ones.
    fn words_for(
        &self,
        turn: &Turn<'_>,
        nodes: &BTreeSet<NodeId>,
    ) -> Result<Vec<(Word, NodeId)>, StorageError> {
        let mut words = Vec::new();
        for (stream, destination) in self.origin.untold() {
            words.push((Word::Status(stream), destination));
        }
        for stream in self.destination.streams(turn, None)? {
            words.push((Word::Receipt(stream, self.me), stream.origin));
        }
        for word in self.control.words(turn)? {
            if let Some(addressee) = self.control.addressee(turn, word)? {
                words.push((word, addressee));
            }
        }
        words.retain(|(_, addressee)| nodes.contains(addressee));
        Ok(words)
    }

    /// How a neighbour can help a destination's messages.
    fn way(&self, destination: NodeId, peer: NodeId) -> Way {
        policy::way(destination, peer, self.topology.next_hop(destination))
    }

    /// Whether the disk has less free than the reserve.
    fn disk_low(&self, turn: &Turn<'_>) -> bool {
        turn.free_bytes().is_some_and(|free| free < self.limits.disk_reserve_bytes)
    }
}
