//! What a run is to people and to programs.

use crate::page::{self, Subject, Wrong};
use crate::runner::{self, Outcome, Verdict, exit_code};
use crate::scenario::Scenario;
use std::io::{self, Write};

/// A report that is being written.
pub(crate) struct Report<'s, W> {
    scenarios: &'s [Scenario],
    seeds: u64,
    json: bool,
    out: W,
    current: Sum,
    worst: Verdict,
}

/// What the runs of one scenario came to so far.
#[derive(Default)]
struct Sum {
    runs: u64,
    ok: u64,
    events: u64,
    sent: u64,
    crashes: u64,
    lost_packets: u64,
    failures: Vec<Outcome>,
}

/// Failures of one scenario that are shown in full.
const SHOWN_MAX: usize = 3;

impl<'s, W: Write> Report<'s, W> {
    /// A report on these scenarios, each with so many seeds.
    pub(crate) fn new(scenarios: &'s [Scenario], seeds: u64, json: bool, out: W) -> Self {
        Self { scenarios, seeds, json, out, current: Sum::default(), worst: Verdict::Ok }
    }

    /// Adds a run. The runs of one scenario come together.
    pub(crate) fn add(&mut self, outcome: Outcome) -> io::Result<()> {
        for line in &outcome.trace {
            writeln!(self.out, "{line}")?;
        }
        self.worst = self.worst.max(outcome.verdict);
        if self.json {
            self.write_json(&outcome)?;
            return self.out.flush();
        }
        let scenario = &self.scenarios[outcome.scenario];
        let sum = &mut self.current;
        sum.runs += 1;
        sum.events += outcome.events;
        sum.sent += outcome.tally.sent;
        sum.crashes += outcome.tally.crashes;
        sum.lost_packets += outcome.tally.lost_packets;
        if outcome.verdict == Verdict::Ok {
            sum.ok += 1;
        } else {
            sum.failures.push(outcome);
        }
        if sum.runs == self.seeds {
            let sum = std::mem::take(sum);
            self.write_sum(scenario, &sum)?;
            self.out.flush()?;
        }
        Ok(())
    }

    /// Ends the report and gives the exit code.
    pub(crate) fn finish(mut self) -> io::Result<u8> {
        self.out.flush()?;
        Ok(exit_code(Some(self.worst)))
    }

    fn write_sum(&mut self, scenario: &Scenario, sum: &Sum) -> io::Result<()> {
        let word = if sum.ok == sum.runs { "ok" } else { "FAILED" };
        writeln!(
            self.out,
            "{:<24} {word:<6} {}/{} seeds  {} messages, {} crashes, {} packets lost, {} events",
            scenario.name, sum.ok, sum.runs, sum.sent, sum.crashes, sum.lost_packets, sum.events
        )?;
        for outcome in sum.failures.iter().take(SHOWN_MAX) {
            self.write_failure(scenario, outcome)?;
        }
        if sum.failures.len() > SHOWN_MAX {
            let seeds: Vec<String> =
                sum.failures[SHOWN_MAX..].iter().map(|outcome| outcome.seed.to_string()).collect();
            writeln!(self.out, "  and with seeds {}", seeds.join(", "))?;
        }
        Ok(())
    }

    fn write_failure(&mut self, scenario: &Scenario, outcome: &Outcome) -> io::Result<()> {
        let Some(failure) = &outcome.failure else { return Ok(()) };
        let violation = &failure.violation;
        let (seed, at) = (outcome.seed, outcome.at_ms);
        writeln!(self.out, "  it proves: {}", scenario.proves)?;
        writeln!(
            self.out,
            "  seed {seed}, event {}, {}.{:03} s: {}: {}",
            outcome.events,
            at / 1_000,
            at % 1_000,
            violation.promise,
            violation.what
        )?;
        if let Some(id) = &violation.message {
            writeln!(self.out, "  message {id}")?;
        }
        for line in &failure.history {
            writeln!(self.out, "    {line}")?;
        }
        writeln!(self.out, "  replay: {}", replay(scenario, seed))?;
        match &failure.shrunk {
            Some((shrunk, Ok(path))) => writeln!(self.out, "  shorter: {}", shrunk.tell(path)),
            Some((_, Err(error))) => writeln!(self.out, "  no shorter one is written: {error}"),
            None => Ok(()),
        }
    }

    fn write_json(&mut self, outcome: &Outcome) -> io::Result<()> {
        let scenario = &self.scenarios[outcome.scenario];
        let mut object = serde_json::json!({
            "scenario": scenario.name,
            "seed": outcome.seed,
            "verdict": outcome.verdict,
            "events": outcome.events,
            "digest": outcome.digest,
            "virtual_ms": outcome.at_ms,
            "tally": outcome.tally,
        });
        if let Some(failure) = &outcome.failure {
            object["failure"] = serde_json::json!({
                "promise": failure.violation.promise,
                "what": failure.violation.what,
                "message": failure.violation.message.map(|id| id.to_string()),
                "history": failure.history,
                "replay": replay(scenario, outcome.seed),
            });
            if let Some((shrunk, Ok(path))) = &failure.shrunk {
                object["failure"]["shrunk"] = serde_json::json!({
                    "file": path.display().to_string(),
                    "seed": shrunk.seed,
                    "runs": shrunk.runs,
                    "before": shrunk.before,
                    "after": shrunk.after,
                });
            }
        }
        writeln!(self.out, "{object}")
    }
}

/// Runs a scenario with a seed once more, for its page.
pub(crate) fn page(scenario: &Scenario, seed: u64, signs: bool) -> String {
    let (outcome, record) = runner::recorded(scenario, seed, signs);
    let tally = &outcome.tally;
    let wrong = outcome.failure.as_ref().map(|failure| Wrong {
        promise: failure.violation.promise,
        what: &failure.violation.what,
        message: failure.violation.message.map(|id| id.to_string()),
        history: &failure.history,
    });
    let subject = Subject {
        name: &scenario.name,
        proves: &scenario.proves,
        how: format!("seed {seed} · {} events · digest {}", outcome.events, outcome.digest),
        at_ms: outcome.at_ms,
        counts: vec![
            ("sent", tally.sent),
            ("into queues", tally.entered),
            ("received", tally.received),
            ("dead", tally.dead),
            ("duplicates", tally.duplicates),
            ("handed over", record.messages.handed_over),
            ("crashes", tally.crashes),
            ("packets", tally.packets),
            ("packets lost", tally.lost_packets),
        ],
        wrong,
        again: replay(scenario, seed),
    };
    page::page(&subject, &record)
}

fn replay(scenario: &Scenario, seed: u64) -> String {
    format!("meshmq-sim run {} --seed {seed} --trace", scenario.file)
}
