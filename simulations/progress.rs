//! How far the runs are, where people see it: a line on a terminal, and nothing elsewhere.

use crate::runner::{Outcome, Verdict};
use indicatif::{ProgressBar, ProgressStyle};
use std::io;
use std::time::Duration;

/// Runs from which on it is shown.
const FROM: u64 = 4;
/// How often the clock in it moves.
const TICK: Duration = Duration::from_millis(500);

/// The line.
pub(crate) struct Progress {
    bar: ProgressBar,
    failed: u64,
}

impl Progress {
    /// A line for so many runs; for runs without end if none.
    pub(crate) fn new(runs: Option<u64>) -> Self {
        // It hides itself where standard error is no terminal.
        let (bar, template) = match runs {
            Some(runs) if runs < FROM => (ProgressBar::hidden(), ""),
            Some(runs) => {
                let template = "{bar:30} {human_pos}/{human_len} runs, {per_sec}, {eta} left {msg}";
                (ProgressBar::new(runs), template)
            }
            None => (
                ProgressBar::new_spinner(),
                "{spinner} {human_pos} runs in {elapsed}, {per_sec} {msg}",
            ),
        };
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = bar.with_style(style);
        bar.enable_steady_tick(TICK);
        Self { bar, failed: 0 }
    }

    /// A run has come to its end; a failed one is shown at once.
    pub(crate) fn came(&mut self, name: &str, outcome: &Outcome) {
        if let (Some(failure), true) = (&outcome.failure, outcome.verdict != Verdict::Ok) {
            self.failed += 1;
            self.bar.set_message(format!("({} failed)", self.failed));
            let violation = &failure.violation;
            let (promise, what, seed) = (violation.promise, &violation.what, outcome.seed);
            self.bar.println(format!("{name} seed {seed}: {promise}: {what}"));
        }
        self.bar.inc(1);
    }

    /// Does something that writes on the terminal, with the line out of the way.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.bar.suspend(write)
    }

    /// Takes the line away.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
