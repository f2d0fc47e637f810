use super::{Connection, LISTENER_WAITS_MS, SETTLE_MS, surplus};
use libp2p::swarm::ConnectionId;

fn id(number: usize) -> ConnectionId {
    ConnectionId::new_unchecked(number)
}

fn connection(number: usize, mine: bool, ready_ms: u64, boot: u64) -> Connection {
    Connection { id: id(number), mine, since_ms: ready_ms, ready: Some((ready_ms, boot)) }
}

fn well(_: ConnectionId) -> bool {
    false
}

#[test]
fn both_ends_close_the_one_that_the_larger_dialed() {
    // Connection 1 was dialed by the smaller node, 2 by the larger; each end sees its own side.
    let at_smaller = [connection(1, true, 0, 7), connection(2, false, 10, 7)];
    let at_larger = [connection(2, true, 0, 8), connection(1, false, 10, 8)];
    assert_eq!(surplus(&at_smaller, true, 10 + SETTLE_MS - 1, well), None, "they settle first");
    assert_eq!(surplus(&at_smaller, true, 10 + SETTLE_MS, well), Some(id(2)));
    assert_eq!(surplus(&at_larger, false, 10 + SETTLE_MS, well), Some(id(2)));
}

#[test]
fn a_connection_that_missed_a_beat_loses() {
    let both = [connection(1, true, 0, 7), connection(2, false, 10, 7)];
    assert_eq!(surplus(&both, true, 5_000, |it| it == id(1)), Some(id(1)));
    assert_eq!(surplus(&both, true, 5_000, |_| true), Some(id(2)), "both: as if none");
}

#[test]
fn a_peer_that_started_again_has_only_the_new_one() {
    let both = [connection(1, true, 0, 7), connection(2, false, 10, 8)];
    assert_eq!(surplus(&both, true, 11, well), Some(id(1)), "at once");
}

#[test]
fn of_two_dialed_by_one_node_its_dialer_closes_the_older() {
    let mine = [connection(1, true, 0, 7), connection(2, true, 10, 7)];
    assert_eq!(surplus(&mine, false, 10 + SETTLE_MS, well), Some(id(1)));
    let theirs = [connection(1, false, 0, 7), connection(2, false, 10, 7)];
    assert_eq!(surplus(&theirs, false, 10 + SETTLE_MS, well), None, "left to the dialer");
    let late = 10 + SETTLE_MS + LISTENER_WAITS_MS;
    assert_eq!(surplus(&theirs, false, late, well), Some(id(1)));
}

#[test]
fn what_is_not_proven_is_no_reason_to_close_what_is() {
    let unproven = Connection { ready: None, ..connection(2, false, 10, 7) };
    let both = [connection(1, true, 0, 7), unproven];
    assert_eq!(surplus(&both, false, 60_000, well), None);
    assert_eq!(surplus(&both[..1], false, 60_000, well), None);
}
