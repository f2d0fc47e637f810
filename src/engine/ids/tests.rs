use super::*;

#[test]
fn a_printed_id_reads_back() {
    for value in [0, 1, 31, 32, u64::MAX] {
        let id = MessageRef { nonce: value, line: LineId(!value), number: value };
        let text = id.to_string();
        assert!(text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
        assert_eq!(text.parse(), Ok(id));
    }
}

#[test]
fn other_texts_are_no_ids() {
    for text in ["", "a", "a-b", "a-b-c-d", "a--c", "a-b-u", "zzzzzzzzzzzzz-1-1", "é-1-1"] {
        assert_eq!(text.parse::<MessageRef>(), Err(BadMessageRef), "{text}");
    }
}
