//! Work that is spread over threads.

use super::each;
use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn everything_is_done_once() {
    let mut seen = BTreeSet::new();
    let stop = AtomicBool::new(false);
    each(
        3,
        100,
        &stop,
        |index| index * 2,
        |index, twice| {
            assert_eq!(twice, index * 2);
            assert!(seen.insert(index), "{index} came twice");
            Ok(())
        },
    )
    .expect("nothing fails");
    assert_eq!(seen.len(), 100);
}

#[test]
fn a_stop_ends_work_without_end() {
    let (stop, mut count) = (AtomicBool::new(false), 0);
    let tenth = |_: u64, (): ()| {
        count += 1;
        if count == 10 {
            stop.store(true, Ordering::Relaxed);
        }
        Ok(())
    };
    each(2, u64::MAX, &stop, |_| (), tenth).expect("nothing fails");
    assert!((10..=16).contains(&count), "{count}");
}

#[test]
fn an_error_of_the_receiver_ends_it() {
    let stop = AtomicBool::new(false);
    let full = |_: u64, (): ()| Err(io::Error::other("full"));
    each(2, u64::MAX, &stop, |_| (), full).expect_err("it fails");
}
