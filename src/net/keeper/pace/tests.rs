use super::{FRESH_MS, Jitter, Pace, REDIAL_FIRST_MS, REDIAL_FRESH_MS, REDIAL_LONGEST_MS};

/// The pauses that follow each other until `until_ms`.
fn pauses(pace: &mut Pace, until_ms: u64) -> Vec<(u64, u64)> {
    let mut jitter = Jitter::new(1);
    let mut now = pace.next_ms();
    let mut pauses = Vec::new();
    while now < until_ms {
        pace.tried(now, 0, &mut jitter);
        pauses.push((now, pace.next_ms() - now));
        now = pace.next_ms();
    }
    pauses
}

fn near(pause: u64, wanted: u64) -> bool {
    (wanted * 3 / 4..=wanted * 5 / 4).contains(&pause)
}

#[test]
fn a_fresh_loss_is_tried_often_and_an_old_one_for_ever() {
    let pauses = pauses(&mut Pace::new(0, 0), FRESH_MS + 600_000);
    assert!(near(pauses[0].1, REDIAL_FIRST_MS), "{pauses:?}");
    assert!(near(pauses[1].1, 2 * REDIAL_FIRST_MS));
    for (at, pause) in &pauses[2..] {
        let wanted = if *at < FRESH_MS { REDIAL_FRESH_MS } else { REDIAL_LONGEST_MS };
        let doubling = (FRESH_MS..FRESH_MS + 10_000).contains(at);
        assert!(doubling || near(*pause, wanted), "{pause} at {at}");
        assert!(*pause <= REDIAL_LONGEST_MS * 5 / 4);
    }
}

#[test]
fn two_nodes_do_not_dial_in_step() {
    let (mut one, mut other) = (Jitter::new(1), Jitter::new(99));
    let differ = (0..20).filter(|_| one.spread(800) != other.spread(800)).count();
    assert!(differ > 10);
    assert_eq!(Jitter::new(5).spread(0), 0);
}

#[test]
fn a_sign_of_life_begins_anew_and_never_later_than_planned() {
    let mut pace = Pace::new(0, 0);
    pauses(&mut pace, FRESH_MS + 60_000);
    let now = FRESH_MS + 60_000;
    let planned = pace.next_ms();
    pace.revive(now, 2_000);
    assert!(pace.next_ms() <= planned.max(now + 2_000) && pace.next_ms() <= now + 2_000);
    pace.revive(now, 0);
    assert!(pace.due(now));
    let mut jitter = Jitter::new(3);
    pace.tried(now, 0, &mut jitter);
    assert!(near(pace.next_ms() - now, REDIAL_FIRST_MS), "fresh again");
}

#[test]
fn the_larger_node_keeps_its_distance() {
    let mut pace = Pace::new(0, 2_000);
    assert!(!pace.due(1_999) && pace.due(2_000));
    pace.tried(2_000, 2_000, &mut Jitter::new(1));
    assert_eq!(pace.next_ms(), 4_000);
    pace.postpone(4_000, 5_000);
    assert_eq!(pace.next_ms(), 9_000);
}
