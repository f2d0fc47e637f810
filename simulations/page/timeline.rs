//! The timeline: a row for each node and each link, the steps above, and where it failed.

use super::axis::{LEFT, RIGHT, Time, WIDTH, at, time};
use crate::record::{Life, Link, Mark, Record, Turn};
use crate::scenario::Place;
use maud::{Markup, html};

/// Rows of nodes, and rows of links, that are drawn: those in which most happens.
const ROWS_MAX: usize = 24;
/// Characters of a row's name that there is room for.
const NAME_MAX: usize = 17;
const ROW: f64 = 22.0;
const BAR: f64 = 12.0;
/// Room for the numbers of the steps.
const HEAD: f64 = 58.0;
/// Lines over each other for numbers that are close.
const LANES: usize = 3;
/// Bars narrower than this are drawn this wide, if they tell of trouble, or left out.
const NARROW: f64 = 0.6;

struct Row {
    name: String,
    bars: Vec<Bar>,
}

struct Bar {
    from_ms: u64,
    to_ms: u64,
    class: &'static str,
    what: &'static str,
}

/// Draws the timeline of a run.
pub(super) fn timeline(record: &Record, axis: Time, fails_at: Option<u64>) -> Markup {
    let (nodes, more_nodes) = busiest(node_rows(record, axis));
    let (links, more_links) = busiest(link_rows(record, axis));
    let rows: Vec<&Row> = nodes.iter().chain(&links).collect();
    let gap = if links.is_empty() { 0.0 } else { ROW / 2.0 };
    let bottom = HEAD + ROW * rows.len() as f64 + gap;
    html! {
        section aria-labelledby="timeline" {
            h2 #timeline { "Nodes and links" }
            (legend())
            div.scroll tabindex="0" {
                svg role="img" aria-labelledby="timeline" viewBox={ "0 0 1000 " (at(bottom + 26.0)) } {
                    title { "When each node ran, when each link was up or cut, and the steps" }
                    (hatch())
                    (grid(axis, HEAD - 4.0, bottom))
                    @for (index, row) in rows.iter().enumerate() {
                        @let below = if index >= nodes.len() { gap } else { 0.0 };
                        (draw(row, axis, HEAD + ROW * index as f64 + below))
                    }
                    (marks(&record.marks, axis, bottom))
                    @if let Some(fails) = fails_at { (failure(axis, fails, 14.0, bottom)) }
                }
            }
            @if more_nodes + more_links > 0 {
                p.note { (more_nodes) " quieter nodes and " (more_links) " quieter links are not drawn." }
            }
        }
    }
}

/// The line at which a run failed.
pub(super) fn failure(axis: Time, fails_ms: u64, top: f64, bottom: f64) -> Markup {
    let x = axis.x(fails_ms);
    html! {
        g.failure {
            title { "It failed at " (time(fails_ms)) }
            line x1=(at(x)) x2=(at(x)) y1=(at(top)) y2=(at(bottom)) {}
            text x=(at(x - 5.0)) y=(at(top + 1.0)) text-anchor="end" { "failed" }
        }
    }
}

/// Lines of the time axis, with their times.
pub(super) fn grid(axis: Time, top: f64, bottom: f64) -> Markup {
    html! {
        g.grid {
            @for tick in axis.ticks() {
                @let x = at(axis.x(tick));
                line x1=(x) x2=(x) y1=(at(top)) y2=(at(bottom)) {}
                text x=(x) y=(at(bottom + 18.0)) text-anchor="middle" { (time(tick)) }
            }
        }
    }
}

fn hatch() -> Markup {
    html! {
        defs {
            pattern #hatch width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                rect.hatch-ground width="6" height="6" {}
                line.hatch-line x1="0" y1="0" x2="0" y2="6" {}
            }
        }
    }
}

fn legend() -> Markup {
    html! {
        ul.legend {
            li { span.swatch.node-up {} "node runs" }
            li { span.swatch.node-down {} "node is down" }
            li { span.swatch.node-lost {} "node is lost" }
            li { span.swatch.link-up {} "link is up" }
            li { span.swatch.link-half {} "at one end only" }
            li { span.swatch.link-down {} "link is down" }
            li { span.swatch.link-cut {} "link is cut" }
            li { span.swatch.link-cut-one {} "cut one way" }
        }
    }
}

fn draw(row: &Row, axis: Time, y: f64) -> Markup {
    let short: String = if row.name.chars().count() > NAME_MAX {
        row.name.chars().take(NAME_MAX - 1).chain(['…']).collect()
    } else {
        row.name.clone()
    };
    html! {
        g.row {
            text.name x=(at(LEFT - 10.0)) y=(at(y + BAR - 1.0)) text-anchor="end" {
                title { (row.name) }
                (short)
            }
            @for bar in &row.bars {
                @let (x, width) = (axis.x(bar.from_ms), axis.x(bar.to_ms) - axis.x(bar.from_ms));
                @let trouble = !matches!(bar.class, "node-up" | "link-up" | "link-half");
                @if width >= NARROW || trouble {
                    rect class=(bar.class) x=(at(x)) y=(at(y)) width=(at(width.max(NARROW))) height=(at(BAR)) {
                        title {
                            (row.name) " " (bar.what) " from " (time(bar.from_ms)) " to " (time(bar.to_ms))
                        }
                    }
                }
            }
        }
    }
}

