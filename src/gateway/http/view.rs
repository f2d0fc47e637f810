//! From the service's answers to the JSON of the door.

use crate::client::json::{self, rfc3339};
use crate::engine::address::QueueName;
use crate::engine::command::{MessageState, OutgoingState, QueueView};
use crate::engine::ids::MessageId;
use crate::engine::time::Timestamp;
use crate::service::{self, Service};
use std::time::Duration;

/// A moment of node time in RFC 3339.
pub(super) fn time(service: &Service, moment: Timestamp) -> String {
    rfc3339(service.wall(moment))
}

/// Milliseconds as seconds.
pub(super) fn seconds(ms: u64) -> f64 {
    Duration::from_millis(ms).as_secs_f64()
}

/// An accepted message.
pub(super) fn sent(service: &Service, sent: service::Sent) -> json::Sent {
    let (state, held_by, reason) = match sent.state {
        MessageState::Stored => (json::SentState::Stored, None, None),
        MessageState::InTransit(holder) => {
            (json::SentState::InTransit, Some(service.node_text(holder)), None)
        }
        MessageState::Arrived => (json::SentState::Arrived, None, None),
        MessageState::Received => (json::SentState::Received, None, None),
        MessageState::Dead(reason) => (json::SentState::Dead, None, Some(reason)),
        MessageState::Unconfirmed(reason) => (json::SentState::Unconfirmed, None, Some(reason)),
    };
    let reason = reason.map(|reason| reason.as_str().to_owned());
    json::Sent { id: sent.id.to_string(), state, held_by, reason }
}

/// Something that happened.
pub(super) fn news(service: &Service, news: service::News) -> json::NodeEvent {
    let at = |queue: QueueName, id: MessageId| json::QueueEvent {
        queue: queue.to_string(),
        id: id.to_string(),
    };
    match news {
        service::News::State(sent) => json::NodeEvent::State(self::sent(service, sent)),
        service::News::Entered { queue, id } => json::NodeEvent::Entered(at(queue, id)),
        service::News::Consumed { queue, id } => json::NodeEvent::Consumed(at(queue, id)),
        service::News::Link { node, up } => json::NodeEvent::Link(json::LinkEvent { node, up }),
        service::News::Lagged(missed) => json::NodeEvent::Lagged(json::LagEvent { missed }),
    }
}

/// A message that was peeked at.
pub(super) fn peeked(service: &Service, message: service::Message) -> json::Message {
    let locked = Some(message.locked);
    json::Message { locked, ..common(service, message) }
}

/// A message that was received.
pub(super) fn received(service: &Service, received: service::Received) -> json::Message {
    let lock = Some(lock(service, received.lock));
    json::Message { lock, ..common(service, received.message) }
}

/// A lock.
pub(super) fn lock(service: &Service, lock: service::Lock) -> json::Lock {
    json::Lock { token: lock.token.to_string(), locked_until_at: time(service, lock.until) }
}

fn common(service: &Service, message: service::Message) -> json::Message {
    let body_size = message.body.len();
    let (body, body_base64) = match &message.body {
        service::Body::Whole(bytes) => json::split_body(bytes),
        service::Body::Stored(_) => (None, None),
    };
    json::Message {
        id: message.id.to_string(),
        queue: message.queue.to_string(),
        origin: service.node_text(message.id.stream.origin),
        priority: message.priority.value(),
        delivery: message.delivery,
        label: message.label,
        content_type: message.content_type,
        headers: message.headers,
        correlation_id: message.correlation_id,
        reply_to: message.reply_to,
        body,
        body_base64,
        body_size,
        enqueued_at: time(service, message.enqueued_at),
        delivery_count: message.delivery_count,
        lock: None,
        locked: None,
    }
}

/// A local queue.
pub(super) fn queue(service: &Service, queue: QueueView) -> json::Queue {
    json::Queue {
        name: queue.name.to_string(),
        transactional: queue.transactional,
        ready: queue.ready,
        locked: queue.locked,
        dead: queue.dead,
        bytes: queue.bytes,
        oldest_age_s: queue.oldest.map(|oldest| seconds(service.age_ms(oldest))),
        max_messages: queue.max_messages,
        max_bytes: queue.max_bytes,
        created_at: time(service, queue.created_at),
    }
}

/// What waits for one node.
pub(super) fn outgoing(line: service::Outgoing) -> json::Outgoing {
    let (state, reason) = match line.state {
        OutgoingState::Sending => ("sending", None),
        OutgoingState::InTransit => ("in_transit", None),
        OutgoingState::NoPath => ("no_path", None),
        OutgoingState::Refused(why) => ("refused", Some(why.as_str().to_owned())),
    };
    json::Outgoing {
        destination: line.destination,
        messages: line.messages,
        bytes: line.bytes,
        oldest_age_s: line.oldest_age_ms.map(seconds),
        state: state.to_owned(),
        reason,
        next_try_s: line.next_try_ms.map(seconds),
    }
}

/// A dead letter.
pub(super) fn dead(service: &Service, letter: service::DeadLetter) -> json::DeadLetter {
    json::DeadLetter {
        id: letter.id.to_string(),
        destination: letter.destination,
        reason: letter.reason.as_str().to_owned(),
        died_at: time(service, letter.died_at),
        unconfirmed: letter.unconfirmed,
        label: letter.label,
    }
}

/// Members and strangers.
pub(super) fn peers(peers: service::Peers) -> json::Peers {
    let items = peers.members.into_iter().map(|peer| json::Peer {
        name: peer.name,
        node_id: peer.node.to_string(),
        state: match peer.state {
            service::PeerState::Up => json::PeerState::Up,
            service::PeerState::Away => json::PeerState::Away,
            service::PeerState::Left => json::PeerState::Left,
        },
        path: peer.path.to_string(),
        rtt_ms: peer.rtt_ms,
        clock_skew_s: peer.clock_skew_ms.map(|ms| ms as f64 / 1_000.0),
        outgoing: peer.outgoing,
        seen_s: peer.seen_ms.map(seconds),
    });
    let strangers = peers.strangers.into_iter().map(|stranger| json::Stranger {
        node_id: stranger.node.to_string(),
        addresses: stranger.addresses,
        seen_s: seconds(stranger.seen_ms),
    });
    json::Peers { items: items.collect(), strangers: strangers.collect() }
}

/// One thing that a node needs to be ready.
pub(super) fn check(check: service::Check) -> json::Check {
    let service::Check { name, ok, detail } = check;
    json::Check { name: name.to_owned(), ok, detail }
}

/// The node itself.
pub(super) fn status(status: service::Status) -> json::Status {
    json::Status {
        ready: json::Ready {
            name: status.name,
            node_id: status.node.to_string(),
            mesh: status.mesh,
            listen: status.listen,
            socket: status.socket,
            http: status.http,
        },
        version: status.version.to_owned(),
        uptime_s: status.uptime.as_secs_f64(),
        peers_up: status.peers_up,
        peers_away: status.peers_away,
        messages: status.summary.messages,
        outgoing: status.summary.outgoing,
        carried: status.summary.carried,
        dead: status.summary.dead,
        queues: status.summary.queues,
        warnings: status.warnings,
    }
}
