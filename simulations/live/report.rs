//! What a live run is to people and to programs.

use super::stage::{Stage, Stop, Tally};
use super::times::{Drain, Gate, Spread, first_gates, spread};
use super::{Options, host};
use crate::checkers::Violation;
use crate::runner::Verdict;
use crate::scenario::Scenario;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

/// Whether a run can say anything.
pub(super) enum Seen {
    /// It ran to an end.
    Ran,
    /// It could not be run here.
    Skipped(host::Missing),
    /// Somebody stopped it.
    Interrupted,
}

/// What a run came to.
pub(super) struct Facts {
    pub(super) seen: Seen,
    pub(super) verdict: Verdict,
    pub(super) gates: Vec<Gate>,
    failure: Option<Violation>,
    cuts_by: &'static str,
    not_simulated: Vec<&'static str>,
    tally: Tally,
    noticed: Option<Spread>,
    /// Times from a healing to the first message.
    pub(super) firsts: Vec<Duration>,
    drain: Option<Drain>,
    drained_ms: Option<u64>,
    ran_ms: u64,
    kept: Option<PathBuf>,
    trace: Vec<String>,
}

impl Facts {
    /// Nothing was run.
    pub(super) fn skipped(why: host::Missing) -> Self {
        Self {
            seen: Seen::Skipped(why),
            verdict: Verdict::Ok,
            gates: Vec::new(),
            failure: None,
            cuts_by: "",
            not_simulated: Vec::new(),
            tally: Tally::default(),
            noticed: None,
            firsts: Vec::new(),
            drain: None,
            drained_ms: None,
            ran_ms: 0,
            kept: None,
            trace: Vec::new(),
        }
    }

    /// What is to be told of a run that has ended.
    pub(super) fn of(stage: &Stage<'_>, ended: Result<(), Stop>, kept: Option<PathBuf>) -> Self {
        let (mut seen, times) = (Seen::Ran, stage.times.borrow());
        let failed = match ended {
            Ok(()) => None,
            Err(Stop::Safety(violation)) => Some((Verdict::Safety, violation)),
            Err(Stop::Liveness(violation)) => Some((Verdict::Liveness, violation)),
            Err(Stop::Crash(what)) => Some((Verdict::Crash, Violation::general("a node", what))),
            Err(Stop::Machine(what)) => Some((Verdict::Crash, Violation::general("machine", what))),
            Err(Stop::Interrupted) => {
                seen = Seen::Interrupted;
                None
            }
        };
        let (verdict, failure) = match failed {
            Some((verdict, violation)) => (verdict, Some(violation)),
            None => (Verdict::Ok, None),
        };
        let lan = stage.lan.borrow();
        let firsts = times.firsts();
        let mut gates = first_gates(&firsts);
        gates.extend(times.drain_gate());
        let is_plain = lan.has_netem();
        Self {
            seen,
            verdict,
            failure,
            gates,
            cuts_by: lan.cuts_by(),
            not_simulated: if is_plain {
                Vec::new()
            } else {
                vec!["latency, loss, disorder (no netem)"]
            },
            tally: *stage.tally.borrow(),
            noticed: times.noticed(),
            firsts,
            drain: times.drain(),
            drained_ms: times.drained.map(|time| time.as_millis() as u64),
            ran_ms: stage.begun.get().elapsed().as_millis() as u64,
            kept,
            trace: stage.trace.as_ref().map(|lines| lines.borrow().clone()).unwrap_or_default(),
        }
    }

    fn word(&self) -> &'static str {
        match (&self.seen, self.verdict) {
            (Seen::Interrupted, _) => "interrupted",
            (Seen::Skipped(_), _) => "skipped",
            (_, Verdict::Ok) if self.gates.iter().any(|gate| !gate.holds) => "gate missed",
            (_, Verdict::Ok) => "ok",
            (_, Verdict::Liveness) => "liveness",
            (_, Verdict::Safety) => "safety",
            (_, Verdict::Crash) => "crash",
        }
    }
}

