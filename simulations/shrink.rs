//! Makes a failure shorter: fewer steps, programs, nodes and messages that fail in the same way.
//!
//! What is left out shifts what is drawn, so each try is made with a few seeds. It ends after a
//! number of tries and of events, and not after a time: the same failure is shrunk to the same file
//! everywhere.

mod moves;

use crate::draft;
use crate::runner::{Outcome, Verdict};
use crate::scenario::Scenario;
use std::io;
use std::path::{Path, PathBuf};
use toml::Table;

/// Most runs of one search.
const RUNS_MAX: u64 = 400;
/// Most events of one search.
const EVENTS_MAX: u64 = 1_500_000;
/// Events that a run counts for at least: reading a scenario costs too.
const EVENTS_LEAST: u64 = 1_000;
/// A failure that takes more events than this is not cheap to shrink.
const CHEAP_EVENTS: u64 = EVENTS_MAX / 10;
/// Seeds with which each try is made, beside the one that failed last.
const SEEDS: u64 = 2;

/// Plays a scenario with a seed, up to so many events.
pub(crate) type Play<'p> = &'p dyn Fn(&Scenario, u64, u64) -> Outcome;

/// A shorter failure.
#[derive(Clone, Debug)]
pub(crate) struct Shrunk {
    /// The scenario.
    pub(crate) text: String,
    /// The seed with which it fails.
    pub(crate) seed: u64,
    /// How many runs it took to find it.
    pub(crate) runs: u64,
    /// How large the scenario was.
    pub(crate) before: Size,
    /// How large it is.
    pub(crate) after: Size,
}

/// How large a scenario is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Size {
    /// Its nodes.
    pub(crate) nodes: usize,
    /// Its programs.
    pub(crate) programs: usize,
    /// Messages of one run at most.
    pub(crate) messages: u64,
    /// Its steps.
    pub(crate) steps: usize,
}

/// What failed, apart from numbers and ids.
#[derive(Debug, PartialEq, Eq)]
struct Kind(Verdict, &'static str, String);

/// A search for a shorter failure.
struct Search<'p> {
    play: Play<'p>,
    file: &'p str,
    kind: Kind,
    /// The shortest so far.
    table: Table,
    /// The seed with which it fails.
    seed: u64,
    first_seed: u64,
    events_max: u64,
    runs: u64,
    events: u64,
}

/// Looks for a shorter failure of the same kind. `None` if there is none, or it is not cheap.
pub(crate) fn shrink(file: &str, text: &str, failed: &Outcome, play: Play<'_>) -> Option<Shrunk> {
    let kind = kind(failed).filter(|_| failed.events <= CHEAP_EVENTS)?;
    let table = draft::read(text)?;
    let before = size(&Scenario::parse(file, text).ok()?, &table);
    let mut search = Search {
        play,
        file,
        kind,
        table,
        seed: failed.seed,
        first_seed: failed.seed,
        events_max: failed.events.saturating_mul(2).max(100_000),
        runs: 0,
        events: 0,
    };
    search.run();
    let text = draft::write(&search.table);
    let after = size(&Scenario::parse(file, &text).ok()?, &search.table);
    let (seed, runs) = (search.seed, search.runs);
    (after != before).then_some(Shrunk { text, seed, runs, before, after })
}

impl Shrunk {
    /// Writes it into a folder, with what it is in front.
    pub(crate) fn save(
        &self,
        folder: &Path,
        of: &Scenario,
        failed: &Outcome,
    ) -> io::Result<PathBuf> {
        let path = folder.join(format!("{}-seed-{}-shrunk.toml", of.name, failed.seed));
        let what = failed.failure.as_ref().map_or("", |failure| &failure.violation.what);
        let promise = failed.failure.as_ref().map_or("", |failure| failure.violation.promise);
        let head = format!(
            "# {} with seed {}, shortened in {} runs.\n# {promise}: {what}\n# meshmq-sim run {} --seed {}\n",
            of.file,
            failed.seed,
            self.runs,
            path.display(),
            self.seed,
        );
        std::fs::create_dir_all(folder)?;
        std::fs::write(&path, format!("{head}{}", self.text))?;
        Ok(path)
    }

