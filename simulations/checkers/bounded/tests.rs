//! Tables that are counted from commits.

use super::tables::Tables;
use super::{queue, within};
use meshmq::engine::limits::STAGES_MAX;
use meshmq::engine::record::{Key, Queue, Record};
use meshmq::engine::storage::Write;
use meshmq::engine::time::Timestamp;

const ME: &[u8; 32] = &[7; 32];

#[test]
fn a_table_over_its_limit_is_found_and_what_goes_makes_room() {
    let mut tables = Tables::default();
    let put = |number: u64| Write::Put(Key::Stage(number), Record::Stage(1));
    let delete = |number: u64| Write::Delete(Key::Stage(number));
    for number in 0..STAGES_MAX as u64 {
        tables.post(ME, &put(number), &delete(number));
        tables.post(ME, &put(number), &put(number));
    }
    assert_eq!(tables.check(), Ok(()));
    tables.post(ME, &put(1_000), &delete(1_000));
    let found = tables.check().expect_err("one too many");
    assert!(found.what.contains("bodies being handed in: 257; 256 are allowed"), "{found:?}");
    tables.post(ME, &delete(0), &put(0));
    assert_eq!(tables.check(), Ok(()));
}

#[test]
fn a_queue_over_its_quota_is_found() {
    let mut of = Queue {
        name: "orders".parse().expect("a name"),
        transactional: false,
        max_messages: Some(5),
        max_bytes: None,
        created_at: Timestamp::ZERO,
        messages: 5,
        bytes: 0,
    };
    assert_eq!(queue(&of), Ok(()));
    of.messages = 6;
    let found = queue(&of).expect_err("over its quota");
    assert!(found.what.contains("messages of queue orders: 6; 5 are allowed"), "{found:?}");
}

#[test]
fn a_limit_itself_is_allowed() {
    assert_eq!(within("things", 3, 3), Ok(()));
    assert!(within("things", 4, 3).is_err());
}
