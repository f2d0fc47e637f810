//! Which of two connections with one peer goes.
//!
//! Both ends decide by the same facts, so that never both connections go.

use libp2p::swarm::ConnectionId;

/// How long two connections may live beside each other, so that both ends have both.
pub(crate) const SETTLE_MS: u64 = 1_000;
/// How much longer the listener of both leaves it to the dialer.
pub(crate) const LISTENER_WAITS_MS: u64 = 4_000;

/// A connection with a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connection {
    /// Its number.
    pub(crate) id: ConnectionId,
    /// Whether this node dialed it.
    pub(crate) mine: bool,
    /// When it was made.
    pub(crate) since_ms: u64,
    /// Since when it is proven, and by which start of the peer's process.
    pub(crate) ready: Option<(u64, u64)>,
}

/// The connection that should be closed now, if any. `doubtful` tells which missed a beat.
pub(crate) fn surplus(
    connections: &[Connection],
    smaller: bool,
    now_ms: u64,
    doubtful: impl Fn(ConnectionId) -> bool,
) -> Option<ConnectionId> {
    let mut ready: Vec<_> =
        connections.iter().filter_map(|it| it.ready.map(|(at, boot)| (at, boot, it))).collect();
    ready.sort_by_key(|(at, _, it)| (*at, it.since_ms));
    let [.., (_, old_boot, old), (new_at, new_boot, new)] = ready.as_slice() else {
        return None;
    };
    if old_boot != new_boot {
        // The peer has started again: the older connection leads nowhere.
        return Some(old.id);
    }
    let both_for = now_ms.saturating_sub(*new_at);
    if both_for < SETTLE_MS {
        return None;
    }
    match (doubtful(old.id), doubtful(new.id)) {
        (true, false) => return Some(old.id),
        (false, true) => return Some(new.id),
        _ => {}
    }
    if old.mine != new.mine {
        // The one that the node with the smaller id dialed stays.
        return Some(if old.mine == smaller { new.id } else { old.id });
    }
    let dialer = new.mine;
    (dialer || both_for >= SETTLE_MS + LISTENER_WAITS_MS).then_some(old.id)
}

#[cfg(test)]
mod tests;