    /// What it is, and how it is replayed, in a line.
    pub(crate) fn tell(&self, path: &Path) -> String {
        let (before, after) = (&self.before, &self.after);
        format!(
            "{} of {} steps, {} of {} programs, {} of {} messages, {} of {} nodes: \
             meshmq-sim run {} --seed {}",
            after.steps,
            before.steps,
            after.programs,
            before.programs,
            after.messages,
            before.messages,
            after.nodes,
            before.nodes,
            path.display(),
            self.seed,
        )
    }
}

impl Search<'_> {
    fn run(&mut self) {
        let is_late = self.kind.0 == Verdict::Liveness;
        loop {
            let before = self.table.clone();
            for key in ["steps", "send", "receive", "queues", "links"] {
                // Without its readers everything is late.
                if !(is_late && key == "receive") {
                    self.thin(key);
                }
            }
            for name in moves::nodes(&self.table) {
                self.accept(moves::without_node(&self.table, &name));
            }
            for index in 0..draft::count(&self.table, "send") {
                while self.accept(moves::fewer_messages(&self.table, index)) {}
            }
            for key in moves::options(&self.table, is_late) {
                self.accept(moves::without_option(&self.table, &key));
            }
            if self.table == before || self.is_over() {
                return;
            }
        }
    }

    /// Leaves entries of a list out: all, halves, quarters, and so on to single ones.
    fn thin(&mut self, key: &str) {
        let mut chunk = draft::count(&self.table, key);
        while chunk > 0 {
            let mut start = 0;
            while start < draft::count(&self.table, key) {
                if !self.accept(moves::without(&self.table, key, start..start + chunk)) {
                    start += chunk;
                }
            }
            chunk /= 2;
        }
    }

    /// Goes on with a scenario if it fails in the same way.
    fn accept(&mut self, shorter: Option<Table>) -> bool {
        let Some(table) = shorter.filter(|table| *table != self.table) else { return false };
        let Ok(scenario) = Scenario::parse(self.file, &draft::write(&table)) else { return false };
        let others = (0..=SEEDS).map(|more| self.first_seed.wrapping_add(more));
        let seeds: Vec<u64> = [self.seed].into_iter().chain(others).collect();
        for (index, &seed) in seeds.iter().enumerate() {
            if seeds[..index].contains(&seed) {
                continue;
            }
            if self.is_over() {
                return false;
            }
            let outcome = (self.play)(&scenario, seed, self.events_max);
            self.runs += 1;
            self.events += outcome.events.max(EVENTS_LEAST);
            if kind(&outcome).as_ref() == Some(&self.kind) {
                (self.table, self.seed) = (table, seed);
                return true;
            }
        }
        false
    }

    const fn is_over(&self) -> bool {
        self.runs >= RUNS_MAX || self.events >= EVENTS_MAX
    }
}

/// What failed; words with digits in them are numbers, names and ids.
fn kind(outcome: &Outcome) -> Option<Kind> {
    let violation = &outcome.failure.as_ref()?.violation;
    let plain = |word: &str| {
        if word.chars().any(|c| c.is_ascii_digit()) { "#".to_owned() } else { word.to_owned() }
    };
    let words: Vec<String> = violation.what.split_whitespace().map(plain).collect();
    Some(Kind(outcome.verdict, violation.promise, words.join(" ")))
}

fn size(scenario: &Scenario, table: &Table) -> Size {
    Size {
        nodes: scenario.nodes.len(),
        programs: scenario.senders.len() + scenario.receivers.len(),
        messages: moves::messages(table),
        steps: scenario.steps.len(),
    }
}

#[cfg(test)]
mod tests;
