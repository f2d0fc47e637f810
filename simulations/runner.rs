//! Runs scenarios with many seeds on all cores, and gives the results in the order of the seeds.
//!
//! A panic of the engine is a result like another. A failure is run again with a trace: the same
//! seed gives the same run, so the history costs nothing until it is wanted.

use crate::checkers::Violation;
use crate::record::Record;
use crate::scenario::Scenario;
use crate::trace::{self, Trace};
use crate::world::{Stop, Tally, World};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

/// Lines of a history that a report shows.
const HISTORY_MAX: usize = 60;

/// What one run came to.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// Index of the scenario.
    pub(crate) scenario: usize,
    /// The seed.
    pub(crate) seed: u64,
    /// The verdict.
    pub(crate) verdict: Verdict,
    /// How much happened.
    pub(crate) events: u64,
    /// When it ended, in milliseconds of virtual time.
    pub(crate) at_ms: u64,
    /// A hash of all outputs of all nodes, in order; empty after a panic.
    pub(crate) digest: String,
    /// Counts.
    pub(crate) tally: Tally,
    /// What went wrong, if something did.
    pub(crate) failure: Option<Failure>,
    /// All that happened, if it was wanted.
    pub(crate) trace: Vec<String>,
}

/// How a run ended, the gravest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// All promises were kept.
    Ok,
    /// Something that should have happened has not.
    Liveness,
    /// A promise was broken.
    Safety,
    /// The engine panicked, or gave up without a fault.
    Crash,
}

/// What went wrong.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// The broken promise, and of which message.
    pub(crate) violation: Violation,
    /// What led to it.
    pub(crate) history: Vec<String>,
}

/// What is run.
pub(crate) struct Plan<'s> {
    /// The scenarios.
    pub(crate) scenarios: &'s [Scenario],
    /// The first seed.
    pub(crate) first_seed: u64,
    /// How many seeds of each scenario.
    pub(crate) seeds: u64,
    /// Threads.
    pub(crate) jobs: usize,
    /// Whether statements are signed.
    pub(crate) signs: bool,
    /// Whether everything that happens is wanted.
    pub(crate) trace: bool,
}

impl Plan<'_> {
    /// How many runs there are.
    pub(crate) fn runs(&self) -> usize {
        self.scenarios.len() * self.seeds as usize
    }

    /// Runs all, and hands over each outcome, in order. Ends early if the receiver wants no more.
    pub(crate) fn run(
        &self,
        mut done: impl FnMut(Outcome) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let (sender, receiver) = mpsc::channel();
            for _ in 0..self.jobs.clamp(1, self.runs().max(1)) {
                let (sender, next, stop) = (sender.clone(), &next, &stop);
                scope.spawn(move || {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        if index >= self.runs() || stop.load(Ordering::Relaxed) {
                            return;
                        }
                        if sender.send((index, self.one(index))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            let mut early = std::collections::BTreeMap::new();
            let mut wanted = 0;
            for (index, outcome) in receiver {
                early.insert(index, outcome);
                while let Some(outcome) = early.remove(&wanted) {
                    wanted += 1;
                    done(outcome).inspect_err(|_| stop.store(true, Ordering::Relaxed))?;
                }
            }
            Ok(())
        })
    }

    fn play(&self, scenario: &Scenario, seed: u64, trace: &Trace) -> Outcome {
        run(scenario, seed, self.signs, trace)
    }

    fn one(&self, index: usize) -> Outcome {
        let scenario = index / self.seeds as usize;
        let seed = self.first_seed.wrapping_add(index as u64 % self.seeds);
        let of = &self.scenarios[scenario];
        let trace = if self.trace { Trace::on() } else { Trace::off() };
        let mut outcome = Outcome { scenario, ..self.play(of, seed, &trace) };
        if let Some(failure) = &mut outcome.failure {
            let again = Trace::on();
            let _same = self.play(of, seed, &again);
            failure.history = history(&again.lines(), &failure.violation);
        }
        outcome.trace = trace.lines();
        outcome
    }
}

/// Runs one scenario with one seed.
fn run(scenario: &Scenario, seed: u64, signs: bool, trace: &Trace) -> Outcome {
    let attempt = AssertUnwindSafe(|| World::new(scenario, seed, signs, trace.clone()).run());
    let mut outcome = Outcome {
        scenario: 0,
        seed,
        verdict: Verdict::Ok,
        events: 0,
        at_ms: 0,
        digest: String::new(),
        tally: Tally::default(),
        failure: None,
        trace: Vec::new(),
    };
    let failed = match catch_unwind(attempt) {
        Ok(finished) => {
            outcome.events = finished.events;
            outcome.at_ms = finished.at_ms;
            outcome.digest = finished.digest;
            outcome.tally = finished.tally;
            match finished.result {
                Ok(()) => None,
                Err(Stop::Safety(violation)) => Some((Verdict::Safety, violation)),
                Err(Stop::Liveness(violation)) => Some((Verdict::Liveness, violation)),
                Err(Stop::Broken(what)) => {
                    Some((Verdict::Crash, Violation::general("the engine", what)))
                }
            }
        }
        Err(_) => {
            let what = PANIC.with_borrow_mut(std::mem::take);
            Some((Verdict::Crash, Violation::general("the engine", what)))
        }
    };
    if let Some((verdict, violation)) = failed {
        outcome.verdict = verdict;
        outcome.failure = Some(Failure { violation, history: Vec::new() });
    }
    outcome
}

/// Runs one scenario with one seed for its page.
pub(crate) fn recorded(scenario: &Scenario, seed: u64, signs: bool) -> (Outcome, Record) {
    let trace = Trace::into(Record::new(&scenario.nodes));
    let mut outcome = run(scenario, seed, signs, &trace);
    if let Some(failure) = &mut outcome.failure {
        let again = Trace::on();
        let _same = run(scenario, seed, signs, &again);
        failure.history = history(&again.lines(), &failure.violation);
    }
    (outcome, trace.into_record())
}

fn history(lines: &[String], violation: &Violation) -> Vec<String> {
    let mut all = match &violation.message {
        Some(id) => trace::about(lines, id),
        None => lines.to_vec(),
    };
    all.split_off(all.len().saturating_sub(HISTORY_MAX))
}

thread_local! {
    /// What the last panic of this thread said.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps what panics say for the report, instead of printing it.
pub(crate) fn catch_panics() {
    std::panic::set_hook(Box::new(|info| {
        let payload = info.payload();
        let owned = payload.downcast_ref::<String>().map(String::as_str);
        let text = owned.or_else(|| payload.downcast_ref::<&str>().copied());
        let text = text.unwrap_or("it panicked");
        let place = info.location().map(|at| format!("{}:{}", at.file(), at.line()));
        let what = format!("panic at {}: {text}", place.unwrap_or_default());
        PANIC.with_borrow_mut(|panic| *panic = what);
    }));
}
