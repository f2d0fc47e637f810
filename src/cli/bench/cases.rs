//! The cases, one run each.

use super::super::error::CliError;
use super::measure::{Figures, many};
use super::nodes::{Nodes, fill, message};
use super::{Case, Plan, embedded, log};
use crate::client::http::Client;
use crate::client::json::{AckRequest, Acked, ReceiveRequest, Received, Sent};
use crate::client::path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Messages of `drain`.
const DRAIN: u64 = 50_000;
/// Messages of `backlog`.
const BACKLOG: u64 = 1_000_000;
/// Messages that `receive_ack` finds, for each second of a run.
const TO_RECEIVE_PER_SECOND: u64 = 12_000;
/// Round trips and first messages of a run.
const ONE_BY_ONE: usize = 200;
const FIRST_MESSAGES: usize = 5;
/// How long a node with a backlog may take to start.
const START_WITHIN: Duration = Duration::from_secs(600);
/// The longest that one message may take to arrive.
const ARRIVAL_S: &str = "60";

/// One run of a case.
pub(super) async fn run(case: Case, senders: usize, plan: &Plan<'_>) -> Result<Figures, CliError> {
    match case {
        Case::Log => log::run(senders, plan).map_err(log::failed),
        Case::LocalSend => embedded::local_send(senders, plan).await,
        Case::LocalSendSocket => send_through(&["a"], senders, plan).await,
        Case::TwoNodes => send_through(&["a", "b"], senders, plan).await,
        Case::ThreeNodes => send_through(&["a", "r", "b"], senders, plan).await,
        Case::Drain => drain(plan).await,
        Case::FirstMessage => first_message(plan).await,
        Case::RoundTrip => round_trip(plan).await,
        Case::ReceiveAck => receive_ack(senders, plan).await,
        Case::Backlog => backlog(plan).await,
    }
}

