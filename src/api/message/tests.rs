use super::*;

#[test]
fn a_value_comes_out_as_it_went_in() {
    let message = Message::json(&vec![1, 2]).expect("it has a form in JSON");
    assert_eq!(message.content_type, "application/json");
    assert_eq!(message.read_json::<Vec<u8>>(), Ok(vec![1, 2]));
    assert!(matches!(message.read_json::<String>(), Err(Error::Invalid(_))));
}

#[test]
fn texts_and_bytes_are_messages() {
    for message in [Message::from("ab"), "ab".to_owned().into(), vec![b'a', b'b'].into()] {
        assert_eq!(message.body, "ab");
    }
}
