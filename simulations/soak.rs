//! Random schedules, one after the other, until told to stop: topology, traffic and faults are drawn
//! from a seed, written as a scenario, and run with the same seed.
//!
//! Refuses to keep what went well; a failure is written as a file that replays it.

mod draw;
mod faults;
mod traffic;

use crate::pool;
use crate::progress::Progress;
use crate::runner::{self, Outcome, Verdict};
use crate::scenario::Scenario;
use crate::shrink;
use crate::trace::Trace;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What is soaked, and for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Soak {
    /// End after so many hours [default: none, until Ctrl-C]
    #[arg(long, value_name = "H")]
    hours: Option<f64>,
    /// End after so many schedules.
    #[arg(long, value_name = "N")]
    runs: Option<u64>,
    /// The seed of the first schedule; the next has the next seed.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Threads [default: as many as there are cores]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Write the first schedule as a scenario file to standard output, and run nothing.
    #[arg(long)]
    print: bool,
    /// Folder for the schedules that fail [default: meshmq-sim in the folder for temporary files]
    #[arg(long, value_name = "DIR")]
    failures: Option<PathBuf>,
}

/// What the schedules came to so far.
#[derive(Default)]
struct Sum {
    runs: u64,
    events: u64,
    virtual_ms: u64,
    sent: u64,
    received: u64,
    dead: u64,
    crashes: u64,
    packets: u64,
    lost_packets: u64,
    failed: Vec<(u64, Verdict)>,
}

impl Soak {
    /// Runs schedules until an end is given. Says the exit code, as `run` does.
    pub(crate) fn run(self, cores: usize) -> io::Result<u8> {
        if self.print {
            io::stdout().write_all(draw::schedule(self.seed).as_bytes())?;
            return Ok(0);
        }
        runner::catch_panics();
        let stop = Arc::new(AtomicBool::new(false));
        stop_on_signal(Arc::clone(&stop))?;
        let began = Instant::now();
        let most = self.hours.map(|hours| Duration::from_secs_f64(hours.max(0.0) * 3_600.0));
        let folder = self.failures.clone().unwrap_or_else(failures);
        let mut progress = Progress::new(self.runs);
        let mut sum = Sum::default();
        let play = |index: u64| {
            let seed = self.seed.wrapping_add(index);
            let text = draw::schedule(seed);
            (run(seed, &text), text)
        };
        let jobs = self.jobs.unwrap_or(cores);
        pool::each(jobs, self.runs.unwrap_or(u64::MAX), &stop, play, |_, (outcome, text)| {
            progress.came("schedule", &outcome);
            sum.add(&outcome);
            if outcome.failure.is_some() {
                progress.aside(|| tell(&folder, &text, &outcome))?;
            }
            if most.is_some_and(|most| began.elapsed() >= most) {
                stop.store(true, Ordering::Relaxed);
            }
            Ok(())
        })?;
        progress.end();
        sum.write(began.elapsed())?;
        Ok(runner::exit_code(sum.failed.iter().map(|(_, verdict)| *verdict).max()))
    }
}

impl Sum {
    fn add(&mut self, outcome: &Outcome) {
        let tally = &outcome.tally;
        self.runs += 1;
        self.events += outcome.events;
        self.virtual_ms += outcome.at_ms;
        self.sent += tally.sent;
        self.received += tally.received;
        self.dead += tally.dead;
        self.crashes += tally.crashes;
        self.packets += tally.packets;
        self.lost_packets += tally.lost_packets;
        if outcome.verdict != Verdict::Ok {
            self.failed.push((outcome.seed, outcome.verdict));
        }
    }

    fn write(&self, took: Duration) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(
            out,
            "{} schedules in {} s, {} failed: {} h of virtual time, {} events, {} messages sent, {} \
             received, {} dead, {} crashes, {} packets, {} of them lost",
            self.runs,
            took.as_secs(),
            self.failed.len(),
            self.virtual_ms / 3_600_000,
            self.events,
            self.sent,
            self.received,
            self.dead,
            self.crashes,
            self.packets,
            self.lost_packets,
        )?;
        for (seed, verdict) in &self.failed {
            writeln!(out, "  seed {seed}: {verdict:?}")?;
        }
        out.flush()
    }
}

/// The folder for files of failures, where none is given.
pub(crate) fn failures() -> PathBuf {
    std::env::temp_dir().join("meshmq-sim")
}

/// Runs the schedule of a seed with that seed.
fn run(seed: u64, text: &str) -> Outcome {
    match Scenario::parse(&name(seed), text) {
        Ok(scenario) => runner::with_history(&scenario, seed, false, &Trace::off()),
        Err(error) => Outcome::broken(seed, format!("the schedule is no scenario: {error}")),
    }
}

fn name(seed: u64) -> String {
    format!("soak-{seed}.toml")
}

/// Writes a failed schedule, and a shorter one, and says where they are.
fn tell(folder: &Path, text: &str, outcome: &Outcome) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let seed = outcome.seed;
    if let Some(failure) = &outcome.failure {
        let violation = &failure.violation;
        writeln!(
            out,
            "seed {seed}: {:?}: {}: {}",
            outcome.verdict, violation.promise, violation.what
        )?;
    }
    std::fs::create_dir_all(folder)?;
    let path = folder.join(name(seed));
    std::fs::write(&path, text)?;
    writeln!(out, "  replay: meshmq-sim run {} --seed {seed} --trace", path.display())?;
    let play = |scenario: &Scenario, seed: u64, events_max: u64| {
        runner::run(scenario, seed, false, &Trace::off(), events_max)
    };
    let Ok(scenario) = Scenario::parse(&path.display().to_string(), text) else { return Ok(()) };
    if let Some(shrunk) = shrink::shrink(&scenario.file, text, outcome, &play) {
        let path = shrunk.save(folder, &scenario, outcome)?;
        writeln!(out, "  shorter: {}", shrunk.tell(&path))?;
    }
    out.flush()
}

/// Ends the schedules that run at Ctrl-C or SIGTERM, and no more are begun.
fn stop_on_signal(stop: Arc<AtomicBool>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    std::thread::spawn(move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            stop.store(true, Ordering::Relaxed);
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests;
