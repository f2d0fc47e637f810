use super::*;

#[test]
fn every_duration_is_in_the_buckets_at_and_above_it() {
    let histogram = Histogram::new(&[0.001, 0.01, 0.1]);
    for ms in [0, 1, 5, 10, 50, 5_000] {
        histogram.observe(Duration::from_millis(ms));
    }
    let counted = histogram.read();
    assert_eq!(counted.buckets, [(0.001, 2), (0.01, 4), (0.1, 5)]);
    assert_eq!((counted.count, counted.sum_s), (6, 5.066));
}
