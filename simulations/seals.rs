//! Keys and signatures of the nodes: a cheap double that leaves signatures empty, or the real ones.
//!
//! Refuses to draw anything: a node's key follows from its name and the seed.

use meshmq::engine::address::NodeId;
use meshmq::engine::frame::Frame;
use meshmq::engine::statement::{Attested, Statement};
use meshmq::security::{Identity, MeshId, sign_statement, verify_statement};

/// The keys of all nodes.
pub(crate) struct Seals {
    nodes: Vec<NodeId>,
    /// Empty if signatures are left out.
    identities: Vec<Identity>,
    mesh: MeshId,
}

impl Seals {
    /// The keys of these nodes with this seed.
    pub(crate) fn new(names: &[String], seed: u64, signs: bool) -> Self {
        let key = |name: &String| {
            let mut hasher = blake3::Hasher::new();
            *hasher.update(&seed.to_be_bytes()).update(name.as_bytes()).finalize().as_bytes()
        };
        let keys = names.iter().map(key);
        let mesh = MeshId(*b"meshmq-sim mesh.");
        if signs {
            let identities: Vec<Identity> = keys.map(|key| Identity::from_seed(&key)).collect();
            let nodes = identities.iter().map(Identity::node_id).collect();
            Self { nodes, identities, mesh }
        } else {
            Self { nodes: keys.map(NodeId::from_bytes).collect(), identities: Vec::new(), mesh }
        }
    }

    /// The ids of the nodes.
    pub(crate) fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// Signs a node's own statements on their way out.
    pub(crate) fn sign(&self, place: usize, frames: &mut [Frame]) {
        let Some(identity) = self.identities.get(place) else { return };
        for frame in frames {
            match frame {
                Frame::Receipt(receipt) => self.sign_one(identity, receipt),
                Frame::Status(status) => self.sign_one(identity, status),
                Frame::LinkState(links) => self.sign_one(identity, links),
                _ => {}
            }
        }
    }

    /// Whether every statement is signed by the node that it names.
    pub(crate) fn are_good(&self, frames: &[Frame]) -> bool {
        self.identities.is_empty()
            || frames.iter().all(|frame| match frame {
                Frame::Receipt(receipt) => verify_statement(&self.mesh, receipt),
                Frame::Status(status) => verify_statement(&self.mesh, status),
                Frame::LinkState(links) => verify_statement(&self.mesh, links),
                _ => true,
            })
    }

    fn sign_one<T: Statement>(&self, identity: &Identity, attested: &mut Attested<T>) {
        if attested.signature.is_empty() {
            attested.signature = sign_statement(identity, &self.mesh, &attested.statement);
        }
    }
}
