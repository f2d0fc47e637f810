//! Who has a name. If two claim one, the lower (clk, node id) has it on every node, and the other
//! is shown and addressed with the first digits of its id.

use super::{Certificate, Membership, Standing};
use crate::engine::address::NodeId;
use crate::security::{Member, MemberState, NodeName, ResolveError};
use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};

/// Digits of a node's id that follow the `~`, unless more are needed to tell two apart.
const DIGITS: usize = 4;

/// All who claim one name, whatever their standing.
#[derive(Default)]
pub(super) struct Claims {
    /// The best claim first.
    by_age: BTreeSet<(u64, NodeId)>,
    by_id: BTreeSet<NodeId>,
}

impl Claims {
    pub(super) fn insert(&mut self, clk: u64, node: NodeId) {
        self.by_age.insert((clk, node));
        self.by_id.insert(node);
    }

    pub(super) fn remove(&mut self, clk: u64, node: NodeId) {
        self.by_age.remove(&(clk, node));
        self.by_id.remove(&node);
    }

    fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.by_age.iter().map(|&(_, node)| node)
    }

    /// The digits that tell a claimant from all others: those of the nearest ids decide.
    fn digits(&self, node: NodeId) -> String {
        let id = node.to_string();
        let before = self.by_id.range(..node).next_back();
        let after = self.by_id.range((Excluded(node), Unbounded)).next();
        let common = |other: &NodeId| {
            let other = other.to_string();
            id.bytes().zip(other.bytes()).take_while(|(one, two)| one == two).count()
        };
        let shared = before.into_iter().chain(after).map(common).max().unwrap_or(0);
        id[..(shared + 1).clamp(DIGITS, id.len())].to_owned()
    }
}

impl Membership {
    /// The member that has a name.
    pub(crate) fn holder(&self, name: &NodeName) -> Option<NodeId> {
        self.claims.get(name)?.nodes().find(|&node| self.is_active(node))
    }

    /// All who claim a name, the best claim first.
    fn claimants(&self, name: &NodeName) -> impl Iterator<Item = NodeId> {
        self.claims.get(name).into_iter().flat_map(Claims::nodes)
    }

    /// The name under which a node is shown and addressed.
    pub(crate) fn shown(&self, node: NodeId) -> Option<String> {
        let name = &self.certificate(node)?.name;
        let claims = self.claims.get(name)?;
        Some(shown_as(name, claims, self.plain(claims), node))
    }

    /// Who is shown under the plain name: its holder, or its best claimant while nobody has it.
    fn plain(&self, claims: &Claims) -> Option<NodeId> {
        claims.nodes().find(|&node| self.is_active(node)).or_else(|| claims.nodes().next())
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
        let mut members = Vec::with_capacity(self.certificates.len());
        for (name, claims) in &self.claims {
            let plain = self.plain(claims);
            let listed = claims.nodes().filter_map(|node| {
                let certificate = self.certificate(node)?;
                self.member(certificate, shown_as(name, claims, plain, node))
            });
            members.extend(listed);
        }
        members.sort_by(|left: &Member, right| left.name.cmp(&right.name));
        members
    }

    fn member(&self, certificate: &Certificate, name: String) -> Option<Member> {
        let node = certificate.node;
        let state = match self.standing(node) {
            Standing::Active => MemberState::Active,
            Standing::Left => MemberState::Left,
            Standing::Revoked => MemberState::Revoked,
            Standing::Void | Standing::Unknown => return None,
        };
        Some(Member { node, name, role: certificate.role, state, serial: certificate.serial })
    }
}

fn shown_as(name: &NodeName, claims: &Claims, plain: Option<NodeId>, node: NodeId) -> String {
    if plain == Some(node) { name.to_string() } else { format!("{name}~{}", claims.digits(node)) }
}
