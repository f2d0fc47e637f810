use super::*;

#[test]
fn names_are_short_and_plain() {
    for good in ["a", "pc-b", "7", &"x".repeat(63)] {
        assert_eq!(good.parse::<NodeName>().map(|n| n.to_string()), Ok(good.to_owned()));
    }
    for bad in ["", "Pc", "pc_b", "pc b", "pc~7f3a", "é", "a@b", &"x".repeat(64)] {
        assert!(bad.parse::<NodeName>().is_err(), "{bad}");
    }
}

#[test]
fn a_refusal_shows_no_control_characters() {
    let refusal = "\u{1b}[31mred".parse::<NodeName>().unwrap_err().to_string();
    assert!(!refusal.contains('\u{1b}'));
}
