use super::{ADDRESSES_MAX, Book};
use crate::engine::address::NodeId;
use crate::engine::limits::RECORD_MAX;
use bytes::Bytes;
use std::net::SocketAddr;

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn node(number: u8) -> NodeId {
    NodeId::from_bytes([number; 32])
}

/// What the store would hold after these changes.
fn stored(book: &mut Book) -> Vec<(String, Bytes)> {
    book.changes().into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

#[test]
fn the_book_survives_its_records() {
    let mut book = Book::default();
    book.heard(node(1), at("192.0.2.1:7670"));
    book.reached(node(1), at("[2001:db8::1]:1"));
    book.heard(node(2), at("192.0.2.2:7670"));
    let records = stored(&mut book);
    assert_eq!(records.len(), 2);
    assert_eq!(records[0].0, format!("address.{}", node(1)));
    assert!(book.changes().is_empty(), "told once");
    let mut read = Book::read(&records);
    assert_eq!(read.of(&node(1)), [at("[2001:db8::1]:1"), at("192.0.2.1:7670")]);
    assert!(read.changes().is_empty());
    read.remove(&node(1));
    assert_eq!(read.changes(), [(format!("address.{}", node(1)), None)]);
}

#[test]
fn what_worked_comes_first_and_hearsay_goes_first() {
    let mut book = Book::default();
    book.reached(node(1), at("192.0.2.1:1"));
    for port in 2..40 {
        assert!(book.heard(node(1), at(&format!("192.0.2.1:{port}"))));
    }
    assert_eq!(book.of(&node(1)).len(), ADDRESSES_MAX);
    assert_eq!(book.of(&node(1))[..2], [at("192.0.2.1:1"), at("192.0.2.1:39")]);
    assert!(!book.heard(node(1), at("192.0.2.1:39")), "known");
    let (_, value) = stored(&mut book).remove(0);
    assert!(value.len() < RECORD_MAX);
}

#[test]
fn nobody_is_written_down_at_a_place_that_cannot_be_dialed() {
    let mut book = Book::default();
    assert!(!book.heard(node(1), at("0.0.0.0:1")));
    book.reached(node(1), at("[fe80::1]:1"));
    assert!(book.of(&node(1)).is_empty() && book.changes().is_empty());
}

#[test]
fn records_that_are_damaged_or_others_are_left_alone() {
    let name = format!("address.{}", node(1));
    let bad: [&[u8]; 6] =
        [&[], &[2], &[1, 5], &[1, 4, 1, 2, 3], &[1, 6, 0], &[9, 4, 1, 1, 1, 1, 0, 1]];
    for value in bad {
        let book = Book::read(&[(name.clone(), Bytes::copy_from_slice(value))]);
        assert!(book.of(&node(1)).is_empty(), "{value:?}");
    }
    let other = [("mesh".to_owned(), Bytes::new()), ("address.xyz".to_owned(), Bytes::new())];
    assert_eq!(Book::read(&other).nodes().count(), 0);
}
