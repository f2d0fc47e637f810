//! Runs scenarios with many seeds on all cores, and gives the results in the order of the seeds.
//!
//! A panic of the engine is a result like another. A failure is run again with a trace: the same
//! seed gives the same run, so the history costs nothing until it is wanted.

use crate::checkers::Violation;
use crate::pool;
use crate::record::Record;
use crate::scenario::Scenario;
use crate::shrink::{self, Shrunk};
use crate::trace::{self, Trace};
use crate::world::{Stop, Tally, World};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// Lines of a history that a report shows.
const HISTORY_MAX: usize = 60;
/// A run that has more events than this never ends.
pub(crate) const EVENTS_MAX: u64 = 50_000_000;

/// What one run came to.
#[derive(Debug)]
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
#[derive(Debug)]
pub(crate) struct Failure {
    /// The broken promise, and of which message.
    pub(crate) violation: Violation,
    /// What led to it.
    pub(crate) history: Vec<String>,
    /// A shorter scenario that fails in the same way, and where it was written.
    pub(crate) shrunk: Option<(Shrunk, io::Result<PathBuf>)>,
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
    /// The folder for shorter scenarios of failures, if they are wanted.
    pub(crate) shrink_to: Option<PathBuf>,
}

impl Plan<'_> {
    /// How many runs there are.
    pub(crate) fn runs(&self) -> u64 {
        self.scenarios.len() as u64 * self.seeds
    }

    /// Runs all. Each outcome is shown as it comes and handed over in order, the first failure of a
    /// scenario with a shorter one. Ends early if the receiver wants no more.
    pub(crate) fn run(
        &self,
        mut came: impl FnMut(&Outcome),
        mut done: impl FnMut(Outcome) -> io::Result<()>,
    ) -> io::Result<()> {
        let (mut early, mut wanted, mut shrunk) = (BTreeMap::new(), 0, None);
        let stop = AtomicBool::new(false);
        pool::each(
            self.jobs,
            self.runs(),
            &stop,
            |index| self.one(index),
            |index, outcome| {
                came(&outcome);
                early.insert(index, outcome);
                while let Some(mut outcome) = early.remove(&wanted) {
                    wanted += 1;
                    if outcome.failure.is_some() && shrunk != Some(outcome.scenario) {
                        shrunk = Some(outcome.scenario);
                        self.shrink(&mut outcome);
                    }
                    done(outcome)?;
                }
                Ok(())
            },
        )
    }

    fn one(&self, index: u64) -> Outcome {
        let scenario = (index / self.seeds) as usize;
        let seed = self.first_seed.wrapping_add(index % self.seeds);
        let trace = if self.trace { Trace::on() } else { Trace::off() };
        let outcome = with_history(&self.scenarios[scenario], seed, self.signs, &trace);
        Outcome { scenario, trace: trace.lines(), ..outcome }
    }

    fn shrink(&self, outcome: &mut Outcome) {
        let of = &self.scenarios[outcome.scenario];
        let Some(folder) = &self.shrink_to else { return };
        let Ok(text) = std::fs::read_to_string(&of.file) else { return };
        let play = |scenario: &Scenario, seed: u64, events_max: u64| {
            run(scenario, seed, self.signs, &Trace::off(), events_max)
        };
        let Some(shrunk) = shrink::shrink(&of.file, &text, outcome, &play) else { return };
        let path = shrunk.save(folder, of, outcome);
        if let Some(failure) = &mut outcome.failure {
            failure.shrunk = Some((shrunk, path));
        }
    }
}

/// Runs one scenario with one seed; a failure once more, for its history.
pub(crate) fn with_history(scenario: &Scenario, seed: u64, signs: bool, trace: &Trace) -> Outcome {
    let mut outcome = run(scenario, seed, signs, trace, EVENTS_MAX);
    if let Some(failure) = &mut outcome.failure {
        let again = Trace::on();
        let _same = run(scenario, seed, signs, &again, EVENTS_MAX);
        failure.history = history(&again.lines(), &failure.violation);
    }
    outcome
}

/// Runs one scenario with one seed, up to so many events.
pub(crate) fn run(
    scenario: &Scenario,
    seed: u64,
    signs: bool,
    trace: &Trace,
    events_max: u64,
) -> Outcome {
    let world = || World::new(scenario, seed, signs, trace.clone(), events_max).run();
    let attempt = AssertUnwindSafe(world);
    let mut outcome = Outcome::of(seed);
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
        outcome.fail(verdict, violation);
    }
    outcome
}

impl Outcome {
    /// One of which nothing is known yet.
    fn of(seed: u64) -> Self {
        Self {
            scenario: 0,
            seed,
            verdict: Verdict::Ok,
            events: 0,
            at_ms: 0,
            digest: String::new(),
            tally: Tally::default(),
            failure: None,
            trace: Vec::new(),
        }
    }

    /// One that could not even be begun.
    pub(crate) fn broken(seed: u64, what: String) -> Self {
        let mut outcome = Self::of(seed);
        outcome.fail(Verdict::Crash, Violation::general("the schedule", what));
        outcome
    }

    fn fail(&mut self, verdict: Verdict, violation: Violation) {
        self.verdict = verdict;
        self.failure = Some(Failure { violation, history: Vec::new(), shrunk: None });
    }
}

/// The exit code of the gravest verdict: 0 all ok, 10 safety, 11 liveness, 12 crash.
pub(crate) fn exit_code(worst: Option<Verdict>) -> u8 {
    match worst {
        None | Some(Verdict::Ok) => 0,
        Some(Verdict::Safety) => 10,
        Some(Verdict::Liveness) => 11,
        Some(Verdict::Crash) => 12,
    }
}

/// Runs one scenario with one seed for its page.
pub(crate) fn recorded(scenario: &Scenario, seed: u64, signs: bool) -> (Outcome, Record) {
    let trace = Trace::into(Record::new(&scenario.nodes));
    let mut outcome = run(scenario, seed, signs, &trace, EVENTS_MAX);
    if let Some(failure) = &mut outcome.failure {
        let again = Trace::on();
        let _same = run(scenario, seed, signs, &again, EVENTS_MAX);
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
