use super::Tally;

#[test]
fn every_fault_is_counted_once() {
    let mut tally = Tally::default();
    for number in [1, 2, 4, 3, 4, 6] {
        tally.count(number);
    }
    let outcome = tally.outcome(6, 1.0);
    assert_eq!(outcome.delivered, 5);
    assert_eq!(outcome.duplicates, 1);
    assert_eq!(outcome.out_of_order, 1);
    assert_eq!(outcome.lost, 1);
    assert!(!outcome.is_perfect());
}

#[test]
fn a_thousand_in_order_are_perfect() {
    let mut tally = Tally::default();
    (1..=1_000).for_each(|number| tally.count(number));
    assert!(tally.outcome(1_000, 1.0).is_perfect());
}
