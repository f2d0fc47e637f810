use super::*;
use crate::service::{Path, PeerState};

const HOUR: i64 = 3_600_000;

fn stand(at_start_ms: i64, now_ms: i64) -> Option<String> {
    clock_warning(WallStand { at_start_ms, now_ms })
}

fn peer(name: &str, clock_skew_ms: Option<i64>) -> Peer {
    Peer {
        name: name.to_owned(),
        node: NodeId::FIRST,
        state: PeerState::Up,
        path: Path::Direct,
        rtt_ms: None,
        clock_skew_ms,
        outgoing: 0,
        seen_ms: Some(0),
    }
}

#[test]
fn a_clock_near_node_time_is_worth_no_word() {
    assert_eq!(stand(0, 0), None);
    assert_eq!(stand(0, CLOCK_OFF_MS as i64), None);
    // It was wrong at the start and has been set right.
    assert_eq!(stand(-HOUR, 1_000), None);
}

#[test]
fn what_happened_to_the_clock_is_told_apart() {
    let said = |at_start, now| stand(at_start, now).expect("a warning");
    assert!(said(0, 3 * HOUR).contains("set forward by 3 h since"));
    assert!(said(0, -3 * HOUR).contains("set back by 3 h since"));
    assert!(said(-3 * HOUR, -3 * HOUR).contains("3 h behind what the store has seen"));
    assert!(said(960 * HOUR, 960 * HOUR).contains("40 d after the last run"));
    assert!(said(960 * HOUR, 960 * HOUR).contains("more than 30 d is not believed"));
}

#[test]
fn members_with_another_clock_are_named() {
    assert_eq!(skew_warning(&[]), None);
    assert_eq!(skew_warning(&[peer("a", Some(-200)), peer("b", None)]), None);
    let one = skew_warning(&[peer("a", Some(5 * HOUR)), peer("b", Some(0))]).expect("a warning");
    assert!(one.starts_with("clocks differ: a is 5 h ahead; one of them is wrong"), "{one}");
    let all = skew_warning(&[peer("a", Some(-5 * HOUR)), peer("b", Some(-6 * HOUR))]);
    let all = all.expect("a warning");
    assert!(all.contains("a is 5 h behind, b is 6 h behind; this machine's clock"), "{all}");
    let many: Vec<Peer> = (0..9).map(|at| peer(&format!("p{at}"), Some(HOUR * 3))).collect();
    let many = skew_warning(&many).expect("a warning");
    assert!(many.contains("p4 is 3 h ahead, 4 more are off"), "{many}");
}

#[test]
fn of_a_node_both_clocks_are_told() {
    let near = WallStand::default();
    assert_eq!(clocks_said(near, Some(1_000)), "");
    let said = clocks_said(near, Some(-3 * HOUR));
    assert_eq!(said, "; its clock is 3 h behind, which moves none");
    let said = clocks_said(WallStand { at_start_ms: 0, now_ms: 3 * HOUR }, None);
    assert_eq!(said, "; the wall clock was set by 3 h, which moves no deadline");
}
