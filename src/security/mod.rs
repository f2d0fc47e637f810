//! Identities, mesh membership, signatures: everything that decides whom and what to believe.
#![allow(missing_docs)]
// Stand-in with the agreed names until the real one is merged.
use crate::engine::address::{LineId, NodeId, QueueName};
use crate::engine::message::{Delivery, Priority};
use crate::engine::statement::DirectoryRecord;
use bytes::Bytes;
use std::net::SocketAddr;
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeName(String);
impl NodeName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl std::fmt::Display for NodeName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::str::FromStr for NodeName {
    type Err = SecurityError;
    fn from_str(s: &str) -> Result<Self, SecurityError> {
        Ok(Self(s.to_owned()))
    }
}
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("security")]
pub struct SecurityError;
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("resolve")]
pub struct ResolveError;
#[derive(Debug)]
pub struct Identity;
#[derive(Clone, Copy, Debug)]
pub struct MeshId([u8; 16]);
#[derive(Debug)]
pub struct Gatekeeper;
#[derive(Clone, Debug)]
pub struct Token;
impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("t")
    }
}
impl std::str::FromStr for Token {
    type Err = SecurityError;
    fn from_str(_: &str) -> Result<Self, SecurityError> {
        Ok(Self)
    }
}
#[derive(Clone, Debug)]
pub struct Keep {
    pub private: Vec<(String, Option<Bytes>)>,
    pub directory: Vec<DirectoryRecord>,
    pub forget: bool,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberState {
    Active,
    Left,
}
#[derive(Clone, Debug)]
pub struct Member {
    pub node: NodeId,
    pub name: NodeName,
    pub state: MemberState,
}
#[derive(Clone, Debug)]
pub struct InviteOptions {
    pub ttl_ms: u64,
    pub admin: bool,
    pub addresses: Vec<SocketAddr>,
}
pub fn line_id(_: &Identity, _: NodeId, _: &QueueName, _: Delivery, _: Priority) -> LineId {
    LineId(1)
}
pub fn random<const N: usize>() -> [u8; N] {
    [0; N]
}
impl Gatekeeper {
    pub fn node(&self) -> NodeId {
        NodeId::from_bytes([0; 32])
    }
    pub fn mesh(&self) -> Option<MeshId> {
        None
    }
    pub fn mesh_label(&self) -> String {
        String::new()
    }
    pub fn name(&self) -> Option<NodeName> {
        None
    }
    pub fn name_of(&self, _: NodeId) -> Option<NodeName> {
        None
    }
    pub fn resolve(&self, _: &str) -> Result<NodeId, ResolveError> {
        Err(ResolveError)
    }
    pub fn members(&self) -> Vec<Member> {
        Vec::new()
    }
    pub fn invite(&self, _: InviteOptions, _: u64) -> Result<(Token, Keep), SecurityError> {
        Err(SecurityError)
    }
    pub fn leave(&self, _: u64) -> Result<Keep, SecurityError> {
        Err(SecurityError)
    }
    pub fn joined(&self, _: &Keep) {}
}
