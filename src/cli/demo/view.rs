//! What people see while the demo runs: two bars and a line for every event, or lines alone where
//! nobody watches a terminal.

use super::super::context::Context;
use super::super::output::{FAINT, Output, styled};
use super::MESSAGES;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::time::Instant;

/// The running picture.
pub(super) struct View {
    begun: Instant,
    lines: Output,
    silent: bool,
    bars: Option<Bars>,
}

struct Bars {
    all: MultiProgress,
    sent: ProgressBar,
    received: ProgressBar,
}

impl View {
    /// An empty picture. With `--json` and `-q` there is none.
    pub(super) fn new(context: &Context) -> Self {
        let flags = &context.globals;
        let bars = context.out.watched().then(Bars::new);
        Self {
            begun: Instant::now(),
            lines: Output::new(flags.json, flags.quiet, flags.color),
            silent: flags.json || flags.quiet,
            bars,
        }
    }

    /// Something happened.
    pub(super) fn event(&mut self, what: &str) {
        if self.silent {
            return;
        }
        let time = styled(FAINT, format!("{:>6.1} s", self.begun.elapsed().as_secs_f64()));
        let line = format!("{time}  {what}");
        match &self.bars {
            Some(bars) => bars.all.suspend(|| {
                let _ = self.lines.result(&line);
            }),
            None => {
                let _ = self.lines.result(&line);
            }
        }
    }

    /// How far it is.
    pub(super) fn progress(&self, sent: u64, received: u64) {
        if let Some(bars) = &self.bars {
            bars.sent.set_position(sent);
            bars.received.set_position(received);
        }
    }

    /// Takes the bars away.
    pub(super) fn end(&mut self) {
        if let Some(bars) = self.bars.take() {
            bars.sent.finish_and_clear();
            bars.received.finish_and_clear();
        }
    }
}

impl Bars {
    fn new() -> Self {
        let style = ProgressStyle::with_template("  {prefix:<14} {bar:40.green} {pos:>4}/{len}")
            .expect("the template is fixed");
        let all = MultiProgress::new();
        let bar = |name: &'static str| {
            let bar = all.add(ProgressBar::new(MESSAGES).with_style(style.clone()));
            bar.set_prefix(name);
            bar
        };
        let (sent, received) = (bar("sent at a"), bar("received at b"));
        Self { all, sent, received }
    }
}
