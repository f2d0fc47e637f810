//! What became of requests: accepted, not taken, or never answered.

use super::Node;
use crate::engine::address::NodeId;
use crate::engine::command::MessageState;
use crate::engine::control::Word;
use crate::engine::frame::{Answer, NotTaken, Outcome, Purpose};
use crate::engine::limits::EXCHANGE_RETRY_MS;
use crate::engine::links::{Flight, Loaded};
use crate::engine::record::Key;
use crate::engine::storage::StorageError;
use crate::engine::turn::Turn;
use std::collections::{BTreeMap, BTreeSet};

impl Node {
    pub(super) fn answered(
        &mut self,
        turn: &mut Turn<'_>,
        peer: NodeId,
        exchange: u64,
        answer: Answer,
    ) -> Result<(), StorageError> {
        let now = turn.now;
        let Some(link) = self.links.link_mut(peer) else { return Ok(()) };
        let Some(flight) = link.landed(exchange, now) else { return Ok(()) };
        link.greeted |= flight.greets;
        self.words_arrived(turn, peer, &flight)?;
        let outcomes: BTreeMap<_, _> = answer.outcomes.into_iter().collect();
        for loaded in flight.transfers {
            let silent = Outcome::NotTaken(NotTaken::Busy);
            match outcomes.get(&loaded.id).copied().unwrap_or(silent) {
                Outcome::Accepted => self.taken(turn, peer, &loaded)?,
                Outcome::NotTaken(reason) => self.not_taken(turn, peer, &loaded, reason)?,
                Outcome::Holding(bytes) if flight.part == Some(loaded.id) => {
                    if let Some(link) = self.links.link_mut(peer) {
                        link.large.held(&loaded.id, bytes);
                    }
                }
                Outcome::Holding(_) => self.not_taken(turn, peer, &loaded, NotTaken::Busy)?,
            }
        }
        for frame in answer.frames {
            self.frame(turn, peer, frame)?;
        }
        Ok(())
    }

    /// Statements that reached the node they are for need not be carried any longer.
    fn words_arrived(
        &mut self,
        turn: &mut Turn<'_>,
        peer: NodeId,
        flight: &Flight,
    ) -> Result<(), StorageError> {
        for &word in &flight.words {
            let newer = self.links.link(peer).is_some_and(|link| link.words.contains(&word));
            let foreign = match word {
                Word::Receipt(stream, by) => turn.receipt(&Key::Receipt(stream, by))?.is_some(),
                Word::Status(stream) => !self.control.is_own_status(&stream),
            };
            if foreign && !newer && self.control.addressee(turn, word)? == Some(peer) {
                self.control.drop_word(turn, word);
            }
        }
        Ok(())
    }

    fn taken(
        &mut self,
        turn: &mut Turn<'_>,
        node: NodeId,
        loaded: &Loaded,
    ) -> Result<(), StorageError> {
        let (id, destination) = (loaded.id, loaded.at.destination);
        let own = id.stream.origin == self.me;
        let there = turn.copy_of(&Key::CopyOf(id))? == Some(loaded.at);
        let peer = self.links.peer(node);
        peer.unknown.remove(&id);
        if let Some(link) = peer.link.as_mut() {
            link.large.drop_wish(loaded.at);
            link.large.forget(&id);
            if link.is_probed(&id.stream) {
                link.unblock(&id.stream, true);
            }
        }
        if !there {
            return Ok(());
        }
        if destination == node {
            if let (true, Some(link)) = (own, peer.link.as_mut()) {
                link.delivered.entry(id.stream).or_default().insert(id.number);
            }
        } else {
            peer.took(destination, &id);
        }
        if !own && loaded.purpose == Purpose::Move {
            self.carriage.drop_copy(turn, loaded.at)?;
        }
        if own {
            turn.tell_state(id, MessageState::InTransit(node));
            if loaded.purpose == Purpose::Move {
                self.links.expect(destination, turn.now);
            }
        }
        Ok(())
    }

    fn not_taken(
        &mut self,
        turn: &mut Turn<'_>,
        node: NodeId,
        loaded: &Loaded,
        reason: NotTaken,
    ) -> Result<(), StorageError> {
        let (id, destination) = (loaded.id, loaded.at.destination);
        let peer = self.links.peer(node);
        let was_unknown = peer.unknown.remove(&id).is_some();
        // Several parts of one hand-over may be turned away: its tokens return once.
        let is_first =
            peer.link.as_mut().is_none_or(|link| link.large.turned_away(&id, was_unknown));
        let returns = loaded.tokens > 0 && is_first;
        if let (true, Some(mut copy)) = (returns, turn.copy(&Key::Copy(loaded.at))?) {
            copy.transit.tokens = copy.transit.tokens.saturating_add(loaded.tokens);
            self.carriage.rewrite(turn, loaded.at, *copy);
        }
        let now = turn.now;
        let peer = self.links.peer(node);
        if reason == NotTaken::Seen && destination != node {
            peer.took(destination, &id);
        } else if let Some(link) = peer.link.as_mut() {
            link.block(id.stream, destination, reason, now);
        }
        Ok(())
    }

    /// Nobody knows whether the request arrived: all of it is sent again.
    pub(super) fn unanswered(
        &mut self,
        turn: &mut Turn<'_>,
        node: NodeId,
        exchange: u64,
    ) -> Result<(), StorageError> {
        let retry_at = turn.now.after(EXCHANGE_RETRY_MS);
        let peer = self.links.peer(node);
        let Some(link) = peer.link.as_mut() else { return Ok(()) };
        let Some(flight) = link.lost(exchange) else { return Ok(()) };
        link.retry_at = Some(retry_at);
        link.words.extend(flight.words);
        link.states.extend(flight.states);
        link.records.extend(flight.records);
        link.compare |= flight.compares;
        link.told_room = 0;
        if !link.greeted {
            link.said_contact = false;
            link.said_synced = false;
        }
        let mut again = BTreeSet::new();
        flight.part.iter().for_each(|id| link.large.unknown(id));
        for loaded in flight.transfers {
            again.insert(loaded.at.destination);
            if loaded.tokens > 0 {
                peer.unknown.insert(loaded.id, (loaded.transfer, loaded.tokens));
            }
        }
        if let Some(link) = peer.link.as_mut() {
            again.into_iter().for_each(|destination| link.search_again(destination));
        }
        Ok(())
    }
}
