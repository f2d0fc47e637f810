//! `GET /metrics`: the node's numbers in the text format of Prometheus.

mod page;

use super::api::Problems;
use super::error::Refusal;
use crate::engine::address::{NodeId, QueueName};
use crate::engine::command::Disk;
use crate::engine::time::Timestamp;
use crate::os;
use crate::service::{
    ByVia, Counts, Measured, PeerState, QUEUES_SHOWN, QueueCounts, Reasons, Service, Via, Worked,
};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use page::Page;

/// The commit that the program was built from, if whoever built it said so; else nothing.
const COMMIT: &str = match option_env!("MESHMQ_COMMIT") {
    Some(commit) => commit,
    None => "",
};
/// The format's media type.
const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `GET /metrics`
#[utoipa::path(
    get, path = "/metrics", tag = "node", operation_id = "metrics",
    responses(
        (status = 200, description = "The text format of Prometheus", body = String,
         content_type = "text/plain; version=0.0.4; charset=utf-8"),
        Problems
    )
)]
pub(super) async fn metrics(State(service): State<Service>) -> Result<Response, Refusal> {
    let measured = service.measured().await?;
    let mut page = Page::default();
    node(&mut page, &measured);
    queues(&mut page, &measured, |oldest| service.age_ms(oldest));
    counters(&mut page, &measured.counts, |node, queue| service.place_text(node, queue));
    doors(&mut page, &measured.counts);
    outgoing(&mut page, &measured);
    peers(&mut page, &measured);
    skews(&mut page, &measured);
    traffic(&mut page, &measured);
    store(&mut page, &measured.summary.disk);
    page.histogram("meshmq_store_commit_seconds", "Time of a durable commit", &measured.commits);
    let help = "Time of own messages from this disk to that of their destination";
    page.histogram("meshmq_delivery_seconds", help, &measured.delivery);
    work(&mut page, &measured.work);
    process(&mut page);
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], page.0).into_response())
}

fn node(page: &mut Page, measured: &Measured) {
    let version = env!("CARGO_PKG_VERSION");
    page.family("meshmq_build_info", "gauge", "Version of the program");
    page.row("meshmq_build_info", &[("version", version), ("commit", COMMIT)], 1);
    page.one(
        "meshmq_uptime_seconds",
        "gauge",
        "Time since the start",
        measured.uptime.as_secs_f64(),
    );
    let summary = measured.summary;
    page.one("meshmq_queues", "gauge", "Local queues", summary.queues);
    page.one("meshmq_links", "gauge", "Live links", summary.links);
    page.one("meshmq_relay_messages", "gauge", "Messages carried for others", summary.carried);
    page.one("meshmq_relay_bytes", "gauge", "Bytes carried for others", summary.carried_bytes);
    page.one("meshmq_dead_letters", "gauge", "Dead letters that lie here", summary.dead);
}

fn queues(page: &mut Page, measured: &Measured, age_ms: impl Fn(Timestamp) -> u64) {
    let (shown, rest) = measured.queues.split_at(measured.queues.len().min(QUEUES_SHOWN));
    page.family("meshmq_queue_messages", "gauge", "Messages in a local queue");
    let mut row = |name: &str, ready: u64, locked: u64, dead: u64| {
        for (state, value) in [("ready", ready), ("locked", locked), ("dead", dead)] {
            page.row("meshmq_queue_messages", &[("queue", name), ("state", state)], value);
        }
    };
    for queue in shown {
        row(&queue.name.to_string(), queue.ready, queue.locked, queue.dead);
    }
    if !rest.is_empty() {
        let sum = |of: fn(&crate::engine::command::QueueView) -> u64| rest.iter().map(of).sum();
        row(OTHER, sum(|q| q.ready), sum(|q| q.locked), sum(|q| q.dead));
    }
    page.family("meshmq_queue_bytes", "gauge", "Bytes of the messages in a local queue");
    for queue in shown {
        page.row("meshmq_queue_bytes", &[("queue", &queue.name.to_string())], queue.bytes);
    }
    if !rest.is_empty() {
        let bytes: u64 = rest.iter().map(|queue| queue.bytes).sum();
        page.row("meshmq_queue_bytes", &[("queue", OTHER)], bytes);
    }
    let name = "meshmq_queue_oldest_message_age_seconds";
    page.family(name, "gauge", "Age of the message at a queue's head");
    let seconds = |oldest: Option<Timestamp>| oldest.map_or(0.0, |at| age_ms(at) as f64 / 1_000.0);
    for queue in shown {
        page.row(name, &[("queue", &queue.name.to_string())], seconds(queue.oldest));
    }
    if !rest.is_empty() {
        let oldest = rest.iter().filter_map(|queue| queue.oldest).min();
        page.row(name, &[("queue", OTHER)], seconds(oldest));
    }
}

