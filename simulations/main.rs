//! `meshmq-sim`: runs scenarios on the engine in virtual time, with faults drawn from a seed.
//!
//! The engine, the codec and the memory store are the product's own; network, disks, clock and
//! programs are simulated. A seed gives the same run, byte for byte, on every machine.

mod body;
mod checkers;
mod disk;
mod draft;
mod ledger;
mod live;
mod network;
mod page;
mod pool;
mod progress;
mod record;
mod report;
mod rng;
mod runner;
mod scenario;
mod seals;
mod shrink;
mod soak;
mod trace;
mod world;

use clap::{Parser, Subcommand};
use progress::Progress;
use report::Report;
use runner::{Outcome, Plan, Verdict};
use scenario::Scenario;
use std::cell::RefCell;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Runs MeshMQ scenarios in virtual time.
#[derive(Debug, Parser)]
#[command(name = "meshmq-sim", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs scenarios: all with the seeds 1 to 20, unless told otherwise.
    Run {
        /// Scenario files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// How many seeds, from the first one on [default: 20, or 1 with --seed]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        seeds: Option<u64>,
        /// The first seed [default: 1]
        #[arg(long, value_name = "S")]
        seed: Option<u64>,
        /// Write one object for each run instead of tables.
        #[arg(long)]
        json: bool,
        /// Sign statements with real keys, and check them.
        #[arg(long)]
        signed: bool,
        /// Write everything that happens.
        #[arg(long)]
        trace: bool,
        /// Write a page about the run, with pictures; of several, about the first that failed, or
        /// else about the first.
        #[arg(long, value_name = "FILE.html")]
        report: Option<PathBuf>,
        /// Threads [default: as many as there are cores]
        #[arg(long, value_name = "N")]
        jobs: Option<usize>,
        /// Folder for shorter scenarios of failures [default: meshmq-sim in the folder for temporary
        /// files]
        #[arg(long, value_name = "DIR")]
        failures: Option<PathBuf>,
        /// Do not look for shorter scenarios of failures.
        #[arg(long)]
        no_shrink: bool,
    },
    /// Runs random schedules with all faults, until told to stop.
    Soak(soak::Soak),
    /// Runs scenarios on real nodes: a process and a network namespace for each.
    Live {
        /// Scenario files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// What is drawn is drawn from this number.
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
        /// Write one object for each run instead of lines.
        #[arg(long)]
        json: bool,
        /// Write everything that the nodes told.
        #[arg(long)]
        trace: bool,
        /// Leave stores and logs where they are, and say where.
        #[arg(long)]
        keep: bool,
        /// The node's program [default: the `meshmq` beside this program]
        #[arg(long, value_name = "FILE")]
        meshmq: Option<PathBuf>,
    },
    /// Says what scenarios do, in plain sentences.
    Explain {
        /// Scenario files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Reads scenarios and says whether they can be run.
    Check {
        /// Scenario files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

/// The command line is wrong.
const BAD_USAGE: u8 = 64;
/// A file is not a scenario.
const BAD_FILE: u8 = 65;
/// The output cannot be written.
const BROKEN_OUTPUT: u8 = 74;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _unwritable = error.print();
            return ExitCode::from(if error.use_stderr() { BAD_USAGE } else { 0 });
        }
    };
    let result = match arguments.command {
        Command::Run {
            files,
            seeds,
            seed,
            json,
            signed,
            trace,
            report,
            jobs,
            failures,
            no_shrink,
        } => {
            let usual = if seed.is_some() { 1 } else { 20 };
            let folder = failures.unwrap_or_else(soak::failures);
            read_all(&files).and_then(|scenarios| {
                let plan = Plan {
                    scenarios: &scenarios,
                    first_seed: seed.unwrap_or(1),
                    seeds: seeds.unwrap_or(usual),
                    jobs: jobs.unwrap_or_else(cores),
                    signs: signed,
                    trace,
                    shrink_to: (!no_shrink).then_some(folder),
                };
                run(&plan, json, report.as_deref()).map_err(|_| BROKEN_OUTPUT)
            })
        }
        Command::Soak(soak) => soak.run(cores()).map_err(|_| BROKEN_OUTPUT),
        Command::Live { files, seed, json, trace, keep, meshmq } => {
            let options = live::Options { seed, json, trace, keep, program: meshmq };
            read_all(&files)
                .and_then(|scenarios| live::run(&scenarios, &options).map_err(|_| BROKEN_OUTPUT))
        }
        Command::Explain { files } => read_all(&files).and_then(|scenarios| {
            let texts: Vec<String> = scenarios.iter().map(Scenario::explain).collect();
            write!(io::stdout(), "{}", texts.join("\n")).map_err(|_| BROKEN_OUTPUT).map(|()| 0)
        }),
        Command::Check { files } => read_all(&files).and_then(|scenarios| {
            let say = |scenario: &Scenario| {
                writeln!(io::stdout(), "{}: {}", scenario.name, scenario.proves)
            };
            scenarios.iter().try_for_each(say).map_err(|_| BROKEN_OUTPUT).map(|()| 0)
        }),
    };
    ExitCode::from(result.unwrap_or_else(|code| code))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn read_all(files: &[PathBuf]) -> Result<Vec<Scenario>, u8> {
    let mut scenarios = Vec::new();
    let mut code = None;
    for file in files {
        match Scenario::read(file) {
            Ok(scenario) => scenarios.push(scenario),
            Err(error) => {
                let _unwritable = writeln!(io::stderr(), "meshmq-sim: {error}");
                code = Some(BAD_FILE);
            }
        }
    }
    code.map_or(Ok(scenarios), Err)
}

fn run(plan: &Plan<'_>, json: bool, page: Option<&Path>) -> io::Result<u8> {
    runner::catch_panics();
    let out = BufWriter::new(io::stdout().lock());
    let mut report = Report::new(plan.scenarios, plan.seeds, json, out);
    let progress = RefCell::new(Progress::new(Some(plan.runs())));
    let came = |outcome: &Outcome| {
        progress.borrow_mut().came(&plan.scenarios[outcome.scenario].name, outcome);
    };
    let mut shown: Option<(usize, u64, Verdict)> = None;
    plan.run(came, |outcome| {
        if shown.is_none_or(|(.., verdict)| verdict == Verdict::Ok && outcome.verdict != verdict) {
            shown = Some((outcome.scenario, outcome.seed, outcome.verdict));
        }
        progress.borrow().aside(|| report.add(outcome))
    })?;
    progress.borrow().end();
    if let (Some(page), Some((scenario, seed, _))) = (page, shown) {
        let scenario = &plan.scenarios[scenario];
        if let Err(why) = std::fs::write(page, report::page(scenario, seed, plan.signs)) {
            writeln!(io::stderr(), "meshmq-sim: {}: {why}", page.display())?;
            return Err(why);
        }
    }
    report.finish()
}
