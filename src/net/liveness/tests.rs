use super::{BEAT_MS, CHECK_MS, Liveness, SILENCE_LONGEST_MS, SILENCE_MS, TIMES_MAX, Verdict};

/// Judges in steps from `from_ms`, the last byte at `heard_ms`; when the link was found dead.
fn dead_at(liveness: &mut Liveness, heard_ms: u64, from_ms: u64, until_ms: u64) -> Option<u64> {
    (from_ms..=until_ms)
        .step_by(CHECK_MS as usize)
        .find(|now| liveness.check(heard_ms, *now) != Verdict::Alive)
}

/// A link on which a beat took `rtt_ms` there and back.
fn with_rtt(rtt_ms: u64) -> Liveness {
    let mut liveness = Liveness::new(0);
    let beat = liveness.beat(0);
    assert_eq!(liveness.echoed(beat, rtt_ms * 1_000), Some(rtt_ms * 1_000));
    liveness
}

#[test]
fn three_seconds_of_silence_are_death() {
    let mut liveness = with_rtt(1);
    liveness.beat(1_000_000);
    assert_eq!(dead_at(&mut liveness, 1_000, 1_000, 9_000), Some(1_000 + SILENCE_MS));
}

#[test]
fn far_links_are_given_four_round_trips() {
    let mut liveness = with_rtt(2_000);
    liveness.beat(2_000_000);
    assert_eq!(dead_at(&mut liveness, 2_000, 2_000, 20_000), Some(2_000 + 8_000));
    assert_eq!(with_rtt(10_000_000).patience_ms(), SILENCE_LONGEST_MS);
}

#[test]
fn nothing_is_expected_before_something_was_sent() {
    let mut liveness = Liveness::new(0);
    assert_eq!(dead_at(&mut liveness, 0, 0, 60_000), None);
    let mut echoed = with_rtt(1);
    assert_eq!(dead_at(&mut echoed, 0, 0, 60_000), None);
}

#[test]
fn any_byte_is_life_though_no_beat_is_echoed() {
    // A megabyte is on its way to us; our beats come through, their echoes queue behind it.
    let mut liveness = with_rtt(1);
    for second in 1..120 {
        let now = second * BEAT_MS;
        liveness.beat(now * 1_000);
        assert_eq!(liveness.check(now - 900, now), Verdict::Alive);
    }
}

#[test]
fn echoes_that_queued_do_not_make_a_link_look_far() {
    let mut liveness = with_rtt(700);
    for second in 1..=60 {
        liveness.beat(second * 1_000_000);
    }
    // One echo for all of them, after half a minute behind a message.
    assert_eq!(liveness.echoed(61, 90_000_000), Some(700_000));
    assert_eq!(liveness.patience_ms(), SILENCE_MS);
}

#[test]
fn a_link_that_became_longer_is_measured_anew_in_time() {
    let mut liveness = with_rtt(1);
    let mut now_us = 0;
    for _ in 0..400 {
        now_us += 1_000_000;
        let beat = liveness.beat(now_us);
        liveness.echoed(beat, now_us + 900_000);
    }
    assert_eq!(liveness.rtt_us(), Some(900_000));
}

#[test]
fn time_that_this_process_did_not_live_through_does_not_count() {
    let mut liveness = with_rtt(1);
    liveness.beat(1_000_000);
    assert_eq!(liveness.check(1_000, 1_200), Verdict::Alive);
    assert_eq!(liveness.check(1_000, 61_000), Verdict::Alive, "a minute of sleep");
    assert_eq!(dead_at(&mut liveness, 1_000, 61_250, 70_000), Some(61_000 + SILENCE_MS));
}

#[test]
fn forged_and_stale_echoes_measure_nothing() {
    let mut liveness = Liveness::new(0);
    assert_eq!(liveness.echoed(1, 5), None, "never sent");
    let beat = liveness.beat(0);
    assert_eq!(liveness.echoed(beat + 7, 5), None, "never sent");
    assert_eq!(liveness.echoed(beat, 5), Some(5));
    assert_eq!(liveness.echoed(beat, 9), None, "heard already");
}

#[test]
fn memory_is_bounded_however_many_beats_wait() {
    let mut liveness = Liveness::new(0);
    for second in 0..1_000 {
        liveness.beat(second);
    }
    assert_eq!(liveness.times.len(), TIMES_MAX);
    assert_eq!(liveness.echoed(3, 2_000), None, "its time was forgotten");
    assert_eq!(liveness.echoed(1_000, 2_000), Some(1_001));
    assert!(liveness.times.is_empty());
}
