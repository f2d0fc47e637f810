//! Runs of many at once: how often in a second, and how long each took.

use super::super::error::CliError;
use super::work::Work;
use std::future::Future;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// What a run gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Figures {
    /// How many things were done.
    pub(super) count: u64,
    pub(super) per_s: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    pub(super) memory_bytes: Option<u64>,
    pub(super) start_s: Option<f64>,
    pub(super) start_memory_bytes: Option<u64>,
    /// What the nodes did for all of them.
    pub(super) work: Option<Work>,
}

impl Figures {
    /// From the times that each took, and the time of all.
    pub(super) fn of(mut each: Vec<Duration>, all: Duration) -> Self {
        each.sort_unstable();
        let at = |part: f64| {
            let index = ((each.len() as f64 * part) as usize).min(each.len().saturating_sub(1));
            each.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e6)
        };
        let count = each.len() as u64;
        Self { p50_us: at(0.50), p99_us: at(0.99), ..Self::in_all(count, all) }
    }

    /// From the time of all, where that of each is not known.
    pub(super) fn in_all(count: u64, all: Duration) -> Self {
        let seconds = all.as_secs_f64().max(1e-9);
        let each_us = seconds * 1e6 / (count as f64).max(1.0);
        let per_s = count as f64 / seconds;
        Self { count, per_s, p50_us: each_us, p99_us: each_us, ..Self::default() }
    }
}

/// Lets several work for a time, each doing one thing after the other.
pub(super) async fn many<W, F, Fut>(
    workers: Vec<W>,
    length: Duration,
    work: F,
) -> Result<Figures, CliError>
where
    W: Send + 'static,
    F: Fn(W, Instant) -> Fut,
    Fut: Future<Output = Result<Vec<Duration>, CliError>> + Send + 'static,
{
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for worker in workers {
        running.spawn(work(worker, begun + length));
    }
    let mut each = Vec::new();
    while let Some(done) = running.join_next().await {
        each.extend(done.unwrap_or_else(|why| std::panic::resume_unwind(why.into_panic()))?);
    }
    Ok(Figures::of(each, begun.elapsed()))
}
