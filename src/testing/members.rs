//! Keys and certificates of the nodes of a mesh, as they are once the last one has joined.
//!
//! The first founds it and invites the others; both sides of the dialogue are the product's own.

use super::rng::Rng;
use crate::engine::statement::{DirectoryKey, DirectoryRecord};
use crate::security::{Gatekeeper, Identity, InviteOptions, Keep, NodeName, Turn, Visitor};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long the invitations are good, in milliseconds.
const INVITE_TTL_MS: u64 = 60_000;

/// All nodes of a mesh.
pub(super) struct Members {
    list: Vec<Member>,
    directory: BTreeMap<DirectoryKey, DirectoryRecord>,
}

/// A node: its keys, and what it keeps for itself.
struct Member {
    identity: Arc<Identity>,
    private: BTreeMap<String, Bytes>,
}

impl Members {
    /// Makes the nodes of these names; the keys are drawn.
    ///
    /// # Panics
    /// If a name is none, or there are too many.
    pub(super) fn new(names: &[String], rng: &mut Rng, wall_ms: u64) -> Self {
        let of_name = |name: &String| {
            name.parse::<NodeName>().unwrap_or_else(|why| panic!("`{name}` names no node: {why}"))
        };
        let names: Vec<NodeName> = names.iter().map(of_name).collect();
        let identity = |_: &NodeName| Arc::new(Identity::from_seed(&rng.bytes()));
        let member = |identity: Arc<Identity>| Member { identity, private: BTreeMap::new() };
        let list: Vec<Member> = names.iter().map(identity).map(member).collect();
        let mut members = Self { list, directory: BTreeMap::new() };
        let own = Arc::clone(&members.list[0].identity);
        let founded = Gatekeeper::found(own, &names[0], wall_ms);
        let (founder, kept) = founded.expect("keys in memory are kept");
        members.keep(0, &founder, kept);
        for (place, name) in names.iter().enumerate().skip(1) {
            members.admit(&founder, place, name, wall_ms);
        }
        members
    }

    fn admit(&mut self, founder: &Gatekeeper, place: usize, name: &NodeName, wall_ms: u64) {
        let addresses = vec![([127, 0, 0, 1], 1).into()];
        let options = InviteOptions { ttl_ms: INVITE_TTL_MS, admin: false, addresses };
        let (token, kept) = founder.invite(options, wall_ms).expect("room for one more node");
        self.keep(0, founder, kept);
        let joiner = Gatekeeper::unjoined(Arc::clone(&self.list[place].identity));
        let begun = joiner.join(founder.node(), &token, name);
        let (mut dialogue, mut say) = begun.expect("the token is good");
        let mut visitor = Visitor::default();
        loop {
            let reaction = founder.asked(joiner.node(), &mut visitor, &say, wall_ms);
            let reaction = reaction.expect("the joiner keeps to the dialogue");
            if let Some(kept) = reaction.keep {
                self.keep(0, founder, kept);
            }
            match joiner.heard(&mut dialogue, &reaction.reply).expect("two names differ") {
                Turn::Say(next) => say = next,
                Turn::Joined(kept) => return self.keep(place, founder, kept),
                Turn::Proven(_) => unreachable!("it was no member"),
            }
        }
    }

    /// Takes over what one of them has to keep.
    fn keep(&mut self, place: usize, founder: &Gatekeeper, kept: Keep) {
        for record in kept.directory {
            founder.learned(&record);
            let held = self.directory.get(&record.key);
            if held.is_none_or(|held| held.rank < record.rank) {
                self.directory.insert(record.key.clone(), record);
            }
        }
        let private = &mut self.list[place].private;
        private.extend(kept.private.into_iter().filter_map(|(name, value)| Some((name, value?))));
    }

    /// The keys of a node.
    pub(super) fn identity(&self, place: usize) -> Arc<Identity> {
        Arc::clone(&self.list[place].identity)
    }

    /// What a node believes when its process starts.
    pub(super) fn gatekeeper(&self, place: usize) -> Arc<Gatekeeper> {
        let Member { identity, private } = &self.list[place];
        let private = private.clone().into_iter().collect();
        let directory = self.directory.values().cloned().collect();
        let believed = Gatekeeper::restore(Arc::clone(identity), private, directory);
        Arc::new(believed.expect("what fitted together does so again"))
    }
}
