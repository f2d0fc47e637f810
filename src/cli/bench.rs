//! `meshmq bench`: what this machine makes of MeshMQ, beside what its disk allows.
//!
//! Every figure stands beside a plain log that is measured in the same run: one write and one sync
//! for each group of messages, same sizes, same concurrency. The ratio says more than the rate.

mod cases;
mod embedded;
mod log;
mod measure;
mod nodes;
mod work;

use super::context::Context;
use super::error::{CliError, Exit};
use super::sandbox::Folder;
use super::table::{Column, Table};
use clap::{Args, ValueEnum};
use measure::Figures;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use work::PerMessage;

/// Measure this machine: rates and latencies, each beside a plain log on the same disk.
///
/// Starts its own nodes in a temporary folder and leaves nothing behind. Each row is the median of
/// three runs. A ratio compares with `log` at the same concurrency: one write and one sync for each
/// group of messages, which is the best that any durable queue can do.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  meshmq bench
  meshmq bench log two_nodes --concurrency 64
  meshmq bench backlog --messages 1000000 --json")]
pub(super) struct BenchArgs {
    /// What to measure [default: all but backlog]
    #[arg(value_name = "CASE", value_enum)]
    cases: Vec<Case>,
    /// Senders at once; may be given several times [default: 1 16 64 256]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    concurrency: Vec<u64>,
    /// Size of a body in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1024)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_048_576))]
    size: u64,
    /// Length of a run in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Messages of `drain` [default: 50000] and `backlog` [default: 1000000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    messages: Option<u64>,
    /// Where the folder goes: the disk that is measured [default: the system's temporary files]
    #[arg(long, value_name = "DIR")]
    folder: Option<std::path::PathBuf>,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
enum Case {
    /// A plain log: the limit of this disk
    Log,
    /// Sent to a local queue of a node in this process, until durable
    LocalSend,
    /// The same through the socket of a node of its own process
    LocalSendSocket,
    /// Sent at a through its socket, until durable in the queue at b
    TwoNodes,
    /// The same with a relay between a and b
    ThreeNodes,
    /// A backlog at a that goes to b once b comes back
    Drain,
    /// From the moment b is ready again to its first message
    FirstMessage,
    /// One message and its receipt back
    RoundTrip,
    /// Received under a lock and acknowledged, through the socket
    ReceiveAck,
    /// Memory and time to start with many messages waiting
    Backlog,
}

/// One line of the result.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Row {
    case: Case,
    concurrency: u64,
    size: u64,
    per_s: f64,
    /// Beside `log` at the same concurrency, if that was measured.
    ratio_to_log: Option<f64>,
    p50_us: f64,
    p99_us: f64,
    /// Resident memory of the node in bytes, where the case tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bytes: Option<u64>,
    /// Time to start with what is there, in seconds, where the case tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_s: Option<f64>,
    /// Resident memory in bytes after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_memory_bytes: Option<u64>,
    /// What the nodes did for one message, all together.
    #[serde(skip_serializing_if = "Option::is_none")]
    per_message: Option<PerMessage>,
}

/// What holds for all rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Settings {
    version: &'static str,
    optimized: bool,
    cpus: usize,
    folder: String,
    size: u64,
    seconds: u64,
    runs: usize,
    /// Median of a write of one body and its sync, in microseconds.
    fdatasync_p50_us: f64,
}

/// Runs of each row; the median is told.
const RUNS: usize = 3;

/// What a case needs to know.
#[derive(Clone, Copy, Debug)]
struct Plan<'a> {
    folder: &'a Path,
    size: usize,
    length: Duration,
    messages: Option<u64>,
}

/// Measures what was asked.
pub(super) async fn run(args: BenchArgs, context: &mut Context) -> Result<Exit, CliError> {
    let folder = Folder::make_in(args.folder.as_deref())?;
    let outcome = tokio::select! {
        outcome = measure_all(&args, folder.path(), context) => outcome,
        _ = tokio::signal::ctrl_c() => Err(CliError::interrupted(130)),
    };
    folder.remove().await;
    outcome.map(|()| Exit::Done)
}

async fn measure_all(
    args: &BenchArgs,
    folder: &Path,
    context: &mut Context,
) -> Result<(), CliError> {
    let plan = Plan {
        folder,
        size: args.size as usize,
        length: Duration::from_secs(args.seconds),
        messages: args.messages,
    };
    let settings = Settings {
        version: env!("CARGO_PKG_VERSION"),
        optimized: !cfg!(debug_assertions),
        cpus: std::thread::available_parallelism().map_or(1, usize::from),
        folder: folder.display().to_string(),
        size: args.size,
        seconds: args.seconds,
        runs: RUNS,
        fdatasync_p50_us: log::sync_time(folder, plan.size).map_err(log::failed)?,
    };
    tell_settings(&settings, context)?;
    let mut rows = Vec::new();
    let outcome = measure_cases(args, &plan, &mut rows, context).await;
    // What was measured before a failure is worth showing.
    if !context.out.json {
        table(&rows, context)?;
    }
    outcome
}

async fn measure_cases(
    args: &BenchArgs,
    plan: &Plan<'_>,
    rows: &mut Vec<Row>,
    context: &mut Context,
) -> Result<(), CliError> {
    let mut logs = BTreeMap::new();
    for case in cases_of(args) {
        for concurrency in concurrencies(case, args) {
            context.out.note(format!("measuring {} with {concurrency} …", name(case)));
            let figures = median(case, concurrency, plan).await?;
            if case == Case::Log {
                logs.insert(concurrency, figures.per_s);
            }
            let row = row(case, concurrency, plan, &figures, logs.get(&concurrency));
            if context.out.json {
                context.out.object(&row)?;
            }
            rows.push(row);
        }
    }
    Ok(())
}