/// Writes what a run came to.
pub(super) fn write(scenario: &Scenario, options: &Options, facts: &Facts) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in &facts.trace {
        writeln!(out, "{line}")?;
    }
    if options.json {
        return writeln!(out, "{}", object(scenario, options, facts));
    }
    if let Seen::Skipped(why) = &facts.seen {
        return writeln!(out, "{:<18} SKIPPED  {why}", scenario.name);
    }
    let tally = &facts.tally;
    writeln!(
        out,
        "{:<18} {:<11} {} messages, {} received, {} cuts, {} kills, in {:.1} s",
        scenario.name,
        facts.word(),
        tally.sent,
        tally.received,
        tally.cuts,
        tally.kills,
        facts.ran_ms as f64 / 1_000.0
    )?;
    let line = |name: &str, spread: Option<Spread>| {
        spread
            .as_ref()
            .map(|s| format!("  {name}: p50 {} ms, max {} ms of {}", s.p50_ms, s.max_ms, s.count))
    };
    let drained = facts.drained_ms.map(|ms| format!("  all settled {ms} ms after the script"));
    let drain = facts.drain.as_ref().map(|drain| {
        let Drain { messages, per_s, steady_per_s } = drain;
        format!("  a backlog of {messages} drained at {per_s:.0}/s; steady {steady_per_s:.0}/s")
    });
    let lines = [
        line("a cut was noticed after", facts.noticed.clone()),
        line("first message after a healing", spread(&facts.firsts)),
        drained,
        drain,
    ];
    for line in lines.iter().flatten() {
        writeln!(out, "{line}")?;
    }
    for gate in facts.gates.iter().filter(|gate| !gate.holds) {
        writeln!(
            out,
            "  GATE MISSED: {}: {:.2}, the limit is {}",
            gate.name, gate.measured, gate.limit
        )?;
    }
    for what in &facts.not_simulated {
        writeln!(out, "  not simulated here: {what}")?;
    }
    if let Some(violation) = &facts.failure {
        writeln!(out, "  FAILED: {}: {}", violation.promise, violation.what)?;
        if let Some(id) = &violation.message {
            writeln!(out, "  message {id}")?;
        }
        writeln!(out, "  it proves: {}", scenario.proves)?;
        let again =
            format!("meshmq-sim live {} --seed {} --trace --keep", scenario.file, options.seed);
        writeln!(out, "  again, though chance has its part: {again}")?;
    }
    if let Some(folder) = &facts.kept {
        writeln!(out, "  kept: {}", folder.display())?;
    }
    out.flush()
}

/// Writes what several runs came to together, and tells whether the gates hold over all.
pub(super) fn write_sum(options: &Options, firsts: &[Duration]) -> io::Result<bool> {
    let Some(of_all) = spread(firsts) else { return Ok(true) };
    let gates = first_gates(firsts);
    let mut out = io::stdout().lock();
    if options.json {
        let object = serde_json::json!({ "first_after_heal_of_all": of_all, "gates": gates });
        writeln!(out, "{object}")?;
    } else {
        let Spread { count, p50_ms, max_ms } = of_all;
        let what = format!("p50 {p50_ms} ms, max {max_ms} ms of {count}");
        writeln!(out, "all together: first message after a healing: {what}")?;
    }
    Ok(gates.iter().all(|gate| gate.holds))
}

fn object(scenario: &Scenario, options: &Options, facts: &Facts) -> serde_json::Value {
    let mut object = serde_json::json!({
        "scenario": scenario.name,
        "seed": options.seed,
        "verdict": facts.word(),
        "cuts_by": facts.cuts_by,
        "not_simulated": facts.not_simulated,
        "ran_ms": facts.ran_ms,
        "tally": facts.tally,
        "cut_noticed": facts.noticed,
        "first_after_heal": spread(&facts.firsts),
        "drained_ms": facts.drained_ms,
        "drain": facts.drain,
        "gates": facts.gates,
    });
    if let Seen::Skipped(why) = &facts.seen {
        object["skipped"] = why.as_str().into();
    }
    if let Some(violation) = &facts.failure {
        object["failure"] = serde_json::json!({
            "promise": violation.promise,
            "what": violation.what,
            "message": violation.message.map(|id| id.to_string()),
        });
    }
    object
}
