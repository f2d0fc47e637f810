//! Whom the links let in: the gatekeeper, and those who have just proven themselves to it.
//!
//! A peer that proved itself a moment ago may not be in the directory yet: its records come over
//! the very link that it must be let in for.

use super::clock::Clock;
use crate::engine::address::NodeId;
use crate::security::Gatekeeper;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// How long a proof counts before the directory must know the peer.
const PROOF_MS: u64 = 60_000;
/// Most fresh proofs that are remembered; the oldest makes room.
const PROOFS_MAX: usize = 1_024;

/// The gatekeeper of the moment and the proofs it gave lately.
pub(crate) struct Door {
    gatekeeper: RwLock<Arc<Gatekeeper>>,
    proofs: Mutex<HashMap<NodeId, u64>>,
    clock: Clock,
}

impl Door {
    /// A door kept by `gatekeeper`.
    pub(crate) fn new(gatekeeper: Arc<Gatekeeper>, clock: Clock) -> Self {
        Self { gatekeeper: RwLock::new(gatekeeper), proofs: Mutex::default(), clock }
    }

    /// Who keeps it now.
    pub(crate) fn gatekeeper(&self) -> Arc<Gatekeeper> {
        self.gatekeeper.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives it to another keeper; what was proven to the former one counts no more.
    pub(crate) fn give_to(&self, gatekeeper: Arc<Gatekeeper>) {
        *self.gatekeeper.write().unwrap_or_else(PoisonError::into_inner) = gatekeeper;
        self.forget();
    }

    /// Forgets all fresh proofs.
    pub(crate) fn forget(&self) {
        self.proofs.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Notes that the gatekeeper found a peer proven.
    pub(crate) fn proved(&self, node: NodeId) {
        let now = self.clock.now_ms();
        let mut proofs = self.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        if proofs.len() >= PROOFS_MAX && !proofs.contains_key(&node) {
            let oldest = proofs.iter().min_by_key(|(_, at)| **at).map(|(node, _)| *node);
            if let Some(oldest) = oldest {
                proofs.remove(&oldest);
            }
        }
        proofs.insert(node, now);
    }

    /// Whether a node is a member as far as this node knows.
    pub(crate) fn holds(&self, node: NodeId) -> bool {
        self.is_member(node) || self.proved_lately(node)
    }

    /// Whether the directory knows a node as a member.
    pub(crate) fn is_member(&self, node: NodeId) -> bool {
        self.gatekeeper().is_member(node)
    }

    /// Whether this node is in a mesh, so that it has something to prove.
    pub(crate) fn in_mesh(&self) -> bool {
        let gatekeeper = self.gatekeeper();
        gatekeeper.mesh().is_some() && !gatekeeper.has_left()
    }

    fn proved_lately(&self, node: NodeId) -> bool {
        let now = self.clock.now_ms();
        let proofs = self.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        proofs.get(&node).is_some_and(|at| now.saturating_sub(*at) < PROOF_MS)
    }
}
