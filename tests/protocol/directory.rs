//! Records that spread to every node: the greater rank wins.

use crate::bench::{Bench, Name};
use bytes::Bytes;
use meshmq::engine::command::{Command, Reply};
use meshmq::engine::limits::HAVE_MAX;
use meshmq::engine::statement::{DirectoryKey, DirectoryRecord};
use meshmq::engine::step::Event;

fn record(subject: &str, rank: u8, body: &str) -> DirectoryRecord {
    DirectoryRecord {
        key: DirectoryKey { kind: 1, subject: Bytes::copy_from_slice(subject.as_bytes()) },
        rank: Bytes::copy_from_slice(&[rank]),
        bytes: Bytes::copy_from_slice(body.as_bytes()),
    }
}

fn keep(b: &mut Bench, name: Name, directory: Vec<DirectoryRecord>, forget: bool) {
    let command = Command::Keep { private: vec![], directory, forget };
    assert_eq!(b.ask(name, command), Ok(Reply::Done));
}

fn held(b: &mut Bench, name: Name) -> Vec<String> {
    match b.ask(name, Command::Kept) {
        Ok(Reply::Kept { directory, .. }) => {
            directory.iter().map(|one| String::from_utf8_lossy(&one.bytes).into_owned()).collect()
        }
        other => panic!("nothing kept: {other:?}"),
    }
}

#[test]
fn records_spread_over_live_links() {
    let mut b = Bench::new(&["a", "b", "c"]);
    b.link("a", "b");
    b.link("b", "c");
    b.settle();
    keep(&mut b, "a", vec![record("x", 1, "one")], false);
    b.settle();
    for name in ["a", "b", "c"] {
        assert_eq!(held(&mut b, name), ["one"]);
    }
    assert_eq!(b.heard("c", |event| matches!(event, Event::Learned(_))), 1);
}

#[test]
fn records_spread_between_nodes_that_never_meet() {
    let mut b = Bench::new(&["a", "b", "c"]);
    keep(&mut b, "a", vec![record("x", 1, "from a")], false);
    keep(&mut b, "c", vec![record("y", 1, "from c")], false);
    b.meet("a", "b");
    b.meet("b", "c");
    b.meet("a", "b");
    for name in ["a", "b", "c"] {
        assert_eq!(held(&mut b, name), ["from a", "from c"]);
        b.reopen(name);
        assert_eq!(held(&mut b, name).len(), 2, "they are durable");
    }
}

#[test]
fn the_greater_rank_wins_whoever_speaks_first() {
    let mut b = Bench::new(&["a", "b", "c"]);
    keep(&mut b, "a", vec![record("x", 1, "old")], false);
    keep(&mut b, "c", vec![record("x", 2, "new")], false);
    b.meet("a", "b");
    b.meet("b", "c");
    b.meet("a", "b");
    for name in ["a", "b", "c"] {
        assert_eq!(held(&mut b, name), ["new"]);
    }
    keep(&mut b, "b", vec![record("x", 1, "older again")], false);
    assert_eq!(held(&mut b, "b"), ["new"]);
}

#[test]
fn many_records_are_compared_in_pages() {
    let mut b = Bench::new(&["a", "b"]);
    let all: Vec<_> =
        (0..2 * HAVE_MAX + 10).map(|n| record(&format!("{n:05}"), 1, "same")).collect();
    for name in ["a", "b"] {
        all.chunks(200).for_each(|chunk| keep(&mut b, name, chunk.to_vec(), false));
    }
    for (at, name) in [(0, "a"), (HAVE_MAX - 1, "b"), (HAVE_MAX, "a"), (2 * HAVE_MAX + 9, "b")] {
        keep(&mut b, name, vec![record(&format!("{at:05}"), 2, "newer")], false);
    }
    keep(&mut b, "b", vec![record("zz", 1, "more")], false);
    b.meet("a", "b");
    let newer = |held: Vec<String>| held.iter().filter(|body| *body == "newer").count();
    for name in ["a", "b"] {
        let held = held(&mut b, name);
        assert_eq!(held.len(), all.len() + 1);
        assert_eq!(newer(held), 4);
    }
}

/// A record that lies between the last key of one page and the first of the next is found missing.
#[test]
fn records_between_two_pages_are_not_overlooked() {
    let mut b = Bench::new(&["a", "b"]);
    let all: Vec<_> = (0..HAVE_MAX + 50).map(|n| record(&format!("{n:05}"), 1, "same")).collect();
    for name in ["a", "b"] {
        all.chunks(200).for_each(|chunk| keep(&mut b, name, chunk.to_vec(), false));
    }
    let between: Vec<_> =
        (HAVE_MAX - 10..HAVE_MAX + 10).map(|n| record(&format!("{n:05}-"), 1, "between")).collect();
    keep(&mut b, "b", between, false);
    b.meet("a", "b");
    assert_eq!(held(&mut b, "a").iter().filter(|body| *body == "between").count(), 20);
}

#[test]
fn a_lost_record_is_said_again() {
    let mut b = Bench::new(&["a", "b"]);
    b.link("a", "b");
    b.settle();
    keep(&mut b, "a", vec![record("x", 1, "one")], false);
    b.lose();
    b.pass(200);
    assert_eq!(held(&mut b, "b"), ["one"]);
}

#[test]
fn a_node_that_changes_its_mesh_forgets_the_old_one() {
    let mut b = Bench::new(&["a", "b"]);
    keep(&mut b, "a", vec![record("x", 1, "old mesh"), record("y", 1, "old mesh")], false);
    keep(&mut b, "a", vec![record("x", 1, "new mesh")], true);
    assert_eq!(held(&mut b, "a"), ["new mesh"]);
    b.reopen("a");
    assert_eq!(held(&mut b, "a"), ["new mesh"]);
    b.meet("a", "b");
    assert_eq!(held(&mut b, "b"), ["new mesh"]);
    keep(&mut b, "b", vec![], true);
    assert_eq!(held(&mut b, "b"), Vec::<String>::new());
}
