//! Wall clocks that are off, in words: what depends on them, and what does not.
//!
//! Refuses to judge who is right; where many say the same it is said that they do.

use super::{Peer, Service};
use crate::engine::CLOCK_JUMP_MAX_MS;
use crate::engine::address::NodeId;
use crate::engine::time::{MINUTE_MS, spoken};
use crate::runtime::WallStand;

/// A wall clock that differs by more than this from node time, or from another node's, is worth a
/// word.
pub const CLOCK_OFF_MS: u64 = 5 * MINUTE_MS;
/// Members with a clock that is off who are named in a warning.
const NAMED_MAX: usize = 5;

/// What a person should know of how the wall clock stands to node time, if anything.
pub fn clock_warning(stand: WallStand) -> Option<String> {
    let WallStand { at_start_ms, now_ms } = stand;
    let off = |ms: i64| ms.unsigned_abs() > CLOCK_OFF_MS;
    if !off(now_ms) {
        return None;
    }
    let moved = now_ms.saturating_sub(at_start_ms);
    let time = spoken(now_ms.unsigned_abs());
    Some(if off(moved) {
        let way = if moved > 0 { "forward" } else { "back" };
        let time = spoken(moved.unsigned_abs());
        format!(
            "the wall clock was set {way} by {time} since this node started: no deadline of a message \
             or a lock has moved; tokens expire by it, and times that are shown come from it"
        )
    } else if now_ms < 0 {
        format!(
            "the wall clock stands {time} behind what the store has seen: until it has caught up, time \
             in which this node is off is not counted against messages, so that they may live longer, \
             and none is lost; set the clock, by NTP best, unless it was wrong before"
        )
    } else {
        format!(
            "the wall clock stands {time} after the last run, and more than {} is not believed: the time \
             in which this node was off is not counted against messages; if the clock is right, \
             nothing is to be done",
            spoken(CLOCK_JUMP_MAX_MS)
        )
    })
}

/// What a person should know of the clocks of members, if anything.
pub(super) fn skew_warning(peers: &[Peer]) -> Option<String> {
    let known: Vec<(&str, i64)> =
        peers.iter().filter_map(|peer| Some((peer.name.as_str(), peer.clock_skew_ms?))).collect();
    let off: Vec<(&str, i64)> =
        known.iter().copied().filter(|(_, skew)| skew.unsigned_abs() > CLOCK_OFF_MS).collect();
    let mut named: Vec<String> = off
        .iter()
        .take(NAMED_MAX)
        .map(|(name, skew)| format!("{name} is {}", apart(*skew)))
        .collect();
    if off.len() > NAMED_MAX {
        named.push(format!("{} more are off", off.len() - NAMED_MAX));
    }
    let all_one_way =
        off.iter().all(|(_, skew)| *skew > 0) || off.iter().all(|(_, skew)| *skew < 0);
    let who = if known.len() > 1 && off.len() == known.len() && all_one_way {
        "this machine's clock is probably the wrong one"
    } else {
        "one of them is wrong"
    };
    (!off.is_empty()).then(|| {
        format!(
            "clocks differ: {}; {who}: set it, by NTP best. Invitations expire by the clock of who made \
             them, and times that are shown differ; no message expires, waits or is lost by it",
            named.join(", ")
        )
    })
}

/// A difference of clocks in words.
fn apart(skew_ms: i64) -> String {
    let way = if skew_ms > 0 { "ahead" } else { "behind" };
    format!("{} {way}", spoken(skew_ms.unsigned_abs()))
}

impl Service {
    /// What to add to the time of a node's messages about clocks that are off; empty if none is.
    pub(super) fn clocks_of(&self, node: NodeId) -> String {
        let stand = self.handle().wall_stand();
        let links = self.links().links();
        let skew = links.iter().find(|link| link.node == node).and_then(|link| link.clock_skew_ms);
        clocks_said(stand, skew)
    }
}

fn clocks_said(stand: WallStand, skew_ms: Option<i64>) -> String {
    let mut said = String::new();
    if stand.now_ms.unsigned_abs() > CLOCK_OFF_MS {
        let off = spoken(stand.now_ms.unsigned_abs());
        said.push_str(&format!("; the wall clock was set by {off}, which moves no deadline"));
    }
    if let Some(skew) = skew_ms.filter(|skew| skew.unsigned_abs() > CLOCK_OFF_MS) {
        said.push_str(&format!("; its clock is {}, which moves none", apart(skew)));
    }
    said
}

#[cfg(test)]
mod tests;
