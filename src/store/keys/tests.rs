//! Tests of the module above: byte order is key order, and nothing is lost on the way.

use super::*;
use proptest::prelude::*;

fn number() -> BoxedStrategy<u64> {
    prop_oneof![0..4_u64, any::<u64>(), Just(u64::MAX), Just(255), Just(256)].boxed()
}

fn node() -> BoxedStrategy<NodeId> {
    prop_oneof![
        Just(NodeId::from_bytes([0; 32])),
        any::<u8>().prop_map(|byte| NodeId::from_bytes([byte; 32])),
        any::<[u8; 32]>().prop_map(NodeId::from_bytes),
    ]
    .boxed()
}

fn line() -> impl Strategy<Value = LineId> {
    number().prop_map(LineId)
}

fn epoch() -> BoxedStrategy<Epoch> {
    (number(), number()).prop_map(|(k, nonce)| Epoch { k, nonce }).boxed()
}

fn stream() -> BoxedStrategy<StreamId> {
    (node(), line(), epoch())
        .prop_map(|(origin, line, epoch)| StreamId { origin, line, epoch })
        .boxed()
}

fn message() -> BoxedStrategy<MessageId> {
    (stream(), number()).prop_map(|(stream, number)| MessageId { stream, number }).boxed()
}

fn spot() -> BoxedStrategy<Spot> {
    (node(), any::<u8>(), number())
        .prop_map(|(destination, rank, arrival)| Spot { destination, rank, arrival })
        .boxed()
}

fn seat() -> BoxedStrategy<Seat> {
    (any::<u32>(), any::<u8>(), number())
        .prop_map(|(queue, rank, arrival)| Seat { queue, rank, arrival })
        .boxed()
}

/// Short, and rich in the bytes that the escaping is about.
fn subject() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(prop_oneof![Just(0), Just(1), Just(0xff), any::<u8>()], 0..5)
}

fn name() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof![Just('\0'), Just('a'), any::<char>()], 0..5)
        .prop_map(String::from_iter)
}

fn target() -> BoxedStrategy<Target> {
    prop_oneof![
        (line(), epoch(), number()).prop_map(|(line, epoch, n)| Target::Sent(line, epoch, n)),
        spot().prop_map(Target::Copy),
        seat().prop_map(Target::Queued),
        stream().prop_map(Target::Statement),
    ]
    .boxed()
}

fn key() -> BoxedStrategy<Key> {
    let directory = (any::<u8>(), subject())
        .prop_map(|(kind, subject)| Key::Directory(DirectoryKey { kind, subject: subject.into() }));
    let first = prop_oneof![
        Just(Key::Store),
        Just(Key::Clock),
        name().prop_map(Key::Private),
        directory,
        line().prop_map(Key::Line),
        (line(), epoch()).prop_map(|(line, epoch)| Key::Stream(line, epoch)),
        (line(), epoch(), number()).prop_map(|(line, epoch, n)| Key::Sent(line, epoch, n)),
        spot().prop_map(Key::Copy),
        message().prop_map(Key::CopyOf),
    ];
    let second = prop_oneof![
        (number(), any::<u32>()).prop_map(|(content, index)| Key::Chunk(content, index)),
        any::<u32>().prop_map(Key::Queue),
        seat().prop_map(Key::Queued),
        (node(), line()).prop_map(|(node, line)| Key::InboxLine(node, line)),
        stream().prop_map(Key::Inbox),
        message().prop_map(Key::Held),
        (stream(), node()).prop_map(|(stream, by)| Key::Receipt(stream, by)),
        stream().prop_map(Key::Status),
        number().prop_map(Key::Dead),
        (number(), target()).prop_map(|(at, to)| Key::Timer(Timestamp::from_millis(at), to)),
        any::<[u8; 16]>().prop_map(|key| Key::Once(Short(key))),
        number().prop_map(Key::OnceOrder),
    ];
    prop_oneof![first, second].boxed()
}

/// Two keys of the same table, more often than chance would give.
fn pair() -> BoxedStrategy<(Key, Key)> {
    prop_oneof![
        (key(), key()),
        (name(), name()).prop_map(|(a, b)| (Key::Private(a), Key::Private(b))),
        (0..2_u8, subject(), 0..2_u8, subject()).prop_map(|(k, a, l, b)| {
            let key = |kind, subject: Vec<u8>| {
                Key::Directory(DirectoryKey { kind, subject: subject.into() })
            };
            (key(k, a), key(l, b))
        }),
        (message(), message()).prop_map(|(a, b)| (Key::Held(a), Key::Held(b))),
        (0..2_u64, target(), 0..2_u64, target()).prop_map(|(t, a, u, b)| {
            let key = |at, to| Key::Timer(Timestamp::from_millis(at), to);
            (key(t, a), key(u, b))
        }),
    ]
    .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn byte_order_is_key_order((a, b) in pair()) {
        prop_assert_eq!(encode_key(&a).cmp(&encode_key(&b)), a.cmp(&b), "{:?} and {:?}", a, b);
    }

    #[test]
    fn a_key_reads_back(key in key()) {
        let bytes = encode_key(&key);
        prop_assert!(bytes.len() <= KEY_MAX);
        prop_assert_eq!(decode_key(&bytes), Ok(key));
    }

    #[test]
    fn no_key_begins_another((a, b) in pair()) {
        prop_assert!(a == b || !encode_key(&a).starts_with(&encode_key(&b)));
    }

    #[test]
    fn other_bytes_are_refused_or_are_the_key(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(key) = decode_key(&bytes) {
            prop_assert_eq!(encode_key(&key), bytes);
        }
    }
}

#[test]
fn a_name_of_255_bytes_fits() {
    assert!(encode_key(&Key::Private("\0".repeat(255))).len() <= KEY_MAX);
}

#[test]
fn cut_and_extended_keys_are_refused() {
    let bytes = encode_key(&Key::Chunk(7, 9));
    assert!(decode_key(&bytes[..bytes.len() - 1]).is_err());
    assert!(decode_key(&[bytes.as_slice(), &[0]].concat()).is_err());
    assert!(decode_key(&[0xff]).is_err());
    assert!(decode_key(&[]).is_err());
}
