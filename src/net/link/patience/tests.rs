use super::{ANSWER_MS, LONGEST_MS, Patience, RATES_MAX, SLOWEST_RATE};

#[test]
fn a_large_request_on_an_unknown_link_is_given_time() {
    let patience = Patience::default();
    assert_eq!(patience.limit_ms(0, 0), ANSWER_MS);
    let mebibyte = patience.limit_ms(1 << 20, 700);
    // At 256 kbit/s it takes 33 s.
    assert!(mebibyte > 2 * 33_000 + ANSWER_MS, "{mebibyte}");
    assert_eq!(patience.limit_ms(usize::MAX, u64::from(u32::MAX)), LONGEST_MS);
}

#[test]
fn a_fast_link_is_not_waited_for_as_long() {
    let mut patience = Patience::default();
    patience.shown(1 << 20, 100);
    assert!(patience.limit_ms(1 << 20, 1) < ANSWER_MS + 1_000);
    patience.shown(100, 60_000);
    assert!(patience.limit_ms(1 << 20, 1) < ANSWER_MS + 1_000, "small ones show nothing");
}

#[test]
fn the_slowest_of_late_counts() {
    let mut patience = Patience::default();
    patience.shown(64 << 10, 1);
    patience.shown(64 << 10, 4_000);
    assert_eq!(patience.rate(), SLOWEST_RATE);
    for _ in 0..RATES_MAX {
        patience.shown(1 << 20, 100);
    }
    assert!(patience.rate() > 1 << 20, "forgotten in time");
}