/// The queue of all queues beyond those that are shown.
const OTHER: &str = "other";

fn counters(page: &mut Page, counts: &Counts, place: impl Fn(NodeId, &QueueName) -> String) {
    type Of = fn(&QueueCounts) -> ByVia;
    let families: [(&str, &str, Of); 4] = [
        ("meshmq_messages_stored_total", "Messages that entered a local queue", |c| c.stored),
        ("meshmq_messages_received_total", "Messages handed out of a queue", |c| c.received),
        ("meshmq_messages_acked_total", "Messages acknowledged out of a queue", |c| c.acked),
        ("meshmq_messages_nacked_total", "Messages given back to a queue", |c| c.nacked),
    ];
    for (name, help, of) in families {
        page.family(name, "counter", help);
        each_queue(counts, |queue, count| by_via(page, name, queue, &of(count)));
    }
    let name = "meshmq_messages_expired_total";
    page.family(name, "counter", "Messages whose time to be received ran out in a queue");
    each_queue(counts, |queue, count| nonzero(page, name, &[("queue", queue)], count.expired));
    let name = "meshmq_duplicates_dropped_total";
    page.family(name, "counter", "Copies dropped because the message had been here");
    each_queue(counts, |queue, count| nonzero(page, name, &[("queue", queue)], count.duplicates));
    let name = "meshmq_messages_sent_total";
    page.family(name, "counter", "Messages accepted for other nodes");
    by_via(page, name, "", &counts.sent);
    let name = "meshmq_dead_lettered_total";
    page.family(name, "counter", "Messages that died here");
    let mut row = |queue: &str, reasons: &Reasons| {
        for (reason, count) in reasons {
            page.row(name, &[("queue", queue), ("reason", reason)], count);
        }
    };
    for ((node, queue), reasons) in &counts.dead {
        row(&place(*node, queue), reasons);
    }
    row(OTHER, &counts.other_dead);
}

fn each_queue(counts: &Counts, mut of: impl FnMut(&str, &QueueCounts)) {
    for (queue, count) in &counts.queues {
        of(queue.as_str(), count);
    }
    of(OTHER, &counts.other);
}

fn by_via(page: &mut Page, name: &str, queue: &str, count: &ByVia) {
    for via in Via::ALL {
        nonzero(page, name, &[("queue", queue), ("via", via.as_str())], count.of(via));
    }
}

fn nonzero(page: &mut Page, name: &str, labels: &[(&str, &str)], count: u64) {
    if count > 0 {
        page.row(name, labels, count);
    }
}

fn doors(page: &mut Page, counts: &Counts) {
    let name = "meshmq_gateway_connections";
    page.family(name, "gauge", "Open connections of programs");
    for (door, open) in &counts.connections {
        page.row(name, &[("protocol", door.as_str())], open);
    }
    let name = "meshmq_gateway_errors_total";
    page.family(name, "counter", "Requests of programs that were refused or failed");
    for ((door, code), count) in &counts.refused {
        page.row(name, &[("protocol", door.as_str()), ("code", code)], count);
    }
    for (door, count) in &counts.other_refused {
        page.row(name, &[("protocol", door.as_str()), ("code", OTHER)], count);
    }
}

