//! What is known of each neighbour: what it was told, what it has, what is under way to it.
//!
//! Refuses to choose what is sent; it remembers where the choice stopped.

mod large;

use super::address::NodeId;
use super::control::Word;
use super::frame::{NotTaken, Purpose};
use super::ids::{Epoch, MessageId, StreamId};
use super::limits::{
    BATCH_BYTES, FULL_RETRY_FIRST_MS, FULL_RETRY_LONGEST_MS, RELAY_RETRY_FIRST_MS,
};
use super::ranges::RangeSet;
use super::record::Spot;
use super::statement::DirectoryKey;
use super::time::Timestamp;
use large::Large;
use std::collections::{BTreeMap, BTreeSet};

/// All neighbours, past and present.
#[derive(Debug, Default)]
pub(super) struct Links {
    peers: BTreeMap<NodeId, Peer>,
    /// Destinations whose messages a live path took, with the time to doubt it.
    patience: BTreeMap<NodeId, Patience>,
}

/// One neighbour.
#[derive(Debug, Default)]
pub(super) struct Peer {
    /// Its store and opening, once it has said them.
    pub(super) identity: Option<(u64, Epoch)>,
    /// Numbers per stream that it took as a relay in the present round.
    pub(super) has: BTreeMap<(NodeId, StreamId), RangeSet>,
    /// Numbers per stream that it carries for others, as far as is known; a restart or a new round
    /// changes nothing in that. Receipts that settle them go to it (rule R21).
    pub(super) carries: BTreeMap<(NodeId, StreamId), RangeSet>,
    /// Shares of tokens under way with an unknown outcome (rule R24).
    pub(super) unknown: BTreeMap<MessageId, (u64, u16)>,
    /// Its live link, if it has one.
    pub(super) link: Option<Link>,
}

/// A live link.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// The neighbour.
    node: Option<NodeId>,
    /// The first frame was put into a request.
    pub(super) said_contact: bool,
    /// Everything to be said first was put into a request.
    pub(super) said_synced: bool,
    /// Both were answered.
    pub(super) greeted: bool,
    /// The neighbour has said everything to be said first.
    pub(super) heard_synced: bool,
    /// Bytes it would carry for others.
    pub(super) room: u64,
    /// Bytes that it was told this node would carry.
    pub(super) told_room: u64,
    /// Requests without an answer.
    pub(super) in_flight: BTreeMap<u64, Flight>,
    pub(super) bytes_in_flight: u64,
    /// Messages in these requests.
    pub(super) flying: BTreeSet<MessageId>,
    /// Numbers per stream that it took as their destination on this link.
    pub(super) delivered: BTreeMap<StreamId, RangeSet>,
    /// Bytes that may be in flight: what the link moved in the last second.
    pub(super) window: u64,
    /// Where the search for messages stopped, by rank and destination.
    pub(super) cursors: BTreeMap<(u8, NodeId), Cursor>,
    /// Copies that go in parts.
    pub(super) large: Large,
    /// Statements to send.
    pub(super) words: BTreeSet<Word>,
    /// Nodes whose link state is to be sent.
    pub(super) states: BTreeSet<NodeId>,
    /// How many link states this node had taken in when the link came up.
    pub(super) learned: u64,
    /// Directory records to send.
    pub(super) records: BTreeSet<DirectoryKey>,
    /// Whether the directory is to be compared.
    pub(super) compare: bool,
    /// Nothing is sent before this moment.
    pub(super) retry_at: Option<Timestamp>,
    /// Streams that are not taken at present.
    pub(super) blocked: BTreeMap<StreamId, Blocked>,
}

/// Where a search stopped.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cursor {
    pub(super) after: u64,
    /// Whether there may be more behind it.
    pub(super) more: bool,
}

