//! Tests of the module above: damage and later versions are told apart, limits hold.

use super::*;
use bytes::Bytes;

fn sample() -> Record {
    Record::Private(Bytes::from_static(b"something to keep"))
}

#[test]
fn any_flipped_bit_is_noticed() {
    let bytes = encode_record(&sample()).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(decode_record(&flipped), Err(CodecError::Damaged(_))), "bit {bit}");
    }
    for len in 0..bytes.len() {
        assert!(matches!(decode_record(&bytes[..len]), Err(CodecError::Damaged(_))));
    }
    assert_eq!(decode_record(&bytes), Ok(sample()));
}

#[test]
fn an_intact_record_of_a_later_version_is_too_new() {
    let mut bytes = encode_record(&sample()).unwrap();
    bytes[0] = 9;
    let sum = checksum(&bytes);
    bytes[1..RECORD_HEADER].copy_from_slice(&sum.to_be_bytes());
    assert_eq!(decode_record(&bytes), Err(CodecError::TooNew(9)));
    bytes[0] = 0;
    assert!(matches!(decode_record(&bytes), Err(CodecError::Damaged(_))));
}

#[test]
fn a_form_that_no_record_has_is_damage_even_with_the_right_checksum() {
    let mut bytes = vec![RECORD_VERSION, 0, 0, 0, 0, 0x61, b'?'];
    let sum = checksum(&bytes);
    bytes[1..RECORD_HEADER].copy_from_slice(&sum.to_be_bytes());
    assert!(matches!(decode_record(&bytes), Err(CodecError::Damaged(_))));
}

#[test]
fn a_record_that_is_too_large_is_refused() {
    let record = |len| Record::Chunk(vec![7; len].into());
    let overhead = encode_record_unbounded(&record(4_000)).len() - 4_000;
    assert!(encode_record(&record(RECORD_MAX - overhead)).is_ok());
    let size = RECORD_MAX + 1;
    assert_eq!(
        encode_record(&record(size - overhead)),
        Err(CodecError::TooLarge { size, limit: RECORD_MAX })
    );
}
