//! The page of a run: one file of HTML with its pictures in SVG, no script, nothing to load.
//!
//! Draws what a [`Record`] holds and says what its [`Subject`] says. Refuses to know how the run was
//! made.

mod axis;
mod charts;
mod timeline;

#[cfg(test)]
mod tests;

use crate::record::{Mark, Record};
use axis::{Time, number, time};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Lines of a message's history that are shown.
const HISTORY_MAX: usize = 200;
const STYLE: &str = include_str!("style.css");

/// What the page is about, in words.
pub(crate) struct Subject<'a> {
    /// Name of the scenario.
    pub(crate) name: &'a str,
    /// What it proves.
    pub(crate) proves: &'a str,
    /// How it was run: a seed, or live.
    pub(crate) how: String,
    /// When it ended, in milliseconds from its start.
    pub(crate) at_ms: u64,
    /// Counts, each with what is counted.
    pub(crate) counts: Vec<(&'static str, u64)>,
    /// What went wrong, if something did.
    pub(crate) wrong: Option<Wrong<'a>>,
    /// The command that does it again.
    pub(crate) again: String,
}

/// What went wrong.
pub(crate) struct Wrong<'a> {
    /// The promise that was broken.
    pub(crate) promise: &'a str,
    /// What happened.
    pub(crate) what: &'a str,
    /// To which message.
    pub(crate) message: Option<String>,
    /// What led to it.
    pub(crate) history: &'a [String],
}

/// The page.
pub(crate) fn page(subject: &Subject<'_>, record: &Record) -> String {
    let axis = Time { end_ms: subject.at_ms.max(1) };
    let fails_at = subject.wrong.as_ref().map(|_| subject.at_ms);
    let failing = subject.wrong.as_ref().and_then(|_| last_step(record));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (subject.name) " · meshmq-sim" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (head(subject))
                main {
                    @if let Some(wrong) = &subject.wrong { (gone_wrong(wrong, subject, failing)) }
                    (counts(subject))
                    (timeline::timeline(record, axis, fails_at))
                    (steps(record, failing))
                    (charts::states(record, axis, fails_at))
                    div.pair {
                        (charts::latency(&record.messages.latencies()))
                        (charts::copies(&record.messages.copies()))
                    }
                    (charts::storage(record, axis, fails_at))
                }
                (foot(subject, record))
            }
        }
    };
    page.into_string()
}

/// The step of the script that was done last.
fn last_step(record: &Record) -> Option<&Mark> {
    record.marks.iter().rev().find(|mark| mark.step.is_some())
}

fn head(subject: &Subject<'_>) -> Markup {
    html! {
        header {
            p.of { "MeshMQ simulation" }
            h1 {
                (subject.name) " "
                @if subject.wrong.is_some() { span.verdict.failed { "failed" } }
                @else { span.verdict.kept { "all promises kept" } }
            }
            p.proves { (subject.proves) }
            p.how { (subject.how) " · " (time(subject.at_ms)) " of virtual time" }
        }
    }
}

fn gone_wrong(wrong: &Wrong<'_>, subject: &Subject<'_>, failing: Option<&Mark>) -> Markup {
    let skipped = wrong.history.len().saturating_sub(HISTORY_MAX);
    html! {
        section.wrong aria-labelledby="wrong" {
            h2 #wrong { "What went wrong" }
            p { strong { (wrong.promise) } ": " (wrong.what) }
            p {
                "At " (time(subject.at_ms))
                @if let Some(Mark { step: Some(step), what, .. }) = failing {
                    ", after step " (step) ": " (what)
                }
                @if let Some(message) = &wrong.message { ". Message " code { (message) } }
            }
            @if !wrong.history.is_empty() {
                details open {
                    summary {
                        @if wrong.message.is_some() { "The history of the message" }
                        @else { "What led to it" }
                    }
                    @if skipped > 0 { p.note { (skipped) " earlier lines are left out" } }
                    pre tabindex="0" {
                        @for line in &wrong.history[skipped..] {
                            @if is_step(line) { b { (line) } } @else { (line) }
                            "\n"
                        }
                    }
                }
            }
        }
    }
}

/// Whether a line of a history tells of a step and not of the message.
fn is_step(line: &str) -> bool {
    line.split_once(" s  ").is_some_and(|(_, what)| what.starts_with("step "))
}

fn counts(subject: &Subject<'_>) -> Markup {
    html! {
        dl.counts {
            @for (what, count) in &subject.counts {
                div { dt { (what) } dd { (number(*count)) } }
            }
        }
    }
}

fn steps(record: &Record, failing: Option<&Mark>) -> Markup {
    html! {
        section aria-labelledby="steps" {
            h2 #steps { "Steps" }
            @if record.marks.is_empty() { p.note { "The scenario has no steps." } }
            @else {
                div.scroll tabindex="0" {
                    table {
                        thead { tr { th { "step" } th { "at" } th { "what" } } }
                        tbody {
                            @for mark in &record.marks {
                                @let fails = failing.is_some_and(|at| std::ptr::eq(at, mark));
                                tr.fails[fails] {
                                    td { @if let Some(step) = mark.step { (step) } }
                                    td { (time(mark.at_ms)) }
                                    td {
                                        (mark.what)
                                        @if fails { " " span.verdict.failed { "failed after this" } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn foot(subject: &Subject<'_>, record: &Record) -> Markup {
    html! {
        footer {
            p { "Run it again: " code { (subject.again) } }
            p {
                "Messages and disks were sampled every " (time(record.every_ms))
                "; express messages are on no disk and in no picture."
                @if record.messages.not_followed > 0 {
                    " " (number(record.messages.not_followed)) " messages were too many to follow."
                }
                @if let Some(since) = record.full_since_ms {
                    " Links and nodes changed so often that what came after " (time(since))
                    " is not shown."
                }
            }
        }
    }
}