/// The cases in their order. The log always comes first where a ratio needs it.
fn cases_of(args: &BenchArgs) -> Vec<Case> {
    let all = Case::value_variants().iter().copied();
    let mut cases: Vec<Case> = if args.cases.is_empty() {
        all.filter(|case| *case != Case::Backlog).collect()
    } else {
        args.cases.clone()
    };
    if cases.iter().any(|case| is_concurrent(*case)) {
        cases.push(Case::Log);
    }
    cases.sort_unstable();
    cases.dedup();
    cases
}

const fn is_concurrent(case: Case) -> bool {
    matches!(
        case,
        Case::Log
            | Case::LocalSend
            | Case::LocalSendSocket
            | Case::TwoNodes
            | Case::ThreeNodes
            | Case::ReceiveAck
    )
}

fn concurrencies(case: Case, args: &BenchArgs) -> Vec<u64> {
    match (is_concurrent(case), args.concurrency.is_empty()) {
        (false, _) => vec![1],
        (true, true) => vec![1, 16, 64, 256],
        (true, false) => args.concurrency.clone(),
    }
}

/// Runs a case several times, and gives the run in the middle.
async fn median(case: Case, concurrency: u64, plan: &Plan<'_>) -> Result<Figures, CliError> {
    let runs = if case == Case::Backlog { 1 } else { RUNS };
    let mut all = Vec::with_capacity(runs);
    for _ in 0..runs {
        all.push(cases::run(case, concurrency as usize, plan).await?);
    }
    all.sort_by(|a, b| a.per_s.total_cmp(&b.per_s));
    Ok(all.swap_remove(all.len() / 2))
}

fn row(case: Case, concurrency: u64, plan: &Plan<'_>, figures: &Figures, log: Option<&f64>) -> Row {
    Row {
        case,
        concurrency,
        size: plan.size as u64,
        per_s: rounded(figures.per_s, 10.0),
        ratio_to_log: log.map(|log| rounded(figures.per_s / log, 1_000.0)),
        p50_us: rounded(figures.p50_us, 1.0),
        p99_us: rounded(figures.p99_us, 1.0),
        memory_bytes: figures.memory_bytes,
        start_s: figures.start_s,
        start_memory_bytes: figures.start_memory_bytes,
        per_message: figures.work.map(|work| work.per(figures.count)),
    }
}

fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

fn name(case: Case) -> String {
    case.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

fn tell_settings(settings: &Settings, context: &mut Context) -> Result<(), CliError> {
    if context.out.json {
        return context.out.object(&serde_json::json!({ "settings": settings }));
    }
    let built = if settings.optimized { "" } else { ", not optimized: use --release" };
    context.out.say(format!(
        "meshmq {}{built} · {} CPUs · bodies of {} bytes · runs of {} s, the median of {} · \
         one write and fdatasync: {:.0} µs\n",
        settings.version,
        settings.cpus,
        settings.size,
        settings.seconds,
        settings.runs,
        settings.fdatasync_p50_us
    ))
}

fn table(rows: &[Row], context: &mut Context) -> Result<(), CliError> {
    let mut table = Table::new(&[
        Column::Left("CASE"),
        Column::Right("SENDERS"),
        Column::Right("PER SECOND"),
        Column::Right("OF LOG"),
        Column::Right("P50 µs"),
        Column::Right("P99 µs"),
        Column::Right("MEMORY"),
        Column::Right("START"),
        Column::Right("MEMORY THEN"),
    ]);
    for row in rows {
        let none = || "-".to_owned();
        table.row(
            None,
            &[
                name(row.case),
                row.concurrency.to_string(),
                format!("{:.0}", row.per_s),
                row.ratio_to_log.map_or_else(none, |ratio| format!("{ratio:.2}")),
                format!("{:.0}", row.p50_us),
                format!("{:.0}", row.p99_us),
                row.memory_bytes.map_or_else(none, super::units::size),
                row.start_s.map_or_else(none, |seconds| format!("{seconds:.1} s")),
                row.start_memory_bytes.map_or_else(none, super::units::size),
            ],
        );
    }
    context.table(&table)?;
    context.out.say("")?;
    per_message(rows, context)
}

/// What a message costs the nodes, all of them together.
fn per_message(rows: &[Row], context: &mut Context) -> Result<(), CliError> {
    let mut table = Table::new(&[
        Column::Left("PER MESSAGE"),
        Column::Right("SENDERS"),
        Column::Right("COMMITS"),
        Column::Right("RECORDS"),
        Column::Right("TIMERS"),
        Column::Right("REMOVED"),
        Column::Right("BYTES"),
        Column::Right("RULES µs"),
        Column::Right("APPLY µs"),
        Column::Right("SYNC µs"),
    ]);
    for row in rows {
        let Some(work) = &row.per_message else { continue };
        let cells = [
            format!("{:.3}", work.commits),
            format!("{:.2}", work.records),
            format!("{:.2}", work.timers),
            format!("{:.2}", work.removals),
            format!("{:.0}", work.written_bytes),
            format!("{:.1}", work.rules_us),
            format!("{:.1}", work.apply_us),
            format!("{:.1}", work.sync_us),
        ];
        let head = [name(row.case), row.concurrency.to_string()];
        table.row(None, &[&head[..], &cells].concat());
    }
    context.table(&table)
}

#[cfg(test)]
mod tests;
