//! What a record keeps of a run, within its bounds.

use super::*;
use meshmq::engine::address::{LineId, NodeId};
use meshmq::engine::ids::{Epoch, StreamId};
use meshmq::engine::record::SentState;

fn id(number: u64) -> MessageId {
    let origin = NodeId::from_bytes([1; 32]);
    let stream = StreamId { origin, line: LineId(7), epoch: Epoch { k: 1, nonce: 2 } };
    MessageId { stream, number }
}

fn record() -> Record {
    Record::new(&["a".to_owned(), "b".to_owned()])
}

#[test]
fn a_message_is_in_one_class_at_a_time() {
    let mut record = record();
    let none = SentState::Waiting;
    let steps = [
        (1, 0, Change::Accepted),
        (2, 5, Change::Accepted),
        (1, 10, Change::Carried),
        (1, 20, Change::Entered { place: 1, before: None }),
        (1, 21, Change::LetGo),
        (1, 22, Change::CopyGone),
        (1, 30, Change::Left(1)),
        (3, 40, Change::Left(1)),
        (2, 50, Change::State { from: none, to: SentState::Waiting }),
    ];
    for (number, at, change) in &steps {
        record.message(*at, &id(*number), change);
        record.sample(*at, || vec![*at, 1]);
    }
    record.end(60, vec![60, 1]);
    let last = record.samples.last().expect("the last one");
    assert_eq!((last.at_ms, last.messages), (60, [1, 0, 1, 0, 0]));
    assert_eq!(record.messages.latencies(), [20]);
    assert_eq!(record.messages.copies(), BTreeMap::from([(1, 1), (2, 1)]));
    assert_eq!(record.messages.handed_over, 1);
}

#[test]
fn samples_are_bounded_and_cover_all_of_the_run() {
    let mut record = record();
    for at in 0..1_000_000 {
        record.sample(at, || vec![at, 0]);
    }
    record.end(1_000_000, vec![0, 0]);
    let count = record.samples.len();
    assert!((SAMPLES_MAX / 2 - 1..=SAMPLES_MAX).contains(&count), "{count}");
    assert_eq!(record.samples[0].at_ms, 0);
    assert!(record.samples.windows(2).all(|two| two[0].at_ms < two[1].at_ms));
    let gap = record.samples.windows(2).map(|two| two[1].at_ms - two[0].at_ms).max();
    assert!(gap <= Some(record.every_ms), "{gap:?} {}", record.every_ms);
}

#[test]
fn turns_are_bounded_and_told_once() {
    let mut record = record();
    record.node(0, 0, Life::Up);
    record.node(1, 0, Life::Up);
    record.node(2, 0, Life::Lost);
    record.node(3, 0, Life::Up);
    assert_eq!(record.lives[0].len(), 2);
    record.cut(4, 1, 0, true);
    record.link(5, 0, 1, true);
    let link = Link { up: [true, false], cut: [false, true] };
    assert_eq!(record.links[&(0, 1)].last(), Some(&Turn { at_ms: 5, to: link }));
    for at in 6..30_000 {
        record.link(at, 0, 1, at % 2 == 0);
    }
    assert_eq!(record.links[&(0, 1)].len() + record.lives[0].len(), TURNS_MAX);
    assert!(record.full_since_ms.is_some_and(|at| at < 30_000));
    for at in 0..2_000 {
        record.mark(at, None, String::new());
    }
    assert_eq!(record.marks.len(), MARKS_MAX);
}

#[test]
fn many_disks_are_one_sum() {
    let names: Vec<String> = (0..40).map(|n| format!("n{n}")).collect();
    let mut record = Record::new(&names);
    record.sample(0, || vec![2; 40]);
    assert_eq!(record.samples[0].disks, [80]);
}
