use super::*;

#[test]
fn a_token_reads_back_and_damage_is_no_token() {
    let token = AccessToken::draw();
    let access = Access { id: "12ab".to_owned(), label: "büro".to_owned(), created_ms: 7 };
    let bytes = encode(&access, token.hash());
    let (read, hash) = decode("12ab", &bytes).expect("it reads back");
    assert_eq!(read, access);
    assert!(hash.is(&token.hash()));
    for damaged in [&bytes[..0], &bytes[..20], &bytes[..40], b"\x02rest", &bytes[..bytes.len() - 4]]
    {
        let read = decode("12ab", damaged);
        assert!(read.is_none_or(|(read, _)| read != access), "{damaged:?}");
    }
}