/// The steps, numbered, and what else was done.
fn marks(marks: &[Mark], axis: Time, bottom: f64) -> Markup {
    let mut free = [f64::MIN; LANES];
    let mut placed = Vec::with_capacity(marks.len());
    for mark in marks {
        let x = axis.x(mark.at_ms);
        let label = mark.step.map_or_else(|| mark.what.clone(), |step| step.to_string());
        let half = 7.0_f64.max(3.0 + 3.3 * label.chars().count() as f64);
        let lane = free.iter().position(|end| *end + 3.0 < x - half);
        if let Some(lane) = lane {
            free[lane] = x + half;
        }
        placed.push((mark, x, label, half, lane));
    }
    html! {
        @for (mark, x, label, half, lane) in placed {
            @let middle = x.clamp(half + 2.0, WIDTH - RIGHT + 20.0 - half);
            g.mark.step[mark.step.is_some()] {
                title { (time(mark.at_ms)) ": " (mark.what) }
                @let y = 45.0 - 16.0 * lane.unwrap_or_default() as f64;
                line x1=(at(x)) x2=(at(x)) y1=(at(y)) y2=(at(bottom)) {}
                @if lane.is_some() {
                    rect x=(at(middle - half)) y=(at(y - 7.0)) width=(at(2.0 * half)) height="14" rx="7" {}
                    text x=(at(middle)) y=(at(y + 3.8)) text-anchor="middle" { (label) }
                }
            }
        }
    }
}

fn node_rows(record: &Record, axis: Time) -> Vec<Row> {
    let of = |life: Life| match life {
        Life::Up => Some(("node-up", "runs")),
        Life::Down => Some(("node-down", "is down")),
        Life::Lost => Some(("node-lost", "is lost")),
    };
    let row = |(name, turns): (&String, &Vec<Turn<Life>>)| Row {
        name: name.clone(),
        bars: bars(turns, axis.end_ms, of),
    };
    record.nodes.iter().zip(&record.lives).map(row).collect()
}

fn link_rows(record: &Record, axis: Time) -> Vec<Row> {
    let of = |link: Link| {
        Some(match (link.cut, link.up) {
            ([true, true], _) => ("link-cut", "is cut"),
            ([true, false] | [false, true], _) => ("link-cut-one", "is cut one way"),
            (_, [true, true]) => ("link-up", "is up"),
            (_, [false, false]) => ("link-down", "is down"),
            _ => ("link-half", "is up at one end"),
        })
    };
    let name =
        |(one, other): (Place, Place)| format!("{} – {}", record.nodes[one], record.nodes[other]);
    let row = |(ends, turns): (&(Place, Place), &Vec<Turn<Link>>)| Row {
        name: name(*ends),
        bars: bars(turns, axis.end_ms, of),
    };
    record.links.iter().map(row).collect()
}

/// Bars of what is so for some time; neighbours that look the same are one.
fn bars<T: Copy>(
    turns: &[Turn<T>],
    end_ms: u64,
    of: impl Fn(T) -> Option<(&'static str, &'static str)>,
) -> Vec<Bar> {
    let ends = turns.iter().skip(1).map(|turn| turn.at_ms).chain([end_ms]);
    let mut bars: Vec<Bar> = Vec::new();
    for (turn, to_ms) in turns.iter().zip(ends) {
        let Some((class, what)) = of(turn.to) else { continue };
        match bars.last_mut() {
            Some(last) if last.class == class && last.to_ms == turn.at_ms => last.to_ms = to_ms,
            _ if to_ms > turn.at_ms => {
                bars.push(Bar { from_ms: turn.at_ms, to_ms, class, what });
            }
            _ => {}
        }
    }
    bars
}

/// The rows in which most happens, in their order, and how many others there are.
fn busiest(mut rows: Vec<Row>) -> (Vec<Row>, usize) {
    let more = rows.len().saturating_sub(ROWS_MAX);
    if more > 0 {
        let mut sizes: Vec<usize> = rows.iter().map(|row| row.bars.len()).collect();
        sizes.sort_unstable();
        let least = sizes[more];
        let mut room = ROWS_MAX - sizes[more..].iter().filter(|size| **size > least).count();
        rows.retain(|row| {
            let fits = row.bars.len() == least && room > 0;
            room -= usize::from(fits);
            fits || row.bars.len() > least
        });
    }
    (rows, more)
}