/// A request without an answer.
#[derive(Debug, Default)]
pub(super) struct Flight {
    pub(super) sent_at: Timestamp,
    pub(super) bytes: u64,
    pub(super) transfers: Vec<Loaded>,
    /// The copy among them of which only a part went.
    pub(super) part: Option<MessageId>,
    pub(super) words: Vec<Word>,
    pub(super) states: Vec<NodeId>,
    pub(super) records: Vec<DirectoryKey>,
    pub(super) greets: bool,
    pub(super) compares: bool,
}

/// A copy in a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loaded {
    pub(super) id: MessageId,
    pub(super) at: Spot,
    pub(super) purpose: Purpose,
    pub(super) transfer: u64,
    pub(super) tokens: u16,
}

/// A stream that the neighbour does not take at present.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blocked {
    pub(super) destination: NodeId,
    pub(super) reason: NotTaken,
    pub(super) until: Timestamp,
    pub(super) step: u32,
    pub(super) over: bool,
}

#[derive(Debug, Clone, Copy)]
struct Patience {
    due: Timestamp,
    step: u32,
}

impl Links {
    /// The neighbour, remembered from now on.
    pub(super) fn peer(&mut self, node: NodeId) -> &mut Peer {
        self.peers.entry(node).or_default()
    }

    /// The live link to a neighbour.
    pub(super) fn link(&self, node: NodeId) -> Option<&Link> {
        self.peers.get(&node)?.link.as_ref()
    }

    /// The live link to a neighbour.
    pub(super) fn link_mut(&mut self, node: NodeId) -> Option<&mut Link> {
        self.peers.get_mut(&node)?.link.as_mut()
    }

    /// All live links.
    pub(super) fn live(&self) -> impl Iterator<Item = (NodeId, &Link)> {
        self.peers.iter().filter_map(|(&node, peer)| Some((node, peer.link.as_ref()?)))
    }

    /// All live links.
    pub(super) fn live_mut(&mut self) -> impl Iterator<Item = (NodeId, &mut Link)> {
        self.peers.iter_mut().filter_map(|(&node, peer)| Some((node, peer.link.as_mut()?)))
    }

    /// The neighbours with a live link.
    pub(super) fn live_nodes(&self) -> Vec<NodeId> {
        self.live().map(|(node, _)| node).collect()
    }

    /// Searches again from the start for messages to a destination, on every link.
    pub(super) fn search_again(&mut self, destination: NodeId) {
        self.live_mut().for_each(|(_, link)| link.search_again(destination));
    }

    /// The neighbour that was the last to take a message, by what it said.
    pub(super) fn holder(&self, destination: NodeId, id: &MessageId) -> Option<NodeId> {
        let has = |(&node, peer): (&NodeId, &Peer)| {
            let relay = peer.has.get(&(destination, id.stream));
            let direct = peer.link.as_ref().and_then(|link| link.delivered.get(&id.stream));
            let of = |set: Option<&RangeSet>| set.is_some_and(|set| set.contains(id.number));
            (of(relay) || of(direct)).then_some(node)
        };
        self.peers.iter().find_map(has)
    }

    /// Whether a neighbour has taken something for a destination to carry it there.
    pub(super) fn is_carried(&self, destination: NodeId) -> bool {
        self.peers.values().any(|peer| peer.has_for(destination))
    }

    /// Neighbours that have taken something for a destination to carry it there.
    pub(super) fn carriers(&self, destination: NodeId) -> Vec<NodeId> {
        let carry = self.peers.iter().filter(|(_, peer)| peer.has_for(destination));
        carry.map(|(&node, _)| node).collect()
    }

    /// A message is to be given again to whoever had it: a new round, or a displaced one.
    pub(super) fn give_again(&mut self, destination: NodeId, id: &MessageId) {
        for peer in self.peers.values_mut() {
            if let Some(numbers) = peer.has.get_mut(&(destination, id.stream)) {
                numbers.remove(id.number);
            }
            if let Some(numbers) =
                peer.link.as_mut().and_then(|link| link.delivered.get_mut(&id.stream))
            {
                numbers.remove(id.number);
            }
        }
    }

