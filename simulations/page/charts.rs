//! Charts: messages by state, time into the queue, copies, bytes on disks.

use super::axis::{Amount, LEFT, RIGHT, Time, WIDTH, at, bytes, number, time};
use super::timeline::{failure, grid};
use crate::record::{CLASSES, Class, Record, Sample};
use maud::{Markup, html};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const TOP: f64 = 24.0;
const BOTTOM: f64 = 230.0;
/// The layers of the messages, the lowest first.
const LAYERS: [(Class, &str, &str); CLASSES] = [
    (Class::Left, "left", "received or expired"),
    (Class::InQueue, "in-queue", "in their queue"),
    (Class::OnTheWay, "on-the-way", "on the way"),
    (Class::Unconfirmed, "unconfirmed", "unconfirmed"),
    (Class::Dead, "dead", "dead"),
];
/// Bars of a chart of copies; the last one stands for all beyond.
const BARS_MAX: u32 = 12;
/// Width of the small charts.
const HALF: f64 = 480.0;

/// Messages in each state over time.
pub(super) fn states(record: &Record, axis: Time, fails_at: Option<u64>) -> Markup {
    let total = |sample: &Sample| sample.messages.iter().sum::<u64>();
    let amount =
        Amount::new(record.samples.iter().map(total).max().unwrap_or(0), false, TOP, BOTTOM);
    let last = record.samples.last();
    let mut below = vec![0; record.samples.len()];
    let layers = LAYERS.map(|(class, css, words)| {
        let from = below.clone();
        for (sum, sample) in below.iter_mut().zip(&record.samples) {
            *sum += sample.messages[class as usize];
        }
        let path = area(&record.samples, &from, &below, axis, amount);
        (css, words, last.map_or(0, |sample| sample.messages[class as usize]), path)
    });
    html! {
        section aria-labelledby="states" {
            h2 #states { "Messages by state" small { ", with their numbers at the end" } }
            ul.legend {
                @for (css, words, count, _) in layers.iter().rev() {
                    li { span class={ "swatch " (css) } {} (words) " " b { (number(*count)) } }
                }
            }
            div.scroll tabindex="0" {
                svg role="img" aria-labelledby="states" viewBox="0 0 1000 256" {
                    title { "How many messages were in each state, over time" }
                    @for (css, words, _, path) in &layers {
                        path class=(css) d=(path) { title { (words) } }
                    }
                    (grid(axis, TOP, BOTTOM))
                    (amounts(amount, WIDTH, number))
                    @if let Some(fails) = fails_at { (failure(axis, fails, TOP - 10.0, BOTTOM)) }
                }
            }
        }
    }
}

/// A layer between two series, in steps: what a sample says holds until the next.
fn area(samples: &[Sample], from: &[u64], to: &[u64], axis: Time, amount: Amount) -> String {
    let mut path = String::new();
    let Some(first) = samples.first() else { return path };
    let _ = write!(path, "M{} {}", at(axis.x(first.at_ms)), at(amount.y(to[0])));
    for (index, sample) in samples.iter().enumerate().skip(1) {
        let _ = write!(path, "H{}V{}", at(axis.x(sample.at_ms)), at(amount.y(to[index])));
    }
    let _ = write!(path, "H{}", at(axis.x(axis.end_ms)));
    let _ = write!(path, "V{}", at(amount.y(from[from.len() - 1])));
    for (index, sample) in samples.iter().enumerate().skip(1).rev() {
        let _ = write!(path, "H{}V{}", at(axis.x(sample.at_ms)), at(amount.y(from[index - 1])));
    }
    let _ = write!(path, "H{}Z", at(axis.x(first.at_ms)));
    path
}

/// Lines of an axis of amounts, from the left edge of what is drawn to `width`.
fn amounts(amount: Amount, width: f64, words: impl Fn(u64) -> String) -> Markup {
    let left = if width < WIDTH { HALF_LEFT } else { LEFT };
    html! {
        g.grid {
            @for tick in amount.ticks() {
                @let y = amount.y(tick);
                line x1=(at(left)) x2=(at(width - RIGHT)) y1=(at(y)) y2=(at(y)) {}
                text x=(at(left - 8.0)) y=(at(y + 4.0)) text-anchor="end" { (words(tick)) }
            }
        }
    }
}

const HALF_LEFT: f64 = 56.0;

/// How long messages took into their queue.
pub(super) fn latency(sorted_ms: &[u64]) -> Markup {
    let part = |percent: usize| {
        sorted_ms.get((sorted_ms.len() * percent / 100).min(sorted_ms.len().saturating_sub(1)))
    };
    let figures = [("half", 50), ("90 %", 90), ("99 %", 99), ("all", 100)];
    html! {
        section aria-labelledby="latency" {
            h2 #latency { "Time into the queue" }
            @if sorted_ms.is_empty() { p.note { "No message came into its queue." } }
            @else {
                p.figures {
                    @for (words, percent) in figures {
                        @if let Some(ms) = part(percent) { span { (words) " within " b { (time(*ms)) } } " " }
                    }
                }
                (bars(&by_time(sorted_ms), "latency", "How many messages took so long into their queue"))
            }
        }
    }
}

