//! Rule R19: only certain dead letters are sent again, under a new number.

use crate::bench::Bench;
use meshmq::engine::command::MessageState;
use meshmq::engine::message::Delivery::Recoverable;
use meshmq::engine::rejection::Rejection;

#[test]
fn r19_unconfirmed_cannot_be_retried() {
    let mut b = Bench::pair(false, None);
    b.post_within(Recoverable, "1", 10_000);
    let held = b.hold();
    b.cut("o", "d");
    b.pass(10_001);
    let letter = b.letter("o");
    assert!(letter.unconfirmed);
    assert_eq!(b.retry("o", letter.letter, false), Err(Rejection::MayDuplicate));
    assert_eq!(b.letter("o"), letter, "nothing was changed");
    b.retry("o", letter.letter, true).expect("whoever asks for it may");
    b.link("o", "d");
    b.release(held);
    assert_eq!(b.drain("d", "q").len(), 2, "which is why it has to be asked for");
}

#[test]
fn r19_retry_has_a_new_number() {
    let mut b = Bench::new(&["o", "d"]);
    b.create("d", "q", false);
    let old = b.post_within(Recoverable, "1", 10_000);
    b.pass(10_001);
    let letter = b.letter("o").letter;
    let new = b.retry("o", letter, false).expect("it is certain");
    assert_eq!((old.number, new.number), (1, 2));
    assert_eq!(old.stream, new.stream);
    assert_eq!(b.dead("o"), []);
    b.link("o", "d");
    b.settle();
    assert_eq!(b.drain("d", "q"), ["1"]);
    b.settle();
    assert_eq!(b.state("o", &new), MessageState::Received);
    assert!(matches!(b.state("o", &old), MessageState::Dead(_)));
}
