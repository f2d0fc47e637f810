//! Published vectors, and the bounds of the range function.

use super::{Rng, split_mix};

#[test]
fn split_mix_gives_the_published_numbers() {
    let mut state = 1_234_567;
    let drawn: Vec<u64> = (0..5).map(|_| split_mix(&mut state)).collect();
    let published = [
        6_457_827_717_110_365_317,
        3_203_168_211_198_807_973,
        9_817_491_932_198_370_423,
        4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
    ];
    assert_eq!(drawn, published);
}

#[test]
fn xoshiro_gives_the_published_numbers() {
    let mut rng = Rng { state: [1, 2, 3, 4] };
    let drawn: Vec<u64> = (0..10).map(|_| rng.draw()).collect();
    let published = [
        41_943_041,
        58_720_359,
        3_588_806_011_781_223,
        3_591_011_842_654_386,
        9_228_616_714_210_784_205,
        9_973_669_472_204_895_162,
        14_011_001_112_246_962_877,
        12_406_186_145_184_390_807,
        15_849_039_046_786_891_736,
        10_450_023_813_501_588_000,
    ];
    assert_eq!(drawn, published);
}

#[test]
fn ranges_hold_their_bounds_and_reach_both_ends() {
    let mut rng = Rng::new(7);
    let drawn: Vec<u64> = (0..2_000).map(|_| rng.between(3, 9)).collect();
    assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&3), Some(&9)));
    assert_eq!(rng.between(5, 5), 5);
    assert_eq!(rng.below(0), 0);
    let _whole_range = rng.between(0, u64::MAX);
}

#[test]
fn every_number_of_a_range_is_about_equally_likely() {
    let mut rng = Rng::new(99);
    let mut counts = [0_u32; 6];
    (0..60_000).for_each(|_| counts[rng.below(6) as usize] += 1);
    assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
}

#[test]
fn chances_are_kept_and_certainties_are_certain() {
    let mut rng = Rng::new(3);
    let hits = (0..10_000).filter(|_| rng.chance(0.2)).count();
    assert!((1_800..2_200).contains(&hits), "{hits}");
    assert!((0..100).all(|_| rng.chance(1.0)));
    assert!((0..100).all(|_| !rng.chance(0.0)));
}

#[test]
fn forks_differ_by_purpose_and_leave_the_trunk_alone() {
    let rng = Rng::new(1);
    let (mut net, mut disk) = (rng.fork("network"), rng.fork("disk"));
    assert_ne!(net.draw(), disk.draw());
    assert_eq!(rng.fork("network").draw(), rng.fork("network").draw());
}