/// Messages by steps of time: 1, 2, 5, 10 ms and so on, each with the word for its upper end.
fn by_time(sorted_ms: &[u64]) -> Vec<(String, u64)> {
    let steps = (0..).flat_map(|zeros| [1, 2, 5].map(|by| by * 10_u64.pow(zeros)));
    let mut counts = Vec::new();
    let mut done = 0;
    for step in steps {
        let upto = sorted_ms.partition_point(|ms| *ms <= step);
        if upto > 0 {
            counts.push((format!("≤ {}", time(step)), (upto - done) as u64));
        }
        done = upto;
        if upto == sorted_ms.len() {
            return counts;
        }
    }
    counts
}

/// Of how many copies messages were at most.
pub(super) fn copies(counts: &BTreeMap<u32, u64>) -> Markup {
    let most = counts.keys().next_back().copied().unwrap_or(1);
    let bar = |copies: u32| {
        let beyond = copies == BARS_MAX && most > BARS_MAX;
        let count = if beyond {
            counts.range(copies..).map(|(_, count)| count).sum()
        } else {
            counts.get(&copies).copied().unwrap_or(0)
        };
        (if beyond { format!("{copies}+") } else { copies.to_string() }, count)
    };
    let all: Vec<(String, u64)> = (1..=most.min(BARS_MAX)).map(bar).collect();
    html! {
        section aria-labelledby="copies" {
            h2 #copies { "Copies per message" }
            @if counts.is_empty() { p.note { "No message was accepted." } }
            @else {
                p.figures { "the most that lay on disks at once, the origin's own included" }
                (bars(&all, "copies", "How many messages had so many copies at once"))
            }
        }
    }
}

fn bars(all: &[(String, u64)], class: &str, what: &str) -> Markup {
    let amount =
        Amount::new(all.iter().map(|(_, count)| *count).max().unwrap_or(0), false, TOP, BOTTOM);
    let step = (HALF - HALF_LEFT - RIGHT) / all.len().max(1) as f64;
    let width = (step - 4.0).clamp(1.0, 60.0);
    // Words that would run into each other are left out, but for every n-th.
    let words = all.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0) as f64 * 7.2;
    let nth = (words / step).ceil().max(1.0) as usize;
    html! {
        svg role="img" aria-labelledby=(class) viewBox="0 0 480 256" {
            title { (what) }
            (amounts(amount, HALF, number))
            @for (index, (name, count)) in all.iter().enumerate() {
                @let middle = HALF_LEFT + step * (index as f64 + 0.5);
                @let y = amount.y(*count);
                rect class=(class) x=(at(middle - width / 2.0)) y=(at(y)) width=(at(width)) height=(at(BOTTOM - y)) {
                    title { (name) ": " (number(*count)) }
                }
                @if index % nth == 0 {
                    text.tick x=(at(middle)) y=(at(BOTTOM + 18.0)) text-anchor="middle" { (name) }
                }
            }
        }
    }
}

/// Bytes on each node's disk over time.
pub(super) fn storage(record: &Record, axis: Time, fails_at: Option<u64>) -> Markup {
    let most = record.samples.iter().flat_map(|sample| &sample.disks).max().copied().unwrap_or(0);
    let amount = Amount::new(most, true, TOP, BOTTOM);
    let disks = record.samples.first().map_or(0, |sample| sample.disks.len());
    let name = |disk: usize| {
        if disks == record.nodes.len() { record.nodes[disk].as_str() } else { "all nodes" }
    };
    let series =
        |disk: usize| record.samples.iter().map(move |sample| (sample.at_ms, sample.disks[disk]));
    html! {
        section aria-labelledby="storage" {
            h2 #storage { "Bytes on disks" }
            ul.legend {
                @for disk in 0..disks {
                    @let most = series(disk).map(|(_, bytes)| bytes).max().unwrap_or(0);
                    @let last = series(disk).next_back().map_or(0, |(_, bytes)| bytes);
                    li {
                        svg.dash viewBox="0 0 26 8" aria-hidden="true" {
                            path class={ "disk disk-" (disk) } d="M1 4H25" {}
                        }
                        (name(disk)) ": " (bytes(most)) " at most, " (bytes(last)) " at the end"
                    }
                }
            }
            div.scroll tabindex="0" {
                svg role="img" aria-labelledby="storage" viewBox="0 0 1000 256" {
                    title { "How many bytes lay on each node's disk, over time" }
                    (grid(axis, TOP, BOTTOM))
                    (amounts(amount, WIDTH, bytes))
                    @for disk in 0..disks {
                        path class={ "disk disk-" (disk) } d=(line(series(disk), axis, amount)) {
                            title { (name(disk)) }
                        }
                    }
                    @if let Some(fails) = fails_at { (failure(axis, fails, TOP - 10.0, BOTTOM)) }
                }
            }
        }
    }
}

fn line(series: impl Iterator<Item = (u64, u64)>, axis: Time, amount: Amount) -> String {
    let mut path = String::new();
    for (at_ms, value) in series {
        let (x, y) = (at(axis.x(at_ms)), at(amount.y(value)));
        let _ = if path.is_empty() { write!(path, "M{x} {y}") } else { write!(path, "H{x}V{y}") };
    }
    let _ = write!(path, "H{}", at(axis.x(axis.end_ms)));
    path
}
