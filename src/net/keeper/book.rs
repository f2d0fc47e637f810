//! Where members were reached or say that they can be: the book that outlives the process.
//!
//! One private record per node, because a record of the store is small. Hints only: whoever
//! answers at an address still has to prove itself.

use crate::engine::address::NodeId;
use crate::net::config::ADDRESS_RECORD_PREFIX;
use crate::net::ids::dialable;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

/// Addresses of one node; the one that worked longest ago makes room.
pub(crate) const ADDRESSES_MAX: usize = 8;
/// Nodes in the book.
pub(crate) const NODES_MAX: usize = 16_384;
/// First byte of a record: the version of its form.
const VERSION: u8 = 1;

/// The address book. The most useful address of a node comes first.
#[derive(Default)]
pub(crate) struct Book {
    nodes: BTreeMap<NodeId, Vec<SocketAddr>>,
    changed: BTreeSet<NodeId>,
}

impl Book {
    /// The book that the records make. Records that are not understood are left alone.
    pub(crate) fn read(records: &[(String, Bytes)]) -> Self {
        let entries = records.iter().filter_map(|(name, value)| {
            let node = name.strip_prefix(ADDRESS_RECORD_PREFIX)?.parse().ok()?;
            Some((node, decode(value)?))
        });
        Self { nodes: entries.take(NODES_MAX).collect(), changed: BTreeSet::new() }
    }

    /// Where a node may be.
    pub(crate) fn of(&self, node: &NodeId) -> &[SocketAddr] {
        self.nodes.get(node).map_or(&[], Vec::as_slice)
    }

    /// All nodes in it.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &NodeId> {
        self.nodes.keys()
    }

    /// A node was reached at an address: it comes first.
    pub(crate) fn reached(&mut self, node: NodeId, address: SocketAddr) {
        self.put(node, address, true);
    }

    /// A node is said to be at an address. Whether that is new.
    pub(crate) fn heard(&mut self, node: NodeId, address: SocketAddr) -> bool {
        self.put(node, address, false)
    }

    /// Forgets a node.
    pub(crate) fn remove(&mut self, node: &NodeId) {
        if self.nodes.remove(node).is_some() {
            self.changed.insert(*node);
        }
    }

    /// What has changed since the last call, as private records; `None` removes one.
    pub(crate) fn changes(&mut self) -> Vec<(String, Option<Bytes>)> {
        std::mem::take(&mut self.changed)
            .into_iter()
            .map(|node| {
                let value = self.nodes.get(&node).map(|addresses| encode(addresses));
                (format!("{ADDRESS_RECORD_PREFIX}{node}"), value)
            })
            .collect()
    }

    fn put(&mut self, node: NodeId, address: SocketAddr, first: bool) -> bool {
        if !dialable(&address) {
            return false;
        }
        if !self.nodes.contains_key(&node) && self.nodes.len() >= NODES_MAX {
            return false;
        }
        let addresses = self.nodes.entry(node).or_default();
        let place = addresses.iter().position(|known| *known == address);
        match (place, first) {
            (Some(0), _) | (Some(_), false) => return false,
            (Some(place), true) => {
                addresses.remove(place);
                addresses.insert(0, address);
            }
            (None, true) => {
                addresses.truncate(ADDRESSES_MAX - 1);
                addresses.insert(0, address);
            }
            (None, false) => {
                // What worked stays first; of hearsay the latest is the best.
                addresses.truncate(ADDRESSES_MAX - 1);
                addresses.insert(addresses.len().min(1), address);
            }
        }
        self.changed.insert(node);
        place.is_none()
    }
}

fn encode(addresses: &[SocketAddr]) -> Bytes {
    let mut bytes = vec![VERSION];
    for address in addresses {
        match address.ip() {
            IpAddr::V4(ip) => {
                bytes.push(4);
                bytes.extend_from_slice(&ip.octets());
            }
            IpAddr::V6(ip) => {
                bytes.push(6);
                bytes.extend_from_slice(&ip.octets());
            }
        }
        bytes.extend_from_slice(&address.port().to_be_bytes());
    }
    bytes.into()
}

fn decode(bytes: &[u8]) -> Option<Vec<SocketAddr>> {
    let (version, mut rest) = bytes.split_first()?;
    if *version != VERSION {
        return None;
    }
    let mut addresses = Vec::new();
    while let Some((kind, after)) = rest.split_first() {
        let ip_len = match kind {
            4 => 4,
            6 => 16,
            _ => return None,
        };
        if after.len() < ip_len + 2 || addresses.len() == ADDRESSES_MAX {
            return None;
        }
        let (ip, after) = after.split_at(ip_len);
        let ip = match <[u8; 4]>::try_from(ip) {
            Ok(v4) => IpAddr::from(v4),
            Err(_) => IpAddr::from(<[u8; 16]>::try_from(ip).ok()?),
        };
        let (port, after) = after.split_at(2);
        addresses.push(SocketAddr::new(ip, u16::from_be_bytes([port[0], port[1]])));
        rest = after;
    }
    Some(addresses)
}

#[cfg(test)]
mod tests;