    /// Everything for a destination is to be given again to whoever had it.
    pub(super) fn give_all_again(&mut self, destination: NodeId) {
        for (&node, peer) in &mut self.peers {
            peer.has.retain(|(to, _), _| *to != destination);
            if let Some(link) = peer.link.as_mut().filter(|_| node == destination) {
                link.delivered.clear();
            }
        }
    }

    /// A stream needs no memory any more: its receipt has settled the numbers below.
    pub(super) fn settled(&mut self, destination: NodeId, stream: StreamId, below: u64) {
        for peer in self.peers.values_mut() {
            let delivered = peer.link.as_mut().and_then(|link| link.delivered.get_mut(&stream));
            let has = peer.has.get_mut(&(destination, stream));
            let carries = peer.carries.get_mut(&(destination, stream));
            let sets = delivered.into_iter().chain(has).chain(carries);
            sets.for_each(|set| set.remove_range(0..below));
            peer.has.retain(|_, numbers| !numbers.is_empty());
            peer.carries.retain(|_, numbers| !numbers.is_empty());
        }
    }

    /// A live path took a message: by then a receipt is due, or it is sent again.
    pub(super) fn expect(&mut self, destination: NodeId, now: Timestamp) {
        let due = now.after(RELAY_RETRY_FIRST_MS);
        self.patience.entry(destination).or_insert(Patience { due, step: 0 });
    }

    /// A receipt came from a destination: what else it owes is owed for longer.
    pub(super) fn progress(&mut self, destination: NodeId, now: Timestamp, waits: bool) {
        if !waits {
            self.patience.remove(&destination);
        } else if let Some(patience) = self.patience.get_mut(&destination) {
            *patience = Patience { due: now.after(RELAY_RETRY_FIRST_MS), step: 0 };
        }
    }

    /// Destinations whose receipts are overdue; each is doubted again after four times as long.
    pub(super) fn overdue(&mut self, now: Timestamp) -> Vec<NodeId> {
        let mut overdue = Vec::new();
        for (&node, patience) in &mut self.patience {
            if patience.due <= now {
                patience.step = (patience.step + 1).min(8);
                patience.due = now.after(RELAY_RETRY_FIRST_MS << (2 * patience.step));
                overdue.push(node);
            }
        }
        overdue
    }

    /// When a link, a blocked stream or an overdue receipt wants attention.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let links = self.live().flat_map(|(_, link)| {
            let blocked = link.blocked.values().filter(|blocked| !blocked.over);
            blocked.map(|blocked| blocked.until).chain(link.retry_at)
        });
        links.chain(self.patience.values().map(|patience| patience.due)).min()
    }
}

impl Peer {
    /// Whether it has, in the present round, anything for a destination.
    fn has_for(&self, destination: NodeId) -> bool {
        self.has.keys().any(|(to, _)| *to == destination)
    }

    /// It took a message of somebody else's for a destination, or has had it all along.
    pub(super) fn took(&mut self, destination: NodeId, id: &MessageId) {
        self.has.entry((destination, id.stream)).or_default().insert(id.number);
        self.carries(destination, id);
    }

    /// It carries a message to a destination.
    pub(super) fn carries(&mut self, destination: NodeId, id: &MessageId) {
        self.carries.entry((destination, id.stream)).or_default().insert(id.number);
    }

    /// Whether it carries anything of a stream to a destination.
    pub(super) fn is_carrying(&self, stream: StreamId, destination: NodeId) -> bool {
        self.carries.contains_key(&(destination, stream))
    }
}

impl Link {
    /// A link that has just come up.
    pub(super) fn new(node: NodeId) -> Self {
        Self { node: Some(node), window: BATCH_BYTES as u64, ..Self::default() }
    }

    /// Whether it leads to this node.
    pub(super) fn leads_to(&self, node: NodeId) -> bool {
        self.node == Some(node)
    }

