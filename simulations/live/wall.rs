//! What stops packets on the bridge: nftables, or filters of traffic control where that is not there.
//! Both drop in silence, between two ports and in one direction.

use super::host::Missing;
use super::lan::{Hub, mac, port};
use crate::scenario::Place;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A direction: from where to where.
pub(super) type Way = (Place, Place);

/// How packets are stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// Rules of nftables in the bridge.
    Nft,
    /// A filter of traffic control at the port of the receiver, by the sender's address.
    Tc,
}

/// The directions that carry nothing.
#[derive(Debug)]
pub(super) struct Wall {
    by: By,
    cut: BTreeSet<Way>,
}

impl Wall {
    /// A wall that stops nothing, of what this machine has.
    pub(super) fn new(hub: &Hub, ports: usize) -> Result<Self, Missing> {
        if hub.run("nft", &["-f", "-"], &rules(&BTreeSet::from([(0, 0)]))).is_ok() {
            hub.run("nft", &["-f", "-"], &rules(&BTreeSet::new()))?;
            return Ok(Self { by: By::Nft, cut: BTreeSet::new() });
        }
        let mut commands = String::new();
        for place in 0..ports {
            let _ = writeln!(commands, "qdisc add dev {} clsact", port(place));
        }
        hub.run("tc", &["-batch", "-"], &commands)?;
        let wall = Self { by: By::Tc, cut: BTreeSet::new() };
        let probe = [(0, 0)];
        hub.run("tc", &["-batch", "-"], &filters(&probe, true))?;
        hub.run("tc", &["-batch", "-"], &filters(&probe, false))?;
        Ok(wall)
    }

    /// What stops the packets, for the report.
    pub(super) const fn name(&self) -> &'static str {
        match self.by {
            By::Nft => "nftables",
            By::Tc => "tc",
        }
    }

    /// Whether nothing goes this way.
    pub(super) fn is_cut(&self, way: Way) -> bool {
        self.cut.contains(&way)
    }

    /// Cuts or heals directions, all at once; those that changed.
    pub(super) fn set(&mut self, hub: &Hub, ways: &[Way], cut: bool) -> Result<Vec<Way>, Missing> {
        let changed: Vec<Way> =
            ways.iter().copied().filter(|way| self.cut.contains(way) != cut).collect();
        for &way in &changed {
            if cut {
                self.cut.insert(way);
            } else {
                self.cut.remove(&way);
            }
        }
        if !changed.is_empty() {
            match self.by {
                By::Nft => hub.run("nft", &["-f", "-"], &rules(&self.cut))?,
                By::Tc => hub.run("tc", &["-batch", "-"], &filters(&changed, cut))?,
            };
        }
        Ok(changed)
    }
}

/// The whole table for nftables. It replaces the one before in one step.
fn rules(cut: &BTreeSet<Way>) -> String {
    let mut text = "table bridge meshmq {}\ndelete table bridge meshmq\ntable bridge meshmq {\n \
                    chain cuts {\n  type filter hook forward priority 0; policy accept;\n"
        .to_owned();
    for &(from, to) in cut {
        let (from, to) = (port(from), port(to));
        let _ = writeln!(text, "  iifname \"{from}\" oifname \"{to}\" drop");
    }
    text.push_str(" }\n}\n");
    text
}

/// Commands for traffic control: a program for the kernel's packet filter that compares the address
/// of the sender, and drops.
fn filters(ways: &[Way], cut: bool) -> String {
    let mut text = String::new();
    for &(from, to) in ways {
        let (verb, number) = (if cut { "add" } else { "del" }, from + 1);
        let _ = write!(text, "filter {verb} dev {} egress pref {number} protocol all", port(to));
        if cut {
            let [a, b, c, d, e, f] = mac(from);
            let head = u32::from_be_bytes([a, b, c, d]);
            let tail = u16::from_be_bytes([e, f]);
            // Load the first four bytes of the source, compare; load the other two, compare; drop.
            let program = format!(
                "7,32 0 0 6,21 0 3 {head},40 0 0 10,21 0 1 {tail},6 0 0 2,6 0 0 4294967295,6 0 0 0"
            );
            let _ = write!(text, " bpf bytecode '{program}' direct-action");
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests;
