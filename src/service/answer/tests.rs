use super::*;

/// Fetches messages of one size from an endless queue; returns how many, and in how many steps.
fn fetch(max: usize, size: usize) -> (usize, usize) {
    let (mut budget, mut messages, mut steps) = (Budget::new(max), 0, 0);
    loop {
        let step = budget.step();
        if step == 0 {
            return (messages, steps);
        }
        steps += 1;
        for _ in 0..step {
            budget.add(size);
            messages += 1;
        }
    }
}

#[test]
fn small_messages_come_in_two_steps() {
    assert_eq!(fetch(1, 10), (1, 1));
    assert_eq!(fetch(256, 10), (256, 2));
    assert_eq!(fetch(256, 0), (256, 2));
}

#[test]
fn large_messages_end_the_answer_early() {
    assert_eq!(fetch(256, 1024 * 1024), (4, 1));
    let (messages, _) = fetch(256, 100 * 1024);
    assert!((40..=44).contains(&messages), "{messages}");
}
