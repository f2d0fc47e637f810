use super::*;

fn with(addresses: &[&str]) -> Token {
    let addresses: Vec<SocketAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
    let inviter = NodeId::from_bytes([3; 32]);
    Token::make(MeshId([1; 16]), inviter, 1_800_000_000_001, &addresses)
}

#[test]
fn a_token_reads_back() {
    let all = ["10.0.0.1:1", "[2001:db8::1]:65535", "127.0.0.1:7670", "[::1]:7670"];
    for count in 0..=all.len() {
        let token = with(&all[..count]);
        let read: Token = token.reveal().parse().unwrap();
        assert_eq!(read.addresses(), token.addresses());
        assert_eq!((read.mesh(), read.id()), (token.mesh(), token.id()));
        assert_eq!(read.key().public(), token.key().public());
        assert!(read.expires_at_ms() >= 1_800_000_000_001);
        assert!(read.is_from(NodeId::from_bytes([3; 32])));
        assert!(!read.is_from(NodeId::from_bytes([4; 32])));
    }
}

#[test]
fn a_token_is_one_word_of_the_length_that_was_promised() {
    let (v4, v6) = ("192.168.1.12:7670", "[2001:db8::1]:7670");
    for (addresses, len) in [(&[v4][..], 92), (&[v4, v4], 102), (&[v4, v6], 118)] {
        let text = with(addresses).reveal();
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric()), "a double click selects it");
        assert!((len - 2..=len).contains(&text.len()), "{} characters, not {len}", text.len());
    }
    let many = with(&[v4; 9]);
    assert_eq!(many.addresses().len(), TOKEN_ADDRESSES_MAX);
}

#[test]
fn what_is_wrong_is_said_and_the_text_is_not_repeated() {
    let text = with(&[]).reveal();
    let refused = |text: &str| text.parse::<Token>().unwrap_err();
    assert_eq!(refused("hello"), TokenError::NotAToken);
    assert_eq!(refused("mq1"), TokenError::Mistyped);
    assert_eq!(refused(&text[..text.len() - 1]), TokenError::Mistyped);
    assert_eq!(refused(&format!("mq1{}", "z".repeat(10_000))), TokenError::Mistyped);
    assert!(!refused(&text[1..]).to_string().contains(&text[10..30]));
    let checked = |payload: &[u8]| {
        let bytes = [payload, &suite::checksum(payload)].concat();
        format!("mq1{}", bs58::encode(bytes).into_string())
    };
    assert_eq!(refused(&checked(&[2; 60])), TokenError::TooNew(2));
    assert_eq!(refused(&checked(&[0; 60])), TokenError::Mistyped);
    let mut payload = [1; 54];
    payload[53] = 0;
    assert!(checked(&payload).parse::<Token>().is_ok());
    for (last, rest) in [(1, &[][..]), (1, &[9, 1, 1, 1, 1, 1, 1][..]), (0, &[0][..]), (5, &[][..])]
    {
        payload[53] = last;
        assert_eq!(refused(&checked(&[&payload[..], rest].concat())), TokenError::Mistyped);
    }
}

#[test]
fn a_token_of_any_admin_names_nobody() {
    let mut token = with(&[]);
    token.inviter = [0; 16];
    assert!(token.is_from(NodeId::from_bytes([9; 32])));
}