    /// Searches again from the start for messages to a destination.
    pub(super) fn search_again(&mut self, destination: NodeId) {
        for rank in 0..8 {
            self.cursors.insert((rank, destination), Cursor { after: 0, more: true });
        }
    }

    /// There is something for a destination at this place.
    pub(super) fn search_from(&mut self, at: Spot) {
        let cursor = self.cursors.entry((at.rank, at.destination)).or_default();
        cursor.after = cursor.after.min(at.arrival.saturating_sub(1));
        cursor.more = true;
    }

    /// The neighbour does not take a stream at present; each time it is asked later.
    pub(super) fn block(
        &mut self,
        stream: StreamId,
        destination: NodeId,
        reason: NotTaken,
        now: Timestamp,
    ) {
        let step = self
            .blocked
            .get(&stream)
            .map_or(0, |blocked| if blocked.over { blocked.step + 1 } else { blocked.step });
        let wait = (FULL_RETRY_FIRST_MS << step.min(10)).min(FULL_RETRY_LONGEST_MS);
        let until = now.after(wait);
        self.blocked.insert(stream, Blocked { destination, reason, until, step, over: false });
    }

    /// The neighbour may take a stream again: it has taken some of it, or its queue has room. Room
    /// in a queue says nothing to a stream that was turned away for another reason.
    pub(super) fn unblock(&mut self, stream: &StreamId, progress: bool) {
        let ends = |blocked: &Blocked| progress || blocked.reason == NotTaken::QueueFull;
        if let Some(destination) =
            self.blocked.get(stream).filter(|b| ends(b)).map(|b| b.destination)
        {
            self.blocked.remove(stream);
            self.search_again(destination);
        }
    }

    /// Lets streams be tried again whose wait is over.
    pub(super) fn end_blocks(&mut self, now: Timestamp) {
        let over = |blocked: &Blocked| !blocked.over && blocked.until <= now;
        let ended: Vec<NodeId> =
            self.blocked.values().filter(|b| over(b)).map(|b| b.destination).collect();
        self.blocked.values_mut().filter(|b| over(b)).for_each(|b| b.over = true);
        ended.into_iter().for_each(|destination| self.search_again(destination));
    }

    /// Whether a stream is not taken at present.
    pub(super) fn is_blocked(&self, stream: &StreamId) -> bool {
        self.blocked.get(stream).is_some_and(|blocked| !blocked.over)
    }

    /// Whether a stream was not taken and is tried again now, one message at a time.
    pub(super) fn is_probed(&self, stream: &StreamId) -> bool {
        self.blocked.get(stream).is_some_and(|blocked| blocked.over)
    }

    /// Takes a request out of flight, and learns from the time it took.
    pub(super) fn landed(&mut self, exchange: u64, now: Timestamp) -> Option<Flight> {
        let flight = self.lost(exchange)?;
        let took_ms = now.since(flight.sent_at).max(1);
        let per_second = flight.bytes.saturating_mul(1_000) / took_ms;
        if flight.bytes >= WINDOW_SAMPLE {
            self.window = per_second.clamp(WINDOW_MIN, WINDOW_MAX);
        }
        Some(flight)
    }

    /// Takes a request out of flight that will have no answer.
    pub(super) fn lost(&mut self, exchange: u64) -> Option<Flight> {
        let flight = self.in_flight.remove(&exchange)?;
        self.bytes_in_flight = self.bytes_in_flight.saturating_sub(flight.bytes);
        for loaded in flight.transfers.iter().filter(|it| flight.part != Some(it.id)) {
            self.flying.remove(&loaded.id);
        }
        flight.part.iter().for_each(|id| self.large.landed(id));
        Some(flight)
    }
}

/// Requests smaller than this say nothing about a link's rate, in bytes.
const WINDOW_SAMPLE: u64 = 16 * 1024;
/// Smallest window, in bytes.
const WINDOW_MIN: u64 = 16 * 1024;
/// Largest window, in bytes.
const WINDOW_MAX: u64 = 4 * 1024 * 1024;
