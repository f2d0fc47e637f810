use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

#[derive(Debug, Clone)]
enum Op {
    Insert(u64, u64),
    Remove(u64, u64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        (0_u64..60, 0_u64..9).prop_map(|(start, len)| Op::Insert(start, start + len)),
        (0_u64..60, 0_u64..9).prop_map(|(start, len)| Op::Remove(start, start + len)),
    ]
}

proptest! {
    #[test]
    fn a_range_set_is_a_set(ops in proptest::collection::vec(op(), 1..60)) {
        let mut set = RangeSet::new();
        let mut model = BTreeSet::new();
        for op in ops {
            match op {
                Op::Insert(start, end) => {
                    set.insert_range(start..end);
                    model.extend(start..end);
                }
                Op::Remove(start, end) => {
                    set.remove_range(start..end);
                    model.retain(|n| !(start..end).contains(n));
                }
            }
            prop_assert_eq!(set.numbers().collect::<BTreeSet<_>>(), model.clone());
            prop_assert_eq!(set.count(), model.len() as u64);
            let ranges: Vec<_> = set.iter().collect();
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start), "{:?}", set);
            for probe in 0..70 {
                prop_assert_eq!(set.contains(probe), model.contains(&probe));
                let missing = (probe..).find(|n| !model.contains(n)).expect("the set is finite");
                prop_assert_eq!(set.first_missing(probe), missing);
            }
            let part = set.within(10..30);
            prop_assert!(part.numbers().eq(set.numbers().filter(|n| (10..30).contains(n))));
            let flat: Vec<u64> = set.clone().into();
            prop_assert_eq!(RangeSet::from(flat), set.clone());
        }
    }
}
