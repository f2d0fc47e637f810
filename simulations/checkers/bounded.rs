//! G8, bounded: every table of every node stays under its named limit, and so does what goes over a
//! link: requests in flight, transfers and statements of one request, hops and tokens of a copy.
//!
//! What a node has on disk is counted from its commits. What it has in memory only is not seen here.
//! That a frame is not too large is seen when it is decoded.

mod tables;

use super::{Finding, Violation};
use crate::disk::Commit;
use crate::scenario::Place;
use meshmq::engine::command::Reply;
use meshmq::engine::frame::{Frame, Transfer};
use meshmq::engine::limits::{
    ALL_RANGES_MAX, BATCH_MESSAGES, HAVE_MAX, HELD_MAX, HOPS_MAX, IN_FLIGHT_MAX, Limits,
    NEIGHBOURS_MAX, RANGES_MAX, RECEIVE_MAX, ROSTER_MAX, ROSTER_USED_MAX, SPARE_RANGES, TOKENS,
};
use meshmq::engine::record::{Inbox, Key, Queue, Record};
use meshmq::engine::step::Output;
use meshmq::engine::storage::Write;
use std::collections::BTreeMap;
use tables::Tables;

const PROMISE: &str = "G8 bounded";

/// How full the tables of all nodes are.
#[derive(Default)]
pub(super) struct Bounded(BTreeMap<Place, Tables>);

impl Bounded {
    /// Judges the tables of a node after a commit.
    pub(super) fn commit(&mut self, place: Place, me: &[u8; 32], commit: &Commit) -> Finding {
        let tables = self.0.entry(place).or_default();
        for (write, undo) in commit.writes.iter().zip(&commit.undo) {
            tables.post(me, write, undo);
            match write {
                Write::Put(_, Record::Inbox(inbox)) => self::inbox(inbox)?,
                Write::Put(_, Record::Queue(queue)) => self::queue(queue)?,
                _ => {}
            }
        }
        tables.check()
    }

    /// Counts a store that was put back.
    pub(super) fn put_back(&mut self, place: Place, me: &[u8; 32], records: &[(Key, Record)]) {
        let mut tables = Tables::default();
        for (key, record) in records {
            let write = Write::Put(key.clone(), record.clone());
            tables.post(me, &write, &Write::Delete(key.clone()));
        }
        self.0.insert(place, tables);
    }
}

/// Judges an output of a node.
pub(super) fn check(output: &Output) -> Finding {
    match output {
        Output::Request { frames, .. } => {
            let transfers = frames
                .iter()
                .filter(|frame| matches!(frame, Frame::Transfer(_) | Frame::Part(_)))
                .count();
            within("transfers of a request", transfers as u64, BATCH_MESSAGES as u64)?;
            frames.iter().try_for_each(frame)
        }
        Output::Answer { answer, .. } => answer.frames.iter().try_for_each(frame),
        Output::Reply { result: Ok(Reply::Deliveries(list)), .. } => {
            within("messages of a delivery", list.len() as u64, RECEIVE_MAX as u64)
        }
        _ => Ok(()),
    }
}

/// Judges how many requests to one neighbour wait for an answer.
pub(crate) fn in_flight(count: usize) -> Finding {
    within("requests in flight to one neighbour", count as u64, IN_FLIGHT_MAX as u64)
}

/// A neighbour does not take what a node has encoded.
pub(crate) fn refused(why: &meshmq::codec::CodecError) -> Violation {
    Violation::general(PROMISE, format!("a neighbour refuses the bytes of a frame: {why}"))
}

fn frame(frame: &Frame) -> Finding {
    match frame {
        Frame::Transfer(it) => transfer(it),
        Frame::Part(part) => transfer(&part.transfer),
        Frame::LinkState(state) => {
            let count = state.statement.neighbours.len();
            within("neighbours of a link state", count as u64, NEIGHBOURS_MAX as u64)
        }
        Frame::Have(page) => within("entries of a page", page.len() as u64, HAVE_MAX as u64),
        Frame::Status(status) => {
            let count = status.statement.roster.len();
            within("epochs of a roster", count as u64, (ROSTER_MAX + ROSTER_USED_MAX) as u64)
        }
        _ => Ok(()),
    }
}

fn transfer(transfer: &Transfer) -> Finding {
    let transit = transfer.transit;
    within("hops of a copy", transit.hops.into(), HOPS_MAX.into())?;
    within("tokens of a copy", transit.tokens.into(), TOKENS.into())
}

/// What a destination remembers of a stream.
fn inbox(inbox: &Inbox) -> Finding {
    let sets = [&inbox.received, &inbox.skipped, &inbox.used, &inbox.ended];
    let counts = sets.map(|set| set.ranges());
    let most = counts.iter().max().copied().unwrap_or_default();
    within("ranges of a verdict", most as u64, RANGES_MAX as u64)?;
    let refused = inbox.refused.values().map(|set| set.ranges());
    let all: usize = counts.into_iter().chain(refused).sum();
    within("ranges of a stream", all as u64, (ALL_RANGES_MAX + SPARE_RANGES) as u64)?;
    within("held messages of a stream", inbox.held.count(), HELD_MAX)
}

/// A queue's own count against its quota.
fn queue(queue: &Queue) -> Finding {
    let limits = Limits::default();
    let most = queue.max_messages.unwrap_or(limits.queue_messages);
    within(&format!("messages of queue {}", queue.name), queue.messages, most)?;
    let most = queue.max_bytes.unwrap_or(limits.queue_bytes);
    within(&format!("bytes of queue {}", queue.name), queue.bytes, most)
}

fn within(what: &str, count: u64, most: u64) -> Finding {
    if count <= most {
        return Ok(());
    }
    Err(Violation::general(PROMISE, format!("{what}: {count}; {most} are allowed")))
}

#[cfg(test)]
mod tests;
