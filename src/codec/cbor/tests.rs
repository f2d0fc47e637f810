//! Tests of the module above: only the strict subset gets in.

use super::*;
use std::collections::BTreeMap;

type Numbers = Vec<u64>;

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    from_slice(bytes, 1_000_000)
}

#[test]
fn what_is_written_is_read() {
    let value: BTreeMap<String, Numbers> =
        [("a".to_owned(), vec![0, 23, 24, 255, 256, 65_536, u64::MAX]), ("b".to_owned(), vec![])]
            .into();
    assert_eq!(read(&to_vec(&value)), Ok(value.clone()));
    assert_eq!(len(&value), to_vec(&value).len());
}

#[test]
fn leftover_and_missing_bytes_are_refused() {
    assert_eq!(read::<Numbers>(&[0x81, 0x01]), Ok(vec![1]));
    assert_eq!(read::<Numbers>(&[0x81, 0x01, 0x00]), Err(CodecError::Trailing(1)));
    assert!(matches!(read::<Numbers>(&[0x82, 0x01]), Err(CodecError::Malformed(_))));
    assert!(matches!(read::<Numbers>(&[]), Err(CodecError::Malformed(_))));
}

#[test]
fn too_many_bytes_are_refused_unread() {
    assert_eq!(
        from_slice::<Numbers>(&[0xff; 9], 8),
        Err(CodecError::TooLarge { size: 9, limit: 8 })
    );
}

#[test]
fn indefinite_lengths_tags_and_reserved_headers_are_refused() {
    for bytes in [&[0x9f, 0x01, 0xff][..], &[0x81, 0xc2, 0x41, 0x01], &[0x81, 0x1c], &[0xff]] {
        assert!(matches!(read::<Numbers>(bytes), Err(CodecError::Malformed(_))), "{bytes:x?}");
    }
}

#[test]
fn deep_nesting_is_refused() {
    let nested = |depth: usize| [vec![0x81; depth], vec![0x00]].concat();
    let structure = |depth| check_structure(&nested(depth));
    assert_eq!(structure(DEPTH_MAX), Ok(()));
    assert_eq!(structure(DEPTH_MAX + 1), Err(CodecError::TooDeep));
    assert_eq!(structure(900_000), Err(CodecError::TooDeep));
}

#[test]
fn a_claimed_length_is_not_believed() {
    let claims = [
        &[0x9a, 0xff, 0xff, 0xff, 0xff][..],
        &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0xbb, 0x80, 0, 0, 0, 0, 0, 0, 0],
        &[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0x7a, 0x00, 0x0f, 0x00, 0x00, b'a'],
    ];
    for bytes in claims {
        assert!(read::<Numbers>(bytes).is_err(), "{bytes:x?}");
    }
    let most = COLLECTION_MAX as usize;
    assert_eq!(read::<Numbers>(&to_vec(&vec![0_u64; most])).map(|v| v.len()), Ok(most));
    let one_more = to_vec(&vec![0_u64; most + 1]);
    assert!(matches!(read::<Numbers>(&one_more), Err(CodecError::TooMany { .. })));
}

#[test]
fn the_items_of_all_levels_are_counted() {
    let value = vec![vec![0_u64; 1_000]; ITEMS_MAX / 1_000 + 1];
    assert!(matches!(
        read::<Vec<Numbers>>(&to_vec(&value)),
        Err(CodecError::TooMany { what: "items", .. })
    ));
}
