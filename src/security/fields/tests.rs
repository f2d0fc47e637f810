use super::*;

#[test]
fn only_the_one_form_is_read() {
    let good = array(vec![Value::from(1), bytes(b"ab"), Value::from("text")]);
    let mut fields = Fields::read(&good, 64).unwrap();
    assert_eq!(fields.number::<u8>(), Ok(1));
    assert_eq!(fields.fixed::<2>(), Ok(*b"ab"));
    assert_eq!(fields.text(4).as_deref(), Ok("text"));
    assert_eq!(fields.left(), 0);
    assert!(fields.number::<u8>().is_err(), "nothing is left");
    assert!(Fields::read(&good, good.len() - 1).is_err());
    for bad in
        [&[0x01][..], &[0x9f, 0xff], &[0x81, 0x18, 0x01], &[0x80, 0x00], &[0x81], &[], &[0xff]]
    {
        assert!(Fields::read(bad, 64).is_err(), "{bad:x?}");
    }
}

#[test]
fn fields_are_of_their_kind_and_size() {
    let read = |value: Value| Fields::read(&array(vec![value]), 64).unwrap();
    assert!(read(Value::from(256)).number::<u8>().is_err());
    assert!(read(Value::from(-1)).number::<u64>().is_err());
    assert!(read(Value::from("1")).number::<u64>().is_err());
    assert!(read(bytes(b"abc")).bytes(2).is_err());
    assert!(read(Value::from("abc")).bytes(9).is_err());
    assert!(read(bytes(b"abc")).fixed::<4>().is_err());
    assert!(read(bytes(b"")).fixed::<4>().is_err());
    assert_eq!(read(bytes(b"")).optional::<4>(), Ok(None));
    assert!(read(bytes(b"ab")).optional::<4>().is_err());
    assert!(read(Value::from("abc")).text(2).is_err());
    assert!(read(bytes(b"abc")).text(9).is_err());
    assert!(read(Value::Array(vec![Value::from(1); 3])).list(2).is_err());
    assert!(read(Value::from(1)).list(2).is_err());
    assert_eq!(read(byte_list([&b"a"[..], b"b"])).byte_list(2, 1).unwrap().len(), 2);
    assert!(read(byte_list([&b"ab"[..]])).byte_list(2, 1).is_err());
}

#[test]
fn depth_and_claimed_lengths_cost_nothing() {
    let deep = vec![0x81; 1_000];
    assert!(Fields::read(&deep, 2_000).is_err());
    for claim in [[0x9b; 9], [0x5b; 9], [0xbb; 9], [0x7b; 9]] {
        assert!(Fields::read(&claim, 64).is_err());
    }
}
