//! Who has a name. If two claim one, the lower (clk, node id) has it on every node, and the other
//! is shown and addressed with the first digits of its id.

use super::{Membership, Standing};
use crate::engine::address::NodeId;
use crate::security::{Member, MemberState, NodeName, ResolveError};

/// Digits of a node's id that follow the `~`, unless more are needed to tell two apart.
const DIGITS: usize = 4;

impl Membership {
    /// The member that has a name.
    pub(crate) fn holder(&self, name: &NodeName) -> Option<NodeId> {
        self.claimants(name).find(|&node| self.is_active(node))
    }

    /// All who claim a name, whatever their standing, the best claim first.
    fn claimants(&self, name: &NodeName) -> impl Iterator<Item = NodeId> {
        self.claims.get(name).into_iter().flatten().map(|&(_, node)| node)
    }

    /// The name under which a node is shown and addressed.
    pub(crate) fn shown(&self, node: NodeId) -> Option<String> {
        let name = &self.certificate(node)?.name;
        let holder = self.holder(name).or_else(|| self.claimants(name).next());
        if holder == Some(node) {
            return Some(name.to_string());
        }
        let id = node.to_string();
        let others: Vec<String> =
            self.claimants(name).filter(|&other| other != node).map(|n| n.to_string()).collect();
        let enough = (DIGITS..id.len())
            .find(|&digits| !others.iter().any(|other| other.starts_with(&id[..digits])))
            .unwrap_or(id.len());
        Some(format!("{name}~{}", &id[..enough]))
    }

    /// The member that a text names.
    pub(crate) fn resolve(&self, text: &str) -> Result<NodeId, ResolveError> {
        let unknown = || ResolveError::Unknown(text.chars().take(140).collect());
        let fitting: Vec<NodeId> = if let Ok(node) = text.parse() {
            vec![node]
        } else if let Some((name, digits)) = text.split_once('~') {
            let name = name.parse().map_err(|_| unknown())?;
            let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            if digits.len() < DIGITS || !digits.bytes().all(hex) {
                return Err(unknown());
            }
            self.claimants(&name).filter(|node| node.to_string().starts_with(digits)).collect()
        } else {
            let name = text.parse().map_err(|_| unknown())?;
            match self.holder(&name) {
                Some(node) => return Ok(node),
                None => self.claimants(&name).collect(),
            }
        };
        let mut active = fitting.iter().filter(|&&node| self.is_active(node));
        match (active.next(), active.next()) {
            (Some(&node), None) => Ok(node),
            (Some(_), Some(_)) => Err(ResolveError::Ambiguous(text.to_owned())),
            (None, _) if fitting.iter().any(|&node| self.standing(node) == Standing::Left) => {
                Err(ResolveError::Left(text.to_owned()))
            }
            (None, _) => Err(unknown()),
        }
    }

    /// All nodes of the directory in the order of their names, the void ones left out.
    pub(crate) fn members(&self) -> Vec<Member> {
        let mut members: Vec<Member> = self.nodes().filter_map(|node| self.member(node)).collect();
        members.sort_by(|left, right| left.name.cmp(&right.name));
        members
    }

    fn member(&self, node: NodeId) -> Option<Member> {
        let state = match self.standing(node) {
            Standing::Active => MemberState::Active,
            Standing::Left => MemberState::Left,
            Standing::Revoked => MemberState::Revoked,
            Standing::Void | Standing::Unknown => return None,
        };
        let certificate = self.certificate(node)?;
        let name = self.shown(node)?;
        Some(Member { node, name, role: certificate.role, state, serial: certificate.serial })
    }
}