fn outgoing(page: &mut Page, measured: &Measured) {
    let name = "meshmq_outgoing_messages";
    page.family(name, "gauge", "Own messages that wait for a node");
    for line in &measured.outgoing {
        page.row(name, &[("peer", &line.destination)], line.messages);
    }
    let name = "meshmq_outgoing_bytes";
    page.family(name, "gauge", "Bytes of own messages that wait for a node");
    for line in &measured.outgoing {
        page.row(name, &[("peer", &line.destination)], line.bytes);
    }
    let name = "meshmq_outgoing_oldest_message_age_seconds";
    page.family(name, "gauge", "Age of the oldest own message that waits for a node");
    for line in &measured.outgoing {
        let seconds = line.oldest_age_ms.unwrap_or(0) as f64 / 1_000.0;
        page.row(name, &[("peer", &line.destination)], seconds);
    }
}

fn peers(page: &mut Page, measured: &Measured) {
    let members = &measured.peers.members;
    page.family("meshmq_peer_up", "gauge", "Whether a live path leads to a member");
    for peer in members.iter().filter(|peer| peer.state != PeerState::Left) {
        let up = u8::from(peer.state == PeerState::Up);
        page.row("meshmq_peer_up", &[("peer", &peer.name)], up);
    }
    page.family("meshmq_peer_rtt_seconds", "gauge", "Round trip of a direct link");
    for peer in members {
        if let Some(ms) = peer.rtt_ms {
            page.row("meshmq_peer_rtt_seconds", &[("peer", &peer.name)], ms / 1_000.0);
        }
    }
}

fn skews(page: &mut Page, measured: &Measured) {
    let name = "meshmq_peer_clock_skew_seconds";
    page.family(name, "gauge", "By how much the wall clock of a linked member is ahead");
    for peer in &measured.peers.members {
        if let Some(ms) = peer.clock_skew_ms {
            page.row(name, &[("peer", &peer.name)], ms as f64 / 1_000.0);
        }
    }
}

fn traffic(page: &mut Page, measured: &Measured) {
    let name = "meshmq_link_bytes_total";
    page.family(name, "counter", "Bytes over the links with a member, as on the wire");
    for (peer, traffic) in &measured.traffic {
        let ways = [("in", traffic.received_bytes), ("out", traffic.sent_bytes)];
        for (direction, bytes) in ways {
            page.row(name, &[("peer", peer), ("direction", direction)], bytes);
        }
    }
    let name = "meshmq_link_reconnects_total";
    page.family(name, "counter", "How often a member's link came up again");
    for (peer, traffic) in &measured.traffic {
        page.row(name, &[("peer", peer)], traffic.reconnects);
    }
}

fn store(page: &mut Page, disk: &Disk) {
    page.one("meshmq_store_bytes", "gauge", "Bytes of the store's files", disk.used_bytes);
    let name = "meshmq_store_free_bytes";
    page.family(name, "gauge", "Bytes that the store's disk still has");
    if let Some(free) = disk.free_bytes {
        page.row(name, &[], free);
    }
}

fn work(page: &mut Page, work: &Worked) {
    let counters: [(&str, &str, f64); 5] = [
        ("meshmq_engine_turns_total", "Turns of the engine", work.turns as f64),
        ("meshmq_engine_inputs_total", "Inputs that they served", work.inputs as f64),
        ("meshmq_engine_busy_seconds_total", "Time within turns", work.busy.as_secs_f64()),
        ("meshmq_store_sync_seconds_total", "Time waited for the disk", work.sync.as_secs_f64()),
        ("meshmq_store_written_bytes_total", "Bytes written", work.written_bytes as f64),
    ];
    for (name, help, value) in counters {
        page.one(name, "counter", help, value);
    }
    let name = "meshmq_store_writes_total";
    page.family(name, "counter", "Records written or removed");
    let writes = [("record", work.records), ("timer", work.timers), ("removal", work.removals)];
    for (kind, count) in writes {
        page.row(name, &[("kind", kind)], count);
    }
}

fn process(page: &mut Page) {
    let Some(usage) = os::usage(std::process::id()) else { return };
    let help = "Resident memory";
    page.one("process_resident_memory_bytes", "gauge", help, usage.resident_bytes);
    page.one("process_open_fds", "gauge", "Open descriptors", usage.open_files);
    page.one("process_max_fds", "gauge", "Limit on open descriptors", usage.open_files_max);
}
