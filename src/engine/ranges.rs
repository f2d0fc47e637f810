//! Sets of numbers kept as ranges: the whole memory of what was delivered, however many it was.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

/// A set of numbers, kept as disjoint ranges that do not touch each other.
///
/// Encoded as gaps and lengths, so that a range costs a few bytes wherever it lies.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<u64>", into = "Vec<u64>")]
pub struct RangeSet {
    /// Start to end (exclusive).
    ranges: BTreeMap<u64, u64>,
}

impl RangeSet {
    /// The empty set.
    pub const fn new() -> Self {
        Self { ranges: BTreeMap::new() }
    }

    /// Adds one number; false if it was there.
    pub fn insert(&mut self, number: u64) -> bool {
        let fresh = !self.contains(number);
        if fresh {
            self.insert_range(number..number.saturating_add(1));
        }
        fresh
    }

    /// Adds all numbers of a range.
    pub fn insert_range(&mut self, range: Range<u64>) {
        let (mut start, mut end) = (range.start, range.end);
        if start >= end {
            return;
        }
        if let Some((&s, &e)) = self.ranges.range(..=start).next_back()
            && e >= start
        {
            start = s;
            end = end.max(e);
        }
        while let Some((&s, &e)) = self.ranges.range(start..=end).next() {
            end = end.max(e);
            self.ranges.remove(&s);
        }
        self.ranges.insert(start, end);
    }

    /// Takes all numbers of a range out.
    pub fn remove_range(&mut self, range: Range<u64>) {
        if range.start >= range.end {
            return;
        }
        let hit: Vec<(u64, u64)> = self
            .ranges
            .range(..range.end)
            .rev()
            .take_while(|&(_, &e)| e > range.start)
            .map(|(&s, &e)| (s, e))
            .collect();
        for (s, e) in hit {
            self.ranges.remove(&s);
            if s < range.start {
                self.ranges.insert(s, range.start);
            }
            if e > range.end {
                self.ranges.insert(range.end, e);
            }
        }
    }

    /// Takes one number out; false if it was not there.
    pub fn remove(&mut self, number: u64) -> bool {
        let there = self.contains(number);
        if there {
            self.remove_range(number..number.saturating_add(1));
        }
        there
    }

    /// Whether the number is in the set.
    pub fn contains(&self, number: u64) -> bool {
        self.ranges.range(..=number).next_back().is_some_and(|(_, &end)| end > number)
    }

    /// Adds everything that is in `other`.
    pub fn union(&mut self, other: &Self) {
        other.iter().for_each(|range| self.insert_range(range));
    }

    /// The part of the set that lies in a range.
    #[must_use]
    pub fn within(&self, range: Range<u64>) -> Self {
        let mut part = self.clone();
        part.remove_range(0..range.start);
        part.remove_range(range.end..u64::MAX);
        part
    }

    /// The ranges in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Range<u64>> + '_ {
        self.ranges.iter().map(|(&start, &end)| start..end)
    }

    /// The numbers in order.
    pub fn numbers(&self) -> impl Iterator<Item = u64> + '_ {
        self.iter().flatten()
    }

    /// How many ranges there are.
    pub fn ranges(&self) -> usize {
        self.ranges.len()
    }

    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        self.ranges.iter().map(|(start, end)| end - start).sum()
    }

    /// Whether nothing is in the set.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The first number from `from` on that is not in the set.
    pub fn first_missing(&self, from: u64) -> u64 {
        match self.ranges.range(..=from).next_back() {
            Some((_, &end)) if end > from => end,
            _ => from,
        }
    }

    /// The greatest number in the set.
    pub fn last(&self) -> Option<u64> {
        self.ranges.last_key_value().map(|(_, end)| end - 1)
    }
}

impl From<Vec<u64>> for RangeSet {
    fn from(flat: Vec<u64>) -> Self {
        let mut set = Self::new();
        let mut at = 0_u64;
        for pair in flat.chunks_exact(2) {
            let start = at.saturating_add(pair[0]);
            at = start.saturating_add(pair[1]);
            set.insert_range(start..at);
        }
        set
    }
}

impl From<RangeSet> for Vec<u64> {
    fn from(set: RangeSet) -> Self {
        let mut at = 0;
        let mut flat = Self::with_capacity(set.ranges.len() * 2);
        for (start, end) in set.ranges {
            flat.extend([start - at, end - start]);
            at = end;
        }
        flat
    }
}

impl FromIterator<Range<u64>> for RangeSet {
    fn from_iter<I: IntoIterator<Item = Range<u64>>>(ranges: I) -> Self {
        let mut set = Self::new();
        ranges.into_iter().for_each(|range| set.insert_range(range));
        set
    }
}

impl fmt::Debug for RangeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests;
