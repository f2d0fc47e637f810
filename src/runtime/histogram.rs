//! Counts of durations in fixed steps, so that watching costs the same however much happens.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts durations by their upper bounds. Shared between whoever measures and whoever shows.
#[derive(Debug)]
pub struct Histogram {
    bounds_s: &'static [f64],
    /// One for each bound, and one for what lies above all.
    counts: Vec<AtomicU64>,
    sum_us: AtomicU64,
}

/// What a histogram has counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted {
    /// Each upper bound in seconds, with how many were at or below it.
    pub buckets: Vec<(f64, u64)>,
    /// How many there were.
    pub count: u64,
    /// All of them together, in seconds.
    pub sum_s: f64,
}

impl Histogram {
    /// Nothing counted yet. The bounds are in seconds and ascend.
    pub fn new(bounds_s: &'static [f64]) -> Self {
        let counts = std::iter::repeat_with(AtomicU64::default).take(bounds_s.len() + 1).collect();
        Self { bounds_s, counts, sum_us: AtomicU64::new(0) }
    }

    /// Counts one duration.
    pub fn observe(&self, time: Duration) {
        let seconds = time.as_secs_f64();
        let bucket = self.bounds_s.partition_point(|bound| *bound < seconds);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.sum_us.fetch_add(micros, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub fn read(&self) -> Counted {
        let mut count = 0;
        let below = || self.counts.iter().map(|step| step.load(Ordering::Relaxed));
        let bounds = self.bounds_s.iter().copied();
        let buckets = bounds.zip(below()).map(|(bound, step)| {
            count += step;
            (bound, count)
        });
        let buckets: Vec<_> = buckets.collect();
        let sum_s = self.sum_us.load(Ordering::Relaxed) as f64 / 1e6;
        // Never less than the last bucket: it was read first.
        let count = below().sum::<u64>().max(count);
        Counted { buckets, count, sum_s }
    }
}

#[cfg(test)]
mod tests;
