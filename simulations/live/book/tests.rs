//! The judges speak when doors tell of a breach, and are silent when they only tell it late.

use super::*;

const SENDER: Place = 0;
const RECEIVER: Place = 1;

fn book() -> Book {
    let node = |byte: &str| byte.repeat(64).parse().expect("an id");
    Book::new(vec![node("1"), node("2")])
}

/// The id of a number in one line and opening.
fn id(number: u64) -> String {
    let line = meshmq::engine::address::LineId(7);
    MessageRef { nonce: 9, line, number }.to_string()
}

fn send(book: &mut Book, numbers: std::ops::RangeInclusive<u64>) {
    let queue = "orders".parse().expect("a name");
    let route = Route { from: SENDER, to: RECEIVER, queue: &queue };
    let posted: Vec<Posted> = numbers
        .clone()
        .map(|serial| Posted {
            serial,
            delivery: Delivery::Transactional,
            priority: Priority::default(),
            has_ttl: false,
        })
        .collect();
    let ids: Vec<String> = numbers.map(id).collect();
    book.accepted(&route, &posted, &ids);
}

fn message(number: u64) -> json::Message {
    let value = serde_json::json!({
        "id": id(number), "queue": "orders", "origin": "a", "priority": 3,
        "delivery": "transactional", "label": "", "content_type": "", "headers": {},
        "correlation_id": null, "reply_to": null, "enqueued_at": "", "delivery_count": 1,
    });
    serde_json::from_value(value).expect("a message")
}

fn receive(book: &mut Book, number: u64) {
    book.given(RECEIVER, &message(number), number);
    book.acks(&id(number));
    book.confirmed(&id(number));
}

fn tells(book: &mut Book, number: u64, state: &str) {
    let sent = serde_json::json!({ "id": id(number), "state": state });
    book.told(&serde_json::from_value(sent).expect("a state"), None);
}

fn broken(book: &Book) -> String {
    book.violation().map(|found| format!("{}: {}", found.promise, found.what)).unwrap_or_default()
}

#[test]
fn what_is_told_in_any_order_is_no_breach() {
    let mut book = book();
    // The destination is heard before the sender has its answer, and the origin before that.
    book.entered(RECEIVER, &id(1));
    tells(&mut book, 1, "arrived");
    tells(&mut book, 1, "received");
    receive(&mut book, 1);
    send(&mut book, 1..=1);
    assert_eq!(broken(&book), "");
    assert!(book.open().is_empty());
    book.close();
    assert_eq!(broken(&book), "");
}

#[test]
fn a_message_after_its_acknowledgement_is_found() {
    let mut book = book();
    send(&mut book, 1..=2);
    book.entered(RECEIVER, &id(1));
    receive(&mut book, 1);
    assert_eq!(broken(&book), "");
    receive(&mut book, 1);
    assert!(broken(&book).starts_with("G3 exactly once: a program was given it after"));
}

#[test]
fn a_second_entry_is_found() {
    let mut book = book();
    send(&mut book, 1..=1);
    book.entered(RECEIVER, &id(1));
    book.entered(RECEIVER, &id(1));
    assert!(broken(&book).contains("a second time"), "{}", broken(&book));
}

#[test]
fn a_wrong_order_is_found_by_news_and_by_looking() {
    let mut news = book();
    send(&mut news, 1..=2);
    news.entered(RECEIVER, &id(2));
    assert!(broken(&news).starts_with("G4"), "{}", broken(&news));
    let mut looking = book();
    send(&mut looking, 1..=2);
    looking.looked(RECEIVER, &[message(2), message(1)]);
    assert!(broken(&looking).starts_with("G4"), "{}", broken(&looking));
}

#[test]
fn news_that_were_missed_are_made_up_for() {
    let mut book = book();
    send(&mut book, 1..=4);
    book.entered(RECEIVER, &id(1));
    receive(&mut book, 1);
    // The news of 2 were lost with the process, though a program had it already.
    receive(&mut book, 2);
    book.stopped(RECEIVER);
    book.looked(RECEIVER, &[message(3), message(4)]);
    book.entered(RECEIVER, &id(3));
    receive(&mut book, 3);
    receive(&mut book, 4);
    book.close();
    assert_eq!(broken(&book), "");
}

#[test]
fn what_was_there_and_is_gone_is_found() {
    let mut book = book();
    send(&mut book, 1..=1);
    book.entered(RECEIVER, &id(1));
    book.stopped(RECEIVER);
    book.looked(RECEIVER, &[]);
    assert!(broken(&book).contains("it left its queue, but no program"), "{}", broken(&book));
}

#[test]
fn what_nobody_has_sent_is_found_at_the_end() {
    let mut book = book();
    book.entered(RECEIVER, &id(1));
    assert_eq!(broken(&book), "");
    book.close();
    assert!(broken(&book).contains("never durably accepted"), "{}", broken(&book));
}

#[test]
fn an_origin_that_tells_too_much_is_found() {
    let mut book = book();
    send(&mut book, 1..=1);
    tells(&mut book, 1, "arrived");
    assert_eq!(broken(&book), "");
    book.close();
    assert!(broken(&book).starts_with("G10"), "{}", broken(&book));
}

#[test]
fn one_request_under_two_ids_is_found() {
    let mut book = book();
    send(&mut book, 1..=1);
    let queue = "orders".parse().expect("a name");
    let route = Route { from: SENDER, to: RECEIVER, queue: &queue };
    let (delivery, priority) = (Delivery::Recoverable, Priority::default());
    let posted = [Posted { serial: 1, delivery, priority, has_ttl: false }];
    book.accepted(&route, &posted, &[id(5)]);
    assert!(broken(&book).contains("under two ids"), "{}", broken(&book));
}