/// Sends at the first node from many connections, until everything is in the last node's queue. The
/// rate counts arrivals; the latencies are those of sending.
async fn send_through(
    names: &[&'static str],
    senders: usize,
    plan: &Plan<'_>,
) -> Result<Figures, CliError> {
    let nodes = Nodes::start(names, plan).await?;
    let target = path::messages(&nodes.address());
    let clients = nodes.senders(senders).await?;
    let before = nodes.work().await?;
    let (begun, size) = (Instant::now(), plan.size);
    let sent =
        many(clients, plan.length, |client, until| send_until(client, target.clone(), size, until));
    let sent = sent.await?;
    let per_s = if names.len() == 1 {
        sent.per_s
    } else {
        let there = nodes.until_there(sent.count).await?;
        Figures::in_all(sent.count, there.duration_since(begun)).per_s
    };
    let work = Some(nodes.work().await?.since(&before));
    nodes.end().await?;
    Ok(Figures { per_s, work, ..sent })
}

async fn send_until(
    client: Arc<Mutex<Client>>,
    target: String,
    size: usize,
    until: Instant,
) -> Result<Vec<Duration>, CliError> {
    let (message, mut each) = (message(size), Vec::new());
    while Instant::now() < until {
        let begun = Instant::now();
        let _: Sent = client.lock().await.post(&target, &message).await?;
        each.push(begun.elapsed());
    }
    Ok(each)
}

/// A backlog at a, and b comes back.
async fn drain(plan: &Plan<'_>) -> Result<Figures, CliError> {
    let messages = plan.messages.unwrap_or(DRAIN);
    let mut nodes = Nodes::start(&["a", "b"], plan).await?;
    nodes.last().kill().await;
    fill(&mut nodes.sender().await?, &nodes.address(), messages, plan.size).await?;
    nodes.last().start(None).await?;
    let begun = Instant::now();
    let before = nodes.work().await?;
    let took = nodes.until_there(messages).await?.duration_since(begun);
    let work = Some(nodes.work().await?.since(&before));
    nodes.end().await?;
    Ok(Figures { work, ..Figures::in_all(messages, took) })
}

/// From the moment b is ready again to the first message in its queue.
async fn first_message(plan: &Plan<'_>) -> Result<Figures, CliError> {
    let mut nodes = Nodes::start(&["a", "b"], plan).await?;
    let mut each = Vec::new();
    for turn in 1..=FIRST_MESSAGES {
        nodes.last().kill().await;
        fill(&mut nodes.sender().await?, &nodes.address(), 1, plan.size).await?;
        nodes.last().start(None).await?;
        let begun = Instant::now();
        each.push(nodes.until_there(turn as u64).await?.duration_since(begun));
    }
    nodes.end().await?;
    let all = each.iter().sum();
    Ok(Figures::of(each, all))
}

/// One message after the other, each until its receipt is back.
async fn round_trip(plan: &Plan<'_>) -> Result<Figures, CliError> {
    let nodes = Nodes::start(&["a", "b"], plan).await?;
    let query = path::query(&[
        ("wait", Some("arrived".to_owned())),
        ("timeout_s", Some(ARRIVAL_S.to_owned())),
    ]);
    let target = format!("{}{query}", path::messages(&nodes.address()));
    let (mut client, message) = (nodes.sender().await?, message(plan.size));
    let before = nodes.work().await?;
    let (all, mut each) = (Instant::now(), Vec::new());
    while each.len() < ONE_BY_ONE {
        let begun = Instant::now();
        let _: Sent = client.post(&target, &message).await?;
        each.push(begun.elapsed());
    }
    let all = all.elapsed();
    let work = Some(nodes.work().await?.since(&before));
    nodes.end().await?;
    Ok(Figures { work, ..Figures::of(each, all) })
}

/// Receives one message after the other under a lock and acknowledges it, from many connections.
async fn receive_ack(receivers: usize, plan: &Plan<'_>) -> Result<Figures, CliError> {
    let nodes = Nodes::start(&["a"], plan).await?;
    let messages = TO_RECEIVE_PER_SECOND * plan.length.as_secs().max(1);
    fill(&mut nodes.sender().await?, "q", messages, plan.size).await?;
    let clients = nodes.senders(receivers).await?;
    let before = nodes.work().await?;
    let figures = many(clients, plan.length, receive_until).await?;
    let work = Some(nodes.work().await?.since(&before));
    nodes.end().await?;
    Ok(Figures { work, ..figures })
}

async fn receive_until(
    client: Arc<Mutex<Client>>,
    until: Instant,
) -> Result<Vec<Duration>, CliError> {
    let mut each = Vec::new();
    let request = ReceiveRequest { max: 1, ..ReceiveRequest::default() };
    let receive = format!("{}/receive", path::queue("q"));
    while Instant::now() < until {
        let begun = Instant::now();
        let received: Received = client.lock().await.post(&receive, &request).await?;
        let tokens = received.messages.into_iter().filter_map(|message| message.lock);
        let tokens: Vec<String> = tokens.map(|lock| lock.token).collect();
        if tokens.is_empty() {
            break;
        }
        let _: Acked = client.lock().await.post(path::LOCKS_ACK, &AckRequest { tokens }).await?;
        each.push(begun.elapsed());
    }
    Ok(each)
}

/// Many messages for a node that is away: how fast they are stored, what memory they take, and how
/// long the next start takes.
async fn backlog(plan: &Plan<'_>) -> Result<Figures, CliError> {
    let messages = plan.messages.unwrap_or(BACKLOG);
    let mut nodes = Nodes::start(&["b", "a"], plan).await?;
    // The node with the backlog is the second, so that the first can stay away.
    nodes.all[0].kill().await;
    let begun = Instant::now();
    fill(&mut nodes.receiver().await?, "q@b", messages, plan.size).await?;
    let took = begun.elapsed();
    let memory = nodes.last().process().and_then(resident);
    nodes.last().kill().await;
    nodes.last().be_ready_within(START_WITHIN);
    let begun = Instant::now();
    nodes.last().start(None).await?;
    let start_s = Some((begun.elapsed().as_secs_f64() * 10.0).round() / 10.0);
    let start_memory = nodes.last().process().and_then(resident);
    nodes.end().await?;
    Ok(Figures {
        memory_bytes: memory,
        start_s,
        start_memory_bytes: start_memory,
        ..Figures::in_all(messages, took)
    })
}

/// Resident memory of a process in bytes, where the system tells it as Linux does.
fn resident(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}
