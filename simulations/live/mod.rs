//! Scenarios on real processes: one network namespace for each node, a bridge between them, and the
//! judges of virtual time over what the nodes' own doors tell.
//!
//! Refuses to touch anything that it did not make, and to look into a node past its doors.

mod book;
mod door;
mod end;
mod host;
mod lan;
mod node;
mod programs;
mod report;
mod script;
mod set;
mod stage;
mod times;
mod wall;
mod watch;

use crate::runner::Verdict;
use crate::scenario::{QueuePlan, Scenario};
use futures::future::try_join_all;
use meshmq::client::json;
use node::Folder;
use report::{Facts, Seen};
use stage::{Stage, Stop, pause};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};

/// A gate was missed, and every promise kept.
const GATE_MISSED: u8 = 13;
/// Nothing was run: this machine cannot, or the scenario cannot be played on processes.
const SKIPPED: u8 = 77;
/// Ended by a signal, as a shell tells it.
const INTERRUPTED: u8 = 130;
/// How often processes are looked after, in milliseconds.
const LOOK_MS: u64 = 200;
/// Columns of a line of progress.
const COLUMNS: usize = 78;

/// How scenarios are run.
pub(crate) struct Options {
    /// What is drawn is drawn from it; the machines add their own chance.
    pub(crate) seed: u64,
    /// Whether objects are written instead of lines.
    pub(crate) json: bool,
    /// Whether everything that was told is written.
    pub(crate) trace: bool,
    /// Whether stores and logs stay.
    pub(crate) keep: bool,
    /// The node's program; the one beside this one if none.
    pub(crate) program: Option<PathBuf>,
}

/// Runs scenarios one after the other. The exit code of the gravest.
pub(crate) fn run(scenarios: &[Scenario], options: &Options) -> io::Result<u8> {
    for scenario in scenarios {
        if let Some(what) = script::refuse(scenario) {
            writeln!(io::stderr(), "meshmq-sim: {}: not played live: {what}", scenario.file)?;
            return Ok(SKIPPED);
        }
    }
    if let Err(why) = host::enter() {
        writeln!(io::stderr(), "meshmq-sim: SKIPPED, nothing was run: {why}")?;
        return Ok(SKIPPED);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut worst, mut firsts) = ((0, 0), Vec::new());
    for scenario in scenarios {
        let facts = runtime.block_on(one(scenario, options))?;
        report::write(scenario, options, &facts)?;
        let code = code(&facts);
        worst = worst.max(code);
        firsts.extend(facts.firsts);
        if code.1 == INTERRUPTED {
            break;
        }
    }
    if scenarios.len() > 1 && !report::write_sum(options, &firsts)? {
        worst = worst.max((2, GATE_MISSED));
    }
    Ok(worst.1)
}

/// How grave an end is, and its exit code.
fn code(facts: &Facts) -> (u8, u8) {
    match (&facts.seen, facts.verdict) {
        (Seen::Interrupted, _) => (6, INTERRUPTED),
        (Seen::Skipped(_), _) => (1, SKIPPED),
        (_, Verdict::Crash) => (5, 12),
        (_, Verdict::Safety) => (4, 10),
        (_, Verdict::Liveness) => (3, 11),
        (_, Verdict::Ok) if facts.gates.iter().any(|gate| !gate.holds) => (2, GATE_MISSED),
        (_, Verdict::Ok) => (0, 0),
    }
}

async fn one(scenario: &Scenario, options: &Options) -> io::Result<Facts> {
    let mut terminate = signal(SignalKind::terminate())?;
    let folder = match Folder::new(options.keep) {
        Ok(folder) => folder,
        Err(why) => return Ok(Facts::skipped(why)),
    };
    let stage = match set::stage(scenario, options, &folder) {
        Ok(stage) => stage,
        Err(Stop::Machine(why)) => return Ok(Facts::skipped(why)),
        Err(stop) => return Ok(Facts::skipped(format!("{stop:?}"))),
    };
    let ended = tokio::select! {
        ended = play(&stage) => ended,
        _ = tokio::signal::ctrl_c() => Err(Stop::Interrupted),
        _ = terminate.recv() => Err(Stop::Interrupted),
    };
    show(scenario, "");
    for actor in &stage.actors {
        let process = actor.process.borrow_mut().take();
        if let Some(process) = process {
            process.kill().await;
        }
    }
    let kept = options.keep.then(|| folder.path().to_owned());
    Ok(Facts::of(&stage, ended, kept))
}

async fn play(stage: &Stage<'_>) -> Result<(), Stop> {
    tokio::select! {
        begun = set::begin(stage) => begun?,
        ended = look_after(stage) => return ended,
    }
    let places = 0..stage.actors.len();
    let watchers = try_join_all(places.map(|place| watch::follow(stage, place)));
    let receivers = 0..stage.scenario.receivers.len();
    let receivers = try_join_all(receivers.map(|index| programs::receive(stage, index)));
    let senders = 0..stage.scenario.senders.len();
    let senders = try_join_all(senders.map(|index| programs::send(stage, index)));
    let steps = 0..stage.scenario.steps.len();
    let steps = try_join_all(steps.map(|index| script::step(stage, index)));
    let acts = async {
        tokio::try_join!(senders, steps)?;
        end::finish(stage).await
    };
    // Those that only serve never end a run well.
    let servers = async {
        tokio::try_join!(watchers, receivers)?;
        std::future::pending::<Result<(), Stop>>().await
    };
    tokio::select! {
        ended = acts => ended,
        ended = servers => ended,
        ended = look_after(stage) => ended,
    }
}

/// Looks whether all processes live that should, and tells a person how far it is.
async fn look_after(stage: &Stage<'_>) -> Result<(), Stop> {
    loop {
        for actor in &stage.actors {
            let ended = actor.process.borrow_mut().as_mut().and_then(node::Process::ended);
            if let Some(status) = ended {
                let words = actor.recipe.last_words();
                let name = &actor.recipe.name;
                return Err(Stop::Crash(format!("node {name} ended by itself, {status}: {words}")));
            }
        }
        let (tally, at) = (*stage.tally.borrow(), stage.begun.get().elapsed().as_secs());
        let line = format!(
            "{at:>3} s  {} sent, {} entered, {} received  {}",
            tally.sent,
            tally.entered,
            tally.received,
            stage.now.borrow()
        );
        show(stage.scenario, &line);
        pause(LOOK_MS).await;
    }
}

/// A line of progress, if a person watches; it takes the place of the one before.
fn show(scenario: &Scenario, line: &str) {
    if io::stderr().is_terminal() {
        let line =
            if line.is_empty() { String::new() } else { format!("{}: {line}", scenario.name) };
        let line: String = line.chars().take(COLUMNS).collect();
        let _unwritable = write!(io::stderr(), "\r{line:COLUMNS$}\r");
    }
}

/// A queue as its node's door wants it.
fn queue_spec(plan: &QueuePlan) -> json::QueueSpec {
    json::QueueSpec {
        transactional: plan.transactional,
        max_messages: plan.max_messages,
        max_bytes: plan.max_bytes,
    }
}
