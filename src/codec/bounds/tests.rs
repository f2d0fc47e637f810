//! Tests of the module above: what passes fits its records, and what is too much is refused.

use super::*;
use crate::codec::{CodecError, encode_record};
use crate::engine::address::{LineId, NodeId};
use crate::engine::frame::{Contact, NotTaken, Outcome, Purpose};
use crate::engine::ids::{Epoch, MessageId, StreamId};
use crate::engine::message::{Content, Delivery, Earlier, Floors, Priority, Short, Transit};
use crate::engine::record::{Copy, Record};
use crate::engine::statement::{DirectoryRecord, LinkState, Version};
use crate::engine::time::Timestamp;

const FAR: Epoch = Epoch { k: u64::MAX, nonce: u64::MAX };
const NODE: NodeId = NodeId::from_bytes([0xee; 32]);

fn message_id() -> MessageId {
    let stream = StreamId { origin: NODE, line: LineId(u64::MAX), epoch: FAR };
    MessageId { stream, number: u64::MAX }
}

/// All numbers as wide as they can be, but for the last numbers of the roster.
fn outer(roster: usize) -> Outer {
    Outer {
        id: message_id(),
        destination: NODE,
        delivery: Delivery::Transactional,
        priority: Priority::MAX,
        reach_within_ms: u64::MAX,
        ttl_ms: Some(u64::MAX),
        floors: Floors { give_up: u64::MAX, known: u64::MAX, used_known: u64::MAX },
        roster: vec![Earlier { epoch: FAR, last: u64::from(u32::MAX) }; roster],
        salt: Short([0xee; 16]),
        size: u64::MAX,
        extensions: Extensions::new(),
    }
}

fn transfer(outer: Outer, inner: usize) -> Frame {
    Frame::Transfer(Box::new(Transfer {
        outer,
        transit: Transit::default(),
        purpose: Purpose::Move,
        transfer: 1,
        inner: vec![0; inner].into(),
        digest: Short::default(),
        queue: None,
    }))
}

#[test]
fn a_full_roster_is_taken() {
    assert_eq!(check_outer(&outer(ROSTER_MAX)), Ok(()));
    assert!(matches!(check_outer(&outer(ROSTER_MAX + 1)), Err(CodecError::TooMany { .. })));
}

#[test]
fn the_largest_outer_part_fits_the_record_of_a_copy_with_an_inline_inner_part() {
    let mut outer = outer(ROSTER_MAX);
    let room = OUTER_MAX - encoded_len(&outer);
    outer.extensions.insert(u16::MAX, vec![0; room - 9].into());
    let unused = OUTER_MAX - encoded_len(&outer);
    assert!(unused < 4, "{unused} bytes unused");
    assert_eq!(check_outer(&outer), Ok(()));
    let copy = Copy {
        outer: outer.clone(),
        transit: Transit { age_ms: u64::MAX, tokens: u16::MAX, round: u16::MAX, hops: u8::MAX },
        arrived_at: Timestamp::MAX,
        content: Content::Inline(vec![0; INLINE_MAX].into()),
        digest: Short([0xee; 16]),
    };
    encode_record(&Record::Copy(Box::new(copy))).unwrap();
    outer.extensions.insert(1, vec![0; 16].into());
    assert!(matches!(check_outer(&outer), Err(CodecError::TooLarge { .. })));
}

#[test]
fn the_largest_statement_fits_its_record() {
    let statement = LinkState {
        node: NODE,
        version: Version::default(),
        neighbours: Vec::new(),
        extensions: [(1, vec![0; STATEMENT_MAX - 200].into())].into(),
    };
    let mut attested = Attested { statement, signature: vec![0; SIGNATURE].into() };
    let room = STATEMENT_MAX - encoded_len(&attested);
    attested.statement.extensions.insert(1, vec![0; STATEMENT_MAX - 200 + room].into());
    assert_eq!(encoded_len(&attested), STATEMENT_MAX);
    assert_eq!(check_statement(&attested, &attested.statement.extensions), Ok(()));
    let in_a_record = cbor::to_vec(
        &[("re", &attested)].into_iter().collect::<std::collections::BTreeMap<_, _>>(),
    );
    assert!(in_a_record.len() + crate::codec::RECORD_HEADER <= RECORD_MAX);
}

#[test]
fn too_much_of_anything_is_refused() {
    let record = |subject: usize, rank: usize, bytes: usize| {
        Frame::Record(DirectoryRecord {
            key: DirectoryKey { kind: 1, subject: vec![0; subject].into() },
            rank: vec![0; rank].into(),
            bytes: vec![0; bytes].into(),
        })
    };
    let contact = |extensions: u16| {
        Frame::Contact(Contact {
            store: 1,
            opening: FAR,
            yours: None,
            directory: 0,
            room: 0,
            extensions: (0..extensions).map(|n| (n, Bytes::new())).collect(),
        })
    };
    let entry =
        DirectoryEntry { key: DirectoryKey { kind: 1, subject: Bytes::new() }, rank: Bytes::new() };
    let fine = [record(64, 64, DIRECTORY_RECORD_MAX), contact(64), transfer(outer(0), WHOLE_MAX)];
    assert_eq!(check_frames(&fine), Ok(()));
    let bad = [
        vec![record(65, 1, 1)],
        vec![record(1, 65, 1)],
        vec![record(1, 1, DIRECTORY_RECORD_MAX + 1)],
        vec![contact(65)],
        vec![transfer(outer(0), WHOLE_MAX + 1)],
        vec![Frame::Have(vec![entry; HAVE_MAX + 1])],
        vec![Frame::Synced; FRAMES_MAX + 1],
        vec![transfer(outer(0), 0); BATCH_MESSAGES + 1],
    ];
    for frames in bad {
        assert!(check_frames(&frames).is_err(), "{:?}", frames[0]);
    }
    let outcome = (message_id(), Outcome::NotTaken(NotTaken::Busy));
    let answer = Answer { outcomes: vec![outcome; BATCH_MESSAGES + 1], frames: Vec::new() };
    assert!(check_answer(&answer).is_err());
}
