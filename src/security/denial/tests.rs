use super::*;
use std::collections::BTreeSet;

fn all() -> Vec<Denial> {
    let by: NodeName = "pc-d".parse().unwrap();
    vec![
        Denial::Malformed("x"),
        Denial::Stranger,
        Denial::NotInMesh,
        Denial::OtherMesh,
        Denial::NoCommonVersion { min: 1, max: 2 },
        Denial::NeedsFeature(4),
        Denial::NotAMember("x"),
        Denial::Left,
        Denial::Revoked,
        Denial::TokenUnknown,
        Denial::TokenExpired { ago_ms: 1 },
        Denial::TokenUsed { by: by.clone(), ago_ms: 1 },
        Denial::TokenBurned,
        Denial::WrongProof,
        Denial::NameTaken(by),
        Denial::InviterNotAdmin,
        Denial::AlreadyMember("pc-a".to_owned()),
        Denial::WrongInviter,
        Denial::ForgedMesh("x"),
        Denial::BadWelcome("x"),
        Denial::Limit("x"),
        Denial::Other(99),
    ]
}

#[test]
fn every_denial_has_a_code_of_its_own_and_words() {
    let codes: BTreeSet<&str> = all().iter().map(Denial::code).collect();
    assert_eq!(codes.len(), all().len());
    for denial in all() {
        assert!(denial.to_string().len() > 10);
        assert!(denial.code().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
    }
}

#[test]
fn what_concerns_this_node_alone_is_not_told() {
    for private in [Denial::Stranger, Denial::ForgedMesh("x"), Denial::AlreadyMember("n".into())] {
        assert_eq!(private.values(), [Value::from(0)]);
    }
    let told = crate::security::fields::array(vec![Value::from(4_000)]);
    let read = Denial::read(&mut Fields::read(&told, 64).unwrap());
    assert_eq!(read, Ok(Denial::Other(4_000)), "reasons of later versions are understood as such");
}

#[test]
fn a_name_in_a_denial_is_a_name() {
    let told = vec![Value::from(11), Value::from("\u{1b}[2J; run this")];
    let told = crate::security::fields::array(told);
    assert!(Denial::read(&mut Fields::read(&told, 64).unwrap()).is_err());
}

#[test]
fn times_are_told_in_words() {
    let ago = |ago_ms| Denial::TokenExpired { ago_ms }.to_string();
    assert!(ago(59_999).contains("less than a minute ago"));
    assert!(ago(60_000).contains("1 min ago"));
    assert!(ago(3 * 3_600_000).contains("3 h ago"));
    assert!(ago(u64::MAX).contains(" h ago"));
}
