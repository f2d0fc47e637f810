//! How many connections there may be, of which kind and from where.

use libp2p::PeerId;
use libp2p::swarm::ConnectionId;
use std::collections::HashMap;
use std::net::IpAddr;

/// Bounds on connections, those of strangers above all (from the security design, section 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateLimits {
    /// Connections whose peer has proven nothing.
    pub unproven: usize,
    /// The same from one IP address.
    pub unproven_per_ip: usize,
    /// Whether the bound per address also holds for loopback, where many nodes may live.
    pub loopback_counts: bool,
    /// Incoming connections whose keys are not exchanged yet.
    pub pending_in: usize,
    /// Outgoing connections that are being made.
    pub pending_out: usize,
    /// Connections with proven peers.
    pub established: usize,
    /// Connections with one peer.
    pub per_peer: usize,
    /// How long a connection may take to prove its peer, in milliseconds.
    pub unproven_age_ms: u64,
}

impl Default for GateLimits {
    fn default() -> Self {
        Self {
            unproven: 64,
            unproven_per_ip: 4,
            loopback_counts: false,
            pending_in: 64,
            pending_out: 48,
            established: 1_024,
            per_peer: 2,
            unproven_age_ms: 20_000,
        }
    }
}

/// Why a connection is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// Too many incoming connections are being set up.
    #[error("too many incoming connections are being set up")]
    PendingIn,
    /// Too many from that address have proven nothing.
    #[error("too many unproven connections from that address")]
    PerIp,
    /// Too many outgoing connections are being made.
    #[error("too many outgoing connections are being made")]
    PendingOut,
    /// Too many connections have proven nothing.
    #[error("too many unproven connections")]
    Unproven,
    /// Too many connections.
    #[error("too many connections")]
    Established,
    /// Too many connections with this peer.
    #[error("too many connections with this peer")]
    PerPeer,
    /// The peer failed to prove itself too often.
    #[error("the peer failed to prove itself too often")]
    Denied,
    /// The peer's key is not an Ed25519 key.
    #[error("the peer's key is of a kind that no node has")]
    ForeignKey,
}

enum Entry {
    Incoming(IpAddr),
    Outgoing,
    Open { peer: PeerId, ip: IpAddr, proven: bool },
}

/// The connections there are, each in its place.
pub(crate) struct Counts {
    limits: GateLimits,
    entries: HashMap<ConnectionId, Entry>,
}

impl Counts {
    /// None yet.
    pub(crate) fn new(limits: GateLimits) -> Self {
        Self { limits, entries: HashMap::new() }
    }

    fn count(&self, which: impl Fn(&Entry) -> bool) -> usize {
        self.entries.values().filter(|entry| which(entry)).count()
    }

    /// Strangers and newcomers of one address, set up or not.
    fn strangers_at(&self, ip: IpAddr) -> usize {
        self.count(|entry| match entry {
            Entry::Incoming(from) => *from == ip,
            Entry::Open { ip: from, proven, .. } => *from == ip && !proven,
            Entry::Outgoing => false,
        })
    }

    /// A connection comes in; who it is will be known when keys are exchanged.
    pub(crate) fn incoming(&mut self, connection: ConnectionId, ip: IpAddr) -> Result<(), Refused> {
        if self.count(|entry| matches!(entry, Entry::Incoming(_))) >= self.limits.pending_in {
            return Err(Refused::PendingIn);
        }
        let counted = self.limits.loopback_counts || !ip.is_loopback();
        if counted && self.strangers_at(ip) >= self.limits.unproven_per_ip {
            return Err(Refused::PerIp);
        }
        self.entries.insert(connection, Entry::Incoming(ip));
        Ok(())
    }

    /// A connection is being made.
    pub(crate) fn outgoing(&mut self, connection: ConnectionId) -> Result<(), Refused> {
        if self.count(|entry| matches!(entry, Entry::Outgoing)) >= self.limits.pending_out {
            return Err(Refused::PendingOut);
        }
        self.entries.insert(connection, Entry::Outgoing);
        Ok(())
    }

    /// Keys are exchanged. A peer that is known as a member takes no stranger's place.
    pub(crate) fn established(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        ip: IpAddr,
        proven: bool,
    ) -> Result<(), Refused> {
        let of_peer =
            self.count(|entry| matches!(entry, Entry::Open { peer: other, .. } if *other == peer));
        if of_peer >= self.limits.per_peer {
            return Err(Refused::PerPeer);
        }
        let alike = self
            .count(|entry| matches!(entry, Entry::Open { proven: other, .. } if *other == proven));
        if proven && alike >= self.limits.established {
            return Err(Refused::Established);
        }
        if !proven && alike >= self.limits.unproven {
            return Err(Refused::Unproven);
        }
        self.entries.insert(connection, Entry::Open { peer, ip, proven });
        Ok(())
    }

    /// The peer of a connection has proven itself.
    pub(crate) fn proved(&mut self, connection: ConnectionId) {
        if let Some(Entry::Open { proven, .. }) = self.entries.get_mut(&connection) {
            *proven = true;
        }
    }

    /// A connection is gone, or came to nothing.
    pub(crate) fn closed(&mut self, connection: ConnectionId) {
        self.entries.remove(&connection);
    }
}

#[cfg(test)]
mod tests;
