//! The floors of one stream of an origin, and the sets of numbers they rest on (rules R7, R8).

use crate::engine::address::LineId;
use crate::engine::ids::Epoch;
use crate::engine::limits::HISTORY_MAX;
use crate::engine::message::{Earlier, Floors};
use crate::engine::ranges::RangeSet;
use crate::engine::record::{Key, Line, SentState, Stream};
use crate::engine::statement::Version;
use crate::engine::turn::Turn;
use std::collections::BTreeMap;

/// A line of this origin with its open streams.
#[derive(Debug)]
pub(super) struct LineState {
    pub(super) line: Line,
    pub(super) flows: BTreeMap<Epoch, Flow>,
}

/// One stream, with what only memory knows of it.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) record: Stream,
    /// Final verdicts at or above `known`.
    pub(super) settled: RangeSet,
    /// Ended here without a verdict, at or above `give_up`.
    pub(super) given_up: RangeSet,
    /// Dead for certain, at or above `known`: a late "received" contradicts it.
    pub(super) dead: RangeSet,
    /// Nothing more to hear of, at or above `used_known`.
    pub(super) used: RangeSet,
    /// Handed out since the opening; everything, for a stream of an earlier one (rule R18).
    pub(super) handed: Option<RangeSet>,
    /// Held at the destination, by its newest receipt (rule R14).
    pub(super) held: RangeSet,
    /// What is held there is to be asked again: its receipt is overdue.
    pub(super) asks: bool,
    /// The destination lists many ranges: it waits for the floors.
    pub(super) crowded: bool,
    /// The newest receipt: store and version.
    pub(super) heard: Option<(u64, Version)>,
    /// The store that spoke last, also before the opening, and its receipt's version.
    pub(super) spoke: Option<(u64, Version)>,
    /// Handed out while another store of the destination spoke: it may have taken them.
    pub(super) doubtful: RangeSet,
    /// Earlier epochs that the destination still has open, by its newest receipt.
    pub(super) roster_there: Option<u64>,
    /// The destination has closed the epoch: there is nothing more to tell it (rule R6).
    pub(super) closed: bool,
    /// How things stood when the status record was last said to live links.
    pub(super) said: Option<Said>,
}

/// What a status record would say, and what its destination is known to have taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    shown: Floors,
    taken: Floors,
    roster: u64,
    roster_there: Option<u64>,
}

impl LineState {
    /// The epochs before `epoch` that are still open, with their last numbers.
    pub(super) fn roster(&self, epoch: Epoch) -> Vec<Earlier> {
        self.flows
            .range(..epoch)
            .map(|(&epoch, flow)| Earlier { epoch, last: flow.record.next - 1 })
            .collect()
    }

    pub(super) fn must_tell(&self, epoch: Epoch, flow: &Flow, opening: Epoch) -> bool {
        let (shown, taken) = (&flow.record.floors, &flow.record.confirmed);
        if flow.closed {
            return false;
        }
        let floors = taken.give_up < shown.give_up
            || taken.known < shown.known
            || taken.used_known < shown.used_known;
        let earlier = self.flows.range(..epoch).count() as u64;
        floors || flow.asks || epoch == opening && flow.roster_there.unwrap_or_default() != earlier
    }

    /// Notes that a stream's status record is said now. False if it was said when everything stood
    /// as it does.
    pub(super) fn is_news(&mut self, epoch: Epoch) -> bool {
        let earlier = self.flows.range(..epoch).count() as u64;
        let Some(flow) = self.flows.get_mut(&epoch) else { return false };
        let said = Said {
            shown: flow.record.floors,
            taken: flow.record.confirmed,
            roster: earlier,
            roster_there: flow.roster_there,
        };
        flow.said.replace(said) != Some(said)
    }
}

impl Flow {
    pub(super) fn new() -> Self {
        Self {
            record: Stream {
                next: 1,
                floors: Floors::START,
                confirmed: Floors::START,
                base: 1,
                retired: false,
            },
            settled: RangeSet::new(),
            given_up: RangeSet::new(),
            dead: RangeSet::new(),
            used: RangeSet::new(),
            handed: Some(RangeSet::new()),
            held: RangeSet::new(),
            asks: false,
            crowded: false,
            heard: None,
            spoke: None,
            doubtful: RangeSet::new(),
            roster_there: None,
            closed: false,
            said: None,
        }
    }

    /// Sorts a number into the sets by its state.
    pub(super) fn note(&mut self, n: u64, state: &SentState) {
        match state {
            SentState::Waiting => {}
            SentState::Unconfirmed(_) => {
                self.given_up.insert(n);
            }
            SentState::Arrived => {
                self.settled.insert(n);
            }
            SentState::Received | SentState::Ended => {
                self.settled.insert(n);
                self.used.insert(n);
            }
            SentState::Dead(_) => {
                self.settled.insert(n);
                self.dead.insert(n);
                self.used.insert(n);
            }
        }
    }

    /// Raises the floors as far as the sets allow (rules R7, R8), and lets go of what is below.
    pub(super) fn raise(&mut self) {
        let floors = &mut self.record.floors;
        floors.known = self.settled.first_missing(floors.known);
        let mut give_up = floors.give_up.max(floors.known);
        loop {
            let next = self.given_up.first_missing(self.settled.first_missing(give_up));
            if next == give_up {
                break;
            }
            give_up = next;
        }
        floors.give_up = give_up;
        let oldest = self.record.next.saturating_sub(HISTORY_MAX).min(floors.known);
        floors.used_known = self.used.first_missing(floors.used_known.max(oldest));
        let (known, used) = (floors.known, floors.used_known);
        self.settled.remove_range(0..known);
        self.dead.remove_range(0..known);
        self.given_up.remove_range(0..known);
        self.used.remove_range(0..used);
    }

    /// Forgets the states of old settled numbers.
    pub(super) fn forget_history(&mut self, turn: &mut Turn<'_>, line: LineId, epoch: Epoch) {
        let floors = &self.record.floors;
        let oldest = self.record.next.saturating_sub(HISTORY_MAX);
        let base = oldest.min(floors.known).min(floors.used_known);
        (self.record.base..base).for_each(|n| turn.delete(Key::Sent(line, epoch, n)));
        self.record.base = self.record.base.max(base);
    }
}
