use super::*;

#[test]
fn it_starts_at_the_base_and_never_runs_backwards() {
    let clock = Clock::start(Timestamp::from_millis(5_000));
    let mut last = clock.now();
    assert!(last.since(Timestamp::from_millis(5_000)) < 60_000);
    for _ in 0..1_000 {
        let now = clock.now();
        assert!(now >= last);
        last = now;
    }
}

#[test]
fn wall_time_is_the_wall_clocks_whatever_the_base() {
    let clock = Clock::start(Timestamp::from_millis(5_000));
    let shown = clock.wall(clock.now());
    assert!(shown.abs_diff(os::wall_ms()) <= DRIFT_SHOWN_MS + 1_000);
}

#[test]
fn how_the_wall_clock_stands_to_node_time_is_told() {
    let ahead = Clock::start(Timestamp::from_millis(os::wall_ms() + 7_200_000)).wall_stand();
    assert!((-7_200_000..-7_190_000).contains(&ahead.at_start_ms), "{ahead:?}");
    assert!(ahead.now_ms.abs_diff(ahead.at_start_ms) < 10_000, "{ahead:?}");
    let behind = Clock::start(Timestamp::from_millis(5_000)).wall_stand();
    assert!(behind.at_start_ms > 0, "{behind:?}");
}

#[test]
fn one_moment_is_shown_the_same_way_twice() {
    let clock = Clock::start(Timestamp::from_millis(os::wall_ms()));
    let moment = clock.now();
    assert_eq!(clock.wall(moment), clock.wall(moment));
}

#[tokio::test(start_paused = true)]
async fn a_clock_of_timers_moves_with_them_alone_and_is_its_own_wall_clock() {
    let clock = Clock::of_timers(Timestamp::from_millis(5_000));
    assert_eq!(clock.now().as_millis(), 5_000);
    tokio::time::advance(Duration::from_millis(86_400_123)).await;
    assert_eq!(clock.now().as_millis(), 86_405_123);
    assert_eq!(clock.wall(clock.now()), 86_405_123);
}
